package auth_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// Two operations at once, in every order that a store can see: the second runs
// as a whole between any two calls of the first, and then the roles change. The
// invariant holds whichever comes first.
func TestInterleavings(t *testing.T) {
	all := func(w *world) { w.requireDead(w.session, w.other, w.pair) }
	family := func(w *world) { w.requireDead(w.pair) }
	opened := func(w *world) { w.requireDead(w.byKey) }
	for name, c := range map[string]struct {
		a, b operation
		want func(w *world)
	}{
		"renewal, all out":         {renew, revokeAll, all},
		"refresh, all out":         {rotate, revokeAll, all},
		"login, all out":           {login, revokeAll, all},
		"login with pair, all out": {loginWithRefresh, revokeAll, all},
		"refresh, family out":      {rotate, endFamily, family},
		"renewal, sign-out":        {renew, signOut, func(w *world) { w.requireDead(w.session) }},
		"login, others out":        {login, revokeOthers, func(w *world) { w.requireDead(w.other, w.pair) }},
		"refresh, others out":      {rotate, revokeOthers, func(w *world) { w.requireDead(w.other, w.pair) }},
		"renewal, others out": {renew, revokeOthers, func(w *world) {
			require.Empty(w, w.live(w.other, w.pair))
			require.Len(w, w.live(append(w.given, w.session)...), 1, "the one that asked")
		}},
		"others out, others out": {revokeOthers, otherRevokesOthers, func(w *world) {
			require.Len(w, w.live(w.session, w.other, w.pair), 1)
		}},
		"others out, all out":      {revokeOthers, revokeAll, all},
		"refresh, reuse":           {rotate, reuse, family},
		"key login, key disabled":  {keyLogin, disableKey, opened},
		"key login, key revoked":   {keyLogin, revokeKey, opened},
		"key rotated, key revoked": {rotateKey, revokeKey, func(w *world) { keysLeft(w, len(w.given)) }},
		"key rotated, key disabled": {rotateKey, disableKey, func(w *world) {
			require.Equal(w, auth.ErrDisabled, verify(w.keys, w.key))
			keysLeft(w, 1+len(w.given))
		}},
		"refresh, refresh": {rotate, rotate, func(w *world) {
			require.Len(w, w.given, 2)
			require.Equal(w, w.given[0].RefreshToken.Reveal(), w.given[1].RefreshToken.Reveal())
			require.Len(w, w.store.dump(auth.KindRefresh), 2)
			require.Len(w, listed(w, w.sessions, w.who), 6)
		}},
		"renewal, renewal": {renew, renew, func(w *world) {
			require.Len(w, w.given, 1)
			require.Len(w, w.live(w.given...), 1)
			require.Len(w, listed(w, w.sessions, w.who), 4)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, pair := range [][2]operation{{c.a, c.b}, {c.b, c.a}} {
				for at, more := 0, true; more; at++ {
					authtest.At(t, begin, func(t *testing.T) {
						w := newWorld(t)
						n := 0
						w.store.before = func(string) error {
							if n++; n == at+1 {
								_ = pair[1](w, t.Context())
							}
							return nil
						}
						_ = pair[0](w, t.Context())
						w.store.before = nil
						if more = n > at; !more {
							_ = pair[1](w, t.Context()) // one after the other
						}
						c.want(w)
					})
				}
			}
		})
	}
}

// reuse replays a refresh token that was spent a minute ago.
func reuse(w *world, ctx context.Context) error {
	d := auth.DigestOf(auth.KindRefresh, w.pair.RefreshToken.Reveal())
	if r, err := w.store.Store.Lookup(ctx, d); err == nil && len(r.Data) == 0 {
		pair, err := exchange(w.refresh, w.pair.RefreshToken, nil)
		if err != nil {
			return err
		}
		w.given = append(w.given, pair)
	}
	authtest.Advance(time.Minute)
	return rotate(w, ctx)
}

func keysLeft(w *world, want int) {
	w.Helper()
	require.Len(w, listedKeys(w, w.keys, w.who), want)
}

// The same and more on two cores, with nothing but chance between them.
const rounds = 1000

// together runs all of fs at once.
func together(fs ...func()) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for _, f := range fs {
		wg.Go(func() {
			<-start
			f()
		})
	}
	close(start)
	wg.Wait()
}

func TestRaceTouchNeverResurrects(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newStore(t)
		for range rounds {
			s := must(auth.NewSessions(store, &auth.SessionOptions{Idle: time.Hour}))
			g := must(s.Issue(t.Context(), authtest.Principal("42"), nil))
			authtest.Advance(30 * time.Minute) // its use is news
			together(
				func() { _ = verify(s, g); _ = s.Close() },
				func() { _ = verify(s, g); _ = s.Close() },
				func() { require.NoError(t, s.Revoke(t.Context(), g.Principal)) },
			)
			require.Equal(t, auth.ErrInvalid, verify(s, g))
			require.Zero(t, store.Len())
		}
	})
}

