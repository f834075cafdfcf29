package cachestore

import (
	"context"
	"errors"

	"github.com/seed-077cad0b/auth"
)

// LookupAll sets records[i] to the record of kind k under digests[i], or to the
// zero Record where none is present. It panics if records is shorter than
// digests. Of marks it remembers what it found and that there was none; where it
// remembers all it takes no lock and allocates nothing. Records of other kinds
// are those that the store behind s has now.
func (s *Store) LookupAll(ctx context.Context, k auth.Kind, digests []auth.Digest, records []auth.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	records = records[:len(digests)]
	if k != auth.KindMark {
		return s.lookupAll(ctx, k, digests, records)
	}
	if auth.IsUncached(ctx) {
		for _, d := range digests {
			s.marks.drop(d)
		}
		return s.marks.load(ctx, digests, records)
	}
	m := s.bound.moment()
	for i := range digests {
		if !s.marks.answer(&m, &digests[i], &records[i]) {
			return s.loadMarks(ctx, m, digests, records)
		}
	}
	return nil
}

// loadMarks looks those up of digests in the store behind s that are not
// remembered.
func (s *Store) loadMarks(ctx context.Context, m moment, digests []auth.Digest, records []auth.Record) error {
	var missing []auth.Digest
	var places []int
	for i := range digests {
		if !s.marks.answer(&m, &digests[i], &records[i]) {
			missing, places = append(missing, digests[i]), append(places, i)
		}
	}
	found := make([]auth.Record, len(missing))
	if err := s.marks.load(ctx, missing, found); err != nil {
		return err
	}
	for i, place := range places {
		records[place] = found[i]
	}
	return nil
}

// fetchMarks is how marks are looked up.
func (s *Store) fetchMarks(ctx context.Context, digests []auth.Digest, records []auth.Record) error {
	return s.lookupAll(ctx, auth.KindMark, digests, records)
}

// lookupAll asks the store behind s, one by one where that is no Batcher.
func (s *Store) lookupAll(ctx context.Context, k auth.Kind, digests []auth.Digest, records []auth.Record) error {
	if s.batcher != nil {
		return s.batcher.LookupAll(ctx, k, digests, records)
	}
	for i, d := range digests {
		r, err := s.backend.Lookup(ctx, d)
		switch {
		case errors.Is(err, auth.ErrNotFound) || err == nil && r.Kind != k:
			r = auth.Record{}
		case err != nil:
			return err
		}
		records[i] = r
	}
	return nil
}
