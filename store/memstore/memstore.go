// Package memstore is the embedded default store: everything in the memory of
// one process, gone when it ends.
//
// Its look-ups take no lock and write nothing that another core reads, so they
// scale with the cores, at one hot record as at millions. Expired records leave
// a few at a time with the writes that follow; there is no background goroutine
// and no pause for a sweep.
//
// A million sessions cost the garbage collector next to nothing: their tables
// hold no pointers, and their Principals and Data are copied, texts and all, into
// chunks of memory that it does not look into. Each look-up hands out a pointer to
// that one copy. A session takes less than 200 bytes beside its Principal and its
// Data. Whoever keeps a Principal for long, or a text of one, keeps the chunk
// around it, of 16 KiB and more only where records are large: see
// [strings.Clone]. A Principal with Networks, and a record of more than 8 KiB, are
// not copied but kept as they are, which the collector does walk.
//
// A Principal is published once and never written again, says package auth. Here
// that matters twice: a pointer that is written into the copy is one that the
// collector does not see, and the memory behind it may be freed and used for
// something else. In builds with the race detector, the next look-up of a record
// panics if somebody has written to its Principal or Data.
package memstore

import (
	"context"
	"errors"
	"hash/maphash"
	"math"
	"sync/atomic"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/clock"
)

// A Store keeps records and users in memory. It implements [auth.Store] with
// all of [auth.Lister], [auth.Batcher], [auth.Toucher], [auth.Sweeper] and
// [auth.Walker], and [password.UserStore]. It is no [auth.Watcher], as no other
// process changes it. Use [New]; a Store must not be copied.
//
// Every method is atomic, safe for concurrent use, and returns the context's
// error when the context is done. The Principal and the Data of a record are
// copied once, when they come or change; all look-ups share that copy. Times are
// in UTC; those of a record are kept to the microsecond, within 290,000 years of
// 1970.
type Store struct {
	seed   maphash.Seed
	clock  clock.Clock
	kinds  kinds
	shards [shardCount]shard
	owners [groupCount]group
	swept  atomic.Uint32 // the shard at which the next Sweep begins
	users  users
}

var (
	_ auth.Store   = (*Store)(nil)
	_ auth.Lister  = (*Store)(nil)
	_ auth.Batcher = (*Store)(nil)
	_ auth.Toucher = (*Store)(nil)
	_ auth.Sweeper = (*Store)(nil)
	_ auth.Walker  = (*Store)(nil)
)

// New returns an empty Store.
func New() *Store {
	s := &Store{seed: maphash.MakeSeed()}
	for i := range s.shards {
		s.shards[i].first = ref(i) << numberBits
	}
	return s
}

var (
	errTooLong = errors.New("memstore: data of 4 GiB or more")
	errFull    = errors.New("memstore: a shard is full")
)

// reapPerWrite is how many expired records each write removes from its shard at
// most. More than one, so that a store shrinks while it is being filled.
const reapPerWrite = 3

// Lookup returns the record under d, or [auth.ErrNotFound]. It takes no lock
// and allocates nothing.
func (s *Store) Lookup(ctx context.Context, d auth.Digest) (r auth.Record, err error) {
	if err := ctx.Err(); err != nil {
		return auth.Record{}, err
	}
	sh, tag := s.locate(&d)
	keep, ok := sh.read(&s.kinds, &d, tag, &r)
	if !ok || s.past(keep) {
		return auth.Record{}, auth.ErrNotFound
	}
	return r, nil
}

// Insert adds r under d. Where one is present it returns [auth.ErrExists] and
// leaves that one unchanged; one that is past its KeepUntil gives way.
func (s *Store) Insert(ctx context.Context, d auth.Digest, r auth.Record) error {
	k, err := s.admit(ctx, &r)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	sh, tag := s.locate(&d)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s.reap(sh, now, reapPerWrite)
	if at := sh.find(&d, tag); at != none {
		if !sh.slots.slot(at).past(now) {
			return auth.ErrExists
		}
		s.remove(sh, at)
	}
	at, ok := sh.slots.take(sh.first)
	if !ok {
		return errFull
	}
	content, err := sh.arena.put(&r, at.number())
	if err != nil {
		sh.slots.give(at)
		return err
	}
	owner := words(r.Owner)
	s.kinds.count(k, 1)
	sh.publish(at, tag, &d, &r, k, content)
	s.link(&owner, at)
	return nil
}

