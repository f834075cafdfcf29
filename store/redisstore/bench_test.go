package redisstore_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/servertest"
	"github.com/seed-077cad0b/auth/store/redisstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

func BenchmarkStore(b *testing.B) {
	at := backend{servertest.Redis(b), newPrefix()}
	storetest.Bench(b, func(tb testing.TB) auth.Store { return at.open(tb) })
}

// BenchmarkLookup compares a look-up with what is the least that it can cost: a
// GET of the same value on the same connection, one by one and by 128 at once.
func BenchmarkLookup(b *testing.B) {
	at := backend{servertest.Redis(b), newPrefix()}
	s := at.open(b)
	ctx, cancel := context.WithCancel(b.Context()) // as that of a request
	defer cancel()
	r := record("somebody")
	r.Kind = auth.KindSession
	r.Principal = &auth.Principal{
		Issuer: "https://auth.example.com", Subject: "0190b7e2-8f3d-7c44-9f1e-2d7f8a6b5c4d", Tier: "premium", Scopes: []string{"data:read", "data:write"},
		Origin:     auth.Origin{Kind: auth.KindPassword, Time: r.Created},
		Credential: auth.Credential{ID: number(b, 0).String(), Kind: auth.KindSession, Created: r.Created, Expires: r.Expires},
	}
	const many = 1000
	for i := range many {
		require.NoError(b, s.Insert(ctx, number(b, i), r))
	}
	digests, keys := make([]auth.Digest, many), make([]string, many)
	for i := range digests {
		digests[i] = number(b, i)
		keys[i] = key(at.prefix, digests[i])
	}
	c := redisstore.Client(s)
	get := func(i int) error {
		return c.Do(ctx, c.B().Get().Key(keys[i]).Build()).Error()
	}
	lookup := func(i int) error {
		_, err := s.Lookup(ctx, digests[i])
		return err
	}
	for _, at := range []int{1, 128} {
		for name, f := range map[string]func(i int) error{"GET": get, "Lookup": lookup} {
			b.Run(fmt.Sprintf("%d at once/%s", at, name), func(b *testing.B) {
				b.ReportAllocs()
				var n atomic.Int64
				begin := cpu()
				b.SetParallelism(max(1, at/2))
				run := func(next func() bool) {
					for next() {
						if err := f(int(n.Add(1) % many)); err != nil {
							b.Error(err)
						}
					}
				}
				if at == 1 {
					run(b.Loop)
				} else {
					b.RunParallel(func(pb *testing.PB) { run(pb.Next) })
				}
				b.ReportMetric(float64(cpu()-begin)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// cpu is the processor time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkLimiter(b *testing.B) {
	l := limiter(b, backend{servertest.Redis(b), newPrefix()}.open(b), "bench", auth.Rate{Limit: 1_000_000_000, Per: 24 * time.Hour})
	b.ReportAllocs()
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := l.Allow(b.Context(), "key", 1); err != nil {
				b.Error(err)
			}
		}
	})
}
