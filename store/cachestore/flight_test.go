package cachestore_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// slow has b take a while for each call: half of it before the call, half after.
func slow(b *backend, half time.Duration) {
	wait := func(ctx context.Context, _ string) error { return after(ctx, half) }
	b.before, b.after = wait, wait
}

func TestABurstIsOneLookup(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		b := newBackend()
		c := newCache(t, b, nil)
		r := session(1)
		require.NoError(t, b.Insert(t.Context(), numbered(1), r))
		slow(b, time.Millisecond)
		var found, spared, absent atomic.Int64
		for range 50 {
			go func() {
				if got, err := c.Lookup(t.Context(), numbered(1)); err == nil && got.Revision == r.Revision {
					found.Add(1)
				}
			}()
			go func() {
				if _, err := c.Lookup(t.Context(), numbered(2)); errors.Is(err, auth.ErrNotFound) {
					absent.Add(1)
				}
			}()
			go func() {
				records := []auth.Record{r, r}
				err := c.LookupAll(t.Context(), auth.KindMark, []auth.Digest{numbered(1), numbered(2)}, records)
				if err == nil && records[0].Kind == "" && records[1].Kind == "" {
					spared.Add(1)
				}
			}()
		}
		authtest.Advance(time.Second)
		require.Equal(t, []int64{50, 50, 50}, []int64{found.Load(), absent.Load(), spared.Load()})
		require.Equal(t, 3, b.asked())
	})
}

// Looked up together, names that are being looked up already are waited for, and
// the others fetched in one round trip.
func TestBatchesShareLookups(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		b := newBackend()
		c := newCache(t, b, nil)
		one, two := mark(), mark()
		require.NoError(t, b.Insert(t.Context(), numbered(1), one))
		require.NoError(t, b.Insert(t.Context(), numbered(2), two))
		slow(b, time.Millisecond)
		want := func(want []auth.Record, digests ...auth.Digest) {
			records := make([]auth.Record, len(digests))
			if err := c.LookupAll(t.Context(), auth.KindMark, digests, records); err != nil {
				t.Error(err)
			}
			require.Equal(t, want, records)
		}
		go want([]auth.Record{one, {}}, numbered(1), numbered(0))
		synctest.Wait()
		go want([]auth.Record{two, one, two, {}}, numbered(2), numbered(1), numbered(2), numbered(3))
		synctest.Wait()
		go want([]auth.Record{{}, {}}, numbered(3), numbered(0))
		authtest.Advance(time.Second)
		require.Equal(t, 2, b.asked())
	})
}

// Callers that go leave the others their answer. A look-up that nobody waits for
// ends, and nobody who comes later waits for it.
func TestWhoGoesFailsNobodyElse(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		b := newBackend()
		c := newCache(t, b, nil)
		r := session(1)
		require.NoError(t, b.Insert(t.Context(), numbered(1), r))
		var ended atomic.Int64
		b.before = func(ctx context.Context, _ string) error {
			err := after(ctx, time.Second)
			if err != nil {
				ended.Add(1)
			}
			return err
		}
		lookup := func(ctx context.Context) chan error {
			done := make(chan error, 1)
			go func() {
				_, err := c.Lookup(ctx, numbered(1))
				done <- err
			}()
			synctest.Wait()
			return done
		}
		first, goes := context.WithCancel(t.Context())
		leader, follower := lookup(first), lookup(t.Context())
		goes()
		require.ErrorIs(t, <-leader, context.Canceled)
		authtest.Advance(time.Second)
		require.NoError(t, <-follower)
		require.Zero(t, ended.Load())
		require.Equal(t, 1, b.asked())

		authtest.Advance(lag)
		second, goes := context.WithCancel(t.Context())
		alone, too := lookup(second), lookup(second)
		goes()
		require.ErrorIs(t, <-alone, context.Canceled)
		require.ErrorIs(t, <-too, context.Canceled)
		later := lookup(t.Context())
		require.EqualValues(t, 1, ended.Load())
		authtest.Advance(time.Second)
		require.NoError(t, <-later)
		require.Equal(t, 2, b.asked())
	})
}

type traceKey struct{}

// What a caller's context carries, such as a trace, reaches the backend.
func TestALookupKeepsTheValuesOfItsContext(t *testing.T) {
	b := newBackend()
	c := newCache(t, b, nil)
	var got any
	b.before = func(ctx context.Context, _ string) error { got = ctx.Value(traceKey{}); return nil }
	ctx := context.WithValue(t.Context(), traceKey{}, "trace")
	require.ErrorIs(t, second(c.Lookup(ctx, numbered(1))), auth.ErrNotFound)
	require.Equal(t, "trace", got)
}

