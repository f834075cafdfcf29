//go:build linux

package main

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/servertest"
)

// onAll runs a test on every kind of store.
func onAll(t *testing.T, test func(c *cli)) {
	for name, store := range map[string]func(t *testing.T) string{
		"SQLite":     func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "a b%20c?.db") },
		"PostgreSQL": func(t *testing.T) string { return servertest.PostgreSQL(t) },
		"MariaDB":    func(t *testing.T) string { return "mysql:" + servertest.MariaDB(t) },
		"Redis":      func(t *testing.T) string { return redisURL(t) },
	} {
		t.Run(name, func(t *testing.T) { test(newCLI(t, store(t))) })
	}
}

// redisURL names a part of the shared server that is the test's own.
func redisURL(t *testing.T) string {
	return servertest.Redis(t) + "?prefix=" + rand.Text()[:16] + ":"
}

// statusOf is what an API with the store answers to a key.
func statusOf(t *testing.T, s *backend, prefix, key string) int {
	keys, err := auth.NewAPIKeys(s, prefix, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, keys.Close()) }() // the last use is written
	guard := auth.NewGuard(auth.Header("X-API-Key", keys), nil).With(auth.Scope("data:read"))
	r := httptest.NewRequest(http.MethodGet, "/data", nil)
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("X-API-Key", key)
	w := httptest.NewRecorder()
	guard.WrapFunc(func(http.ResponseWriter, *http.Request) {}).ServeHTTP(w, r)
	return w.Code
}

func TestKeyLivesAndDies(t *testing.T) {
	onAll(t, func(c *cli) {
		s := c.open()
		key := c.secret("", "key", "create", "--prefix", "acme_live", "--subject", "42", "--scope", "data:read", "--name", "CI",
			"--expires", "90d", "--from", "127.0.0.0/8", "--quota", "100/1m+20")
		require.Equal(c, http.StatusOK, statusOf(c.T, s, "acme_live", key))
		listed := c.one("key", "list")
		id := listed["id"].(string)
		require.Equal(c, "active", listed["state"])
		require.Equal(c, "127.0.0.0/8", listed["networks"])
		require.Equal(c, "100/1m+20", listed["quota"])
		expires, err := time.Parse(time.RFC3339, listed["expires"].(string))
		require.NoError(c, err)
		require.WithinDuration(c, time.Now().Add(90*24*time.Hour), expires, time.Hour)
		require.Equal(c, listed, c.one("key", "show", id))
		require.Equal(c, listed, c.one("key", "show", id[:8]))
		require.Equal(c, listed, c.one("key", "list", "--subject", "42"))
		require.Empty(c, c.all("key", "list", "--subject", "42", "--tenant", "other"))
		require.Empty(c, c.all("key", "list", "--prefix", "acme"))

		c.ok("key", "disable", id)
		require.Equal(c, http.StatusUnauthorized, statusOf(c.T, s, "acme_live", key))
		require.Equal(c, "disabled", c.one("key", "show", id)["state"])
		require.Contains(c, c.refused(exitConflict, "", "key", "rotate", id), "is disabled and has no successor; key show tells")
		c.fed(key+"\n", "key", "enable", "-")
		require.Equal(c, http.StatusOK, statusOf(c.T, s, "acme_live", key))

		next := c.secret("", "key", "rotate", id)
		require.Equal(c, http.StatusOK, statusOf(c.T, s, "acme_live", key), "the overlap")
		require.Equal(c, http.StatusOK, statusOf(c.T, s, "acme_live", next))
		last := c.secret(next+"\n", "key", "rotate", "--overlap", "0s", "-")
		require.Equal(c, http.StatusUnauthorized, statusOf(c.T, s, "acme_live", next), "no overlap")
		require.Contains(c, c.refused(exitConflict, next, "key", "rotate", "-"), "expired")

		require.Contains(c, c.refused(exitUsage, last, "key", "revoke", "-"), "say --yes", "it is for good")
		require.Equal(c, http.StatusOK, statusOf(c.T, s, "acme_live", last))
		c.fed(last, "key", "revoke", "--yes", "-")
		require.Equal(c, http.StatusUnauthorized, statusOf(c.T, s, "acme_live", last))
		c.refused(exitNotFound, last, "key", "revoke", "--yes", "-")
		require.Len(c, c.all("key", "list"), 2, "the rotated ones")
	})
}

