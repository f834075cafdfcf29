//go:build linux

package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
)

// entryOf returns a client as a server reads it.
func (c *cli) entryOf(store auth.Store, id string) *oauth.Client {
	c.Helper()
	r, err := oauth.NewClientRecords(store)
	require.NoError(c, err)
	entry, err := r.Client(c.Context(), id)
	require.NoError(c, err)
	return entry
}

// proves reports whether the client may authenticate by that secret now.
func proves(c *oauth.Client, secret string) bool {
	for _, s := range c.Secrets {
		if s.Digest == auth.DigestOf("client_secret", secret) {
			return s.Expires.IsZero() || time.Now().Before(s.Expires)
		}
	}
	return false
}

func TestClientLivesAndIsDisabled(t *testing.T) {
	onAll(t, func(c *cli) {
		s := c.open()
		secret := c.secret("", "client", "add", "web-app", "--name", "Web app", "--website", "https://app.example.com", "--grant", "code,refresh",
			"--grant", "credentials", "--scope", "spaces:read", "--redirect", "https://app.example.com/done", "--resource", "https://api.example.com",
			"--audience", "https://other.example.com", "--opaque", "--access", "5m", "--refresh", "14d", "--require", "pushed,dpop", "--trusted", "--impersonate")
		require.Regexp(c, `^cs_[-_0-9A-Za-z]{43}$`, secret)
		entry := c.entryOf(s, "web-app")
		require.True(c, proves(entry, secret))
		require.WithinDuration(c, time.Now(), entry.Created, time.Minute)
		require.Equal(c, &oauth.Client{
			ID: "web-app", Name: "Web app", Website: "https://app.example.com", Secrets: entry.Secrets,
			Grants: []oauth.GrantType{oauth.AuthorizationCode, oauth.RefreshToken, oauth.ClientCredentials}, Scopes: []string{"spaces:read"},
			RedirectURIs: []string{"https://app.example.com/done"}, Resources: []string{"https://api.example.com"}, Audience: "https://other.example.com",
			OpaqueTokens: true, AccessLifetime: 5 * time.Minute, RefreshLifetime: 14 * 24 * time.Hour, RequirePushed: true, RequireDPoP: true,
			Trusted: true, Impersonation: true, Created: entry.Created,
		}, entry)
		c.refused(exitConflict, "", "client", "add", "web-app")
		listed := c.one("client", "list")
		require.Equal(c, listed, c.one("client", "show", "web-app"))
		require.Equal(c, "active", listed["state"])
		require.Equal(c, "14d", listed["refresh_lifetime"])
		require.Equal(c, []any{"pushed", "dpop"}, listed["requires"])
		require.Contains(c, c.ok("client", "show", "web-app"), "code refresh credentials")
		require.Contains(c, c.ok("client", "list"), "web-app")

		// The secret rolls over.
		next := c.secret("", "client", "rotate", "web-app")
		require.True(c, proves(c.entryOf(s, "web-app"), secret), "the overlap")
		require.True(c, proves(c.entryOf(s, "web-app"), next))
		require.Contains(c, c.ok("client", "show", "web-app"), "until ")
		last := c.secret("", "client", "rotate", "--overlap", "0s", "web-app")
		require.False(c, proves(c.entryOf(s, "web-app"), next), "no overlap")
		require.True(c, proves(c.entryOf(s, "web-app"), last))

		// What it holds ends with it.
		tokens, err := auth.NewOpaqueTokens(s, "https://api.example.com", nil)
		require.NoError(c, err)
		held := func(id string) func() error {
			g, err := tokens.Issue(c.Context(), authtest.Principal("ann").ProvedAt(time.Now()), &auth.IssueOptions{ClientID: id})
			require.NoError(c, err)
			return func() error {
				_, err := tokens.Verify(c.Context(), g.Token.Reveal())
				return err
			}
		}
		good := held("web-app")
		require.NoError(c, good())
		c.ok("client", "disable", "web-app")
		require.ErrorIs(c, good(), auth.ErrRevoked)
		require.True(c, c.entryOf(s, "web-app").Disabled)
		require.Equal(c, "disabled", c.one("client", "list")["state"])
		c.ok("client", "enable", "web-app")
		require.ErrorIs(c, good(), auth.ErrRevoked)
		require.False(c, c.entryOf(s, "web-app").Disabled)
		require.NotEmpty(c, c.one("client", "show", "web-app")["revoked"])

		c.refused(exitUsage, "", "client", "remove", "web-app")
		removed := c.run("", "client", "remove", "web-app", "--yes")
		require.Zero(c, removed.code)
		require.Contains(c, removed.err, "was not disabled: access tokens that it holds may go on")
		for _, args := range [][]string{{"remove", "--yes"}, {"show"}, {"rotate"}, {"enable"}, {"disable"}} {
			require.Contains(c, c.refused(exitNotFound, "", append(append([]string{"client"}, args...), "web-app")...), `no client "web-app"`)
		}

		// Of a client that the API has in a list of its own.
		listedThere := held("elsewhere")
		require.Contains(c, c.refused(exitNotFound, "", "client", "disable", "elsewhere"), "--unlisted")
		require.NoError(c, listedThere())
		c.ok("client", "disable", "elsewhere", "--unlisted")
		require.ErrorIs(c, listedThere(), auth.ErrRevoked)
	})
}

