package memstore

import (
	"math/bits"
	"sync/atomic"
)

// A batch is the slots that are allocated at once.
type batch []slot

// The first batches of a slab are small, for stores of ten records: 32 slots, 32
// more, 64, 128. From then on they have 256, so that at a million records there
// are few enough to stay in a core's cache.
const (
	minBatch = 32
	maxBatch = 256
)

// batchOf returns which batch, and which slot there, has the number n, from 0.
func batchOf(n uint32) (batch, i uint32) {
	switch {
	case n < minBatch:
		return 0, n
	case n < maxBatch:
		batch = uint32(bits.Len32(n / minBatch))
		return batch, n - minBatch<<batch/2
	default:
		return n/maxBatch + 3, n % maxBatch
	}
}

// A slab hands out slots and takes them back. Its batches stay where they are
// while any slot is out, and go all at once when none is.
type slab struct {
	batches atomic.Pointer[[]batch] // readers see it grow, see add

	// Guarded by the shard's mutex.
	free  ref    // a list through slot.next
	fresh uint32 // slots that have been out at some time
	out   uint32 // slots that are out
}

// slot returns the slot at a ref, or nil if there is none: a reader without the
// mutex may hold one that is out of date.
func (s *slab) slot(r ref) *slot {
	batches := s.batches.Load()
	if batches == nil {
		return nil
	}
	n, i := batchOf(r.number() - 1)
	if n >= uint32(len(*batches)) {
		return nil
	}
	return &(*batches)[n][i]
}

// take hands out a slot, if there is one left below 1<<numberBits.
func (s *slab) take(first ref) (ref, bool) {
	if r := s.free; r != none {
		s.free = s.slot(r).next
		s.out++
		return r, true
	}
	if s.fresh == maxNumber {
		return none, false
	}
	if _, i := batchOf(s.fresh); i == 0 {
		s.add(min(max(minBatch, s.fresh), maxBatch))
	}
	s.fresh++
	s.out++
	return first | ref(s.fresh), true
}

// give takes back a slot and reports whether that was the last one out and the
// slab let go of its memory. The smallest slab keeps it, else a store of one
// record would allocate with each.
func (s *slab) give(r ref) bool {
	s.slot(r).next = s.free
	s.free = r
	s.out--
	if s.out > 0 || s.fresh <= minBatch {
		return false
	}
	s.batches.Store(nil)
	s.free, s.fresh = none, 0
	return true
}

// add adds a batch. Readers of the shorter slice do not look at the end of the
// array that it shares with the longer one.
func (s *slab) add(size uint32) {
	var batches []batch
	if old := s.batches.Load(); old != nil {
		batches = *old
	}
	batches = append(batches, make(batch, size))
	s.batches.Store(&batches)
}
