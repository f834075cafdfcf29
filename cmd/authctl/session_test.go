//go:build linux

package main

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// signIn opens a session, as an API with the store does.
func signIn(t *testing.T, s *backend, p *auth.Principal) (sessions *auth.Sessions, token, id string) {
	sessions, err := auth.NewSessions(s, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sessions.Close()) })
	g, err := sessions.Issue(t.Context(), p, &auth.IssueOptions{Device: auth.Device{
		UserAgent: "Mozilla/5.0 \x1b[31m", Address: netip.MustParseAddr("192.0.2.1"),
	}})
	require.NoError(t, err)
	return sessions, g.Token.Reveal(), g.Principal.Credential.ID
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	onAll(t, func(c *cli) {
		s := c.open()
		ann := &auth.Principal{Issuer: "https://api.example.com", Tenant: "t", Subject: "ann"}
		bob := &auth.Principal{Subject: "bob"}
		sessions, first, id := signIn(c.T, s, ann)
		_, second, _ := signIn(c.T, s, ann)
		_, third, _ := signIn(c.T, s, bob)
		alive := func(token string) bool {
			_, err := sessions.Verify(c.Context(), token)
			return err == nil
		}
		require.Len(c, c.all("session", "list"), 3)
		require.NotContains(c, c.ok("session", "list"), "\x1b")
		require.Len(c, c.all("session", "list", "--subject", "ann", "--tenant", "t", "--issuer", "https://api.example.com"), 2)
		require.Empty(c, c.all("session", "list", "--subject", "ann", "--tenant", "t"), "of another issuer")
		require.Equal(c, "bob", c.one("session", "list", "--subject", "bob")["subject"])

		c.ok("session", "revoke", id)
		require.False(c, alive(first))
		require.True(c, alive(second))
		c.refused(exitNotFound, "", "session", "revoke", id)
		c.fed(third+"\n", "session", "revoke", "-")
		require.False(c, alive(third))

		c.set("AUTH_ISSUER", "https://api.example.com")
		all := []string{"session", "revoke", "--subject", "ann", "--tenant", "t"}
		said := c.refused(exitConflict, "", append(all, "--yes", "--issuer", "")...)
		require.Contains(c, said, `ended 0 sessions of "ann" of tenant "t", and`)
		require.Contains(c, said, `1 session of the same subject under issuer "https://api.example.com" not ended: --issuer "https://api.example.com"`)
		require.NotContains(c, c.run("", "session", "revoke", "--subject", "ann", "--yes", "--issuer", "").err, "under issuer", "of another tenant")
		require.Contains(c, c.refused(exitUsage, "yes\n", all...), "say --yes", "nobody is at a terminal")
		require.True(c, alive(second))
		require.Contains(c, c.run("", append(all, "--yes")...).err, "ended 1 session of")
		require.False(c, alive(second))
		require.Empty(c, c.all("session", "list"))
	})
}

// What a disabled key has opened is dead, as what has expired is, and neither is
// in the list.
func TestSessionsThatEndedOtherwiseAreNotListed(t *testing.T) {
	c := onSQLite(t)
	s := c.open()
	key := c.secret("", "key", "create", "--prefix", "acme", "--subject", "42")
	keys, err := auth.NewAPIKeys(s, "acme", nil)
	require.NoError(t, err)
	defer keys.Close()
	p, err := keys.Verify(t.Context(), key)
	require.NoError(t, err)
	_, token, _ := signIn(t, s, p.ProvedAt(time.Now()))
	expired := auth.Record{Kind: auth.KindSession, Owner: p.Owner(), Principal: p, Expires: time.Now().Add(-time.Second)}
	require.NoError(t, s.Insert(t.Context(), auth.Digest{1}, expired))
	require.Len(t, c.all("session", "list"), 1)
	require.Len(t, c.all("session", "list", "--subject", "42"), 1)
	require.Contains(t, c.fed(token, "token", "inspect"), "VERIFIED")
	c.ok("key", "disable", c.one("key", "list")["id"].(string))
	require.Empty(t, c.all("session", "list"))
	require.Contains(t, c.run(token, "token", "inspect").out, "switched off")
}

func TestWhoseSessions(t *testing.T) {
	c := onSQLite(t)
	for _, args := range [][]string{
		{"session", "revoke"},
		{"session", "revoke", "--yes"},
		{"session", "revoke", "--subject", "42", "id"},
		{"session", "revoke", "--tenant", "t", "--yes"},
		{"session", "list", "--tenant", "t"},
		{"session", "list", "--login", "ann", "--subject", "42"},
		{"key", "create", "--prefix", "acme"},
		{"key", "create", "--subject", "42"},
		{"key", "create", "--subject", "42", "--prefix", "1"},
	} {
		c.refused(exitUsage, "", args...)
	}
	c.refused(exitNotFound, "", "session", "revoke", "--yes", "--login", "nobody")
	c.refused(exitNotFound, "", "session", "revoke", "id")
}
