package clock_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/internal/clock"
)

func TestClockTellsTheTime(t *testing.T) {
	var c clock.Clock
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []time.Duration{0, 1, time.Microsecond, 999 * time.Millisecond, time.Second, time.Second + 1, time.Hour} {
			authtest.Advance(d)
			require.Equal(t, time.Now().UnixMicro(), c.Now(), d)
		}
	})
	// As if the clock had been set by decades, and the monotonic one begun anew.
	require.WithinDuration(t, time.Now(), time.UnixMicro(c.Now()), time.Minute)
}

func TestClockIsSharedSafely(t *testing.T) {
	var (
		c  clock.Clock
		wg sync.WaitGroup
	)
	before := time.Now().Add(-time.Second).UnixMicro()
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				if c.Now() < before {
					t.Error("a time that is long past")
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkNow(b *testing.B) {
	b.Run("clock", func(b *testing.B) {
		var c clock.Clock
		for b.Loop() {
			c.Now()
		}
	})
	b.Run("time", func(b *testing.B) {
		for b.Loop() {
			time.Now()
		}
	})
}
