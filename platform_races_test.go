package auth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// A meeting holds each of n callers up until all of them are there.
type meeting struct {
	sync.WaitGroup
	n int
}

func newMeeting(n int) *meeting {
	m := &meeting{n: n}
	m.Add(n)
	return m
}

func (m *meeting) join() {
	m.Done()
	m.Wait()
}

// Row 21: of a hundred uses of one assertion at once, in two processes over one
// store, one signs in. In the first round all have looked before any writes.
func TestRaceOneAssertionSignsInOnce(t *testing.T) {
	const uses = 100
	for round := range 50 {
		store := newTap(t)
		var processes []*desk
		for range 2 {
			d := newDesk(store)
			d.acme().Audience = apiAudience
			processes = append(processes, d.open())
		}
		if round == 0 {
			var inserts sync.Once
			all := newMeeting(uses)
			store.before = func(op string) error {
				if op == "Insert" {
					all.join()
					inserts.Do(func() { store.before = nil })
				}
				return nil
			}
		}
		both := grantClaims().with("email", `"ada@example.com"`).with("expire", fmt.Sprint(time.Now().Unix()+60))
		if round%2 == 1 {
			both = both.with("jti", "")
		}
		assertion := both.assertion()
		answers := make([]*httptest.ResponseRecorder, uses)
		var all []func()
		for i := range answers {
			d := processes[i%2]
			all = append(all, func() {
				if i%4 == 0 && round%2 == 0 {
					answers[i] = d.grant(assertion)
				} else {
					answers[i] = d.login("acme", assertion)
				}
			})
		}
		together(all...)
		winners := 0
		for _, w := range answers {
			if w.Code == http.StatusOK {
				winners++
			} else {
				requireRefused(t, w, "a copy")
			}
		}
		require.Equal(t, 1, winners)
		require.Len(t, store.dump(auth.KindSession), 1)
		require.Len(t, store.dump(auth.KindPlatform), 1)
	}
}

// Sign-in and suspension in every order that the store can see, time going on
// in between: what signed in before the end of the suspension is dead.
func TestSuspensionMeetsSignIn(t *testing.T) {
	type act func(d *desk, ctx context.Context)
	n := 0
	var given []string
	signIn := func(d *desk, _ context.Context) {
		n++
		w := d.login("acme", emailClaims().with("nonce", fmt.Sprint(n)).assertion())
		if w.Code != http.StatusOK {
			requireRefused(d.t, w, "suspended meanwhile")
			return
		}
		given = append(given, tokenIn(d.t, w))
	}
	suspend := func(d *desk, ctx context.Context) { require.NoError(d.t, d.platforms.Suspend(ctx, "acme")) }
	andResume := func(d *desk, ctx context.Context) {
		suspend(d, ctx)
		require.NoError(d.t, d.platforms.Resume(ctx, "acme"))
	}
	for name, pair := range map[string][2]act{
		"suspended while somebody signs in":             {signIn, suspend},
		"suspended and resumed while somebody signs in": {signIn, andResume},
		"signing in while suspended":                    {suspend, signIn},
	} {
		t.Run(name, func(t *testing.T) {
			for at, more := 0, true; more; at++ {
				authtest.At(t, begin, func(t *testing.T) {
					store := newTap(t)
					d := newDesk(store).open()
					d.t, given = t, nil
					calls := 0
					store.before = func(string) error {
						if calls++; calls == at+1 {
							authtest.Advance(time.Millisecond)
							pair[1](d, t.Context())
							authtest.Advance(time.Millisecond)
						}
						return nil
					}
					pair[0](d, t.Context())
					store.before = nil
					if more = calls > at; !more {
						authtest.Advance(time.Millisecond)
						pair[1](d, t.Context())
					}
					for _, token := range given {
						_, err := d.sessions.Verify(t.Context(), token)
						require.ErrorIs(t, err, auth.ErrRevoked, "at %d", at)
					}
				})
			}
		})
	}
}

