package storetest

import (
	"context"
	"slices"
	"time"

	"github.com/seed-077cad0b/auth"
)

const batches = "A Batcher looks up many digests of one kind in one round trip: records[i] becomes the one under digests[i], or the zero Record where none is present."

var batcherClaims = []claim[opener]{
	{"LookupAll, some present", batches, func(t *trial, open opener) {
		a, b := open(t), open(t)
		k := kind()
		ds, want := digests(6), make([]auth.Record, 6)
		for _, i := range []int{1, 2, 5} {
			want[i] = whole(t)
			want[i].Kind = k
			t.insert(a, ds[i], want[i])
		}
		t.batch(b, k, ds, want)
		want[2] = next(want[2])
		t.replace(a, ds[2], want[2])
		t.batch(b, k, ds, want)
		t.take(a, ds[5], want[5])
		want[5] = auth.Record{}
		t.batch(b, k, ds, want)
		t.batch(b, k, ds[3:4], want[3:4])
		t.batch(b, k, ds[1:2], want[1:2])
	}},
	{"LookupAll, marks", batches, func(t *trial, open opener) {
		s := open(t)
		d, mark := digest(), auth.Record{Kind: kind(), Revision: 7, Created: now(), KeepUntil: now().Add(time.Hour)}
		t.insert(s, d, mark)
		t.batch(s, mark.Kind, []auth.Digest{d}, []auth.Record{mark})
	}},
	{"LookupAll, again and zero", batches, func(t *trial, open opener) {
		s := open(t)
		d, r := t.inserted(s)
		other := digest()
		t.batch(s, r.Kind, []auth.Digest{d, {}, d, other, other, {}, d}, []auth.Record{r, {}, r, {}, {}, {}, r})
	}},
	{"LookupAll, another kind", batches, func(t *trial, open opener) {
		s := open(t)
		d, r := t.inserted(s)
		t.batch(s, kind(), []auth.Digest{d}, []auth.Record{{}})
		e, other := digest(), record()
		other.Kind = r.Kind + "-A"
		t.insert(s, e, other)
		t.batch(s, r.Kind+"-a", []auth.Digest{d, e}, []auth.Record{{}, {}})
		t.batch(s, other.Kind, []auth.Digest{d, e}, []auth.Record{{}, other})
	}},
	{"LookupAll, none", batches, func(t *trial, open opener) {
		s := open(t)
		_, r := t.inserted(s)
		b := ability[auth.Batcher](t, s)
		t.must(b.LookupAll(t.ctx, r.Kind, nil, nil), "LookupAll of nil")
		t.must(b.LookupAll(t.ctx, r.Kind, []auth.Digest{}, make([]auth.Record, 2)), "LookupAll of none")
	}},
	{"LookupAll, hundreds", batches, func(t *trial, open opener) {
		s := open(t)
		r := record()
		ds, want := digests(300), make([]auth.Record, 300)
		i := 0
		for d, r := range t.many(s, r, 200) {
			ds[i], want[i] = d, r
			i++
		}
		t.batch(s, r.Kind, ds, want)
	}},
	{"LookupAll, a kind that another handle brings", "Of a kind of which there is no record, as the store knows, it need not look.", func(t *trial, open opener) {
		a, b := open(t), open(t)
		d, r := digest(), record()
		for range 3 {
			t.batch(a, r.Kind, []auth.Digest{d}, []auth.Record{{}})
			t.insert(b, d, r)
			t.batch(a, r.Kind, []auth.Digest{d}, []auth.Record{r})
			t.take(b, d, r)
		}
	}},
	{"LookupAll, what expires", keptUntil, func(t *trial, open opener) {
		s := open(t)
		near, far := expiring(), record()
		near.Kind = far.Kind
		ds := digests(2)
		t.insert(s, ds[0], near)
		t.insert(s, ds[1], far)
		t.until(near.KeepUntil)
		t.batch(s, far.Kind, ds, []auth.Record{{}, far})
	}},
	{"LookupAll, context", atomically, func(t *trial, open opener) {
		s := open(t)
		d, r := t.inserted(s)
		past, cancel := context.WithDeadline(t.ctx, time.Now().Add(-time.Second))
		defer cancel()
		err := ability[auth.Batcher](t, s).LookupAll(past, r.Kind, []auth.Digest{d}, make([]auth.Record, 1))
		t.ended(err, past, "LookupAll")
	}},
}

// batch wants the records of a kind under digests. What is in the slice that is
// to be filled in, which is longer, does not matter.
func (t *trial) batch(s auth.Store, k auth.Kind, ds []auth.Digest, want []auth.Record) {
	t.Helper()
	before := whole(t)
	before.Kind = k
	got := slices.Repeat([]auth.Record{before}, len(ds)+2)
	t.must(ability[auth.Batcher](t, s).LookupAll(t.ctx, k, ds, got), "LookupAll")
	for i := range ds {
		same(t, got[i], want[i], "LookupAll")
	}
}
