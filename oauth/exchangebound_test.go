package oauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

// A token that names who may act is exchanged for them alone, and says so on.
func TestExchangeMayAct(t *testing.T) {
	for mayAct, ok := range map[string]bool{
		`{"sub":"gateway"}`:                               true,
		`{"client_id":"gateway"}`:                         true,
		`{"sub":"gateway","client_id":"gateway"}`:         true,
		`{"sub":"gateway","iss":"` + issuer + `"}`:        true,
		`{"sub":"gateway","iss":"https://other.example"}`: false,
		`{"sub":"gateway","client_id":"backend"}`:         false,
		`{"sub":"backend"}`:                               false,
		`{"sub":"Gateway"}`:                               false,
		`{"SUB":"gateway"}`:                               false,
		`{"sub":"gateway","email":"gateway@example.com"}`: false,
		`{"sub":"gateway","tenant":""}`:                   false,
		`{"iss":"` + issuer + `"}`:                        false,
		`{"sub":["gateway"]}`:                             false,
		`{}`:                                              false,
		`[]`:                                              false,
		`"gateway"`:                                       false,
		`null`:                                            false,
	} {
		for _, from := range []string{"web", "opaque"} {
			for _, impersonation := range []bool{false, true} {
				t.Run(fmt.Sprint(mayAct, from, impersonation), func(t *testing.T) {
					w := newExchange(t)
					w.people["alice"].Claims = json.RawMessage(`{"may_act":` + mayAct + `}`)
					w.change("gateway", func(c *oauth.Client) { c.Impersonation = impersonation })
					a := w.signIn(t, from)
					if !ok {
						requireRefused(t, w.send(t, w.exchange("gateway", a.AccessToken)), 400, oauth.ErrInvalidRequest)
						return
					}
					token, p := w.exchanged(t, files, "gateway", a.AccessToken)
					require.Equal(t, impersonation, act(t, p) == nil)
					requireRefused(t, w.send(t, w.exchange("backend", token)), 400, oauth.ErrInvalidRequest)
				})
			}
		}
	}
}

// A bond to a key is not lost by an exchange: who holds a token that leaked gets
// nothing for it, and whom it is for gets a token of their own.
func TestExchangeOfBoundTokens(t *testing.T) {
	w := newExchange(t)
	prove := func(r *http.Request, s *signer) *http.Request {
		p := s.proof()
		r.Header.Set(p.name, p.value)
		return r
	}
	mine, other := newSigner(), newSigner()
	a := w.send(t, prove(w.asks("service", "grant_type", "client_credentials"), mine))
	require.Equal(t, "DPoP", a.TokenType)

	requireRefused(t, w.send(t, w.exchange("service", a.AccessToken)), 400, oauth.ErrInvalidRequest)
	requireRefused(t, w.send(t, prove(w.exchange("service", a.AccessToken), other)), 400, oauth.ErrInvalidRequest)
	got := w.send(t, prove(w.exchange("service", a.AccessToken), mine))
	requireGranted(t, got)
	require.Equal(t, "DPoP", got.TokenType)
	p, err := w.opens(t, got.AccessToken)
	require.NoError(t, err)
	require.Equal(t, mine.jkt(t), p.Credential.Confirmation)

	bad := w.exchange("service", a.AccessToken)
	bad.Header.Set("DPoP", "x.y.z")
	requireRefused(t, w.send(t, bad), 400, oauth.ErrInvalidDPoPProof)

	// The resource: without a key, with its own.
	got = w.send(t, w.exchange("gateway", a.AccessToken))
	requireGranted(t, got)
	require.Equal(t, "Bearer", got.TokenType)
	got = w.send(t, prove(w.exchange("gateway", a.AccessToken), other))
	requireGranted(t, got)
	p, err = w.opens(t, got.AccessToken)
	require.NoError(t, err)
	require.Equal(t, other.jkt(t), p.Credential.Confirmation)

	// And so the actor's.
	subject := w.token(t, "service", "grant_type", "client_credentials")
	by := []string{"actor_token", a.AccessToken, "actor_token_type", typeAccess}
	requireRefused(t, w.send(t, w.exchange("service", subject.AccessToken, by...)), 400, oauth.ErrInvalidRequest)
	requireGranted(t, w.send(t, prove(w.exchange("service", subject.AccessToken, by...), mine)))
}

// Row 22: what is ended while it is exchanged stays ended, whenever that is.
func TestExchangeOfWhatEndsMeanwhile(t *testing.T) {
	for _, opaque := range []bool{false, true} {
		refused := 0
		for n := 0; ; n++ {
			inner := memstore.New()
			faulty := storetest.NewFaulty(inner)
			w := newWorldOver(t, faulty)
			w.change("gateway", func(c *oauth.Client) { c.OpaqueTokens = opaque })
			outside := must(auth.NewOpaqueTokens(inner, api, nil))
			a := w.signIn(t, "web")
			done := len(faulty.Calls())
			faulty.Before = storetest.Nth(n, func(ctx context.Context, _ string) error {
				return outside.RevokeAll(ctx, w.people["alice"])
			})
			got := w.send(t, w.exchange("gateway", a.AccessToken))
			faulty.Before = nil
			if len(faulty.Calls())-done <= n {
				requireGranted(t, got)
				break
			}
			requireRefused(t, got, 400, oauth.ErrInvalidRequest)
			require.Empty(t, listOf(t, w, w.people["alice"], auth.KindAccessToken))
			refused++
		}
		require.Greater(t, refused, 1)
	}
}

// An outage is told as one, at every call of the store.
func TestExchangeOutage(t *testing.T) {
	for _, from := range []string{"web", "opaque"} {
		t.Run(from, func(t *testing.T) {
			everyFault(t, func(t *testing.T, w *world) (*http.Request, func(*testing.T)) {
				if from == "opaque" {
					w.change("gateway", func(c *oauth.Client) { c.OpaqueTokens = true })
				}
				a := w.signIn(t, from)
				return w.exchange("gateway", a.AccessToken), func(t *testing.T) {
					requireGranted(t, w.send(t, w.exchange("gateway", a.AccessToken)))
				}
			})
		})
	}
}
