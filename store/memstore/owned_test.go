package memstore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// owned returns a record like that of the session of the i-th user, with a
// Principal of its own.
func owned(i int) (auth.Digest, auth.Record) {
	d := numbered(i)
	at := time.Unix(1_800_000_000, 0).UTC()
	id := d.String()
	p := &auth.Principal{
		Subject: fmt.Sprintf("user-%08d", i), Tier: "premium", Scopes: []string{"orders:read", "orders:write"},
		Origin: auth.Origin{Kind: auth.KindPassword, ID: fmt.Sprintf("user-%08d", i), Time: at},
		Credential: auth.Credential{
			ID: id, Kind: auth.KindSession, Family: id, Created: at, Expires: at.Add(time.Hour),
		},
	}
	r := session(p, i)
	r.Data = fmt.Appendf(nil, `{"device":{"name":"phone %d","user_agent":"Mozilla/5.0"}}`, i)
	return d, r
}

func filledOwned(tb testing.TB, n int) *memstore.Store {
	s := memstore.New()
	for i := range n {
		d, r := owned(i)
		if err := s.Insert(context.Background(), d, r); err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

func BenchmarkOwnedCollect(b *testing.B) {
	const n = 1_000_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := filledOwned(b, n)
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ResetTimer()
	for range b.N {
		runtime.GC()
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/session")
	runtime.KeepAlive(s)
}

var sink int

func BenchmarkOwnedLookup(b *testing.B) {
	for _, n := range []int{1, 100_000, 1_000_000} {
		s := filledOwned(b, n)
		ds := make([]auth.Digest, 1<<16)
		for i := range ds {
			ds[i] = numbered(rand.IntN(n))
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for i := range b.N {
				r, err := s.Lookup(context.Background(), ds[i%len(ds)])
				if err != nil {
					b.Fatal(err)
				}
				sink += len(r.Principal.Subject)
			}
		})
	}
}

func BenchmarkOwnedInsertTake(b *testing.B) {
	for _, n := range []int{1, 1_000_000} {
		s := filledOwned(b, n)
		_, r := owned(0)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				d := auth.Digest{1, byte(i), byte(i >> 8), byte(i >> 16)}
				if err := s.Insert(context.Background(), d, r); err != nil {
					b.Fatal(err)
				}
				if _, err := s.Take(context.Background(), d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
