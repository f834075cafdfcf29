package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

var errOutage = errors.New("dial tcp 192.0.2.1:5432: connection refused")

// A troubled world is an agency whose store goes wrong.
type troubled struct {
	*agency
	faulty *storetest.Faulty
	code   string
	token  string // to refresh
}

func newTroubled(t testing.TB, opaque bool) *troubled {
	w := &troubled{agency: newAgencyOver(t, storetest.NewFaulty(memstore.New()))}
	w.faulty = w.store.(*storetest.Faulty)
	for id := range w.clients {
		w.change(id, func(c *oauth.Client) { c.OpaqueTokens = opaque })
	}
	w.code, w.token = w.world.code(t, "web", nil), w.signIn(t, "web").RefreshToken
	return w
}

// What goes wrong at a call of the store. Every request can be sent again, with a
// fresh proof of the client where it has one.
var tokenFaults = map[string]func(w *troubled, r *http.Request, at int) *http.Request{
	"no answer": func(w *troubled, r *http.Request, at int) *http.Request {
		w.faulty.Before = storetest.Nth(at, storetest.Fail(errOutage))
		return r
	},
	"lost answer": func(w *troubled, r *http.Request, at int) *http.Request {
		w.faulty.After = storetest.Nth(at, storetest.Fail(errOutage))
		return r
	},
	"client gone": func(w *troubled, r *http.Request, at int) *http.Request {
		ctx, cancel := context.WithCancel(r.Context())
		w.faulty.Before = storetest.Nth(at, storetest.Cancel(cancel))
		return r.WithContext(ctx)
	},
}

// Every call to the store that a grant makes goes wrong once, in each way: the
// answer is 503, nothing is burnt, and the same request is granted afterwards. What
// the answer of a write that was lost does, the exceptions tell.
func TestTokenFaults(t *testing.T) {
	key := newSigner()
	for name, ask := range map[string]func(w *troubled) *http.Request{
		"client credentials": func(w *troubled) *http.Request { return w.asks("service", credentials...) },
		"code":               func(w *troubled) *http.Request { return w.redeem("web", w.code) },
		"refresh":            func(w *troubled) *http.Request { return w.renew("web", w.token) },
		"assertion":          func(w *troubled) *http.Request { return w.bears(w.says(nil)) },
		"client assertion":   func(w *troubled) *http.Request { return asserting(w.assertion("signer", nil)) },
		"code with proof": func(w *troubled) *http.Request {
			r, proof := w.redeem("web", w.code), key.proof()
			r.Header.Set(proof.name, proof.value)
			return r
		},
	} {
		for fault, inject := range tokenFaults {
			for _, opaque := range []bool{false, true} {
				t.Run(name+", "+fault, func(t *testing.T) {
					var calls []string
					authtest.At(t, whenever, func(t *testing.T) {
						w := newTroubled(t, opaque)
						before := len(w.faulty.Calls())
						requireGranted(t, w.send(t, ask(w)))
						calls = w.faulty.Calls()[before:]
					})
					require.NotEmpty(t, calls)
					for i, op := range calls {
						authtest.At(t, whenever, func(t *testing.T) {
							w := newTroubled(t, opaque)
							kept := w.count(t, "")
							r := inject(w, ask(w), i)
							requireRefused(t, w.send(t, r), 503, oauth.ErrTemporarilyUnavailable)
							w.faulty.Before, w.faulty.After = nil, nil

							// Marks of what the client makes anew stay, what was
							// inserted while nobody could tell, and the successor
							// of what may be spent.
							left := w.count(t, "") - kept - w.marks(t)
							if fault != "lost answer" && !(name == "refresh" && op == "Replace") {
								require.Zero(t, left, "%s, call %d", op, i)
							}
							require.LessOrEqual(t, left, 1, "%s, call %d", op, i)

							again := w.send(t, ask(w))
							if fault == "lost answer" && op == "Replace" && (name == "code" || name == "code with proof") {
								// The code may be spent, so it comes a second
								// time; nobody has got anything of it.
								requireRefused(t, again, 400, oauth.ErrInvalidGrant)
								return
							}
							requireGranted(t, again)
							_, err := w.opens(t, again.AccessToken)
							require.NoError(t, err)
						})
					}
				})
			}
		}
	}
}

// marks counts what remembers the use of assertions and proofs.
func (w *troubled) marks(t testing.TB) int {
	return w.count(t, "client_assertion") + w.count(t, "dpop_proof") + w.count(t, auth.KindPlatform)
}

// The end of a family that cannot be written down is an outage, too: the code is
// still to come a second time.
func TestReuseFaults(t *testing.T) {
	for fault, inject := range tokenFaults {
		if fault == "lost answer" {
			continue // the mark is there: the next attempt finds it so
		}
		for i := range 4 {
			authtest.At(t, whenever, func(t *testing.T) {
				w := newTroubled(t, false)
				a := w.send(t, w.redeem("web", w.code))
				requireGranted(t, a)
				first := w.send(t, inject(w, w.redeem("web", w.code), i))
				w.faulty.Before = nil
				if first.Code == http.StatusServiceUnavailable {
					_, err := w.opens(t, a.AccessToken)
					require.NoError(t, err)
				}
				requireRefused(t, w.send(t, w.redeem("web", w.code)), 400, oauth.ErrInvalidGrant)
				_, err := w.opens(t, a.AccessToken)
				require.ErrorIs(t, err, auth.ErrRevoked)
			})
		}
	}
}

// A registry that cannot answer is an outage for every grant.
func TestRegistryOutage(t *testing.T) {
	w := newWorld(t)
	code, a := w.code(t, "web", nil), w.signIn(t, "web")
	w.outage = errOutage
	for _, r := range []*http.Request{
		w.asks("service", credentials...),
		w.redeem("web", code),
		w.renew("web", a.RefreshToken),
		asserting(w.assertion("signer", nil)),
		request("POST", "/oauth/token", form("client_id", "phone")),
	} {
		a := w.send(t, r)
		requireRefused(t, a, 503, oauth.ErrTemporarilyUnavailable)
		require.NotContains(t, a.Body.String(), "192.0.2.1")
	}
	w.outage = nil
	requireGranted(t, w.send(t, w.redeem("web", code)))
	requireGranted(t, w.send(t, w.renew("web", a.RefreshToken)))
}
