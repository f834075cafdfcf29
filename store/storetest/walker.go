package storetest

import (
	"context"
	"iter"

	"github.com/seed-077cad0b/auth"
)

// A sequence is what Lister and Walker return.
type sequence = iter.Seq2[auth.Entry, error]

const walks = "A Walker walks through all records of a kind, or of every kind where k is empty, in no particular order"

var walkerClaims = []claim[opener]{
	{"Walk, a kind", walks, func(t *trial, open opener) {
		a, b := open(t), open(t)
		r := record()
		want := t.many(a, r, 5)
		owned := changed(whole(t), func(o *auth.Record) { o.Kind = r.Kind })
		unowned := next(r)
		unowned.Owner, unowned.Principal, unowned.KeepUntil = auth.Digest{}, nil, r.KeepUntil
		for _, r := range []auth.Record{owned, unowned} {
			d := digest()
			t.insert(a, d, r)
			want[d] = r
		}
		t.inserted(a)
		other := record()
		other.Kind = r.Kind + "-other"
		t.insert(a, digest(), other)
		t.walks(b, r.Kind, want)
		for d, r := range want {
			t.take(b, d, r)
			delete(want, d)
			break
		}
		t.walks(a, r.Kind, want)
		t.walks(a, kind(), nil)
	}},
	{"Walk, kinds alike", walks, func(t *trial, open opener) {
		s := open(t)
		k := kind()
		for _, end := range []auth.Kind{"-a", "-A", "_a", ".a", ""} {
			d, r := digest(), record()
			r.Kind = k + end
			t.insert(s, d, r)
			t.walks(s, r.Kind, entries{d: r})
		}
	}},
	{"Walk, every kind", "It sees each record once that is present from beginning to end", func(t *trial, open opener) {
		s := open(t)
		want, seen := entries{}, map[auth.Digest]bool{}
		for range 20 {
			d, r := t.inserted(s)
			want[d] = r
		}
		for e, err := range ability[auth.Walker](t, s).Walk(t.ctx, "") {
			t.must(err, "Walk")
			if seen[e.Digest] {
				t.Fatalf("%v is seen twice", e.Digest)
			}
			seen[e.Digest] = true
			if r, mine := want[e.Digest]; mine {
				same(t, e.Record, r, "Walk")
				delete(want, e.Digest)
			}
		}
		equal(t, len(want), 0, "records not seen")
	}},
	{"Walk, thousands", "It sees each record once that is present from beginning to end", func(t *trial, open opener) {
		s := open(t)
		r := record()
		t.walks(s, r.Kind, t.many(s, r, 1200))
	}},
	{"Walk, while records come and go", "It sees each record once that is present from beginning to end", func(t *trial, open opener) {
		s := open(t)
		r := record()
		stay, leave := t.many(s, r, 500), t.many(s, r, 500)
		seen, left := map[auth.Digest]bool{}, 0
		for e, err := range ability[auth.Walker](t, s).Walk(t.ctx, r.Kind) {
			t.must(err, "Walk")
			if seen[e.Digest] {
				t.Fatalf("%v is seen twice", e.Digest)
			}
			seen[e.Digest] = true
			for d, r := range leave { // one of them
				t.take(s, d, r)
				delete(leave, d)
				break
			}
			if left++; left%10 == 0 && left <= 100 {
				n := record()
				n.Kind = r.Kind
				t.insert(s, digest(), n)
			}
			if r, mine := stay[e.Digest]; mine {
				same(t, e.Record, r, "Walk")
				delete(stay, e.Digest)
			}
		}
		equal(t, len(stay), 0, "records not seen")
	}},
	{"Walk, what expires", keptUntil, func(t *trial, open opener) {
		s := open(t)
		near, far := expiring(), record()
		near.Kind = far.Kind
		d := digest()
		t.insert(s, digest(), near)
		t.insert(s, d, far)
		t.until(near.KeepUntil)
		t.walks(s, far.Kind, entries{d: far})
	}},
	{"Walk, and the loop changes the store", "The loop may call other methods of the store.", func(t *trial, open opener) {
		s := open(t)
		r := record()
		all := t.many(s, r, 20)
		for e, err := range ability[auth.Walker](t, s).Walk(t.ctx, r.Kind) {
			t.must(err, "Walk")
			t.take(s, e.Digest, all[e.Digest])
			t.insert(s, digest(), record())
			delete(all, e.Digest)
		}
		equal(t, len(all), 0, "records that the loop did not see")
	}},
	{"Walk, until the loop breaks", walks, func(t *trial, open opener) {
		s := open(t)
		r := record()
		all := t.many(s, r, 5)
		for range 20 { // what is not closed runs out
			breaks(t, ability[auth.Walker](t, s).Walk(t.ctx, r.Kind))
		}
		t.walks(s, r.Kind, all)
	}},
	{"Walk, context", "The sequence ends after the first error.", func(t *trial, open opener) {
		s := open(t)
		r := record()
		t.many(s, r, 300)
		w := ability[auth.Walker](t, s)
		endsWith(t, func(ctx context.Context) sequence { return w.Walk(ctx, r.Kind) })
	}},
}

// walks wants all records of a kind.
func (t *trial) walks(s auth.Store, k auth.Kind, want entries) {
	t.Helper()
	t.yields(ability[auth.Walker](t, s).Walk(t.ctx, k), want)
}
