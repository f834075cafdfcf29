package storetest

import (
	"context"
	"time"

	"github.com/seed-077cad0b/auth"
)

const (
	touches  = "A Toucher moves the Seen of many records forward at once."
	harmless = "It neither moves one back, nor changes a Revision, nor brings an absent record back."
)

var toucherClaims = []claim[opener]{
	{"Touch, forward", touches, func(t *trial, open opener) {
		a, b := open(t), open(t)
		want, seen := entries{}, map[auth.Digest]time.Time{}
		for i := range 5 {
			d, r := digest(), record()
			if i == 0 {
				r.Seen = time.Time{}
			}
			t.insert(a, d, r)
			seen[d] = r.Seen.Add(time.Duration(i+1) * time.Second)
			r.Seen = seen[d]
			want[d] = r
		}
		t.touch(a, seen)
		for d, r := range want {
			t.present(b, d, r)
		}
	}},
	{"Touch, neither back nor a Revision", harmless, func(t *trial, open opener) {
		s := open(t)
		d, r := t.inserted(s)
		for _, seen := range []time.Time{r.Seen.Add(-time.Microsecond), r.Seen, {}} {
			t.touch(s, map[auth.Digest]time.Time{d: seen})
			t.present(s, d, r)
		}
		r.Seen = r.Seen.Add(time.Microsecond)
		t.touch(s, map[auth.Digest]time.Time{d: r.Seen})
		t.present(s, d, r)
		r = next(r)
		t.replace(s, d, r)
		t.present(s, d, r)
	}},
	{"Touch, absent", harmless, func(t *trial, open opener) {
		s := open(t)
		d, r := t.inserted(s)
		gone, taken := t.inserted(s)
		t.take(s, gone, taken)
		never := digest()
		r.Seen = r.Seen.Add(time.Minute)
		t.touch(s, map[auth.Digest]time.Time{never: r.Seen, d: r.Seen, gone: taken.Seen.Add(time.Minute)})
		t.present(s, d, r)
		t.absent(s, gone)
		t.absent(s, never)
	}},
	{"Touch, none", touches, func(t *trial, open opener) {
		s := open(t)
		t.touch(s, nil)
		t.touch(s, map[auth.Digest]time.Time{})
	}},
	{"Touch, a thousand", touches, func(t *trial, open opener) {
		s := open(t)
		all, seen := t.many(s, record(), 1000), map[auth.Digest]time.Time{}
		for d, r := range all {
			r.Seen = r.Seen.Add(time.Minute)
			all[d], seen[d] = r, r.Seen
		}
		t.touch(s, seen)
		some := 0
		for d, r := range all {
			if t.present(s, d, r); some == 50 {
				break
			}
			some++
		}
	}},
	{"Touch, Replace keeps the later", "The later of both Seen is kept.", func(t *trial, open opener) {
		a, b := open(t), open(t)
		d, r := t.inserted(a)
		for range t.turns(100) {
			seen := map[auth.Digest]time.Time{d: r.Seen.Add(time.Second)}
			r = next(r)
			for _, err := range race(2, func(i int) error {
				if i == 0 {
					return b.Replace(t.ctx, d, r)
				}
				return ability[auth.Toucher](t, a).Touch(t.ctx, seen)
			}) {
				t.must(err, "Replace beside Touch")
			}
			r.Seen = seen[d]
			t.present(a, d, r)
		}
	}},
	{"Touch, nothing comes back", harmless, func(t *trial, open opener) {
		a, b := open(t), open(t)
		touch := ability[auth.Toucher](t, b).Touch
		for range t.turns(t.rounds) {
			d, r := t.inserted(a)
			for _, err := range race(2, func(i int) error {
				if i == 0 {
					return touch(t.ctx, map[auth.Digest]time.Time{d: r.Seen.Add(time.Second)})
				}
				return second(a.Take(t.ctx, d))
			}) {
				t.must(err, "Take beside Touch")
			}
			t.absent(b, d)
		}
	}},
	{"Touch, many at once", atomically, func(t *trial, open opener) {
		handles := [2]auth.Store{open(t), open(t)}
		all := t.many(handles[0], record(), 50)
		for _, err := range race(8, func(i int) error {
			seen := map[auth.Digest]time.Time{} // in another order each time
			for d, r := range all {
				seen[d] = r.Seen.Add(time.Duration(i+1) * time.Second)
			}
			return ability[auth.Toucher](t, handles[i%2]).Touch(t.ctx, seen)
		}) {
			t.must(err, "Touch")
		}
		for d, r := range all {
			r.Seen = r.Seen.Add(8 * time.Second)
			t.present(handles[0], d, r)
		}
	}},
	{"Touch, what expires", keptUntil, func(t *trial, open opener) {
		s := open(t)
		d, r := digest(), expiring()
		t.insert(s, d, r)
		t.until(r.KeepUntil)
		t.touch(s, map[auth.Digest]time.Time{d: r.Seen.Add(time.Minute)})
		t.absent(s, d)
		t.insert(s, d, record())
	}},
	{"Touch, KeepUntil stays", harmless, func(t *trial, open opener) {
		s := open(t)
		d, r := digest(), expiring()
		t.insert(s, d, r)
		t.touch(s, map[auth.Digest]time.Time{d: r.Seen.Add(time.Minute)})
		t.until(r.KeepUntil)
		t.absent(s, d)
	}},
	{"Touch, context", atomically, func(t *trial, open opener) {
		s := open(t)
		d, r := t.inserted(s)
		past, cancel := context.WithDeadline(t.ctx, time.Now().Add(-time.Second))
		defer cancel()
		err := ability[auth.Toucher](t, s).Touch(past, map[auth.Digest]time.Time{d: r.Seen.Add(time.Minute)})
		t.ended(err, past, "Touch")
		t.present(s, d, r)
	}},
}

func (t *trial) touch(s auth.Store, seen map[auth.Digest]time.Time) {
	t.Helper()
	t.must(ability[auth.Toucher](t, s).Touch(t.ctx, seen), "Touch")
}
