package storetest_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

func (s *mapStore) List(ctx context.Context, owner auth.Digest, k auth.Kind) iter.Seq2[auth.Entry, error] {
	return s.sequence(ctx, func(r auth.Record) bool {
		switch {
		case r.Owner.IsZero() && s.fault != "lists what has no owner":
			return false
		case s.fault == "lists every kind":
			return r.Owner == owner
		case s.fault == "lists kinds without case":
			return r.Owner == owner && strings.EqualFold(string(r.Kind), string(k))
		}
		return r.Owner == owner && r.Kind == k
	}, 100)
}

func (s *mapStore) Walk(ctx context.Context, k auth.Kind) iter.Seq2[auth.Entry, error] {
	return s.sequence(ctx, func(r auth.Record) bool {
		switch {
		case s.fault == "walks past what has no owner" && r.Owner.IsZero():
			return false
		case s.fault == "walks no more than one kind":
			return r.Kind == k
		}
		return k == "" || r.Kind == k
	}, 1000)
}

// sequence yields what is wanted; page is how much a fault stops at.
func (s *mapStore) sequence(ctx context.Context, wanted func(auth.Record) bool, page int) iter.Seq2[auth.Entry, error] {
	return func(yield func(auth.Entry, error) bool) {
		end, err := s.begin(ctx)
		if err != nil {
			yield(auth.Entry{}, err)
			return
		}
		all := s.all(wanted)
		if s.fault == "holds its lock in a loop" {
			defer end()
		} else {
			end()
		}
		n := 0
		for d, r := range all {
			if n++; n > page && s.fault == "stops after a page" {
				return
			}
			err := ctx.Err()
			if s.fault == "ignores contexts" {
				err = nil
			}
			if err != nil {
				r, d = auth.Record{}, auth.Digest{}
			}
			if !yield(auth.Entry{Digest: d, Record: r}, err) && s.fault != "goes on after a break" || err != nil && s.fault != "goes on after an error" {
				return
			}
			if s.fault == "yields twice" && n == 1 && !yield(auth.Entry{Digest: d, Record: r}, nil) {
				return
			}
		}
	}
}

func (s *mapStore) LookupAll(ctx context.Context, k auth.Kind, digests []auth.Digest, records []auth.Record) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if s.fault == "remembers which kinds there are" {
		if _, none := s.none.Load(k); none {
			clear(records)
			return nil
		}
		if len(s.all(func(r auth.Record) bool { return r.Kind == k })) == 0 {
			s.none.Store(k, true)
		}
	}
	for i, d := range digests {
		r, ok := s.find(d)
		switch {
		case ok && (r.Kind == k || s.fault == "looks up any kind"):
			records[i] = r
		case s.fault != "leaves what was in the slice":
			records[i] = auth.Record{}
		}
		if first := slices.Index(digests, d); first < i && s.fault == "looks up each digest once" {
			records[i] = auth.Record{}
		}
	}
	return nil
}

func (s *mapStore) Touch(ctx context.Context, seen map[auth.Digest]time.Time) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	n := 0
	for d, t := range seen {
		if n++; n > 500 && s.fault == "touches 500 at most" {
			return nil
		}
		r, ok := s.find(d)
		switch {
		case !ok && s.fault == "touches into being":
		case !ok, !t.After(r.Seen) && s.fault != "touches back":
			continue
		}
		r.Seen = t
		switch s.fault {
		case "touches revisions":
			r.Revision++
		case "prolongs with a touch":
			r.KeepUntil = r.KeepUntil.Add(time.Hour)
		case "tells touches":
			s.tell(d)
		}
		s.records[s.key(d)] = auth.Entry{Digest: d, Record: r}
	}
	return nil
}

func (s *mapStore) Sweep(ctx context.Context, limit int) (int, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	gone := s.due(limit)
	s.gap("sweeps in two steps")
	for _, d := range gone {
		switch s.fault {
		case "counts and does not sweep":
			continue
		case "tells sweeps":
			s.tell(d)
		}
		delete(s.records, d)
	}
	if s.fault == "does not count what it sweeps" {
		return 0, nil
	}
	return len(gone), nil
}

// due returns the digests of what is to be swept.
func (s *mapStore) due(limit int) (gone []auth.Digest) {
	for d, e := range s.records {
		if len(gone) == limit && s.fault != "sweeps without limit" {
			break
		}
		until := []time.Time{e.Record.KeepUntil}
		if s.fault == "sweeps by Expires" {
			until = append(until, e.Record.Expires)
		}
		if slices.ContainsFunc(until, func(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }) {
			gone = append(gone, d)
		}
	}
	return gone
}

// tell tells the watches of a change.
func (s *mapStore) tell(d auth.Digest) {
	for w := range s.watches {
		w <- d
	}
}

func (s *mapStore) Watch(ctx context.Context, changed func(auth.Digest), told func(time.Time)) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	changes := make(chan auth.Digest, 5000)
	s.watches[changes] = true
	end()
	defer func() {
		s.lock <- struct{}{}
		delete(s.watches, changes)
		<-s.lock
	}()
	told(time.Now())
	for {
		select {
		case <-ctx.Done():
			if s.fault == "ends a watch without an error" {
				return nil
			}
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
		at := time.Now()
		s.pass(at, changes, changed, told)
	}
}

// pass passes on what has changed before at.
func (s *mapStore) pass(at time.Time, changes chan auth.Digest, changed func(auth.Digest), told func(time.Time)) {
	switch s.fault {
	case "tells the time once":
		told = func(time.Time) {}
	case "tells the time too early":
		told(at)
		<-time.After(time.Second)
	case "tells a time to come":
		at = at.Add(time.Minute)
	case "calls two at once":
		again := make(chan struct{})
		go func() { defer close(again); told(at) }()
		defer func() { <-again }()
	case "tells one change in a while":
		for len(changes) > 1 {
			<-changes
		}
	}
	for len(changes) > 0 {
		changed(<-changes)
	}
	told(at)
}