func TestKeyOfAUserHasTheirRights(t *testing.T) {
	c := onSQLite(t)
	c.fed("a long enough password", "user", "add", "Ann@example.com", "--scope", "data:read", "--scope", "data:write", "--tier", "premium", "--tenant", "t")
	key := c.secret("", "key", "create", "--prefix", "acme", "--login", "ANN@example.com", "--scope", "data:read", "--scope", "admin")
	require.Equal(t, http.StatusOK, statusOf(t, c.open(), "acme", key))
	listed := c.one("key", "list", "--login", "ann@example.com")
	require.Equal(t, []any{"data:read"}, listed["scopes"], "what the user lacks is left out")
	require.Equal(t, "premium", listed["tier"])
	require.Equal(t, "t", listed["tenant"])
	require.Contains(t, c.run("", "user", "disable", "ann@example.com").err, "1 API key of theirs still good")
}

func TestKeyAsJSONIsShownOnce(t *testing.T) {
	c := onSQLite(t)
	a := c.run("", "key", "create", "--prefix", "acme", "--subject", "42", "--from", "nowhere", "--json")
	require.Zero(t, a.code)
	require.Equal(t, 1, strings.Count(a.out, "\n"))
	_, rest, _ := strings.Cut(a.out, `"key":"`)
	key, _, _ := strings.Cut(rest, `"`)
	require.Contains(t, a.out, `"networks":""`, "nowhere is not anywhere")
	require.Equal(t, 1, strings.Count(a.out+a.err, key))
	c.secrets = append(c.secrets, key)
	c.ok("key", "list", "--json")
	c.fed(key, "token", "inspect", "--json")
	require.Contains(t, c.ok("key", "show", c.one("key", "list")["id"].(string)), "nowhere")
}

func TestKeysAreNamedByWholeIDs(t *testing.T) {
	c := onSQLite(t)
	key := c.secret("", "key", "create", "--prefix", "acme", "--subject", "42")
	id := c.one("key", "list")["id"].(string)
	for _, command := range []string{"disable", "enable", "revoke", "rotate"} {
		c.refused(exitNotFound, "", "key", command, id[:42])
		c.refused(exitNotFound, "", "key", command, id[:8])
	}
	require.Contains(t, c.refused(exitUsage, "", "key", "show", id[:7]), "shorter than 8")
	c.refused(exitNotFound, "", "key", "show", "AAAAAAAA")
	c.secrets = nil // an argument is read by everybody: that it is told again harms nobody
	require.Contains(t, c.refused(exitUsage, "", "key", "disable", key), "others on this machine can read a command line")
	require.Equal(t, "active", c.one("key", "list")["state"])

	typo := key[:len(key)-1] + map[bool]string{true: "0", false: "1"}[key[len(key)-1] != '0']
	require.Contains(t, c.refused(exitFailed, typo, "key", "disable", "-"), "mistyped")
	require.Contains(t, c.refused(exitFailed, "secret", "key", "disable", "-"), "form of a key")
	require.Contains(t, c.refused(exitUsage, "", "key", "disable", "-"), "standard input")
	require.Contains(t, c.refused(exitUsage, strings.Repeat("x", 1<<20), "key", "disable", "-"), "longer than")
}

// One that fails does not keep the others from being done.
func TestManyKeysAtOnce(t *testing.T) {
	c := onSQLite(t)
	c.secret("", "key", "create", "--prefix", "acme", "--subject", "42")
	c.secret("", "key", "create", "--prefix", "acme", "--subject", "42")
	keys := c.all("key", "list")
	a, b := keys[0]["id"].(string), keys[1]["id"].(string)
	require.Contains(t, c.refused(exitNotFound, "", "key", "revoke", "--yes", a, strings.Repeat("A", 43), b), "there is no key")
	require.Empty(t, c.all("key", "list"))
}

func TestWhatPeopleWroteDoesNothingToTheTerminal(t *testing.T) {
	c := onSQLite(t)
	c.secret("", "key", "create", "--prefix", "acme", "--subject", "4\x1b[2J2", "--name", "a\tb\nc\x1b[31m")
	for _, out := range []string{c.ok("key", "list"), c.ok("key", "show", c.one("key", "list")["id"].(string))} {
		require.NotContains(t, out, "\x1b")
		require.NotContains(t, out, "a\tb")
	}
	require.Len(t, strings.Split(c.ok("key", "list"), "\n"), 3)
}

// A key that nobody has seen is to be revoked, by the id that is told.
func TestKeyThatCannotBeShownIsNamed(t *testing.T) {
	c := onSQLite(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer full.Close()
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(program, "key", "create", "--prefix", "acme", "--subject", "42")
	cmd.Env = append(append(os.Environ(), c.env...), asAuthctl+"=1")
	cmd.Stdout = full
	var said strings.Builder
	cmd.Stderr = &said
	require.Error(t, cmd.Run())
	require.Equal(t, exitFailed, cmd.ProcessState.ExitCode())
	require.Contains(t, said.String(), c.one("key", "list")["id"].(string)+" was made, and could not be shown")
}
