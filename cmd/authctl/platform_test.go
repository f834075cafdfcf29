//go:build linux

package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

func TestPlatformLivesAndIsSuspended(t *testing.T) {
	onAll(t, func(c *cli) {
		c.ok("keygen", "--alg", "RS512", "--bits", "2048", "--out", "first.pem", "--public", "first.pub.pem")
		c.ok("keygen", "--alg", "ES256", "--form", "jwk", "--out", "next.json", "--public", "next.pub.json", "--kid", "next")
		require.Contains(c, c.refused(exitUsage, "", "platform", "add", "acme", "--key", "first.pem"), "can sign")
		c.ok("platform", "add", "acme", "--key", "first.pub.pem", "--name", "Acme", "--audience", "api", "--scope", "data:read",
			"--email-domain", "acme.example", "--session", "14d", "--max-life", "2m", "--from", "192.0.2.0/24", "--quota", "5/1s", "--tier", "gold")
		c.refused(exitConflict, "", "platform", "add", "acme", "--key", "first.pub.pem")

		entries, err := auth.NewPlatformRecords(c.open())
		require.NoError(c, err)
		entry := func() *auth.Platform {
			p, err := entries.Platform(c.Context(), "acme")
			require.NoError(c, err)
			return p
		}
		require.Nil(c, entry().Algorithms)
		listed := c.one("platform", "list")
		require.Equal(c, listed, c.one("platform", "show", "acme"))
		require.Equal(c, "active", listed["state"])
		require.Equal(c, "14d", listed["session_lifetime"])
		require.Equal(c, "2m", listed["max_life"])
		require.Contains(c, c.ok("platform", "show", "acme"), "acme.example")

		// The keys roll over.
		require.Contains(c, c.refused(exitFailed, "", "platform", "keys", "add", "acme", "--key", "next.pub.json"), "ES256, which the platform may not sign with")
		c.ok("platform", "keys", "add", "acme", "--key", "next.pub.json", "--alg", "ES256")
		keys := c.all("platform", "keys", "list", "acme")
		require.Len(c, keys, 2)
		require.Equal(c, map[string]any{"kid": "next", "alg": "ES256"}, keys[1])
		require.Equal(c, []auth.Algorithm{auth.RS512, auth.ES256}, entry().Algorithms)
		require.Contains(c, c.refused(exitUsage, "", "platform", "keys", "remove", "acme", keys[0]["kid"].(string)), "say --yes")
		require.Len(c, c.all("platform", "keys", "list", "acme"), 2)
		c.ok("platform", "keys", "remove", "--yes", "acme", keys[0]["kid"].(string))
		found, err := entry().Keys.Lookup(c.Context(), "", auth.RS512)
		require.NoError(c, err)
		require.Empty(c, found)
		require.Contains(c, c.refused(exitFailed, "", "platform", "keys", "remove", "--yes", "acme", "next"), "the only key")
		c.refused(exitNotFound, "", "platform", "keys", "remove", "--yes", "acme", "other")

		// What it opened ends with it.
		s := c.open()
		platforms, err := auth.NewPlatforms(s, entries, nil)
		require.NoError(c, err)
		suspended := func() bool {
			yes, err := platforms.Suspended(c.Context(), "acme")
			require.NoError(c, err)
			return yes
		}
		c.ok("platform", "suspend", "acme")
		require.True(c, suspended())
		require.Equal(c, "suspended", c.one("platform", "list")["state"])
		c.ok("platform", "resume", "acme")
		require.False(c, suspended())

		c.refused(exitUsage, "", "platform", "remove", "acme")
		c.ok("platform", "remove", "acme", "--yes")
		c.refused(exitNotFound, "", "platform", "remove", "acme", "--yes")
		c.refused(exitNotFound, "", "platform", "show", "acme")
		c.refused(exitNotFound, "", "platform", "keys", "list", "acme")
		c.refused(exitNotFound, "", "platform", "keys", "add", "acme", "--key", "next.pub.json")
		require.Contains(c, c.refused(exitNotFound, "", "platform", "suspend", "acme"), "--unlisted")
		c.ok("platform", "suspend", "acme", "--unlisted")
		require.True(c, suspended())
	})
}

func TestPlatformThatIsWrongIsNotAdded(t *testing.T) {
	c := onSQLite(t)
	c.ok("keygen", "--alg", "RS512", "--bits", "2048", "--out", "a.pem", "--public", "a.pub.pem")
	c.ok("keygen", "--alg", "HS512", "--form", "jwk", "--out", "secret.json")
	c.write("junk", "junk")
	for _, args := range [][]string{
		{"acme"},
		{"acme", "--key", "a.pub.pem", "--alg", "HS256"},
		{"acme", "--key", "secret.json", "--alg", "HS512"},
		{"../acme", "--key", "a.pub.pem"},
		{"acme", "--key", "a.pub.pem", "--session", "500d"},
		{"acme", "--key", "a.pub.pem", "--email-domain", "@"},
		{"acme", "--key", "a.pub.pem", "--key", "a.pub.pem"},
		{"acme", "--key", "a.pub.pem", "--key", "a.pub.pem", "--kid", "x"},
		{"acme", "--key", "a.pub.pem", "--quota", "5"},
		{"acme", "--key", "a.pub.pem", "--from", ""},
	} {
		require.NotZero(t, c.run("", append([]string{"platform", "add"}, args...)...).code, args)
	}
	c.refused(exitFailed, "", "platform", "add", "acme", "--key", "none.pem")
	c.refused(exitFailed, "", "platform", "add", "acme", "--key", "junk")
	require.Empty(t, c.all("platform", "list"))
}
