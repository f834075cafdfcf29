package memstore

import (
	"context"
	"iter"
	"time"

	"github.com/seed-077cad0b/auth"
)

// List lists the records of kind k that owner owns, in no particular order. No
// lock is held while a record is yielded, so the loop may call any method of the
// store. A record that leaves or changes hands while the loop runs is left out
// from then on.
func (s *Store) List(ctx context.Context, owner auth.Digest, k auth.Kind) iter.Seq2[auth.Entry, error] {
	return func(yield func(auth.Entry, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(auth.Entry{}, err)
			return
		}
		s.visit(ctx, s.owned(owner, k), yield, func(r *auth.Record) bool { return r.Owner == owner && r.Kind == k })
	}
}

// Walk walks through all records of kind k, or of every kind where k is empty, in
// no particular order. As with List, no lock is held while a record is yielded,
// and one that leaves or changes its kind while the loop runs is left out from
// then on.
func (s *Store) Walk(ctx context.Context, k auth.Kind) iter.Seq2[auth.Entry, error] {
	return func(yield func(auth.Entry, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(auth.Entry{}, err)
			return
		}
		for i := range s.shards {
			if !s.visit(ctx, s.shards[i].digests(), yield, func(r *auth.Record) bool { return k == "" || r.Kind == k }) {
				return
			}
		}
	}
}

// visit yields the records under the digests that are present still and wanted,
// and reports whether the sequence goes on.
func (s *Store) visit(ctx context.Context, digests []auth.Digest, yield func(auth.Entry, error) bool, wanted func(*auth.Record) bool) bool {
	for _, d := range digests {
		r, err := s.Lookup(ctx, d)
		switch {
		case err == auth.ErrNotFound:
			continue
		case err != nil:
			yield(auth.Entry{}, err)
			return false
		case !wanted(&r):
			continue
		}
		if !yield(auth.Entry{Digest: d, Record: r}, nil) {
			return false
		}
	}
	return true
}

// LookupAll sets records[i] to the record of kind k under digests[i], or to the
// zero Record where none is present; a record of another kind counts as absent.
// It panics if records is shorter than digests. It takes no lock and allocates
// nothing, and while the store holds no record of kind k it does not look.
func (s *Store) LookupAll(ctx context.Context, k auth.Kind, digests []auth.Digest, records []auth.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	records = records[:len(digests)]
	if !s.kinds.live(k) {
		clear(records)
		return nil
	}
	for i := range digests {
		r := &records[i]
		sh, tag := s.locate(&digests[i])
		keep, ok := sh.read(&s.kinds, &digests[i], tag, r)
		if !ok || r.Kind != k || s.past(keep) {
			*r = auth.Record{}
		}
	}
	return nil
}

// Touch moves the Seen of the records under the keys of seen forward to the
// times there. It neither moves one back, nor changes a Revision, nor brings an
// absent record back. If the context ends on the way, the records reached so
// far stay touched.
func (s *Store) Touch(ctx context.Context, seen map[auth.Digest]time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for d, t := range seen {
		if err := ctx.Err(); err != nil {
			return err
		}
		sh, tag := s.locate(&d)
		sh.touch(&d, tag, t.UnixMicro())
	}
	return nil
}

// sweepBite is how many records leave under one hold of a shard's mutex.
const sweepBite = 64

// Sweep removes at most limit records that are past their KeepUntil and returns
// how many those were. It changes no answer, and is needed only where a store
// shall shrink that is no longer written to. Locks are held for short bites, so
// that a large limit holds nobody up.
func (s *Store) Sweep(ctx context.Context, limit int) (int, error) {
	swept := 0
	now := s.clock.Now()
	begin := s.swept.Load()
	for i := range uint32(shardCount) {
		sh := &s.shards[(begin+i)%shardCount]
		for {
			if err := ctx.Err(); err != nil {
				return swept, err
			}
			bite := min(limit-swept, sweepBite)
			if bite <= 0 {
				s.swept.Store(begin + i) // where this one stopped
				return swept, nil
			}
			sh.mu.Lock()
			n := s.reap(sh, now, bite)
			sh.mu.Unlock()
			swept += n
			if n < bite {
				break
			}
		}
	}
	return swept, nil
}