// A backend that panics, or ends its goroutine, gives an error to all who wait.
func TestALookupThatDoesNotReturn(t *testing.T) {
	for name, fail := range map[string]func(){
		"panics": func() { panic("out of luck") },
		"ends":   runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend()
			c := newCache(t, b, nil)
			b.before = func(context.Context, string) error { fail(); return nil }
			require.Error(t, second(c.Lookup(t.Context(), numbered(1))))
			b.before = nil
			requireAbsent(t, c, numbered(1))
		})
	}
}

// What changes while it is looked up is not remembered, whoever changes it.
func TestALookupUnderWayAtAChangeIsNotRemembered(t *testing.T) {
	d := numbered(1)
	for name, change := range map[string]func(t *testing.T, c auth.Store, b *backend){
		"own": func(t *testing.T, c auth.Store, b *backend) {
			require.NoError(t, second(c.Take(t.Context(), d)))
			require.NoError(t, c.Insert(t.Context(), d, mark()))
		},
		"told": func(t *testing.T, c auth.Store, b *backend) {
			require.NoError(t, second(b.Take(t.Context(), d)))
			require.NoError(t, b.Insert(t.Context(), d, mark()))
			authtest.Advance(beat)
		},
	} {
		t.Run(name, func(t *testing.T) {
			authtest.At(t, begin, func(t *testing.T) {
				b := newBackend()
				c := newCache(t, b, b.wire)
				old := mark()
				require.NoError(t, b.Insert(t.Context(), d, old))
				b.after = func(ctx context.Context, op string) error {
					if op == "Lookup" || op == "LookupAll" {
						return after(ctx, 2*beat)
					}
					return nil
				}
				go func() {
					r, err := c.Lookup(t.Context(), d)
					if err != nil || r.Revision != old.Revision {
						t.Errorf("%v, %v", r, err)
					}
				}()
				go func() {
					records := make([]auth.Record, 1)
					if err := c.LookupAll(t.Context(), auth.KindMark, []auth.Digest{d}, records); err != nil || records[0].Revision != old.Revision {
						t.Errorf("%v, %v", records[0], err)
					}
				}()
				synctest.Wait()
				change(t, c, b)
				now, err := b.Store.Lookup(t.Context(), d)
				require.NoError(t, err)
				authtest.Advance(2 * beat)
				requirePresent(t, c, d, now)
				require.Equal(t, []auth.Record{now}, marks(t, c, d))
			})
		})
	}
}

// Who issues something waits for no look-up that began before: of a key that has
// been disabled since, or of marks that have been raised.
func TestIssuingBoardsNoEarlierLookup(t *testing.T) {
	p := alice()
	for name, c := range map[string]struct {
		earlier func(ctx context.Context, s *site, key, token string)
		issue   func(t *testing.T, s *site, key string)
	}{
		"a key": {func(ctx context.Context, s *site, key, _ string) {
			_, _ = s.keys.Verify(ctx, key)
		}, func(t *testing.T, s *site, key string) {
			require.Equal(t, 401, status(s.guard.Exchange(s.sessions), request("POST", "X-API-Key", key)))
		}},
		"marks": {func(ctx context.Context, s *site, _, token string) {
			_, _ = s.tokens.Verify(ctx, token)
		}, func(t *testing.T, s *site, _ string) {
			require.ErrorIs(t, second(s.sessions.Issue(t.Context(), p, nil)), auth.ErrRevoked)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			authtest.At(t, begin, func(t *testing.T) {
				b := newBackend()
				here, there := sites(t, b, nil)
				p = alice()
				key, token := createKey(t, there), issueToken(t, there).Token.Reveal()
				delay := func(ctx context.Context, op string) error {
					if op == "Lookup" || op == "LookupAll" {
						return after(ctx, time.Second)
					}
					return nil
				}
				authtest.Advance(lag + 1) // so that nothing is remembered
				b.after = delay
				go c.earlier(t.Context(), there, key.Token.Reveal(), token)
				synctest.Wait()
				b.after = nil
				require.NoError(t, here.keys.Disable(t.Context(), key.Principal.Credential.ID))
				require.NoError(t, here.sessions.RevokeAll(t.Context(), p))
				authtest.Advance(time.Millisecond)
				b.after = delay
				c.issue(t, there, key.Token.Reveal())
			})
		})
	}
}
