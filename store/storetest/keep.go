package storetest

import (
	"errors"
	"time"

	"github.com/seed-077cad0b/auth"
)

const keptUntil = "From a record's KeepUntil on, every method answers as if the record were absent, whether it has been swept or not."

// keepClaims hold what is said of KeepUntil and Expires.
var keepClaims = []claim[opener]{
	{"KeepUntil, not before and not after", keptUntil, func(t *trial, open opener) {
		a, b := open(t), open(t)
		for range 3 {
			d, r := digest(), expiring()
			t.insert(a, d, r)
			t.goes(b, d, r.KeepUntil)
		}
	}},
	{"KeepUntil, every method", keptUntil, func(t *trial, open opener) {
		s := open(t)
		r := expiring()
		ds := digests(4)
		for _, d := range ds {
			t.insert(s, d, r)
		}
		t.until(r.KeepUntil)
		t.absent(s, ds[0])
		forever := next(r)
		forever.KeepUntil = time.Time{}
		t.is(s.Replace(t.ctx, ds[1], forever), auth.ErrNotFound, "Replace")
		t.absent(s, ds[1])
		t.is(second(s.Take(t.ctx, ds[2])), auth.ErrNotFound, "Take")
		anew := changed(record(), func(n *auth.Record) { n.Seen = r.Seen.Add(-time.Hour) })
		t.insert(s, ds[3], anew)
		t.present(s, ds[3], anew)
	}},
	{"KeepUntil, past at once", keptUntil, func(t *trial, open opener) {
		s := open(t)
		for _, keep := range []time.Time{now(), now().Add(-time.Hour), time.Unix(0, 0), time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC)} {
			d, r := digest(), record()
			r.KeepUntil = keep
			t.insert(s, d, r)
			t.absent(s, d)
			t.is(second(s.Take(t.ctx, d)), auth.ErrNotFound, "Take")
			t.is(s.Replace(t.ctx, d, next(r)), auth.ErrNotFound, "Replace")
			t.insert(s, d, r)
			anew := record()
			t.insert(s, d, anew)
			t.present(s, d, anew)
		}
	}},
	{"KeepUntil, moved by Replace", keptUntil, func(t *trial, open opener) {
		s := open(t)
		type when func(near time.Time) time.Time
		near := func(near time.Time) time.Time { return near }
		far := func(near time.Time) time.Time { return near.Add(time.Hour) }
		never := func(time.Time) time.Time { return time.Time{} }
		for _, move := range []struct {
			from, to when
			kept     bool
		}{{near, far, true}, {near, never, true}, {far, near, false}, {never, near, false}, {never, far, true}, {far, never, true}} {
			d, r, at := t.moved(s, move.from, move.to)
			t.until(at)
			if !move.kept {
				t.absent(s, d)
				continue
			}
			t.present(s, d, r)
			r = next(r)
			r.KeepUntil = now().Add(-time.Second)
			t.replace(s, d, r)
			t.absent(s, d)
		}
	}},
	{"KeepUntil, zero", "from then on the record is absent; zero: kept for ever", func(t *trial, open opener) {
		s := open(t)
		d, r := digest(), record()
		r.KeepUntil = time.Time{}
		t.insert(s, d, r)
		t.pause(soon)
		t.present(s, d, r)
		t.take(s, d, r)
	}},
	{"Expires, never judged", "judged by verifiers, never by the store; zero: never", func(t *trial, open opener) {
		s := open(t)
		for _, expires := range []time.Time{now().Add(-time.Hour), {}} {
			d, r := digest(), record()
			r.Expires = expires
			t.insert(s, d, r)
			t.present(s, d, r)
			r = next(r)
			r.Expires = expires
			t.replace(s, d, r)
			t.take(s, d, r)
		}
	}},
}

// expiring returns a record that is kept until soon, which is not a whole number
// of milliseconds.
func expiring() auth.Record {
	r := record()
	r.KeepUntil = now().Add(soon).Truncate(time.Millisecond).Add(999 * time.Microsecond)
	return r
}

// fleeting returns a record that is kept for a moment: where it does not matter
// whether it was ever seen, many of them can be waited for.
func fleeting() auth.Record {
	r := record()
	r.KeepUntil = now().Add(time.Millisecond)
	return r
}

// moved inserts a record that is kept until one time and replaces it by one that
// is kept until another. It returns that, and the time near which they are.
func (t *trial) moved(s auth.Store, from, to func(near time.Time) time.Time) (auth.Digest, auth.Record, time.Time) {
	t.Helper()
	for ahead := soon; ; ahead *= 2 {
		d, r, near := digest(), record(), now().Add(ahead)
		r.KeepUntil = from(near)
		t.insert(s, d, r)
		n := next(r)
		n.KeepUntil = to(near)
		err := s.Replace(t.ctx, d, n)
		if errors.Is(err, auth.ErrNotFound) && r.KeepUntil.Equal(near) && time.Now().After(near) && ahead < 50*soon {
			continue // the machine is busy
		}
		t.must(err, "Replace")
		return d, n, near
	}
}

// goes wants the record under d to be there until keep, and not from then on.
func (t *trial) goes(s auth.Store, d auth.Digest, keep time.Time) {
	t.Helper()
	t.pause(time.Until(keep) - 5*time.Millisecond)
	for {
		before := time.Now()
		_, err := s.Lookup(t.ctx, d)
		after := time.Now()
		switch {
		case err == nil && !before.Before(keep.Add(edge)):
			t.Fatalf("present %v after KeepUntil", before.Sub(keep))
		case errors.Is(err, auth.ErrNotFound) && after.Before(keep.Add(-edge)):
			t.Fatalf("absent %v before KeepUntil", keep.Sub(after))
		case errors.Is(err, auth.ErrNotFound):
			return
		default:
			t.must(err, "Lookup")
		}
		t.pause(50 * time.Microsecond)
	}
}
