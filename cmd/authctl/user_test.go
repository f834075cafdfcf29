//go:build linux

package main

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

// logIn is what an API with the store answers to a login.
func logIn(c *cli, s *backend, login, text string) (*auth.Principal, error) {
	users, err := password.NewUsers(s.users, &password.Options{Issuer: "https://api.example.com", InsecureNoThrottle: true})
	require.NoError(c, err)
	return users.Verify(context.Background(), login, text)
}

func TestUserLivesAndIsSwitchedOff(t *testing.T) {
	onAll(t, func(c *cli) {
		s := c.open()
		c.set("AUTH_ISSUER", "https://api.example.com")
		id := strings.TrimSpace(c.fed("a long enough password\n", "user", "add", "Ann@Example.com", "--tenant", "t", "--tier", "premium",
			"--scope", "data:read", "--claims", `{"a": 1}`))
		p, err := logIn(c, s, "ann@example.com", "a long enough password")
		require.NoError(c, err)
		require.Equal(c, id, p.Subject)
		require.Equal(c, []string{"data:read"}, p.Scopes)
		listed := c.one("user", "list")
		require.Equal(c, id, listed["id"])
		require.Equal(c, true, listed["has_password"])
		require.Equal(c, listed, c.one("user", "show", "ANN@example.com"))
		require.Equal(c, listed, c.one("user", "show", "--id", id))
		require.NotContains(c, c.ok("user", "show", "--id", id), "argon2", "not the hash")
		c.refused(exitConflict, "another long password", "user", "add", "ann@example.com")
		c.refused(exitConflict, "another long password", "user", "add", "--id", id, "bob")

		sessions, token, _ := signIn(c.T, s, p)
		made := c.secret("", "user", "passwd", "--generate", "ann@example.com")
		_, err = sessions.Verify(c.Context(), token)
		require.Error(c, err, "the sessions end with the password")
		_, err = logIn(c, s, "ann@example.com", "a long enough password")
		require.ErrorIs(c, err, auth.ErrInvalid)
		p, err = logIn(c, s, "ann@example.com", made)
		require.NoError(c, err)

		sessions, token, _ = signIn(c.T, s, p)
		for _, args := range [][]string{{"disable", "ann@example.com"}, {"passwd", "--id", id}} {
			a := c.run(made, append([]string{"user", "--issuer", "https://other.example.com"}, args...)...)
			require.Equal(c, exitConflict, a.code, a.err)
			require.Contains(c, a.err, "ended 0 sessions")
			require.Contains(c, a.err, `1 session of the same subject under issuer "https://api.example.com" not ended`)
			_, err = sessions.Verify(c.Context(), token)
			require.NoError(c, err)
		}
		require.Contains(c, c.run("", "user", "disable", "ann@example.com").err, "and ended 1 session\n")
		_, err = sessions.Verify(c.Context(), token)
		require.Error(c, err)
		_, err = logIn(c, s, "ann@example.com", made)
		require.ErrorIs(c, err, auth.ErrDisabled)
		require.Equal(c, "disabled", c.one("user", "list")["state"])
		c.ok("user", "enable", "--id", id)
		_, err = logIn(c, s, "ann@example.com", made)
		require.NoError(c, err)
	})
}

func TestPasswordsComeFromWhereNobodyLooks(t *testing.T) {
	c := onSQLite(t)
	c.secrets = []string{"correct horse battery"}
	c.fed("correct horse battery\r\n", "user", "add", "ann")
	_, err := logIn(c, c.open(), "ann", "correct horse battery")
	require.NoError(t, err, "without the end of its line")

	c.set("AUTH_PASSWORD", "correct horse battery")
	c.ok("user", "add", "bob")
	_, err = logIn(c, c.open(), "bob", "correct horse battery")
	require.NoError(t, err)
	c.env = c.env[:1]

	require.Contains(t, c.refused(exitUsage, "", "user", "add", "eve"), "no password on standard input")
	require.Contains(t, c.refused(exitFailed, "too short\n", "user", "add", "eve"), "The password is too short.")
	c.fed("too short\n", "user", "add", "eve", "--min-length", "8")
	require.Contains(t, c.refused(exitFailed, "ann@example.com\n", "user", "add", "ann@example.com"), "must differ from the login")
	require.Contains(t, c.refused(exitFailed, strings.Repeat("x", 2000), "user", "add", "zoe"), "password_too_long")
	c.refused(exitFailed, "a long enough password", "user", "add", "")
	c.refused(exitUsage, "", "user", "add", "x", "--min-length", "7")
	c.refused(exitUsage, "", "user", "add", "x", "--generate", "--no-password")
	c.refused(exitFailed, "a long enough password", "user", "add", "x", "--claims", "[]")
	c.refused(exitNotFound, "a long enough password", "user", "passwd", "nobody")
	c.refused(exitNotFound, "", "user", "disable", "nobody")
	c.refused(exitNotFound, "", "user", "show", "--id", "nobody")
}

func TestMadePasswordIsShownOnce(t *testing.T) {
	c := onSQLite(t)
	made := c.secret("", "user", "add", "ann", "--generate")
	_, err := logIn(c, c.open(), "ann", made)
	require.NoError(t, err)
	a := c.run("", "user", "passwd", "ann", "--generate", "--json")
	_, rest, _ := strings.Cut(a.out, `"password":"`)
	made, _, _ = strings.Cut(rest, `"`)
	_, err = logIn(c, c.open(), "ann", made)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(a.out+a.err, made))

	id := strings.TrimSpace(c.ok("user", "add", "robot", "--no-password", "--disabled"))
	u := c.one("user", "show", "--id", id)
	require.Equal(t, false, u["has_password"])
	require.Equal(t, "disabled", u["state"])
}
