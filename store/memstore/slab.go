package memstore

import (
	"math/bits"
	"sync/atomic"
)

// A batch is the slots that are allocated at once, and the addresses of their
// contents. So many of these are in a cache line that the addresses of a million
// records mostly stay in the processor's caches, as the slots do not: a look-up
// that has to wait for a slot knows before where the content is.
type batch struct {
	slots     []slot
	addresses []atomic.Uint32
}

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

// place returns the place at a ref, or a zero one if there is none: a reader
// without the mutex may hold a ref that is out of date.
func (s *slab) place(r ref) place {
	batches := s.batches.Load()
	if batches == nil {
		return place{}
	}
	n, i := batchOf(r.number() - 1)
	if n >= uint32(len(*batches)) {
		return place{}
	}
	b := &(*batches)[n]
	return place{&b.slots[i], &b.addresses[i]}
}

func (s *slab) slot(r ref) *slot { return s.place(r).slot }

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
	batches = append(batches, batch{make([]slot, size), make([]atomic.Uint32, size)})
	s.batches.Store(&batches)
}