// Replace changes the record under d to r, whose Revision must be the stored
// one plus 1. It returns [auth.ErrNotFound] where none is present, and
// [auth.ErrConflict] where the revision differs. The later of both Seen is
// kept.
func (s *Store) Replace(ctx context.Context, d auth.Digest, r auth.Record) error {
	k, err := s.admit(ctx, &r)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	sh, tag := s.locate(&d)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s.reap(sh, now, reapPerWrite)
	at := sh.find(&d, tag)
	if at == none || sh.slots.slot(at).past(now) {
		return auth.ErrNotFound
	}
	slot := sh.slots.slot(at)
	if r.Revision != slot.revision.Load()+1 {
		return auth.ErrConflict
	}
	content, err := sh.keep(at, &r)
	if err != nil {
		return err
	}
	before, owner, old := slot.owner.load(), words(r.Owner), slot.kind()
	if owner != before {
		s.unlink(&before, at)
	}
	s.kinds.count(k, 1)
	sh.update(at, &r, k, content)
	s.kinds.count(old, -1)
	if owner != before {
		s.link(&owner, at)
	}
	return nil
}

// Take removes the record under d and returns it. Of concurrent callers exactly
// one succeeds; the others get [auth.ErrNotFound].
func (s *Store) Take(ctx context.Context, d auth.Digest) (r auth.Record, err error) {
	if err := ctx.Err(); err != nil {
		return auth.Record{}, err
	}
	now := s.clock.Now()
	sh, tag := s.locate(&d)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s.reap(sh, now, reapPerWrite)
	at := sh.find(&d, tag)
	if at == none {
		return auth.Record{}, auth.ErrNotFound
	}
	gone := sh.slots.slot(at).past(now)
	if !gone {
		sh.load(&s.kinds, at, &r)
	}
	s.remove(sh, at)
	if gone {
		return auth.Record{}, auth.ErrNotFound
	}
	return r, nil
}

// Len returns how many records take up space, among them those past their
// KeepUntil that have not left yet. It is meant for metrics.
func (s *Store) Len() int { return s.kinds.total() }

// past reports whether what is kept until keep is gone by now. What is kept for
// ever needs no look at the clock.
func (s *Store) past(keep int64) bool { return keep != never && keep <= s.clock.Now() }

// admit begins a write of r: it checks what cannot be stored and finds the
// number of r's kind.
func (s *Store) admit(ctx context.Context, r *auth.Record) (kind, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if uint64(len(r.Data)) > math.MaxUint32 {
		return 0, errTooLong
	}
	return s.kinds.number(r.Kind)
}

// locate returns the shard of d and what the shard's index knows d by. Digests
// are random already, but some are made of names that a client picks: the seed
// keeps it from picking names that crowd together.
func (s *Store) locate(d *auth.Digest) (*shard, uint32) {
	h := maphash.Bytes(s.seed, d[:])
	return &s.shards[h%shardCount], tagOf(h)
}

// remove removes the record at the place at of sh, whose mutex is held.
func (s *Store) remove(sh *shard, at ref) {
	slot := sh.slots.slot(at)
	d, owner, k := slot.digest.load().digest(), slot.owner.load(), slot.kind()
	_, tag := s.locate(&d)
	s.unlink(&owner, at)
	sh.withdraw(at, tag)
	s.kinds.count(k, -1)
}

// reap removes at most limit records of sh that are past their KeepUntil, the
// oldest first, and returns how many those were. The mutex of sh is held.
func (s *Store) reap(sh *shard, now int64, limit int) int {
	for n := range limit {
		at := sh.due.first()
		if at == none || !sh.slots.slot(at).past(now) {
			return n
		}
		s.remove(sh, at)
	}
	return limit
}

// slot returns the slot at a place in any shard.
func (s *Store) slot(at ref) *slot { return s.shards[at>>numberBits].slots.slot(at) }
