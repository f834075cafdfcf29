package memstore

import (
	"math/bits"
	"sync/atomic"
)

// A chunk is the slots that are allocated at once.
type chunk struct {
	slots  []slot
	shared []shared
}

// The first chunks of a slab are small, for stores of ten records: 32 slots, 32
// more, 64, 128. From then on they have 256, so that at a million records there
// are few enough to stay in a core's cache.
const (
	minChunk = 32
	maxChunk = 256
)

// chunkOf returns which chunk, and which slot there, has the number n, from 0.
func chunkOf(n uint32) (chunk, i uint32) {
	switch {
	case n < minChunk:
		return 0, n
	case n < maxChunk:
		chunk = uint32(bits.Len32(n / minChunk))
		return chunk, n - minChunk<<chunk/2
	default:
		return n/maxChunk + 3, n % maxChunk
	}
}

// A slab hands out slots and takes them back. Its chunks stay where they are
// while any slot is out, and go all at once when none is.
type slab struct {
	chunks atomic.Pointer[[]chunk] // readers see it grow, see add

	// Guarded by the shard's mutex.
	free  ref    // a list through slot.next
	fresh uint32 // slots that have been out at some time
	out   uint32 // slots that are out
}

// at returns the slot at a place, or nil if there is none: a reader without the
// mutex may hold a ref that is out of date.
func (s *slab) at(r ref) (*slot, *shared) {
	chunks := s.chunks.Load()
	if chunks == nil {
		return nil, nil
	}
	n, i := chunkOf(r.number() - 1)
	if n >= uint32(len(*chunks)) {
		return nil, nil
	}
	c := &(*chunks)[n]
	return &c.slots[i], &c.shared[i]
}

// slot returns the slot at a place which the caller knows to be out.
func (s *slab) slot(r ref) *slot {
	slot, _ := s.at(r)
	return slot
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
	if _, i := chunkOf(s.fresh); i == 0 {
		s.add(min(max(minChunk, s.fresh), maxChunk))
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
	if s.out > 0 || s.fresh <= minChunk {
		return false
	}
	s.chunks.Store(nil)
	s.free, s.fresh = none, 0
	return true
}

// add adds a chunk. Readers of the shorter slice do not look at the end of the
// array that it shares with the longer one.
func (s *slab) add(size uint32) {
	var chunks []chunk
	if old := s.chunks.Load(); old != nil {
		chunks = *old
	}
	chunks = append(chunks, chunk{make([]slot, size), make([]shared, size)})
	s.chunks.Store(&chunks)
}
