package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
)

// introspect returns what a client is told of a token.
func (w *world) introspect(t testing.TB, client, token string, pairs ...string) map[string]any {
	t.Helper()
	a := w.send(t, w.to("/oauth/introspect", client, append(pairs, "token", token)...))
	require.Equal(t, http.StatusOK, a.Code, a.Body)
	var members map[string]any
	require.NoError(t, json.Unmarshal(a.Body.Bytes(), &members))
	return members
}

// requireInactive requires the one answer about tokens that are not good, to the
// byte.
func (w *world) requireInactive(t testing.TB, client, token string) {
	t.Helper()
	a := w.send(t, w.to("/oauth/introspect", client, "token", token))
	require.Equal(t, http.StatusOK, a.Code)
	require.Equal(t, `{"active":false}`, a.Body.String())
	require.Nil(t, w.lastEvent(t).Principal)
}

// Row 80: what is told of the tokens of each sort.
func TestIntrospect(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	authtest.At(t, start, func(t *testing.T) {
		w := newWorld(t)
		alice := w.people["alice"]
		alice.Tenant, alice.Tier = "acme", "gold"
		for client, sort := range map[string]auth.Kind{"web": auth.KindJWT, "opaque": auth.KindAccessToken} {
			a := w.signIn(t, client)
			p, err := w.opens(t, a.AccessToken)
			require.NoError(t, err)
			require.Equal(t, sort, p.Credential.Kind)
			want := map[string]any{
				"active":     true,
				"token_type": "Bearer",
				"token_use":  "access_token",
				"iss":        issuer,
				"sub":        "alice",
				"tenant":     "acme",
				"tier":       "gold",
				"aud":        api,
				"client_id":  client,
				"scope":      "read write",
				"jti":        p.Credential.ID,
				"iat":        float64(start.Unix()),
				"exp":        float64(start.Add(15 * time.Minute).Unix()),
				"auth_time":  float64(start.Add(-time.Minute).Unix()),
				"acr":        "urn:example:password",
			}
			require.Equal(t, want, w.introspect(t, client, a.AccessToken))
			require.Equal(t, want, w.introspect(t, client, a.AccessToken, "token_type_hint", "refresh_token"))
			require.Equal(t, "alice", w.lastEvent(t).Principal.Subject)
			require.Equal(t, want, w.introspect(t, "gateway", a.AccessToken), "the API that it is for")

			told := w.introspect(t, client, a.RefreshToken)
			require.Equal(t, "refresh_token", told["token_use"])
			require.NotContains(t, told, "token_type")
			require.NotContains(t, told, "aud", "no API may take it for an access token")
			require.Equal(t, float64(start.Add(30*24*time.Hour).Unix()), told["exp"])
			for _, name := range []string{"iss", "sub", "client_id", "scope", "iat"} {
				require.Equal(t, want[name], told[name], name)
			}
		}

		// A client as itself has not signed in, and several resources are a list.
		a := w.token(t, "service", "grant_type", "client_credentials", "resource", api, "resource", files)
		told := w.introspect(t, "service", a.AccessToken)
		require.Equal(t, "service", told["sub"])
		require.Equal(t, []any{api, files}, told["aud"])
		require.NotContains(t, told, "auth_time")
		require.NotContains(t, told, "acr")
	})
}

// Whom another issuer has named is not taken for somebody of ours, and what may be
// called from some networks only says so.
func TestIntrospectTellsWhoseSubject(t *testing.T) {
	w := newWorld(t)
	alice := w.people["alice"]
	for _, client := range []string{"web", "opaque"} {
		alice.Issuer, alice.Networks = "https://idp.example", must(auth.ParseNetworks("192.0.2.0/24"))
		told := w.introspect(t, client, w.signIn(t, client).AccessToken)
		require.Equal(t, issuer, told["iss"])
		require.Equal(t, "https://idp.example", told["idp"])
		require.Equal(t, "192.0.2.0/24", told["origin_networks"])
		alice.Issuer, alice.Networks = issuer, nil
		told = w.introspect(t, client, w.signIn(t, client).AccessToken)
		require.NotContains(t, told, "idp")
		require.NotContains(t, told, "origin_networks")
	}
}

