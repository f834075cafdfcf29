package oauth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

// to is the request of a client to one of the endpoints.
func (w *world) to(path, client string, pairs ...string) *http.Request {
	r := w.asks(client, pairs...)
	r.URL.Path = path
	return r
}

// revoke has a client revoke a token, which is answered alike whatever it is.
func (w *world) revoke(t testing.TB, client, token string, pairs ...string) {
	t.Helper()
	a := httptest.NewRecorder()
	w.server.ServeHTTP(a, w.to("/oauth/revoke", client, append(pairs, "token", token)...))
	require.Equal(t, http.StatusOK, a.Code, a.Body)
	require.Empty(t, a.Body.String())
	require.Equal(t, "no-store", a.Header().Get("Cache-Control"))
}

// requireOpen and requireShut say what the API makes of an access token.
func (w *world) requireOpen(t testing.TB, token string) {
	t.Helper()
	_, err := w.opens(t, token)
	require.NoError(t, err)
}

func (w *world) requireShut(t testing.TB, token string) {
	t.Helper()
	_, err := w.opens(t, token)
	require.True(t, errors.Is(err, auth.ErrRevoked) || errors.Is(err, auth.ErrInvalid), "%v", err)
}

// Rows 22 and 82: what a client revokes opens nothing from the next request on,
// whatever it says that it is; a refresh token takes its access tokens along, an
// access token ends alone.
func TestRevoke(t *testing.T) {
	for _, client := range []string{"web", "opaque", "phone", "signer"} {
		for _, hint := range []string{"", "access_token", "refresh_token", "id_token", "\u212a"} {
			t.Run(client+" "+hint, func(t *testing.T) {
				w := newWorld(t)
				proof := func(pairs ...string) []string {
					if client == "signer" {
						pairs = append(pairs, "client_assertion_type", clientAssertionType, "client_assertion", w.assertion(client, nil))
					}
					return append(pairs, "token_type_hint", hint)
				}
				signIn := func() *answer {
					a := w.send(t, w.redeem(client, w.code(t, client, nil), proof()...))
					requireGranted(t, a)
					return a
				}
				kept := signIn()

				a := signIn()
				w.revoke(t, client, a.AccessToken, proof()...)
				w.requireShut(t, a.AccessToken)
				next := w.send(t, w.renew(client, a.RefreshToken, proof()...))
				requireGranted(t, next)
				w.requireOpen(t, next.AccessToken)

				w.revoke(t, client, next.RefreshToken, proof()...)
				w.requireShut(t, next.AccessToken)
				requireRefused(t, w.send(t, w.renew(client, next.RefreshToken, proof()...)), 400, oauth.ErrInvalidGrant)

				// One that has been spent belongs to its family still.
				first := signIn()
				second := w.send(t, w.renew(client, first.RefreshToken, proof()...))
				requireGranted(t, second)
				w.revoke(t, client, first.RefreshToken, proof()...)
				w.requireShut(t, second.AccessToken)
				requireRefused(t, w.send(t, w.renew(client, second.RefreshToken, proof()...)), 400, oauth.ErrInvalidGrant)

				w.requireOpen(t, kept.AccessToken)
				requireGranted(t, w.send(t, w.renew(client, kept.RefreshToken, proof()...)))
			})
		}
	}
}

// Row 82: the answer is the same for what is not there, not good any more, and
// another client's, which stays as it was.
func TestRevokeTellsNothing(t *testing.T) {
	authtest.At(t, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), func(t *testing.T) {
		w := newWorld(t)
		a := w.signIn(t, "web")
		o := w.signIn(t, "opaque")
		for _, client := range []string{"opaque", "phone", "service", "gateway"} {
			w.revoke(t, client, a.AccessToken)
			w.revoke(t, client, a.RefreshToken)
			require.Nil(t, w.lastEvent(t).Principal, "it has ended nothing")
		}
		w.revoke(t, "web", o.AccessToken)
		w.revoke(t, "web", o.RefreshToken)
		for _, token := range []string{"x", "at_", "rt_x", "a.b.c", "\u00e9", a.AccessToken + "x", auth.TokenForm("rt_").New(), auth.TokenForm("at_").New(), auth.TokenForm("ac_").New()} {
			w.revoke(t, "web", token)
		}
		w.requireOpen(t, a.AccessToken)
		w.requireOpen(t, o.AccessToken)
		requireGranted(t, w.send(t, w.renew("web", a.RefreshToken)))
		requireGranted(t, w.send(t, w.renew("opaque", o.RefreshToken)))

		authtest.Advance(time.Hour)
		w.revoke(t, "web", a.AccessToken)
		w.revoke(t, "web", o.AccessToken)
		authtest.Advance(30 * 24 * time.Hour)
		w.revoke(t, "web", a.RefreshToken)
	})
}

