package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/seed-077cad0b/auth"
)

const sweeps = "A Sweeper removes at most limit records that are past their KeepUntil and returns how many those were."

var sweeperClaims = []claim[opener]{
	{"Sweep, at most limit", sweeps, func(t *trial, open opener) {
		s := open(t)
		t.drain(s)
		t.expired(s, 7)
		for _, want := range []struct{ limit, swept int }{{0, 0}, {3, 3}, {3, 3}, {3, 1}, {3, 0}} {
			equal(t, t.sweep(s, want.limit), want.swept, "swept")
		}
	}},
	{"Sweep, the living", "Sweeping reclaims space and changes no answer.", func(t *trial, open opener) {
		s := open(t)
		living := t.many(s, record(), 10)
		forever, kept := digest(), record()
		kept.KeepUntil, kept.Expires = time.Time{}, now().Add(-time.Hour)
		t.insert(s, forever, kept)
		gone := t.expired(s, 10)
		t.drain(s)
		for d, r := range living {
			t.present(s, d, r)
		}
		t.take(s, forever, kept)
		for _, d := range gone {
			t.absent(s, d)
		}
	}},
	{"Sweep, what was inserted anew", "Sweeping reclaims space and changes no answer.", func(t *trial, open opener) {
		s := open(t)
		ds, anew := t.expired(s, 5), entries{}
		for _, d := range ds {
			anew[d] = record()
			t.insert(s, d, anew[d])
		}
		t.drain(s)
		for d, r := range anew {
			t.present(s, d, r)
		}
	}},
	{"Sweep, beside Insert over what it sweeps", "Sweeping reclaims space and changes no answer.", func(t *trial, open opener) {
		a, b := open(t), open(t)
		t.drain(a)
		for first := range t.turns(t.rounds / 5) {
			ds, anew := t.expire(a, 8, fleeting()), record()
			for _, err := range race(2, func(i int) error {
				if i == first%2 {
					return second(ability[auth.Sweeper](t, a).Sweep(t.ctx, len(ds)))
				}
				return errors.Join(insertEach(t, b, ds, anew)...)
			}) {
				t.must(err, "Insert beside Sweep")
			}
			for _, d := range ds {
				t.take(b, d, anew)
			}
		}
	}},
	{"Sweep, two at once", sweeps, func(t *trial, open opener) {
		handles := [2]auth.Store{open(t), open(t)}
		t.drain(handles[0])
		t.expired(handles[0], 40)
		var swept [4]int
		for _, err := range race(len(swept), func(i int) (err error) {
			swept[i], err = ability[auth.Sweeper](t, handles[i%2]).Sweep(t.ctx, 100)
			return err
		}) {
			t.must(err, "Sweep")
		}
		sum := t.drain(handles[0])
		for _, n := range swept {
			sum += n
		}
		equal(t, sum, 40, "swept in all")
	}},
	{"Sweep, context", atomically, func(t *trial, open opener) {
		s := open(t)
		past, cancel := context.WithDeadline(t.ctx, time.Now().Add(-time.Second))
		defer cancel()
		t.ended(second(ability[auth.Sweeper](t, s).Sweep(past, 1)), past, "Sweep")
	}},
}

// expired inserts n records and waits until they have expired.
func (t *trial) expired(s auth.Store, n int) []auth.Digest {
	t.Helper()
	return t.expire(s, n, expiring())
}

// expire inserts r under n digests and waits until that has expired.
func (t *trial) expire(s auth.Store, n int, r auth.Record) []auth.Digest {
	t.Helper()
	ds := digests(n)
	for _, d := range ds {
		t.insert(s, d, r)
	}
	t.until(r.KeepUntil)
	return ds
}

// sweep sweeps once and returns how many went.
func (t *trial) sweep(s auth.Store, limit int) int {
	t.Helper()
	n, err := ability[auth.Sweeper](t, s).Sweep(t.ctx, limit)
	t.must(err, "Sweep")
	if n < 0 || n > limit {
		t.Fatalf("Sweep(%d): %d", limit, n)
	}
	return n
}

// drain sweeps until nothing is left to sweep, and returns how many went.
func (t *trial) drain(s auth.Store) (swept int) {
	t.Helper()
	for range 2000 {
		n := t.sweep(s, 1000)
		if n == 0 {
			return swept
		}
		swept += n
	}
	t.Fatalf("there is no end to sweeping, after %d", swept)
	return swept
}
