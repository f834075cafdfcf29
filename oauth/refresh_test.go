package oauth_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
)

// Row 19: each use gives another token; within the grace the same one; after it a
// second use ends the family.
func TestRefreshRotates(t *testing.T) {
	for _, id := range []string{"web", "phone", "opaque"} {
		t.Run(id, func(t *testing.T) {
			authtest.At(t, whenever, func(t *testing.T) {
				w := newWorld(t)
				first := w.signIn(t, id)
				second := w.send(t, w.renew(id, first.RefreshToken))
				requireGranted(t, second)
				require.NotEqual(t, first.RefreshToken, second.RefreshToken)
				require.NotEqual(t, first.AccessToken, second.AccessToken)
				require.Equal(t, "read write", second.Scope)
				require.EqualValues(t, 900, second.ExpiresIn)

				authtest.Advance(10 * time.Second)
				again := w.send(t, w.renew(id, first.RefreshToken))
				requireGranted(t, again)
				require.Equal(t, second.RefreshToken, again.RefreshToken)

				authtest.Advance(time.Second)
				requireRefused(t, w.send(t, w.renew(id, first.RefreshToken)), 400, oauth.ErrInvalidGrant)
				e := w.lastEvent(t)
				require.ErrorIs(t, e.Err, auth.ErrReused)
				require.Equal(t, "alice", e.Principal.Subject)
				requireRefused(t, w.send(t, w.renew(id, second.RefreshToken)), 400, oauth.ErrInvalidGrant)
				for _, a := range []*answer{first, second, again} {
					_, err := w.opens(t, a.AccessToken)
					require.ErrorIs(t, err, auth.ErrRevoked)
				}
			})
		})
	}
}

// Row 20: only for the client it was issued to, which proves itself.
func TestRefreshBinding(t *testing.T) {
	w := newWorld(t)
	a := w.signIn(t, "web")
	own := must(auth.NewRefresh(w.store, w.opener(t, api), nil)) // of the API itself, whose tokens are no client's
	for name, r := range map[string]*http.Request{
		"no client's":             w.renew("web", must(own.Issue(t.Context(), w.people["alice"], nil)).RefreshToken.Reveal()),
		"another client":          w.renew("opaque", a.RefreshToken),
		"a public client":         w.renew("phone", a.RefreshToken),
		"an access token":         w.renew("web", a.AccessToken),
		"malformed":               w.renew("web", a.RefreshToken+"A"),
		"no such token":           w.renew("web", "rt_"+strings.Repeat("A", 43)),
		"a code":                  w.renew("web", w.code(t, "web", nil)),
		"another client's opaque": w.renew("web", w.signIn(t, "opaque").AccessToken),
	} {
		t.Run(name, func(t *testing.T) {
			requireRefused(t, w.send(t, r), 400, oauth.ErrInvalidGrant)
		})
	}
	unproved := request("POST", "/oauth/token", form("grant_type", "refresh_token", "refresh_token", a.RefreshToken, "client_id", "web"))
	requireRefused(t, w.send(t, unproved), 401, oauth.ErrInvalidClient)
	wrong := request("POST", "/oauth/token", form("grant_type", "refresh_token", "refresh_token", a.RefreshToken), basicAuth("web", "wrong-secret"))
	requireRefused(t, w.send(t, wrong), 401, oauth.ErrInvalidClient)
	requireGranted(t, w.send(t, w.renew("web", a.RefreshToken))) // none of them has ended it
}

// Row 20: narrowed for one access token, and never widened.
func TestRefreshScope(t *testing.T) {
	w := newWorld(t)
	a := w.send(t, w.redeem("web", w.code(t, "web", func(g *oauth.Granted) { g.Scopes = []string{"read"} })))
	require.Equal(t, "read", a.Scope)
	for _, scope := range []string{"read write", "write", "admin", "unknown"} {
		requireRefused(t, w.send(t, w.renew("web", a.RefreshToken, "scope", scope)), 400, oauth.ErrInvalidScope)
	}
	for _, scope := range []string{"read  read", " read", `"`, "re\tad"} {
		requireRefused(t, w.send(t, w.renew("web", a.RefreshToken, "scope", scope)), 400, oauth.ErrInvalidScope)
	}
	full := w.signIn(t, "web")
	narrow := w.send(t, w.renew("web", full.RefreshToken, "scope", "write"))
	require.Equal(t, "write", narrow.Scope)
	p, err := w.opens(t, narrow.AccessToken)
	require.NoError(t, err)
	require.Equal(t, []string{"write"}, p.Scopes)
	require.Equal(t, "read write", w.send(t, w.renew("web", narrow.RefreshToken)).Scope, "the refresh token has all")

	for _, resource := range []string{files, "https://other.example"} {
		requireRefused(t, w.send(t, w.renew("web", full.RefreshToken, "resource", resource)), 400, oauth.ErrInvalidTarget)
	}
	requireGranted(t, w.send(t, w.renew("web", a.RefreshToken))) // what was refused has spent nothing
}

// Row 86: a family ends, however often it is used.
func TestRefreshAbsoluteEnd(t *testing.T) {
	authtest.At(t, whenever, func(t *testing.T) {
		w := newWorld(t, func(c *oauth.Config) { c.RefreshLifetime = 3 * time.Hour })
		w.change("web", func(c *oauth.Client) { c.RefreshLifetime = 2 * time.Hour })
		a := w.signIn(t, "web")
		for range 11 {
			authtest.Advance(10 * time.Minute)
			a = w.send(t, w.renew("web", a.RefreshToken))
			requireGranted(t, a)
		}
		authtest.Advance(9 * time.Minute)
		a = w.send(t, w.renew("web", a.RefreshToken))
		requireGranted(t, a)
		require.EqualValues(t, 60, a.ExpiresIn, "an access token does not outlive its family")
		authtest.Advance(time.Minute)
		requireRefused(t, w.send(t, w.renew("web", a.RefreshToken)), 400, oauth.ErrInvalidGrant)
		_, err := w.opener(t, api).Verify(context.Background(), a.RefreshToken)
		require.ErrorIs(t, err, auth.ErrNotMine)
	})
}