func TestRaceSuspendEndsWhoIsSigningIn(t *testing.T) {
	for range 200 { // on the clock of the wall
		d := newDesk(newTap(t)).open()
		first, second := emailClaims().assertion(), emailClaims().with("nonce", "1").assertion()
		var a, b *httptest.ResponseRecorder
		together(
			func() { a = d.login("acme", first) },
			func() { b = d.login("acme", second) },
			func() { require.NoError(t, d.platforms.Suspend(t.Context(), "acme")) },
		)
		for _, w := range []*httptest.ResponseRecorder{a, b} {
			if w.Code == http.StatusOK {
				_, err := d.sessions.Verify(t.Context(), tokenIn(t, w))
				require.ErrorIs(t, err, auth.ErrRevoked)
			} else {
				requireRefused(t, w, "suspended meanwhile")
			}
		}
	}
}

// Every call to the store that a sign-in makes goes wrong once, in each way: an
// outage, nothing handed out, and the assertion good for another try unless it
// may have been used up.
func TestSignInFaults(t *testing.T) {
	login := func(d *desk, ctx context.Context) *httptest.ResponseRecorder {
		return serve(d.handler, from("POST", "/login/acme", "Token", emailClaims().assertion()).WithContext(ctx))
	}
	var calls []string
	authtest.At(t, begin, func(t *testing.T) {
		w := &world{T: t, store: newTap(t)}
		d := newDesk(w.store).open()
		require.Equal(t, http.StatusOK, login(d, t.Context()).Code)
		calls = slices.Clone(w.store.calls)
	})
	used := 0 // the call that uses the assertion up
	for calls[used] != "Insert" {
		used++
	}
	require.Equal(t, 2, used, "the suspension and the assertion are looked up: %v", calls)
	for fault, inject := range faults {
		for i := range calls {
			authtest.At(t, begin, func(t *testing.T) {
				w := &world{T: t, store: newTap(t)}
				d := newDesk(w.store).open()
				ctx, _ := inject(w, i)
				answer := login(d, ctx)
				w.store.before, w.store.lost = nil, nil
				name := fmt.Sprintf("%s at %d, %s", fault, i, calls[i])
				require.Equal(t, http.StatusServiceUnavailable, answer.Code, "%s: %s", name, answer.Body)
				again := login(d, t.Context())
				if i < used || i == used && fault != "lost answer" {
					d.admitted(t, again)
					return
				}
				requireRefused(t, again, name)
				d.admitted(t, d.login("acme", emailClaims().with("nonce", "1").assertion()))
			})
		}
	}
}

// A suspension that fails half way is finished by another.
func TestSuspendFaults(t *testing.T) {
	const calls = 3 // the record, and a look at the mark before it is raised
	for fault, inject := range faults {
		for i := range calls {
			authtest.At(t, begin, func(t *testing.T) {
				w := &world{T: t, store: newTap(t)}
				d := newDesk(w.store).open()
				token := tokenIn(t, d.login("acme", emailClaims().assertion()))
				authtest.Advance(time.Second)
				w.store.count()
				ctx, want := inject(w, i)
				err := d.platforms.Suspend(ctx, "acme")
				w.store.before, w.store.lost = nil, nil
				requireOutage(t, err)
				require.ErrorIs(t, err, want)
				w.store.count()
				require.NoError(t, d.platforms.Suspend(t.Context(), "acme"))
				require.Equal(t, calls, w.store.count())
				_, err = d.sessions.Verify(t.Context(), token)
				require.ErrorIs(t, err, auth.ErrRevoked, "%s at %d", fault, i)

				ctx, want = inject(w, 0)
				require.ErrorIs(t, d.platforms.Resume(ctx, "acme"), want)
				w.store.before, w.store.lost = nil, nil
				require.NoError(t, d.platforms.Resume(t.Context(), "acme"))
				authtest.Advance(time.Microsecond)
				d.admitted(t, d.login("acme", emailClaims().with("nonce", "1").assertion()))
			})
		}
	}
}
