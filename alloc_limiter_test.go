//go:build !race

package auth_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// The race detector's own memory would count, so these run without.

func TestLimiterAllocations(t *testing.T) {
	l := auth.NewLimiter(1_000, time.Hour)
	other := auth.Rate{Limit: 1, Per: time.Hour}
	charge(t, l, "k", 1)
	for name, f := range map[string]func(){
		"admitted":   func() { _, _ = l.Allow(t.Context(), "k", 1) },
		"given back": func() { _, _ = l.Allow(t.Context(), "k", -1) },
		"asked":      func() { _, _ = l.Allow(t.Context(), "stranger", 0) },
		"refused":    func() { _, _ = l.Allow(t.Context(), "k", 1_001) },
		"other rate": func() { _, _ = l.AllowRate(t.Context(), "k", 1, other) },
	} {
		require.Zero(t, testing.AllocsPerRun(100, f), name)
	}
}

// Row 63: a million keys take less than 40 bytes each and are all remembered, and
// ten million take no more. Who is at the limit outlives them, and so does the
// limiter: the memory is given back as others come who are fewer.
func TestLimiterMemory(t *testing.T) {
	authtest.At(t, epoch, func(t *testing.T) {
		const million = 1_000_000
		keys, full := manyKeys(million), manyKeys(1000)
		before := heap()
		l := auth.NewLimiter(2, time.Minute)
		taken := func() int { return int(heap() - before) }
		require.Less(t, taken(), 100_000, "for nobody")

		require.Equal(t, million, pass(t, l, keys))
		require.Less(t, taken(), 40*million)
		require.Equal(t, million, pass(t, l, keys))
		require.Zero(t, pass(t, l, keys))

		authtest.Advance(time.Minute)
		require.Equal(t, len(full), pass(t, l, full))
		require.Equal(t, len(full), pass(t, l, full))
		for range 10 {
			require.Equal(t, million, pass(t, l, manyKeys(million)))
		}
		require.Less(t, taken(), 40*million)
		require.Zero(t, pass(t, l, full))

		for range 4 {
			authtest.Advance(time.Hour)
			require.Equal(t, million/4, pass(t, l, manyKeys(million/4)))
		}
		require.Less(t, taken(), 20*million)
		runtime.KeepAlive(keys)
		runtime.KeepAlive(l)
	})
}
