package auth_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// written returns how many times the store was touched since the last time that
// somebody asked, and the last use that it knows of the key.
func written(s *tap, g *auth.Grant) (int, time.Time) {
	d := must(auth.ParseDigest(g.Principal.Credential.ID))
	return s.count("Touch"), must(s.Store.Lookup(context.Background(), d)).Seen
}

func TestLastUseIsWrittenAtMostOnceAMinute(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newTap(t)
		keys := newKeys(t, store, nil)
		g := must(keys.Create(t.Context(), authtest.Principal("42"), nil))
		other := must(keys.Create(t.Context(), authtest.Principal("42"), nil))
		lastUsed := func() time.Time {
			return must(keys.Lookup(t.Context(), g.Principal.Credential.ID)).LastUsed
		}
		require.True(t, lastUsed().IsZero())

		authtest.Advance(time.Hour)
		for range 10 { // ten requests, a tenth of a second apart
			require.NoError(t, verify(keys, g))
			require.Equal(t, begin.Add(time.Hour), lastUsed(), "also while it waits to be written")
			authtest.Advance(time.Second / 10)
		}
		n, seen := written(store, g)
		require.Equal(t, 1, n, "off the request, a second later")
		require.Equal(t, begin.Add(time.Hour), seen)

		authtest.Advance(59*time.Second - tick)
		require.NoError(t, verify(keys, g))
		authtest.Advance(tick)
		require.NoError(t, verify(keys, g))
		require.NoError(t, verify(keys, other))
		authtest.Advance(time.Second - tick)
		n, _ = written(store, g)
		require.Zero(t, n)
		authtest.Advance(tick)
		n, seen = written(store, g)
		require.Equal(t, 1, n, "both in one")
		require.Equal(t, begin.Add(time.Hour+time.Minute), seen)
		_, seen = written(store, other)
		require.Equal(t, begin.Add(time.Hour+time.Minute), seen)

		authtest.Advance(time.Hour)
		n, _ = written(store, g)
		require.Zero(t, n, "nothing is written where nothing is used")
	})
}

func TestLastUseIsFlushedByClose(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newTap(t)
		keys := must(auth.NewAPIKeys(store, "acme", nil))
		g := must(keys.Create(t.Context(), authtest.Principal("42"), nil))
		authtest.Advance(time.Hour)
		require.NoError(t, verify(keys, g))
		require.NoError(t, keys.Close())
		n, seen := written(store, g)
		require.Equal(t, 1, n)
		require.Equal(t, begin.Add(time.Hour), seen)

		// A bubble that still has a goroutine never gets to its end, and a timer
		// would be seen to write.
		authtest.Advance(time.Hour)
		require.NoError(t, verify(keys, g), "the keys themselves go on")
		authtest.Advance(time.Hour)
		require.NoError(t, keys.Close())
		n, _ = written(store, g)
		require.Zero(t, n, "but no more is taken down")
	})
}

func TestLastUseWaitsWhileTheStoreIsDown(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newTap(t)
		var down atomic.Bool // the writes are made on a timer's goroutine
		store.before = func(op string) error {
			if op == "Touch" && down.Load() {
				return errOutage
			}
			return nil
		}
		keys := must(auth.NewAPIKeys(store, "acme", nil))
		g := must(keys.Create(t.Context(), authtest.Principal("42"), nil))
		used := time.Now().UTC()
		down.Store(true)
		require.NoError(t, verify(keys, g), "nobody is refused for it")
		authtest.Advance(10 * time.Second)
		require.NoError(t, verify(keys, g))
		n, _ := written(store, g)
		require.Equal(t, 1, n)
		require.Equal(t, used, must(keys.Lookup(t.Context(), g.Principal.Credential.ID)).LastUsed)

		authtest.Advance(time.Minute)
		n, _ = written(store, g)
		require.Equal(t, 1, n, "another try a minute later")
		down.Store(false)
		authtest.Advance(time.Minute)
		n, seen := written(store, g)
		require.Equal(t, 1, n)
		require.Equal(t, used, seen)

		authtest.Advance(time.Hour)
		require.NoError(t, verify(keys, g))
		down.Store(true)
		store.count()
		require.ErrorIs(t, keys.Close(), errOutage, "what is lost is told")
		down.Store(false)
		authtest.Advance(time.Hour)
		n, _ = written(store, g)
		require.Equal(t, 1, n, "nothing goes on behind it")
		require.NoError(t, keys.Close(), "and can be tried again")
		_, seen = written(store, g)
		require.Equal(t, used.Add(time.Hour+2*time.Minute+10*time.Second), seen)
	})
}

