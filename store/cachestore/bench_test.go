package cachestore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/cachestore"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// BenchmarkLookup compares what a look-up costs that the cache answers with one
// in a memstore. Run it with -cpu 1,2 to see how both scale.
func BenchmarkLookup(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, n := range []int{1, 10_000} {
		m := memstore.New()
		c, err := cachestore.New(m, &cachestore.Options{Watcher: &wire{}})
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		digests := make([]auth.Digest, n)
		for i := range digests {
			digests[i] = numbered(i)
			if err := m.Insert(ctx, digests[i], session(i)); err != nil {
				b.Fatal(err)
			}
		}
		for name, s := range map[string]auth.Store{"memstore": m, "cachestore": c} {
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				for _, d := range digests {
					if _, err := s.Lookup(ctx, d); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportAllocs()
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for i := rand.IntN(n); pb.Next(); i++ {
						if _, err := s.Lookup(ctx, digests[i%n]); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
	}
}

// BenchmarkLookupAll is what revocation costs a signed token.
func BenchmarkLookupAll(b *testing.B) {
	ctx := context.Background()
	digests, records := []auth.Digest{numbered(1), numbered(2), numbered(3), numbered(4)}, make([]auth.Record, 4)
	m := memstore.New()
	mark := session(0)
	mark.Kind = auth.KindMark
	if err := m.Insert(ctx, numbered(0), mark); err != nil {
		b.Fatal(err)
	}
	c, err := cachestore.New(m, &cachestore.Options{Watcher: &wire{}})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	for name, s := range map[string]auth.Batcher{"memstore": m, "cachestore": c} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := s.LookupAll(ctx, auth.KindMark, digests, records); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMiss is what a stranger's request costs beside the backend's time.
func BenchmarkMiss(b *testing.B) {
	ctx := context.Background()
	m := memstore.New()
	c, err := cachestore.New(m, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	d := numbered(1)
	for name, s := range map[string]auth.Store{"memstore": m, "cachestore": c} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Lookup(ctx, d); err == nil {
					b.Fatal("found")
				}
			}
		})
	}
}
