package password_test

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
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
