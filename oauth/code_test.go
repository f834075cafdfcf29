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

var whenever = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// Row 15: a code is good for its client and its redirect URI.
func TestCodeBinding(t *testing.T) {
	w := newWorld(t)
	code := w.code(t, "web", nil)
	for name, r := range map[string]*http.Request{
		"another client":       w.redeem("opaque", code, "redirect_uri", callback),
		"a public client":      w.redeem("phone", code, "redirect_uri", callback),
		"another redirect URI": w.redeem("web", code, "redirect_uri", "https://web.example/other"),
		"a longer one":         w.redeem("web", code, "redirect_uri", callback+"/"),
		"a broken code":        w.redeem("web", code[:len(code)-1]),
		"no such code":         w.redeem("web", "ac_"+strings.Repeat("A", 43)),
		"another kind":         w.redeem("web", w.signIn(t, "web").RefreshToken),
		"its digest":           w.redeem("web", auth.DigestOf(oauth.KindAuthorizationCode, code).String()),
	} {
		t.Run(name, func(t *testing.T) {
			requireRefused(t, w.send(t, r), 400, oauth.ErrInvalidGrant)
		})
	}
	a := w.send(t, w.redeem("web", code, "redirect_uri", callback))
	requireGranted(t, a) // nothing of the above has used it up
	requireGranted(t, w.send(t, w.redeem("web", w.code(t, "web", nil))))
}

// Row 18: S256 and nothing else.
func TestCodeVerifier(t *testing.T) {
	w := newWorld(t)
	code := w.code(t, "web", nil)
	for _, verifier := range []string{
		"",
		codeChallenge(), // as with "plain"
		codeVerifier + "A",
		codeVerifier[:42],
		strings.Repeat("a", 129),
		strings.ToUpper(codeVerifier),
		codeVerifier[:42] + "+",
		codeVerifier[:42] + "é",
	} {
		requireRefused(t, w.send(t, w.redeem("web", code, "code_verifier", verifier)), 400, oauth.ErrInvalidGrant)
	}
	requireGranted(t, w.send(t, w.redeem("web", code)))

	// The challenge of a verifier that is none, and a code without a challenge.
	for _, verifier := range []string{"short", strings.Repeat("a", 42), strings.Repeat("a", 129), strings.Repeat("a", 42) + "+"} {
		code = w.code(t, "web", func(g *oauth.Granted) { g.Challenge = challengeOf(verifier) })
		requireRefused(t, w.send(t, w.redeem("web", code, "code_verifier", verifier)), 400, oauth.ErrInvalidGrant)
	}
	for _, verifier := range []string{strings.Repeat("a", 43), strings.Repeat("~._-", 32)} {
		code = w.code(t, "web", func(g *oauth.Granted) { g.Challenge = challengeOf(verifier) })
		requireGranted(t, w.send(t, w.redeem("web", code, "code_verifier", verifier)))
	}
	for _, challenge := range []string{"", codeVerifier} {
		code = w.code(t, "web", func(g *oauth.Granted) { g.Challenge = challenge })
		requireRefused(t, w.send(t, w.redeem("web", code)), 400, oauth.ErrInvalidGrant)
	}
}

// Row 15: a minute, and no more.
func TestCodeExpires(t *testing.T) {
	authtest.At(t, whenever, func(t *testing.T) {
		w := newWorld(t)
		code, late := w.code(t, "web", nil), w.code(t, "web", nil)
		authtest.Advance(time.Minute - time.Microsecond)
		requireGranted(t, w.send(t, w.redeem("web", code)))
		authtest.Advance(time.Microsecond)
		requireRefused(t, w.send(t, w.redeem("web", late)), 400, oauth.ErrInvalidGrant)
	})
}