// Row 27: at revocation and introspection, who has a secret shows it.
func TestRevokeAndIntrospectAuthenticateClients(t *testing.T) {
	w := newWorld(t)
	a := w.signIn(t, "web")
	for _, path := range []string{"/oauth/revoke", "/oauth/introspect"} {
		for name, r := range map[string]*http.Request{
			"nobody":         request("POST", path, form("token", a.AccessToken)),
			"without secret": request("POST", path, form("token", a.AccessToken, "client_id", "web")),
			"wrong secret":   request("POST", path, form("token", a.AccessToken), basicAuth("web", "wrong")),
			"unknown":        request("POST", path, form("token", a.AccessToken), basicAuth("nobody", "wrong")),
			"bearer":         request("POST", path, form("token", a.AccessToken), header{"Authorization", "Bearer " + a.AccessToken}),
		} {
			t.Run(path+" "+name, func(t *testing.T) {
				requireRefused(t, w.send(t, r), http.StatusUnauthorized, oauth.ErrInvalidClient)
			})
		}
		w.change("service", func(c *oauth.Client) { c.Disabled = true })
		requireRefused(t, w.send(t, w.to(path, "service", "token", a.AccessToken)), 401, oauth.ErrInvalidClient)

		requireRefused(t, w.send(t, w.to(path, "web")), 400, oauth.ErrInvalidRequest)
		require.Equal(t, "web", w.lastEvent(t).ClientID)
		for _, method := range []string{"GET", "HEAD", "PUT", "DELETE"} {
			r := w.to(path, "web", "token", a.AccessToken)
			r.Method = method
			refused := w.send(t, r)
			require.Equal(t, http.StatusMethodNotAllowed, refused.Code)
			require.Equal(t, "POST", refused.Header().Get("Allow"))
		}
		r := request("POST", path+"?token="+a.AccessToken, form("a", "b"), w.basic("web"))
		requireRefused(t, w.send(t, r), 400, oauth.ErrInvalidRequest)
	}
	w.requireOpen(t, a.AccessToken)
}

// Row 47: what is read is bounded before it is looked at, and a long text is no
// token.
func TestEndpointsBoundWhatTheyRead(t *testing.T) {
	w := newWorld(t)
	for _, long := range []string{strings.Repeat("a", 60<<10), strings.Repeat("a.", 30<<10), "a." + strings.Repeat("b", 60<<10) + ".c", "at_" + strings.Repeat("x", 60<<10)} {
		w.revoke(t, "web", long)
		w.requireInactive(t, "web", long)
		requireRefused(t, w.send(t, w.exchange("gateway", long)), 400, oauth.ErrInvalidRequest)
		requireRefused(t, w.send(t, w.poll("tv", codes{Device: long})), 400, oauth.ErrInvalidGrant)
	}
	for _, path := range []string{"/oauth/revoke", "/oauth/introspect", "/oauth/device_authorization"} {
		requireRefused(t, w.send(t, w.to(path, "web", "token", strings.Repeat("a", 64<<10))), http.StatusRequestEntityTooLarge, oauth.ErrInvalidRequest)
	}
}

// everyFault has each call of the store fail in turn that answering a request
// makes, in a world of its own: the answer is an outage, and told as one. prepare
// returns the request, and what is to hold when the store is up again.
func everyFault(t *testing.T, prepare func(t *testing.T, w *world) (*http.Request, func(t *testing.T))) {
	t.Helper()
	down := errors.New("down")
	n := 0
	for ; ; n++ {
		faulty := storetest.NewFaulty(memstore.New())
		w := newWorldOver(t, faulty)
		r, again := prepare(t, w)
		done := len(faulty.Calls())
		faulty.Before = storetest.Nth(n, storetest.Fail(down))
		a := httptest.NewRecorder()
		w.server.ServeHTTP(a, r)
		if len(faulty.Calls())-done <= n {
			require.Less(t, a.Code, 500, a.Body)
			break
		}
		require.Equal(t, http.StatusServiceUnavailable, a.Code, "%v: %v", faulty.Calls()[done:], a.Body)
		require.NotEmpty(t, a.Header().Get("Retry-After"))
		require.ErrorIs(t, w.lastEvent(t).Err, down)
		require.Equal(t, oauth.ErrTemporarilyUnavailable, w.lastEvent(t).Code)
		faulty.Before = nil
		again(t)
	}
	require.Positive(t, n, "no call of the store")
}

// An outage is told as one, and the next try ends the token.
func TestRevokeOutage(t *testing.T) {
	for client, sort := range map[string]func(*answer) string{
		"web":    func(a *answer) string { return a.AccessToken },
		"opaque": func(a *answer) string { return a.AccessToken },
		"phone":  func(a *answer) string { return a.RefreshToken },
	} {
		t.Run(client, func(t *testing.T) {
			everyFault(t, func(t *testing.T, w *world) (*http.Request, func(*testing.T)) {
				a := w.signIn(t, client)
				return w.to("/oauth/revoke", client, "token", sort(a)), func(t *testing.T) {
					w.requireOpen(t, a.AccessToken)
					w.revoke(t, client, sort(a))
					w.requireShut(t, a.AccessToken)
				}
			})
		})
	}
}
