package auth_test

import (
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// manyKeys returns n keys that nobody else has: pieces of one random text.
func manyKeys(n int) []string {
	const length = 16
	text := make([]byte, n+length)
	for i := range text {
		text[i] = byte(rand.Uint32())
	}
	all, keys := string(text), make([]string, n)
	for i := range keys {
		keys[i] = all[i : i+length]
	}
	return keys
}

// pass returns how many of the keys pass, each charged 1.
func pass(t *testing.T, l auth.Limiter, keys []string) int {
	n := 0
	for _, k := range keys {
		q, err := l.Allow(t.Context(), k, 1)
		if err != nil {
			t.Fatal(err)
		}
		if q.Allowed {
			n++
		}
	}
	return n
}

// Row 63: as many keys as the limiter is for are all remembered, wherever they
// hash to, and in the place of others that have paid up.
func TestLimiterRemembersAllOfItsKeys(t *testing.T) {
	for _, most := range []int{1, 2, 3, 100, 4096, 4097, 1 << 15} {
		t.Run(strconv.Itoa(most), func(t *testing.T) {
			authtest.At(t, epoch, func(t *testing.T) {
				l := auth.NewLimiter(1, time.Minute, auth.MaxKeys(most))
				for range 2 {
					// Half of them first, who have paid up when the others are there.
					earlier, keys := manyKeys(most/2), manyKeys(most)
					require.Equal(t, len(earlier), pass(t, l, earlier))
					authtest.Advance(time.Minute)
					require.Equal(t, len(keys), pass(t, l, keys))
					require.Zero(t, pass(t, l, keys))
					authtest.Advance(time.Minute)
				}
			})
		})
	}
}

// Of two at once, who looks at the clock first may get to the account second:
// that is no debt. Else the last of a burst would be refused.
func TestLimiterClockStaysWhereItWas(t *testing.T) {
	l := auth.NewLimiter(3, time.Hour)
	require.Equal(t, 20*time.Minute, l.OwedAt(2))
	require.Equal(t, 40*time.Minute, l.OwedAt(1))
	require.Equal(t, 60*time.Minute, l.OwedAt(1))
}

// Keys that hash close together are remembered too: there is more room to be had.
func TestLimiterRemembersNeighbours(t *testing.T) {
	const n = 200 // more than are in reach, in an eighth of the range
	l := auth.NewLimiter(1, time.Hour)
	for _, want := range []bool{true, false} {
		for i := range uint64(n) {
			require.Equal(t, want, l.ChargeHash(i*(1<<61/n)&^0xfff), i)
		}
	}
}

// Keys that come and go for a long time, never too many at once, push nobody
// out.
func TestLimiterIsNotWornOut(t *testing.T) {
	authtest.At(t, epoch, func(t *testing.T) {
		const most, generations = 5_000, 10
		l := auth.NewLimiter(1, time.Minute, auth.MaxKeys(most))
		var last [generations][]string
		for i := range 8 * generations {
			authtest.Advance(time.Minute / generations)
			last[i%generations] = manyKeys(most / generations)
			require.Equal(t, most/generations, pass(t, l, last[i%generations]))
			for _, keys := range last {
				require.Zero(t, pass(t, l, keys))
			}
		}
	})
}

// Who is at the limit stays there, however many strangers come by once.
func TestLimiterRemembersWhoIsAtTheLimitInAFlood(t *testing.T) {
	for _, most := range []int{8, 1000, 1 << 13} {
		t.Run(strconv.Itoa(most), func(t *testing.T) {
			authtest.At(t, epoch, func(t *testing.T) {
				l := auth.NewLimiter(2, time.Minute, auth.MaxKeys(most))
				full := manyKeys(most / 8)
				require.Equal(t, len(full), pass(t, l, full))
				require.Equal(t, len(full), pass(t, l, full))
				for range 10 {
					require.Equal(t, most, pass(t, l, manyKeys(most)))
				}
				require.Zero(t, pass(t, l, full))
			})
		})
	}
}

// Nor does it help the strangers that they pay up, and the table is made anew.
func TestLimiterRemembersWhoOwesMostThroughTheAges(t *testing.T) {
	authtest.At(t, epoch, func(t *testing.T) {
		const most = 2000
		l := auth.NewLimiter(1000, 1000*time.Minute, auth.MaxKeys(most))
		full := manyKeys(most / 8)
		for _, k := range full {
			require.True(t, charge(t, l, k, 1000).Allowed)
		}
		for range 50 {
			require.Equal(t, most, pass(t, l, manyKeys(most)))
			authtest.Advance(25 * time.Second)
		}
		for _, k := range full {
			require.False(t, charge(t, l, k, 100).Allowed)
		}
	})
}

// A give-back to somebody who is not known opens no account.
func TestLimiterOpensNoAccountForNothing(t *testing.T) {
	authtest.At(t, epoch, func(t *testing.T) {
		l := auth.NewLimiter(1, time.Minute, auth.MaxKeys(1))
		require.True(t, charge(t, l, "k", 1).Allowed)
		for _, k := range manyKeys(100) {
			for _, cost := range []int{-1, 0, 2} {
				charge(t, l, k, cost)
			}
		}
		require.False(t, charge(t, l, "k", 1).Allowed)
	})
}

// Row 61: of any number at once as many pass as may, whatever the processors,
// and while the tables beside them grow.
func TestLimiterIsExactUnderConcurrency(t *testing.T) {
	const n, keys, rounds = 5, 3, 300
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 2, 4, 16} {
		runtime.GOMAXPROCS(procs)
		for round := range rounds {
			l := auth.NewLimiter(n, time.Hour)
			var (
				wg     sync.WaitGroup
				passed [keys]atomic.Int64
				start  = make(chan struct{})
			)
			for i := range keys * 6 * n {
				wg.Go(func() {
					<-start
					q, err := l.Allow(t.Context(), "regular-"+strconv.Itoa(i%keys), 1)
					if err == nil && q.Allowed {
						passed[i%keys].Add(1)
					}
					q, err = l.Allow(t.Context(), "stranger-"+strconv.Itoa(i), n)
					if err != nil || !q.Allowed {
						t.Error("a key in another's way")
					}
				})
			}
			close(start)
			wg.Wait()
			for i := range passed {
				require.EqualValues(t, n, passed[i].Load(), "round %d, %d processors", round, procs)
			}
		}
	}
}

// What is reserved and given back at once never lets more in than may be, and
// leaves nothing behind.
func TestLimiterGivesBackExactlyUnderConcurrency(t *testing.T) {
	const n = 4
	l := auth.NewLimiter(n, time.Hour)
	var (
		wg   sync.WaitGroup
		busy atomic.Int64
	)
	for range 16 {
		wg.Go(func() {
			for range 2000 {
				if q, err := l.Allow(t.Context(), "k", 1); err != nil || !q.Allowed {
					continue
				}
				if busy.Add(1) > n {
					t.Error("more than the limit are in")
				}
				busy.Add(-1)
				_, _ = l.Allow(t.Context(), "k", -1)
			}
		})
	}
	wg.Wait()
	require.Equal(t, n, charge(t, l, "k", 0).Remaining)
}