// Close waits for a write that is under way, and a use that comes meanwhile is
// written after it.
func TestLastUseWhileAWriteIsUnderWay(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newTap(t)
		keys := must(auth.NewAPIKeys(store, "acme", nil))
		p := authtest.Principal("42")
		one, two := must(keys.Create(t.Context(), p, nil)), must(keys.Create(t.Context(), p, nil))
		hold := make(chan struct{})
		store.before = func(op string) error {
			if op == "Touch" {
				<-hold
			}
			return nil
		}
		require.NoError(t, verify(keys, one))
		authtest.Advance(time.Second) // the write of one hangs
		require.NoError(t, verify(keys, one))
		require.NoError(t, verify(keys, two))
		require.Equal(t, begin, must(keys.Lookup(t.Context(), one.Principal.Credential.ID)).LastUsed)

		closed := false
		go func() {
			require.NoError(t, keys.Close())
			closed = true
		}()
		synctest.Wait()
		require.False(t, closed)
		require.Equal(t, 1, store.count("Touch"), "one write at a time")
		close(hold)
		synctest.Wait()
		require.True(t, closed)
		n, seen := written(store, one)
		require.Equal(t, 1, n)
		require.Equal(t, begin, seen)
		_, seen = written(store, two)
		require.Equal(t, begin.Add(time.Second), seen)
	})
}

// An idle time asks for more: an eighth of it.
func TestLastUseOfAnIdleSession(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newTap(t)
		s := newSessions(t, store, &auth.SessionOptions{Idle: 4 * time.Minute})
		g := must(s.Issue(t.Context(), authtest.Principal("42"), nil))
		for _, d := range []time.Duration{30*time.Second - tick, 30 * time.Second} {
			authtest.Advance(time.Until(begin.Add(d)))
			require.NoError(t, verify(s, g))
		}
		authtest.Advance(time.Second)
		_, seen := written(store, g)
		require.Equal(t, begin.Add(30*time.Second), seen)
	})
}

// The most that waits is bounded; the rest is left to the next request.
func TestLastUseIsBounded(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newStore(t)
		wide := &widest{Store: store}
		s := newSessions(t, wide, nil)
		p := authtest.Principal("42")
		var open []*auth.Grant
		for range 1<<16 + 10 {
			open = append(open, must(s.Issue(t.Context(), p, nil)))
		}
		authtest.Advance(time.Hour)
		for _, g := range open {
			require.NoError(t, verify(s, g))
		}
		authtest.Advance(time.Second)
		require.Equal(t, []int{1 << 16}, wide.writes)
		for _, g := range open[1<<16-10:] {
			require.NoError(t, verify(s, g))
		}
		authtest.Advance(time.Second)
		require.Equal(t, []int{1 << 16, 10}, wide.writes)
	})
}

// widest notes how much is touched at once.
type widest struct {
	auth.Store
	writes []int
}

func (w *widest) Unwrap() auth.Store { return w.Store }

func (w *widest) Touch(ctx context.Context, seen map[auth.Digest]time.Time) error {
	w.writes = append(w.writes, len(seen))
	t, _ := auth.StoreAbility[auth.Toucher](w.Store)
	return t.Touch(ctx, seen)
}
