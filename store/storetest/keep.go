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
		near, far := now().Add(soon), now().Add(time.Hour)
		moves := []struct {
			from, to time.Time
			kept     bool
		}{
			{near, far, true}, {near, time.Time{}, true}, {far, near, false}, {time.Time{}, near, false},
			{time.Time{}, far, true}, {far, time.Time{}, true},
		}
		ds, records := digests(len(moves)), make([]auth.Record, len(moves))
		for i, m := range moves {
			r := record()
			r.KeepUntil = m.from
			t.insert(s, ds[i], r)
			records[i] = next(r)
			records[i].KeepUntil = m.to
			if err := s.Replace(t.ctx, ds[i], records[i]); errors.Is(err, auth.ErrNotFound) && !time.Now().Before(near) {
				t.Fatalf("the store takes more than %v for a few calls: run it on an idle machine", soon)
			} else {
				t.must(err, "Replace")
			}
		}
		t.until(near)
		for i, m := range moves {
			if !m.kept {
				t.absent(s, ds[i])
				continue
			}
			t.present(s, ds[i], records[i])
			r := next(records[i])
			r.KeepUntil = now().Add(-time.Second)
			t.replace(s, ds[i], r)
			t.absent(s, ds[i])
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
