package storetest

import (
	"context"
	"time"

	"github.com/seed-077cad0b/auth"
)

const lists = "A Lister lists the records of a kind by owner, in no particular order."

var listerClaims = []claim[opener]{
	{"List, owner and kind", lists, func(t *trial, open opener) {
		s := open(t)
		owners, kinds := digests(2), []auth.Kind{kind(), kind()}
		want := map[auth.Digest]map[auth.Kind]entries{}
		for i := range 12 {
			d, r := digest(), whole(t)
			r.Owner, r.Kind = owners[i%2], kinds[i/2%2]
			t.insert(s, d, r)
			if want[r.Owner] == nil {
				want[r.Owner] = map[auth.Kind]entries{}
			}
			if want[r.Owner][r.Kind] == nil {
				want[r.Owner][r.Kind] = entries{}
			}
			want[r.Owner][r.Kind][d] = r
		}
		for _, owner := range owners {
			for _, k := range kinds {
				t.lists(open(t), owner, k, want[owner][k])
			}
			t.lists(s, owner, kind(), nil)
		}
		t.lists(s, digest(), kinds[0], nil)
	}},
	{"List, kinds and owners alike", lists, func(t *trial, open opener) {
		s := open(t)
		k := kind()
		a, b := digest(), digest()
		b = a
		b[len(b)-1] ^= 1
		for _, pair := range []struct {
			owner auth.Digest
			kind  auth.Kind
		}{{a, k + "-a"}, {a, k + "-A"}, {a, k + "_a"}, {a, k + ".a"}, {a, k}, {b, k}} {
			d, r := digest(), record()
			r.Owner, r.Kind = pair.owner, pair.kind
			t.insert(s, d, r)
			t.lists(s, r.Owner, r.Kind, entries{d: r})
		}
	}},
	{"List, no owner", "what lists and caps go by; zero: not listed", func(t *trial, open opener) {
		s := open(t)
		d, r := digest(), record()
		r.Owner = auth.Digest{}
		t.insert(s, d, r)
		t.lists(s, auth.Digest{}, r.Kind, nil)
		r = next(r)
		r.Owner = digest()
		t.replace(s, d, r)
		t.lists(s, r.Owner, r.Kind, entries{d: r})
	}},
	{"List, what is taken and what changes hands", lists, func(t *trial, open opener) {
		a, b := open(t), open(t)
		before, after := digest(), digest()
		k, other := kind(), kind()
		ds, want := digests(5), entries{}
		for _, d := range ds {
			r := record()
			r.Owner, r.Kind = before, k
			t.insert(a, d, r)
			want[d] = r
		}
		for _, at := range []int{2, 0} {
			t.take(b, ds[at], want[ds[at]])
			delete(want, ds[at])
			t.lists(a, before, k, want)
		}
		moved, turned := next(want[ds[1]]), next(want[ds[3]])
		moved.Owner, turned.Kind = after, other
		t.replace(b, ds[1], moved)
		t.replace(b, ds[3], turned)
		delete(want, ds[1])
		delete(want, ds[3])
		t.lists(a, before, k, want)
		t.lists(a, after, k, entries{ds[1]: moved})
		t.lists(a, before, other, entries{ds[3]: turned})
		gone := next(moved)
		gone.Owner = auth.Digest{}
		t.replace(b, ds[1], gone)
		t.lists(a, after, k, nil)
		t.take(b, ds[4], want[ds[4]])
		t.lists(a, before, k, nil)
	}},
	{"List, what expires", keptUntil, func(t *trial, open opener) {
		s := open(t)
		near, far := expiring(), record()
		want := entries{}
		for i, r := range []auth.Record{far, near, far, near} {
			d := digest()
			r.Owner, r.Kind = far.Owner, far.Kind
			t.insert(s, d, r)
			if i%2 == 0 {
				want[d] = r
			}
		}
		d, anew := digest(), near
		t.insert(s, d, anew)
		t.until(near.KeepUntil)
		t.lists(s, far.Owner, far.Kind, want)
		t.lists(s, near.Owner, near.Kind, nil)
		anew = changed(near, func(r *auth.Record) { r.Owner, r.KeepUntil = far.Owner, far.KeepUntil })
		t.insert(s, d, anew) // over one of another owner that may be there still
		t.lists(s, near.Owner, near.Kind, nil)
		t.lists(s, far.Owner, near.Kind, entries{d: anew})
	}},
	{"List, hundreds", lists, func(t *trial, open opener) {
		s := open(t)
		r := record()
		t.lists(s, r.Owner, r.Kind, t.many(s, r, 300))
	}},
	{"List, until the loop breaks", lists, func(t *trial, open opener) {
		s := open(t)
		r := record()
		all := t.many(s, r, 5)
		for range 20 { // what is not closed runs out
			breaks(t, ability[auth.Lister](t, s).List(t.ctx, r.Owner, r.Kind))
		}
		t.lists(s, r.Owner, r.Kind, all)
	}},
	{"List, and the loop changes the store", "The loop may call other methods of the store.", func(t *trial, open opener) {
		s := open(t)
		r := record()
		all := t.many(s, r, 20)
		for e, err := range ability[auth.Lister](t, s).List(t.ctx, r.Owner, r.Kind) {
			t.must(err, "List")
			t.take(s, e.Digest, all[e.Digest])
			t.insert(s, digest(), record())
			delete(all, e.Digest)
		}
		equal(t, len(all), 0, "records that the loop did not see")
		t.lists(s, r.Owner, r.Kind, nil)
	}},
	{"List, never what was absent", "never lists what was absent when it began", func(t *trial, open opener) {
		s := open(t)
		r := record()
		all := t.many(s, r, 20)
		for d, r := range all {
			t.take(s, d, r)
		}
		t.lists(s, r.Owner, r.Kind, nil)
	}},
	{"List, context", "The sequence ends after the first error.", func(t *trial, open opener) {
		s := open(t)
		r := record()
		t.many(s, r, 300)
		l := ability[auth.Lister](t, s)
		endsWith(t, func(ctx context.Context) sequence { return l.List(ctx, r.Owner, r.Kind) })
	}},
}

