package oauth_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

// Row 21 over memory.
func TestTokenRaces(t *testing.T) {
	testTokenRaces(t, func(testing.TB) auth.Store { return memstore.New() })
}

// testTokenRaces has a hundred requests show one thing at once, to two processes
// over one store.
func testTokenRaces(t *testing.T, open func(testing.TB) auth.Store) {
	for _, id := range []string{"web", "opaque", "phone"} {
		t.Run("code of "+id, func(t *testing.T) {
			w := newWorldOver(t, open(t))
			code := w.code(t, id, nil)
			var granted []*answer
			for _, a := range w.rush(t, func() *http.Request { return w.redeem(id, code) }) {
				if a.Code == http.StatusOK {
					granted = append(granted, a)
					continue
				}
				requireRefused(t, a, 400, oauth.ErrInvalidGrant)
			}
			require.Len(t, granted, 1)
			_, err := w.opens(t, granted[0].AccessToken)
			require.ErrorIs(t, err, auth.ErrRevoked)
			requireRefused(t, w.send(t, w.renew(id, granted[0].RefreshToken)), 400, oauth.ErrInvalidGrant)
			require.Equal(t, 1, w.count(t, auth.KindRefresh), "nothing is left of those that lost")
			require.LessOrEqual(t, w.count(t, auth.KindAccessToken), 1)
		})
		t.Run("refresh token of "+id, func(t *testing.T) {
			w := newWorldOver(t, open(t))
			first := w.signIn(t, id)
			var next string
			for _, a := range w.rush(t, func() *http.Request { return w.renew(id, first.RefreshToken) }) {
				requireGranted(t, a)
				if next == "" {
					next = a.RefreshToken
				}
				require.Equal(t, next, a.RefreshToken, "one successor")
				_, err := w.opens(t, a.AccessToken)
				require.NoError(t, err)
			}
			require.Equal(t, 2, w.count(t, auth.KindRefresh), "nothing is left of those that lost")
			requireGranted(t, w.send(t, w.renew(id, next)))
		})
	}
}

// rush sends a hundred requests at once, to two processes in turn.
func (w *world) rush(t testing.TB, request func() *http.Request) []*answer {
	t.Helper()
	twin := w.twin(t)
	answers := make([]*answer, 100)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range answers {
		process, r := w, request()
		if i%2 == 1 {
			process = twin
		}
		all.Go(func() {
			<-start
			answers[i] = process.send(t, r)
		})
	}
	close(start)
	all.Wait()
	return answers
}

// count returns how many records of a kind the store has.
func (w *world) count(t testing.TB, k auth.Kind) (n int) {
	t.Helper()
	walker, ok := auth.StoreAbility[auth.Walker](w.store)
	require.True(t, ok)
	for _, err := range walker.Walk(context.Background(), k) {
		require.NoError(t, err)
		n++
	}
	return n
}

// An interleaving is a world in which a request is served, and something happens
// in the middle of it.
type interleaving struct {
	*world
	code  string
	first *answer // tokens of an earlier sign-in
	given []*answer
}

func (i *interleaving) serve(t testing.TB, r *http.Request) {
	if a := i.send(t, r); a.Code == http.StatusOK {
		i.given = append(i.given, a)
	} else {
		requireRefused(t, a, 400, oauth.ErrInvalidGrant)
	}
}

// atHome returns what a resource server says of a token that has the server's own
// keys, and so knows its people by the names that the server knows them by.
func (i *interleaving) atHome(t testing.TB, token string) error {
	j, err := auth.NewJWT(issuer, api, i.keys, &auth.JWTOptions{Type: "at+jwt", Revocation: i.store})
	require.NoError(t, err)
	_, err = auth.Bearer(j, i.opener(t, api)).Authenticate(request("GET", "/", nil, header{"Authorization", "Bearer " + token}))
	return err
}

// Two operations at once, in every order that the store can see: the second runs
// as a whole between any two calls of the first. All that was given is dead in the
// end.
func TestTokenInterleavings(t *testing.T) {
	redeem := func(t testing.TB, i *interleaving) { i.serve(t, i.redeem("web", i.code)) }
	renew := func(t testing.TB, i *interleaving) { i.serve(t, i.renew("web", i.first.RefreshToken)) }
	ask := func(t testing.TB, i *interleaving) { i.serve(t, i.asks("web", credentials...)) }
	revokeClient := func(t testing.TB, i *interleaving) {
		require.NoError(t, auth.RevokeClient(context.Background(), i.store, "web"))
	}
	signOut := func(t testing.TB, i *interleaving) {
		require.NoError(t, i.opener(t, api).RevokeAll(context.Background(), i.people["alice"]))
	}
	for name, c := range map[string]struct {
		a, b func(testing.TB, *interleaving)
		want int // how many are given, at least
	}{
		"redeem, redeem":        {redeem, redeem, 1},
		"redeem, client ends":   {redeem, revokeClient, 0},
		"redeem, sign-out":      {redeem, signOut, 0},
		"renew, client ends":    {renew, revokeClient, 0},
		"renew, sign-out":       {renew, signOut, 0},
		"itself, client ends":   {ask, revokeClient, 0},
		"client ends, redeem":   {revokeClient, redeem, 0},
		"redeem twice, refresh": {func(t testing.TB, i *interleaving) { redeem(t, i); redeem(t, i) }, func(t testing.TB, i *interleaving) {}, 1},
	} {
		for _, opaque := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				for n, more := 0, true; more; n++ {
					authtest.At(t, whenever, func(t *testing.T) {
						store := storetest.NewFaulty(memstore.New())
						i := &interleaving{world: newWorldOver(t, store)}
						i.change("web", func(c *oauth.Client) {
							c.OpaqueTokens = opaque
							c.Grants = append(c.Grants, oauth.ClientCredentials)
						})
						i.first, i.code = i.signIn(t, "web"), i.world.code(t, "web", nil)
						more = false
						store.Before = storetest.Nth(n, func(context.Context, string) error {
							more = true
							c.b(t, i)
							return nil
						})
						c.a(t, i)
						store.Before = nil
						if !more { // past the last call: one after the other
							c.b(t, i)
						}
						require.GreaterOrEqual(t, len(i.given), c.want, "call %d", n)
						for _, a := range i.given {
							require.ErrorIs(t, i.atHome(t, a.AccessToken), auth.ErrRevoked, "call %d", n)
							if a.RefreshToken != "" {
								requireRefused(t, i.send(t, i.renew("web", a.RefreshToken)), 400, oauth.ErrInvalidGrant)
							}
						}
					})
				}
			})
		}
	}
}

// A client that ends while its own request is under way gets nothing that
// outlives that, although it was known when it was looked up.
func TestClientEndsMeanwhile(t *testing.T) {
	authtest.At(t, whenever, func(t *testing.T) {
		w := newAgency(t)
		for id, ask := range map[string]func() *http.Request{
			"service": func() *http.Request { return w.asks("service", credentials...) },
			"partner": func() *http.Request { return w.bears(w.says(nil)) },
		} {
			authtest.Advance(time.Second)
			w.asked = func() {
				require.NoError(t, auth.RevokeClient(context.Background(), w.store, id))
				<-time.After(time.Second)
			}
			requireRefused(t, w.send(t, ask()), 400, oauth.ErrInvalidGrant)
			w.asked = nil
			requireGranted(t, w.send(t, ask()))
		}
	})
}