// A client without a secret is told by its id, which may be a random one.
func TestClientWithoutASecret(t *testing.T) {
	c := onSQLite(t)
	s := c.open()
	require.Equal(t, "phone\n", c.ok("client", "add", "phone", "--public", "--grant", "code", "--redirect", "com.example.app:/done"))
	require.True(t, c.entryOf(s, "phone").Public)
	require.Equal(t, "none", c.one("client", "show", "phone")["proof"])
	require.Contains(t, c.run("", "client", "add", "--public").err, "has no grant")
	require.NotContains(t, c.run("", "client", "add", "--grant", "jwt").err, "has no grant")
	added := c.run("", "client", "add", "--public", "gone")
	require.Zero(t, added.code)
	c.ok("client", "disable", "gone")
	require.Contains(t, c.run("", "client", "remove", "gone", "--yes").err, "what it held has ended")
	require.Contains(t, c.refused(exitFailed, "", "client", "rotate", "phone"), "public")

	c.ok("keygen", "--alg", "ES256", "--form", "jwk", "--out", "worker.json", "--public", "worker.pub.json", "--kid", "k1")
	c.ok("keygen", "--alg", "RS512", "--bits", "2048", "--out", "other.pem", "--public", "other.pub.pem")
	c.ok("client", "add", "worker", "--grant", "credentials", "--key", "worker.pub.json", "--key", "other.pub.pem")
	entry := c.entryOf(s, "worker")
	require.Empty(t, entry.Secrets)
	found, err := entry.Keys.Lookup(t.Context(), "k1", auth.ES256)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Len(t, c.one("client", "show", "worker")["keys"], 2)
	require.Contains(t, c.refused(exitFailed, "", "client", "rotate", "worker"), "there is no secret to rotate")

	random := c.one("client", "add", "--grant", "credentials", "--key", "worker.pub.json")["id"].(string)
	require.Regexp(t, `^[a-z2-7]{26}$`, random)
	c.entryOf(s, random)
	secret := c.one("client", "add")
	require.True(t, proves(c.entryOf(s, secret["id"].(string)), secret["secret"].(string)))
	next := c.one("client", "rotate", secret["id"].(string))
	require.True(t, proves(c.entryOf(s, secret["id"].(string)), next["secret"].(string)))
}

func TestClientWithASecretMadeElsewhere(t *testing.T) {
	c := onSQLite(t)
	c.secrets = append(c.secrets, "of-the-old-server")
	require.Equal(t, "legacy\n", c.fed("of-the-old-server\n", "client", "add", "legacy", "--grant", "credentials", "--secret-stdin"))
	require.True(t, proves(c.entryOf(c.open(), "legacy"), "of-the-old-server"))
	c.refused(exitUsage, "short\n", "client", "add", "another", "--secret-stdin")
	c.refused(exitUsage, "", "client", "add", "another", "--secret-stdin")
}

func TestClientThatIsWrongIsNotAdded(t *testing.T) {
	c := onSQLite(t)
	c.ok("keygen", "--alg", "ES256", "--form", "jwk", "--out", "private.json", "--public", "public.json")
	c.ok("keygen", "--alg", "HS256", "--form", "jwk", "--out", "symmetric.json")
	for _, args := range [][]string{
		{"a b"},
		{"app", "--grant", "implicit"},
		{"app", "--grant", "password"},
		{"app", "--grant", "code"}, // no redirect URI
		{"app", "--redirect", "http://app.example.com/done"},
		{"app", "--redirect", "https://*.example.com/done"},
		{"app", "--redirect", "com.example.app:/done"}, // not public
		{"app", "--scope", "a b"},
		{"app", "--require", "mfa"},
		{"app", "--access", "25h"},
		{"app", "--public", "--trusted"},
		{"app", "--public", "--grant", "credentials"},
		{"app", "--public", "--key", "public.json"},
		{"app", "--public", "--secret-stdin"},
		{"app", "--key", "public.json", "--secret-stdin"},
		{"app", "--key", "private.json"},
		{"app", "--key", "symmetric.json"},
		{"app", "--key", "public.json", "--key", "public.json"},
		{"one", "two"},
	} {
		c.refused(exitUsage, "a-secret-from-elsewhere", append([]string{"client", "add"}, args...)...)
	}
	c.refused(exitFailed, "", "client", "add", "app", "--key", "none.json")
	require.Empty(t, c.all("client", "list"))
}

// Clients move with the rest of the store: nobody needs another secret.
func TestClientsMoveToAnotherStore(t *testing.T) {
	c := onSQLite(t)
	secret := c.secret("", "client", "add", "web-app", "--grant", "code", "--redirect", "https://app.example.com/done")
	c.ok("client", "add", "phone", "--public")
	c.ok("client", "disable", "phone")
	before := c.all("client", "list")
	c.write("auth.jsonl", c.ok("export"))
	other := "sqlite:" + filepath.Join(t.TempDir(), "other.db")
	c.ok("migrate", "--store", other)
	c.ok("import", "--store", other, "auth.jsonl")
	require.ElementsMatch(t, before, c.all("client", "list", "--store", other))
	require.True(t, proves(c.entryOf(c.openAt(other), "web-app"), secret))
	require.True(t, c.entryOf(c.openAt(other), "phone").Disabled)
}