// entries are records by their digests.
type entries map[auth.Digest]auth.Record

// lists wants the list of an owner and a kind.
func (t *trial) lists(s auth.Store, owner auth.Digest, k auth.Kind, want entries) {
	t.Helper()
	t.yields(ability[auth.Lister](t, s).List(t.ctx, owner, k), want)
}

// yields wants each of the entries once, and nothing else.
func (t *trial) yields(all sequence, want entries) {
	t.Helper()
	seen := entries{}
	for e, err := range all {
		t.must(err, "in the sequence")
		r, expected := want[e.Digest]
		if _, again := seen[e.Digest]; again || !expected {
			t.Fatalf("%v is not to be in the sequence, or not again", e.Digest)
		}
		same(t, e.Record, r, "in the sequence")
		seen[e.Digest] = r
	}
	equal(t, len(seen), len(want), "how many")
}

// many inserts n records of r's owner and kind, some at a time.
func (t *trial) many(s auth.Store, r auth.Record, n int) entries {
	t.Helper()
	all, ds := entries{}, digests(n)
	for _, d := range ds {
		all[d] = changed(record(), func(o *auth.Record) { o.Owner, o.Kind, o.KeepUntil = r.Owner, r.Kind, r.KeepUntil })
	}
	const workers = 8
	for _, err := range race(workers, func(w int) error {
		for i := w; i < n; i += workers {
			if err := s.Insert(t.ctx, ds[i], all[ds[i]]); err != nil {
				return err
			}
		}
		return nil
	}) {
		t.must(err, "Insert")
	}
	return all
}

// breaks wants a loop that breaks in its second round to end with it.
func breaks(t *trial, all sequence) {
	t.Helper()
	n := 0
	for _, err := range all {
		t.must(err, "in the sequence")
		if n++; n == 2 {
			break
		}
	}
	equal(t, n, 2, "rounds of the loop")
}

// endsWith wants a sequence to end with the error of its context: at once where
// that had ended, and else, if at all, when it ends.
func endsWith(t *trial, all func(context.Context) sequence) {
	t.Helper()
	past, cancel := context.WithDeadline(t.ctx, time.Now().Add(-time.Second))
	defer cancel()
	rounds := 0
	for _, err := range all(past) {
		t.ended(err, past, "the first round")
		rounds++
	}
	equal(t, rounds, 1, "rounds of a loop whose context had ended")

	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	failed := false
	for _, err := range all(ctx) {
		if failed {
			t.Fatalf("the sequence goes on after an error")
		}
		if err != nil {
			t.ended(err, ctx, "in the sequence")
			failed = true
		}
		cancel()
	}
}
