package auth_test

import (
	"context"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/seed-077cad0b/auth"
)

// What a limiter costs beside the least that one could be in Go, and beside
// x/time/rate behind a map and a mutex. The bound is twice the bare table for
// what is admitted, at every size and on every core.
func BenchmarkLimiter(b *testing.B) {
	for _, size := range []int{1, 10_000, 1_000_000} {
		keys := make([]string, size)
		for i := range keys {
			keys[i] = "client-" + strconv.FormatUint(rand.Uint64(), 36)
		}
		// Of what is admitted, nothing comes back in time and nothing is used up.
		unit, burst := 10*time.Second, 1_000_000
		if size == 1 {
			unit, burst = time.Millisecond, 10_000_000_000
		}
		for _, c := range []struct {
			name string
			make func() func(key string) bool
			want bool
		}{
			{"admitted/auth", func() func(string) bool { return newAuthLimiter(unit, burst) }, true},
			{"admitted/bare", func() func(string) bool { return newBareLimiter(unit, burst, size) }, true},
			{"admitted/xtime", func() func(string) bool { return newMapLimiter(unit, burst) }, true},
			{"denied/auth", func() func(string) bool { return newAuthLimiter(time.Hour, 1) }, false},
			{"denied/bare", func() func(string) bool { return newBareLimiter(time.Hour, 1, size) }, false},
			{"denied/xtime", func() func(string) bool { return newMapLimiter(time.Hour, 1) }, false},
		} {
			// Made when it is wanted, and once for all rounds.
			made := sync.OnceValues(func() (func(string) bool, float64) {
				before := heap()
				allow := c.make()
				for _, k := range keys {
					allow(k)
				}
				return allow, float64(heap()-before) / float64(size)
			})
			b.Run(fmt.Sprintf("%s/keys=%d/serial", c.name, size), func(b *testing.B) {
				allow, bytes := made()
				i := rand.IntN(size)
				for b.Loop() {
					if allow(keys[i]) != c.want {
						b.Fatal("another answer than wanted")
					}
					if i++; i == size {
						i = 0
					}
				}
				if size > 1 {
					b.ReportMetric(bytes, "B/key")
				}
			})
			b.Run(fmt.Sprintf("%s/keys=%d/parallel", c.name, size), func(b *testing.B) {
				allow, _ := made()
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					i := rand.IntN(size)
					for pb.Next() {
						if allow(keys[i]) != c.want {
							b.Error("another answer than wanted")
							return
						}
						if i++; i == size {
							i = 0
						}
					}
				})
			})
		}
	}
}

func newAuthLimiter(unit time.Duration, burst int) func(string) bool {
	l := auth.NewLimiter(1, unit, auth.Burst(burst))
	return func(key string) bool {
		q, err := l.Allow(context.Background(), key, 1)
		return q.Allowed && err == nil
	}
}

func newMapLimiter(unit time.Duration, burst int) func(string) bool {
	var mu sync.Mutex
	limiters := map[string]*rate.Limiter{}
	return func(key string) bool {
		mu.Lock()
		l := limiters[key]
		if l == nil {
			l = rate.NewLimiter(rate.Every(unit), burst)
			limiters[key] = l
		}
		mu.Unlock()
		return l.Allow()
	}
}

// newBareLimiter returns the least that counts by key: a hash, a lock, the
// clock, one comparison and one store. It knows how many keys will come, never
// makes room, forgets nothing, and answers yes or no.
func newBareLimiter(unit time.Duration, burst, keys int) func(string) bool {
	const locks = 256
	part := uint64(4)
	for locks*part < uint64(2*keys) {
		part *= 2
	}
	type slot struct {
		hash uint64
		paid time.Duration
	}
	var (
		seed    = maphash.MakeSeed()
		start   = time.Now()
		most    = unit * time.Duration(burst)
		slots   = make([]slot, locks*part)
		striped [locks]struct {
			sync.Mutex
			_ [56]byte
		}
	)
	return func(key string) bool {
		hash := maphash.String(seed, key)
		now := time.Since(start)
		mine := slots[hash%locks*part:][:part]
		lock := &striped[hash%locks]
		lock.Lock()
		i := hash >> 32 & (part - 1)
		for mine[i].hash != hash && mine[i].hash != 0 {
			i = (i + 1) & (part - 1)
		}
		paid := max(mine[i].paid, now) + unit
		ok := paid-now <= most
		if ok {
			mine[i] = slot{hash, paid}
		}
		lock.Unlock()
		return ok
	}
}

// heap returns the bytes that are in use after a collection.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
