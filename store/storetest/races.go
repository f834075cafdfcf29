package storetest

import (
	"errors"
	"strconv"
	"sync/atomic"

	"github.com/seed-077cad0b/auth"
)

const atomically = "Every method is atomic, honours its context, and is safe for concurrent use."

// raceClaims hold what is said of calls that are made at once, some through one
// handle and some through another.
var raceClaims = []claim[opener]{
	{"Take, one succeeds", "Of concurrent callers exactly one succeeds; the others get ErrNotFound.", func(t *trial, open opener) {
		handles := [2]auth.Store{open(t), open(t)}
		for range 5 {
			d, r := t.inserted(handles[0])
			t.one(race(racers, func(i int) error {
				got, err := handles[i%2].Take(t.ctx, d)
				if d := diff(r, got); err == nil && d != "" {
					return errors.New(d)
				}
				return err
			}), auth.ErrNotFound)
			t.absent(handles[0], d)
		}
	}},
	{"Insert, one succeeds", atomically, func(t *trial, open opener) {
		handles := [2]auth.Store{open(t), open(t)}
		for range 5 {
			d := digest()
			records := make([]auth.Record, racers)
			for i := range records {
				records[i] = record()
			}
			errs := race(racers, func(i int) error { return handles[i%2].Insert(t.ctx, d, records[i]) })
			t.one(errs, auth.ErrExists)
			t.present(handles[0], d, records[winner(errs)])
		}
	}},
	{"Insert, one succeeds over what has expired", atomically + " " + keptUntil, func(t *trial, open opener) {
		handles := [2]auth.Store{open(t), open(t)}
		for range t.turns(t.rounds / 5) {
			ds := t.expire(handles[0], 8, fleeting())
			records, errs := [2]auth.Record{record(), record()}, [2][]error{}
			race(2, func(i int) error {
				errs[i] = insertEach(t, handles[i], ds, records[i])
				return nil
			})
			for j, d := range ds {
				both := []error{errs[0][j], errs[1][j]}
				t.one(both, auth.ErrExists)
				t.take(handles[0], d, records[winner(both)])
			}
		}
	}},
	{"Replace, one succeeds", atomically, func(t *trial, open opener) {
		handles := [2]auth.Store{open(t), open(t)}
		d, r := t.inserted(handles[0])
		for range 5 {
			records := make([]auth.Record, racers)
			for i := range records {
				records[i] = next(r)
			}
			errs := race(racers, func(i int) error { return handles[i%2].Replace(t.ctx, d, records[i]) })
			t.one(errs, auth.ErrConflict)
			r = records[winner(errs)]
			t.present(handles[1], d, r)
		}
	}},
	{"Replace, no change is lost", atomically, func(t *trial, open opener) {
		handles := [2]auth.Store{open(t), open(t)}
		d, r := digest(), record()
		r.Data = []byte("0")
		t.insert(handles[0], d, r)
		const workers, each = 8, 10
		for _, err := range race(workers, func(i int) error { return count(t, handles[i%2], d, each) }) {
			t.must(err, "Replace in a loop")
		}
		r, err := handles[0].Lookup(t.ctx, d)
		t.must(err, "Lookup")
		equal(t, string(r.Data), strconv.Itoa(workers*each), "changes that counted")
	}},
	{"Take, nothing brings it back", "There is no upsert: a slow request that ends after a sign-out cannot bring the session back.", func(t *trial, open opener) {
		a, b := open(t), open(t)
		for range t.turns(t.rounds) {
			d, r := t.inserted(a)
			n := next(r)
			errs := race(2, func(i int) error {
				if i == 0 {
					return b.Replace(t.ctx, d, n)
				}
				return second(a.Take(t.ctx, d))
			})
			if errs[0] != nil {
				t.is(errs[0], auth.ErrNotFound, "Replace")
			}
			t.must(errs[1], "Take")
			t.absent(b, d)
		}
	}},
	{"Lookup, whole records only", atomically, func(t *trial, open opener) {
		a, b := open(t), open(t)
		d, r := t.inserted(a)
		versions := []auth.Record{r}
		for range 100 {
			versions = append(versions, next(versions[len(versions)-1]))
		}
		var done atomic.Bool
		for _, err := range race(4, func(i int) error {
			if i == 0 {
				defer done.Store(true)
				return replaceAll(t, a, d, versions[1:])
			}
			for s := []auth.Store{a, b}[i%2]; !done.Load(); {
				got, err := s.Lookup(t.ctx, d)
				if err != nil {
					return err
				}
				if n := got.Revision - r.Revision; n >= uint64(len(versions)) || diff(versions[n], got) != "" {
					return errors.New("a record that never was one")
				}
			}
			return nil
		}) {
			t.must(err, "Lookup beside Replace")
		}
	}},
}

// winner returns the place of the one nil.
func winner(errs []error) int {
	for i, err := range errs {
		if err == nil {
			return i
		}
	}
	return 0
}

// insertEach inserts r under one digest after the other, whatever comes of it.
func insertEach(t *trial, s auth.Store, ds []auth.Digest, r auth.Record) []error {
	errs := make([]error, len(ds))
	for i, d := range ds {
		errs[i] = s.Insert(t.ctx, d, r)
	}
	return errs
}

// replaceAll replaces the record under d by one after the other.
func replaceAll(t *trial, s auth.Store, d auth.Digest, records []auth.Record) error {
	for _, r := range records {
		if err := s.Replace(t.ctx, d, r); err != nil {
			return err
		}
	}
	return nil
}

// count adds n to the number in the record under d, one by one.
func count(t *trial, s auth.Store, d auth.Digest, n int) error {
	for range 1000 {
		r, err := s.Lookup(t.ctx, d)
		if err != nil {
			return err
		}
		counted, err := strconv.Atoi(string(r.Data))
		if err != nil {
			return err
		}
		r.Revision++
		r.Data = []byte(strconv.Itoa(counted + 1))
		switch err := s.Replace(t.ctx, d, r); {
		case err == nil:
			if n--; n == 0 {
				return nil
			}
		case !errors.Is(err, auth.ErrConflict):
			return err
		}
	}
	return errors.New("conflicts without end")
}