// Row 16: the second use of a code ends what the first one gave.
func TestCodeReuse(t *testing.T) {
	for _, id := range []string{"web", "opaque", "phone"} {
		for name, wait := range map[string]time.Duration{"at once": 0, "when it has expired": 5 * time.Minute} {
			t.Run(id+" "+name, func(t *testing.T) {
				authtest.At(t, whenever, func(t *testing.T) {
					w := newWorld(t)
					code := w.code(t, id, nil)
					a := w.send(t, w.redeem(id, code))
					requireGranted(t, a)
					next := w.send(t, w.renew(id, a.RefreshToken))
					requireGranted(t, next)
					other := w.signIn(t, id)
					authtest.Advance(wait)

					// Who has the code alone ends nothing.
					requireRefused(t, w.send(t, w.redeem(id, code, "code_verifier", strings.Repeat("a", 43))), 400, oauth.ErrInvalidGrant)
					requireRefused(t, w.send(t, w.redeem("signer", code, "client_assertion_type", clientAssertionType, "client_assertion", w.assertion("signer", nil))), 400, oauth.ErrInvalidGrant)
					_, err := w.opens(t, next.AccessToken)
					require.NoError(t, err)

					requireRefused(t, w.send(t, w.redeem(id, code)), 400, oauth.ErrInvalidGrant)
					require.ErrorIs(t, w.lastEvent(t).Err, auth.ErrReused)
					require.Equal(t, "alice", w.lastEvent(t).Principal.Subject)
					for _, token := range []string{a.AccessToken, next.AccessToken} {
						_, err := w.opens(t, token)
						require.ErrorIs(t, err, auth.ErrRevoked)
					}
					for _, token := range []string{a.RefreshToken, next.RefreshToken} {
						requireRefused(t, w.send(t, w.renew(id, token)), 400, oauth.ErrInvalidGrant)
					}
					// Another sign-in of the same person with the same client goes on.
					_, err = w.opens(t, other.AccessToken)
					require.NoError(t, err)
					requireGranted(t, w.send(t, w.renew(id, other.RefreshToken)))
				})
			})
		}
	}
}

// A client that may not refresh gets no refresh token, and its code is good once
// all the same.
func TestCodeWithoutRefresh(t *testing.T) {
	w := newWorld(t)
	w.change("web", func(c *oauth.Client) { c.Grants = []oauth.GrantType{oauth.AuthorizationCode} })
	code := w.code(t, "web", nil)
	a := w.send(t, w.redeem("web", code))
	requireGranted(t, a)
	require.NotContains(t, a.Body.String(), "refresh_token")
	requireRefused(t, w.send(t, w.redeem("web", code)), 400, oauth.ErrInvalidGrant)
	_, err := w.opens(t, a.AccessToken)
	require.ErrorIs(t, err, auth.ErrRevoked)
}

// What has ended since somebody granted a code ends the code, too.
func TestCodeEnded(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, w *world){
		"signed out everywhere": func(t *testing.T, w *world) {
			o := w.opener(t, api)
			require.NoError(t, o.RevokeAll(context.Background(), w.people["alice"]))
		},
		"client revoked": func(t *testing.T, w *world) {
			require.NoError(t, auth.RevokeClient(context.Background(), w.store, "web"))
		},
		"client's Revoked": func(_ *testing.T, w *world) {
			w.change("web", func(c *oauth.Client) { c.Revoked = w.people["alice"].Origin.Time })
		},
		"client may not any more": func(_ *testing.T, w *world) {
			w.change("web", func(c *oauth.Client) { c.Resources = []string{files} })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			code, a := w.code(t, "web", nil), w.signIn(t, "web")
			end(t, w)
			for _, r := range []*http.Request{w.redeem("web", code), w.renew("web", a.RefreshToken)} {
				want := oauth.ErrInvalidGrant
				if strings.HasSuffix(name, "any more") {
					want = oauth.ErrInvalidTarget
				}
				requireRefused(t, w.send(t, r), 400, want)
			}
			// Neither another person nor another client is concerned.
			code, err := w.server.NewCode(context.Background(), w.people["bob"], w.granted("opaque"))
			require.NoError(t, err)
			requireGranted(t, w.send(t, w.redeem("opaque", code)))
		})
	}

	// Whoever signs in after that is not concerned.
	w := newWorld(t)
	w.change("web", func(c *oauth.Client) { c.Revoked = w.people["alice"].Origin.Time.Add(-time.Microsecond) })
	w.signIn(t, "web")
	w.change("web", func(c *oauth.Client) { c.Disabled = true })
	requireRefused(t, w.send(t, w.redeem("web", w.code(t, "web", nil))), 401, oauth.ErrInvalidClient)
}