// A token that is bound tells to what, so that an API can ask for the proof.
func TestIntrospectTellsTheKey(t *testing.T) {
	w := newWorld(t)
	r := w.asks("service", "grant_type", "client_credentials")
	proof := w.signing.proof()
	r.Header.Set(proof.name, proof.value)
	a := w.send(t, r)
	requireGranted(t, a)
	for _, client := range []string{"service", "gateway"} {
		told := w.introspect(t, client, a.AccessToken)
		require.Equal(t, "DPoP", told["token_type"])
		require.Equal(t, map[string]any{"jkt": w.signing.jkt(t)[len("jkt:"):]}, told["cnf"])
	}
}

// Row 81: nobody is told of others' tokens, nor that there are any.
func TestIntrospectOthersTokens(t *testing.T) {
	w := newWorld(t)
	a := w.signIn(t, "web")
	elsewhere := w.token(t, "service", "grant_type", "client_credentials", "resource", files)
	for _, client := range []string{"opaque", "service", "partner"} {
		w.requireInactive(t, client, a.AccessToken)
		w.requireInactive(t, client, a.RefreshToken)
	}
	w.requireInactive(t, "gateway", a.RefreshToken)
	w.requireInactive(t, "gateway", elsewhere.AccessToken)
	require.Equal(t, true, w.introspect(t, "service", elsewhere.AccessToken)["active"])

	// Who is no resource is not the one of tokens for nobody in particular.
	w.change("gateway", func(c *oauth.Client) { c.Audience = "" })
	w.requireInactive(t, "gateway", a.AccessToken)
}

// Row 27: who proves nothing is told nothing, not even of their own tokens.
func TestIntrospectByPublicClients(t *testing.T) {
	w := newWorld(t)
	a := w.signIn(t, "phone")
	for _, token := range []string{a.AccessToken, a.RefreshToken, "x", ""} {
		requireRefused(t, w.send(t, w.to("/oauth/introspect", "phone", "token", token)), 401, oauth.ErrInvalidClient)
	}
	require.Equal(t, true, w.introspect(t, "gateway", a.AccessToken)["active"])
}

// Rows 22 and 80: what has ended, however it has, is told as if it had never been.
func TestIntrospectWhatHasEnded(t *testing.T) {
	atStart := func(t *testing.T, f func(t *testing.T)) {
		authtest.At(t, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), f)
	}
	for _, client := range []string{"web", "opaque"} {
		for name, end := range map[string]func(w *world, a *answer){
			"revoked": func(w *world, a *answer) { w.revoke(t, client, a.RefreshToken) },
			"expired": func(*world, *answer) { authtest.Advance(31 * 24 * time.Hour) },
			"client":  func(w *world, _ *answer) { require.NoError(t, auth.RevokeClient(t.Context(), w.store, client)) },
			"disabled": func(w *world, _ *answer) {
				w.change(client, func(c *oauth.Client) { c.Disabled = true })
			},
			"since": func(w *world, _ *answer) {
				w.change(client, func(c *oauth.Client) { c.Revoked = time.Now() })
			},
			"removed": func(w *world, _ *answer) { delete(w.clients, client) },
			"person": func(w *world, _ *answer) {
				require.NoError(t, w.opener(t, api).RevokeAll(t.Context(), w.people["alice"]))
			},
		} {
			t.Run(client+" "+name, func(t *testing.T) {
				atStart(t, func(t *testing.T) {
					w := newWorld(t)
					a := w.signIn(t, client)
					require.Equal(t, true, w.introspect(t, "gateway", a.AccessToken)["active"])
					end(w, a)
					w.requireInactive(t, "gateway", a.AccessToken)
					if name != "disabled" && name != "removed" {
						w.requireInactive(t, client, a.AccessToken)
						w.requireInactive(t, client, a.RefreshToken)
					}
				})
			})
		}
		w := newWorld(t)
		a := w.signIn(t, client)
		requireGranted(t, w.send(t, w.renew(client, a.RefreshToken)))
		w.requireInactive(t, client, a.RefreshToken) // it has been spent
		require.Equal(t, true, w.introspect(t, client, a.AccessToken)["active"])
		for _, junk := range []string{"x", "a.b.c", a.AccessToken + "x", auth.TokenForm("rt_").New(), auth.TokenForm("at_").New()} {
			w.requireInactive(t, client, junk)
		}
	}
}