func TestRaceRevokeAllLeavesNothingAlive(t *testing.T) {
	for name, inFlight := range map[string]operation{
		"renewal": renew,
		"login":   login,
		"refresh": func(w *world, ctx context.Context) error {
			for range 3 {
				if err := rotate(w, ctx); err != nil {
					return err
				}
				w.pair = w.given[len(w.given)-1]
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			authtest.At(t, begin, func(t *testing.T) {
				for range rounds {
					w := newWorld(t)
					together(
						func() { _ = inFlight(w, t.Context()) },
						func() { require.NoError(t, revokeAll(w, t.Context())) },
					)
					w.requireDead(w.session, w.other, w.pair)
				}
			})
		})
	}
}

func TestRaceRevokeOthersLeavesTheOneThatAsked(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		for range rounds {
			w := newWorld(t)
			var renewed *auth.Grant
			together(
				func() { _ = login(w, t.Context()) },
				func() { require.NoError(t, revokeOthers(w, t.Context())) },
				func() { renewed = must(w.sessions.Renew(t.Context(), w.session.Principal)) },
			)
			require.Empty(t, w.live(append(w.given, w.session, w.other, w.pair)...))
			require.NoError(t, verify(w.sessions, renewed))
			renewed = must(w.sessions.Renew(t.Context(), renewed.Principal))
			left := listed(t, w.sessions, w.who)
			require.Len(t, left, 1)
			require.Equal(t, renewed.Principal.Credential.ID, left[0].ID)
		}
	})
}

func TestRaceKeyEndsWhatIsBeingOpened(t *testing.T) {
	for name, end := range map[string]operation{"disabled": disableKey, "revoked": revokeKey} {
		t.Run(name, func(t *testing.T) {
			for range rounds { // on the clock of the wall: the use and the end may be apart
				store := newStore(t)
				w := &world{T: t, sessions: must(auth.NewSessions(store, nil)), keys: must(auth.NewAPIKeys(store, "acme", nil))}
				w.key = must(w.keys.Create(t.Context(), authtest.Principal("42"), nil))
				together(
					func() { _ = keyLogin(w, t.Context()) },
					func() { require.NoError(t, end(w, t.Context())) },
				)
				require.Empty(t, w.live(w.given...))
			}
		})
	}
}

func TestRaceOneRefreshTokenGivesOneSuccessor(t *testing.T) {
	const uses = 100
	for range rounds {
		store := newStore(t)
		s := must(auth.NewSessions(store, nil))
		f := must(auth.NewRefresh(store, s, nil))
		p := authtest.Principal("42")
		first := must(f.Issue(t.Context(), p, nil))
		answers := make([]*auth.Grant, uses)
		var all []func()
		for i := range answers {
			all = append(all, func() { answers[i] = must(exchange(f, first.RefreshToken, nil)) })
		}
		together(all...)
		for _, g := range answers {
			require.Equal(t, answers[0].RefreshToken.Reveal(), g.RefreshToken.Reveal())
		}
		atRest := 0
		for range store.List(t.Context(), p.Owner(), auth.KindRefresh) {
			atRest++
		}
		require.Equal(t, 2, atRest)
		require.Len(t, listed(t, s, p), 1+uses, "nobody's session is lost, and none is left over")
	}
}

// shuffled lists in no particular order, as a store may.
type shuffled struct{ *memstore.Store }

func (s shuffled) List(ctx context.Context, owner auth.Digest, k auth.Kind) iter.Seq2[auth.Entry, error] {
	return func(yield func(auth.Entry, error) bool) {
		var all []auth.Entry
		for e, err := range s.Store.List(ctx, owner, k) {
			if err != nil {
				yield(e, err)
				return
			}
			all = append(all, e)
		}
		for _, i := range rand.Perm(len(all)) {
			if !yield(all[i], nil) {
				return
			}
		}
	}
}

func TestRaceLoginsUnderALimit(t *testing.T) {
	const logins, limit = 50, 3
	for _, refuse := range []bool{false, true} {
		t.Run(fmt.Sprintf("refuse newest %t", refuse), func(t *testing.T) {
			// All at the same instant: nobody is older by the clock.
			authtest.At(t, begin, func(t *testing.T) {
				for range rounds {
					s := must(auth.NewSessions(shuffled{newStore(t)}, &auth.SessionOptions{Limit: limit, RefuseNewest: refuse}))
					p := authtest.Principal("42")
					var (
						mu    sync.Mutex
						given = map[string]bool{}
						all   []func()
					)
					for range logins {
						all = append(all, func() {
							g, err := s.Issue(context.Background(), p, nil)
							if err != nil {
								require.ErrorIs(t, err, auth.ErrSessionLimit)
								return
							}
							mu.Lock()
							given[g.Principal.Credential.ID] = true
							mu.Unlock()
						})
					}
					together(all...)
					left := listed(t, s, p)
					require.Len(t, left, limit)
					for _, v := range left {
						require.True(t, given[v.ID], "a session that nobody has")
					}
				}
			})
		})
	}
}
