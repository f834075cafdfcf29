package password_test

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/password"
)

// Row 123: 200 logins at once run k at a time and take the memory of k. None is
// refused: all wait their turn.
func TestLoadIsFlat(t *testing.T) {
	const logins, k, each = 200, 2, 8 << 20
	h, err := password.NewHasher(&password.HashOptions{
		Params:         password.Params{Memory: each >> 10, Time: 1},
		InsecureParams: true,
		Concurrency:    k,
		MaxWait:        time.Minute,
	})
	require.NoError(t, err)
	var most, turns atomic.Int64
	h.Observe(func(running int) {
		turns.Add(1)
		for {
			m := most.Load()
			if int64(running) <= m || most.CompareAndSwap(m, int64(running)) {
				return
			}
		}
	})
	w := newWorld(t, func(o *password.Options) { o.Hasher = h })
	w.register(t)
	turns.Store(0)

	debug.FreeOSMemory()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	stop := make(chan struct{})
	peak := make(chan uint64)
	go func() {
		var m runtime.MemStats
		var most uint64
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
			select {
			case <-tick.C:
			case <-stop:
				peak <- most
				return
			}
		}
	}()

	start := time.Now()
	var wg sync.WaitGroup
	errs := make([]error, logins)
	for i := range logins {
		wg.Go(func() {
			name, pw := login, good
			switch i % 3 {
			case 1:
				pw = other
			case 2:
				name = "nobody@example.com"
			}
			_, errs[i] = w.Verify(t.Context(), name, pw)
		})
	}
	wg.Wait()
	close(stop)
	used := int64(<-peak) - int64(before.HeapInuse)

	for i, err := range errs {
		if i%3 == 0 {
			require.NoError(t, err)
		} else {
			require.Equal(t, auth.ErrInvalid, err)
		}
	}
	require.EqualValues(t, logins, turns.Load(), "unknown and wrong do the same work")
	require.EqualValues(t, k, most.Load(), "at most k hashes at once")
	// x/crypto allocates anew for each hash, so that some of them are garbage
	// not yet collected. All at once would be 1,600 MiB.
	t.Logf("%d logins, %d at a time: %v, peak heap %d MiB", logins, k, time.Since(start), used>>20)
	require.Less(t, used, int64(6*k*each))
}

// A flood of logins leaves a processor to other requests, if there are two.
func TestAProcessorIsLeft(t *testing.T) {
	for _, c := range []struct {
		processors int
		threads    uint8
		want       int
	}{{1, 1, 1}, {2, 1, 1}, {4, 1, 3}, {2, 4, 1}, {8, 2, 3}, {8, 4, 1}} {
		before := runtime.GOMAXPROCS(c.processors)
		h, err := password.NewHasher(&password.HashOptions{Params: password.Params{Threads: c.threads}})
		runtime.GOMAXPROCS(before)
		require.NoError(t, err)
		require.Equal(t, c.want, h.Turns(), "%+v", c)
	}
}

// Row 123: who waits too long, or no longer, is told to come back.
func TestWaitingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newCheapHasher(t, password.HashOptions{Concurrency: 2, MaxWait: 3 * time.Second})
		stored, err := h.Hash(t.Context(), good)
		require.NoError(t, err)
		turns := h.turns.Load()
		unavailable := func(err error) {
			t.Helper()
			require.ErrorIs(t, err, auth.ErrUnavailable)
			var f *auth.Failure
			require.ErrorAs(t, err, &f)
			require.Equal(t, 503, f.Status())
			require.Equal(t, 3*time.Second, f.RetryAfter)
		}
		releases := []func(){h.Hold(), h.Hold()}

		start := time.Now()
		_, err = h.Verify(t.Context(), stored, good)
		unavailable(err)
		require.Equal(t, 3*time.Second, time.Since(start), "MaxWait")

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		_, err = h.Hash(ctx, good)
		unavailable(err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start), "the context's time")

		_, err = h.Hash(ctx, good)
		unavailable(err)
		require.Equal(t, turns, h.turns.Load(), "nothing was hashed")

		// A turn that is given back goes to who waits.
		done := make(chan error)
		go func() {
			_, err := h.Verify(t.Context(), stored, good)
			done <- err
		}()
		synctest.Wait()
		releases[0]()
		require.NoError(t, <-done)

		// A context that has ended gets no turn that is free.
		_, err = h.Verify(ctx, stored, good)
		unavailable(err)
		releases[1]()
		require.Zero(t, h.Running())
	})
}

// Row 123: hashes keep to a budget, and who gets none of it in time is told to
// come back.
func TestPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newCheapHasher(t, password.HashOptions{PerSecond: 5, MaxWait: 1100 * time.Millisecond, Concurrency: 3})
		start := time.Now()
		var wg sync.WaitGroup
		errs := make([]error, 20)
		for i := range errs {
			wg.Go(func() { _, errs[i] = h.Hash(t.Context(), good) })
		}
		synctest.Wait()
		require.EqualValues(t, 5, h.turns.Load(), "at once")
		authtest.Advance(200 * time.Millisecond)
		require.EqualValues(t, 6, h.turns.Load(), "and then in turn")
		wg.Wait()
		require.EqualValues(t, 10, h.turns.Load())
		require.LessOrEqual(t, time.Since(start), 1100*time.Millisecond)
		busy := 0
		for _, err := range errs {
			if err != nil {
				require.ErrorIs(t, err, auth.ErrUnavailable)
				busy++
			}
		}
		require.Equal(t, 10, busy)
		require.Zero(t, h.Running())

		// Who goes takes nothing of it along.
		for range 10 {
			ctx, cancel := context.WithCancel(t.Context())
			for range 5 {
				wg.Go(func() { _, _ = h.Hash(ctx, good) })
			}
			synctest.Wait()
			cancel()
			wg.Wait()
		}
		require.EqualValues(t, 10, h.turns.Load())
		_, err := h.Hash(t.Context(), good)
		require.NoError(t, err)
		require.Equal(t, 1200*time.Millisecond, time.Since(start))
	})
}