// RFC 7662 section 2.2: what has expired is not active, though a resource whose clock
// may differ still takes it.
func TestIntrospectGivesNoLeeway(t *testing.T) {
	authtest.At(t, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), func(t *testing.T) {
		w := newWorld(t)
		a := w.signIn(t, "web")
		authtest.Advance(15*time.Minute - time.Second)
		require.Equal(t, true, w.introspect(t, "web", a.AccessToken)["active"])
		authtest.Advance(time.Second)
		w.requireOpen(t, a.AccessToken)
		w.requireInactive(t, "web", a.AccessToken)
		w.requireInactive(t, "gateway", a.AccessToken)
	})
}

// An outage is no answer about the token: of the store, and of the registry.
func TestIntrospectOutage(t *testing.T) {
	for _, client := range []string{"web", "opaque"} {
		for name, sort := range map[string]func(*answer) string{
			"access":  func(a *answer) string { return a.AccessToken },
			"refresh": func(a *answer) string { return a.RefreshToken },
		} {
			t.Run(client+" "+name, func(t *testing.T) {
				everyFault(t, func(t *testing.T, w *world) (*http.Request, func(*testing.T)) {
					token := sort(w.signIn(t, client))
					return w.to("/oauth/introspect", client, "token", token), func(t *testing.T) {
						require.Equal(t, true, w.introspect(t, client, token)["active"])
					}
				})
			})
		}
	}
	var w *world
	var down atomic.Bool
	w = newWorld(t, func(c *oauth.Config) {
		c.Clients = registryFunc(func(ctx context.Context, id string) (*oauth.Client, error) {
			if id == "web" && down.Load() {
				return nil, errors.New("down")
			}
			return w.Client(ctx, id)
		})
	})
	a := w.signIn(t, "web")
	down.Store(true)
	for _, token := range []string{a.AccessToken, a.RefreshToken} {
		requireRefused(t, w.send(t, w.to("/oauth/introspect", "gateway", "token", token)), 503, oauth.ErrTemporarilyUnavailable)
	}
	requireRefused(t, w.send(t, w.exchange("gateway", a.AccessToken)), 503, oauth.ErrTemporarilyUnavailable)
}

type registryFunc func(context.Context, string) (*oauth.Client, error)

func (f registryFunc) Client(ctx context.Context, id string) (*oauth.Client, error) {
	return f(ctx, id)
}

// The Introspection of package auth understands the answers.
func TestIntrospectionOfPackageAuth(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(w.server)
	defer server.Close()
	i, err := auth.NewIntrospection(server.URL+"/oauth/introspect", issuer, api, &auth.IntrospectionOptions{
		ClientID:     "gateway",
		ClientSecret: auth.NewSecret(w.secrets["gateway"]),
		MaxAge:       -1,
	})
	require.NoError(t, err)
	a := w.signIn(t, "opaque")
	p, err := i.Verify(t.Context(), a.AccessToken)
	require.NoError(t, err)
	require.Equal(t, "alice", p.Subject)
	require.Equal(t, []string{"read", "write"}, p.Scopes)
	require.Equal(t, "opaque", p.Credential.ClientID)
	require.Equal(t, "urn:example:password", p.Origin.ACR)
	require.Equal(t, w.people["alice"].Origin.Time.Unix(), p.Origin.Time.Unix())
	_, err = i.Verify(t.Context(), a.RefreshToken)
	require.ErrorIs(t, err, auth.ErrInvalid, "a refresh token is none for an API")
	w.revoke(t, "opaque", a.AccessToken)
	_, err = i.Verify(t.Context(), a.AccessToken)
	require.ErrorIs(t, err, auth.ErrInvalid)
}
