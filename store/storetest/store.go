package storetest

import (
	"math"
	"slices"
	"time"

	"github.com/seed-077cad0b/auth"
)

// storeClaims hold each sentence of auth.Store and of auth.Record.
var storeClaims = slices.Concat(recordClaims, methodClaims, keepClaims, raceClaims, contextClaims)

// methodClaims hold what is said of each method.
var methodClaims = []claim[opener]{
	{"Lookup, absent", "Lookup returns the record under d, or ErrNotFound.", func(t *trial, open opener) {
		t.absent(open(t), digest())
	}},
	{"Lookup, from another handle", "Lookup returns the record under d, or ErrNotFound.", func(t *trial, open opener) {
		a, b := open(t), open(t)
		d, r := t.inserted(a)
		t.present(b, d, r)
		r = next(r)
		t.replace(b, d, r)
		t.present(a, d, r)
		t.take(a, d, r)
		t.absent(b, d)
	}},
	{"Insert, one is present", "Where one is present it returns ErrExists and leaves that one unchanged.", func(t *trial, open opener) {
		s := open(t)
		d, r := t.inserted(s)
		for _, other := range []auth.Record{record(), next(r), r} {
			t.is(s.Insert(t.ctx, d, other), auth.ErrExists, "Insert")
			t.is(open(t).Insert(t.ctx, d, other), auth.ErrExists, "Insert through another handle")
			t.present(s, d, r)
		}
	}},
	{"Insert, one was taken", "Insert adds r under d.", func(t *trial, open opener) {
		s := open(t)
		d, old := t.inserted(s)
		t.take(s, d, old)
		anew := changed(record(), func(r *auth.Record) { r.Seen = old.Seen.Add(-time.Hour) })
		t.insert(s, d, anew)
		t.present(s, d, anew)
	}},
	{"Replace", "Replace changes the record under d to r, whose Revision must be the stored one plus 1.", func(t *trial, open opener) {
		s := open(t)
		d, r := t.inserted(s)
		for range 3 {
			other := changed(record(), func(o *auth.Record) { o.Revision, o.Seen = r.Revision+1, r.Seen.Add(time.Second) })
			t.replace(s, d, other)
			t.present(s, d, other)
			r = other
		}
	}},
	{"Replace, the revision wraps", "Replace changes the record under d to r, whose Revision must be the stored one plus 1.", func(t *trial, open opener) {
		s := open(t)
		d, r := digest(), record()
		for _, before := range []uint64{math.MaxUint64, math.MaxInt64, math.MaxUint32, 1 << 53} {
			r.Revision = before
			t.insert(s, d, r)
			r = next(r)
			t.replace(s, d, r)
			t.take(s, d, r)
		}
	}},
	{"Replace, absent", "It returns ErrNotFound where none is present", func(t *trial, open opener) {
		s := open(t)
		d, r := digest(), record()
		t.is(s.Replace(t.ctx, d, r), auth.ErrNotFound, "Replace")
		t.absent(s, d)
		t.insert(s, d, r)
		t.take(s, d, r)
		t.is(s.Replace(t.ctx, d, next(r)), auth.ErrNotFound, "Replace of what was taken")
		t.absent(s, d)
	}},
	{"Replace, stale", "ErrConflict where the revision differs.", func(t *trial, open opener) {
		s := open(t)
		d, r := t.inserted(s)
		for _, by := range []uint64{0, 2, 3, 1 << 32, math.MaxUint64, math.MaxUint64 - r.Revision + 1} {
			stale := next(r)
			stale.Revision = r.Revision + by
			t.is(s.Replace(t.ctx, d, stale), auth.ErrConflict, "Replace")
			t.present(s, d, r)
		}
	}},
	{"Replace, inserted anew", "a stale Replace cannot hit a record inserted anew under the same digest", func(t *trial, open opener) {
		s := open(t)
		for _, by := range []uint64{1, math.MaxUint64, 1 << 40} {
			d, old := t.inserted(s)
			t.take(s, d, old)
			anew := record()
			anew.Revision = old.Revision + by
			t.insert(s, d, anew)
			t.is(s.Replace(t.ctx, d, next(old)), auth.ErrConflict, "Replace")
			t.present(s, d, anew)
		}
	}},
	{"Replace, Seen", "The later of both Seen is kept.", func(t *trial, open opener) {
		s := open(t)
		d, r := t.inserted(s)
		latest := r.Seen
		for _, seen := range []time.Time{latest.Add(time.Minute), latest.Add(-time.Minute), {}, latest.Add(2 * time.Minute)} {
			r = next(r)
			r.Seen = seen
			t.replace(s, d, r)
			if seen.After(latest) {
				latest = seen
			}
			r.Seen = latest
			t.present(s, d, r)
		}
	}},
	{"Take", "Take removes the record under d and returns it.", func(t *trial, open opener) {
		s := open(t)
		d, r := t.inserted(s)
		other, kept := t.inserted(s)
		t.take(s, d, r)
		t.absent(s, d)
		t.is(second(s.Take(t.ctx, d)), auth.ErrNotFound, "Take of what was taken")
		t.is(second(s.Take(t.ctx, digest())), auth.ErrNotFound, "Take of what never was")
		t.present(s, other, kept)
	}},
}