// Row 73: the client's entry of today narrows what was granted before.
func TestCodeNarrowed(t *testing.T) {
	w := newWorld(t)
	code, a := w.code(t, "web", nil), w.signIn(t, "web")
	w.change("web", func(c *oauth.Client) { c.Scopes = []string{"write", "admin"} })
	b := w.send(t, w.redeem("web", code))
	requireGranted(t, b)
	require.Equal(t, "write", b.Scope)
	c := w.send(t, w.renew("web", a.RefreshToken))
	require.Equal(t, "write", c.Scope)
	p, err := w.opens(t, c.AccessToken)
	require.NoError(t, err)
	require.Equal(t, []string{"write"}, p.Scopes)
}

// Row 114: resource at the token endpoint narrows aud.
func TestCodeResources(t *testing.T) {
	w := newWorld(t)
	both := func(g *oauth.Granted) { g.Resources = []string{api, files} }
	audience := func(a *answer) []string {
		requireGranted(t, a)
		for _, resource := range []string{api, files} {
			if p, err := w.verifier(t, resource).Verify(context.Background(), a.AccessToken); err == nil {
				return p.Credential.Audience
			}
		}
		return nil
	}
	a := w.send(t, w.redeem("web", w.code(t, "web", both), "resource", files))
	require.Equal(t, []string{files}, audience(a))
	b := w.send(t, w.renew("web", a.RefreshToken))
	require.Equal(t, []string{api, files}, audience(b), "the refresh token has all")
	require.Equal(t, []string{api}, audience(w.send(t, w.renew("web", b.RefreshToken, "resource", api))))
	require.Equal(t, []string{files, api}, audience(w.send(t, w.redeem("web", w.code(t, "web", both), "resource", files, "resource", api, "resource", files))))

	// What the client may not reach any more is left out.
	c := w.send(t, w.redeem("web", w.code(t, "web", both)))
	code := w.code(t, "web", both)
	w.change("web", func(c *oauth.Client) { c.Resources = []string{files} })
	require.Equal(t, []string{files}, audience(w.send(t, w.renew("web", c.RefreshToken))))
	require.Equal(t, []string{files}, audience(w.send(t, w.redeem("web", code))))
	w.change("web", func(c *oauth.Client) { c.Resources = nil })

	code = w.code(t, "web", nil) // for api
	for _, resource := range []string{files, "https://other.example", api + "/", "x"} {
		requireRefused(t, w.send(t, w.redeem("web", code, "resource", api, "resource", resource)), 400, oauth.ErrInvalidTarget)
	}
	requireGranted(t, w.send(t, w.redeem("web", code)))
}

// Row 12 and row 13: 256 bits, and nothing at rest that could be presented.
func TestCodeAtRest(t *testing.T) {
	w := newWorld(t)
	seen := map[string]bool{}
	for range 100 {
		code := w.code(t, "web", nil)
		require.Regexp(t, `^ac_[A-Za-z0-9_-]{43}$`, code)
		require.False(t, seen[code])
		seen[code] = true
	}
	a := w.signIn(t, "opaque")
	walker, ok := auth.StoreAbility[auth.Walker](w.store)
	require.True(t, ok)
	n := 0
	for e, err := range walker.Walk(context.Background(), "") {
		require.NoError(t, err)
		n++
		text, err := e.Record.AppendBinary(nil)
		require.NoError(t, err)
		for code := range seen {
			require.NotContains(t, string(text), code[3:])
		}
		for _, token := range []string{a.AccessToken, a.RefreshToken} {
			require.NotContains(t, string(text), token[3:])
			require.NotContains(t, e.Digest.String(), token[3:])
		}
		id := e.Digest.String()
		for _, shown := range []string{id, "ac_" + id, "rt_" + id} {
			requireRefused(t, w.send(t, w.redeem("web", shown)), 400, oauth.ErrInvalidGrant)
			requireRefused(t, w.send(t, w.renew("web", shown)), 400, oauth.ErrInvalidGrant)
		}
	}
	require.Greater(t, n, 102)
}
