package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/seed-077cad0b/auth"
)

// Bench measures a store in fixed shapes, so that one can be held against
// another: a look-up of what is there and of what is not, beside one record and
// beside ten thousand; a record's life from Insert to Take; a Replace; and, where
// the store has the ability, LookupAll of the four marks of a request, a list of
// ten, a touch of a thousand. Look-ups are measured from many goroutines, too.
// Allocations are reported.
//
// open is as for [Run]. What is inserted is kept for an hour at most.
func Bench(b *testing.B, open func(tb testing.TB) auth.Store) {
	t := newTrial(b, "Bench", 0)
	t.ctx = b.Context() // however long it takes
	s := open(b)
	for _, n := range []int{1, 10_000} {
		benchLookups(b, t, s, n)
	}
	d, r := t.inserted(s)
	bench(b, "Insert and Take", func(ctx context.Context) error {
		d, r := digest(), r
		if err := s.Insert(ctx, d, r); err != nil {
			return err
		}
		return second(s.Take(ctx, d))
	})
	bench(b, "Replace", func(ctx context.Context) error {
		r.Revision++
		return s.Replace(ctx, d, r)
	})
	benchAbilities(b, t, s)
}

func benchLookups(b *testing.B, t *trial, s auth.Store, n int) {
	all := t.many(s, record(), n)
	ds := make([]auth.Digest, 0, n)
	for d := range all {
		ds = append(ds, d)
	}
	i := 0
	bench(b, fmt.Sprintf("Lookup/of %d", n), func(ctx context.Context) error {
		i++
		return second(s.Lookup(ctx, ds[i%n]))
	})
	absent := digest()
	bench(b, fmt.Sprintf("Lookup/absent from %d", n), func(ctx context.Context) error {
		if err := second(s.Lookup(ctx, absent)); !isAnswer(err) {
			return fmt.Errorf("got error %v, want %v", err, auth.ErrNotFound)
		}
		return nil
	})
	b.Run(fmt.Sprintf("Lookup/of %d in parallel", n), func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				if err := second(s.Lookup(b.Context(), ds[i%n])); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

func benchAbilities(b *testing.B, t *trial, s auth.Store) {
	if a, ok := auth.StoreAbility[auth.Batcher](s); ok {
		d, r := t.inserted(s)
		ds, records := []auth.Digest{digest(), d, digest(), digest()}, make([]auth.Record, 4)
		bench(b, "LookupAll/1 of 4", func(ctx context.Context) error { return a.LookupAll(ctx, r.Kind, ds, records) })
		none := kind()
		bench(b, "LookupAll/none of 4", func(ctx context.Context) error { return a.LookupAll(ctx, none, ds, records) })
	}
	if a, ok := auth.StoreAbility[auth.Lister](s); ok {
		r := record()
		t.many(s, r, 10)
		bench(b, "List of 10", func(ctx context.Context) error {
			for _, err := range a.List(ctx, r.Owner, r.Kind) {
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	if a, ok := auth.StoreAbility[auth.Toucher](s); ok {
		seen := map[auth.Digest]time.Time{}
		for d := range t.many(s, record(), 1000) {
			seen[d] = now()
		}
		bench(b, "Touch of 1000", func(ctx context.Context) error {
			for d := range seen {
				seen[d] = seen[d].Add(time.Second)
			}
			return a.Touch(ctx, seen)
		})
	}
}

// bench measures f.
func bench(b *testing.B, name string, f func(ctx context.Context) error) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := f(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
