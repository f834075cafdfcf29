package oauth_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
)

// A client that asks for itself is the subject, and where its token comes from.
func TestClientCredentials(t *testing.T) {
	for _, id := range []string{"service", "opaque"} {
		w := newWorld(t)
		before := time.Now()
		a := w.token(t, id, "grant_type", "client_credentials", "scope", "write read write")
		requireGranted(t, a)
		require.Equal(t, "write read", a.Scope)
		p, err := w.opens(t, a.AccessToken)
		require.NoError(t, err)
		require.Equal(t, issuer, p.Issuer)
		require.Equal(t, id, p.Subject)
		require.Equal(t, id, p.Credential.ClientID)
		require.Equal(t, []string{"write", "read"}, p.Scopes)
		require.Equal(t, []string{api}, p.Credential.Audience)
		require.Equal(t, auth.KindClient, p.Origin.Kind)
		require.Equal(t, id, p.Origin.ID)
		require.WithinRange(t, p.Origin.Time, before.Add(-time.Millisecond), time.Now())
	}
}

// Row 73: scopes of the client's own, all of them where it asks for none.
func TestClientCredentialsScopes(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, "read write admin", w.token(t, "service", credentials...).Scope)
	for _, scope := range []string{"root", "read root", "READ", "read,write"} {
		requireRefused(t, w.token(t, "service", append(credentials, "scope", scope)...), 400, oauth.ErrInvalidScope)
	}
	requireRefused(t, w.token(t, "opaque", append(credentials, "scope", "admin")...), 400, oauth.ErrInvalidScope)
	requireGranted(t, w.token(t, "opaque", append(credentials, "scope", "read"+strings.Repeat(" read", 255))...))
	requireRefused(t, w.token(t, "opaque", append(credentials, "scope", "read"+strings.Repeat(" read", 256))...), 400, oauth.ErrInvalidScope)

	// An entry with a scope of another server's.
	w.change("service", func(c *oauth.Client) { c.Scopes = []string{"elsewhere", "read"} })
	require.Equal(t, "read", w.token(t, "service", credentials...).Scope)
	requireRefused(t, w.token(t, "service", append(credentials, "scope", "elsewhere")...), 400, oauth.ErrInvalidScope)
	w.change("service", func(c *oauth.Client) { c.Scopes = []string{"elsewhere"} })
	requireRefused(t, w.token(t, "service", credentials...), 400, oauth.ErrInvalidScope)
	w.change("tv", func(c *oauth.Client) { c.Scopes = []string{"elsewhere"} })
	requireRefused(t, w.send(t, w.to("/oauth/device_authorization", "tv")), 400, oauth.ErrInvalidScope)
	w.change("service", func(c *oauth.Client) { c.Scopes = nil })
	a := w.token(t, "service", credentials...)
	requireGranted(t, a)
	require.Empty(t, a.Scope)
}

// Row 114: resource chooses aud among those that the client may reach.
func TestClientCredentialsResources(t *testing.T) {
	w := newWorld(t)
	audience := func(pairs ...string) []string {
		a := w.token(t, "opaque", append(credentials, pairs...)...)
		requireGranted(t, a)
		for _, resource := range []string{api, files} {
			if p, err := w.opener(t, resource).Verify(context.Background(), a.AccessToken); err == nil {
				return p.Credential.Audience
			}
		}
		return nil
	}
	require.Equal(t, []string{api}, audience())
	require.Equal(t, []string{files}, audience("resource", files))
	require.Equal(t, []string{files, api}, audience("resource", files, "resource", api))
	for _, resource := range []string{"https://other.example", files + "/", "files", "%"} {
		requireRefused(t, w.token(t, "opaque", append(credentials, "resource", resource)...), 400, oauth.ErrInvalidTarget)
	}
	w.change("opaque", func(c *oauth.Client) { c.Resources = []string{files} })
	require.Equal(t, []string{files}, audience())
	requireRefused(t, w.token(t, "opaque", append(credentials, "resource", api)...), 400, oauth.ErrInvalidTarget)
	w.change("opaque", func(c *oauth.Client) { c.Resources = []string{} })
	requireRefused(t, w.token(t, "opaque", credentials...), 400, oauth.ErrInvalidTarget)
}

// What a client has been given ends with it, and what it is given afterwards does
// not.
func TestClientCredentialsRevoked(t *testing.T) {
	authtest.At(t, whenever, func(t *testing.T) {
		w := newWorld(t)
		var old []*answer
		for _, id := range []string{"service", "opaque"} {
			old = append(old, w.token(t, id, credentials...))
			require.NoError(t, auth.RevokeClient(context.Background(), w.store, id))
		}
		for _, a := range old {
			_, err := w.opens(t, a.AccessToken)
			require.ErrorIs(t, err, auth.ErrRevoked)
		}
		// Who is proved in the very moment is proved before it ended.
		requireRefused(t, w.token(t, "service", credentials...), 400, oauth.ErrInvalidGrant)
		authtest.Advance(time.Millisecond)
		requireGranted(t, w.token(t, "service", credentials...))
		w.change("service", func(c *oauth.Client) { c.Revoked = time.Now() })
		requireRefused(t, w.token(t, "service", credentials...), 400, oauth.ErrInvalidGrant)
	})
}
