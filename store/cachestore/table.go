package cachestore

import (
	"hash/maphash"
	"math"
	"math/bits"
	"math/rand/v2"
	"sync/atomic"

	"github.com/seed-077cad0b/auth"
)

// A table holds what is remembered, at most as much as was said at first. It is
// read without a lock, and written under that of its cache.
//
// An entry has the slots of one set to be in. It comes there unproven, and is the
// first to go again unless it has been asked for meanwhile. So what passes by
// once, however much of it, displaces only its own kind.
type table struct {
	seed maphash.Seed // clients pick some names, but cannot pick their sets
	sets []set
	held int
}

const ways = 8

type set [ways]slot

type slot struct {
	hash  atomic.Uint64 // says where it is worth looking
	entry atomic.Pointer[entry]
}

// An entry is an answer. It is not written again, but for asked.
type entry struct {
	digest auth.Digest
	loaded int64        // when its look-up began
	keep   int64        // its KeepUntil, in microseconds since 1970
	record *auth.Record // nil: there is none
	asked  atomic.Bool  // since it came
}

const forever = math.MaxInt64

// newEntry returns the answer that r, or none, is under d.
func newEntry(d auth.Digest, loaded int64, r *auth.Record) *entry {
	e := &entry{digest: d, loaded: loaded, keep: forever, record: r}
	if r != nil && !r.KeepUntil.IsZero() {
		e.keep = r.KeepUntil.UnixMicro()
	}
	return e
}

func newTable(size int) table {
	return table{seed: maphash.MakeSeed(), sets: make([]set, (size+ways-1)/ways)}
}

func (t *table) locate(d *auth.Digest) (*set, uint64) {
	hash := maphash.Bytes(t.seed, d[:])
	i, _ := bits.Mul64(hash, uint64(len(t.sets)))
	return &t.sets[i], hash
}

// find returns the entry of d, or nil.
func (t *table) find(d *auth.Digest) *entry {
	s, hash := t.locate(d)
	for i := range s {
		if s[i].hash.Load() != hash {
			continue
		}
		if e := s[i].entry.Load(); e != nil && e.digest == *d {
			return e
		}
	}
	return nil
}

// put adds e, in the place of what was there under the same digest. What no
// longer serves by m is the first to make room.
func (t *table) put(e *entry, m moment) {
	s, hash := t.locate(&e.digest)
	sl := s.of(&e.digest)
	if sl == nil {
		sl = s.room(m)
	}
	if sl.entry.Load() == nil {
		t.held++
	}
	sl.entry.Store(e)
	sl.hash.Store(hash)
}

// remove removes what is there under d.
func (t *table) remove(d *auth.Digest) {
	s, _ := t.locate(d)
	if sl := s.of(d); sl != nil {
		sl.hash.Store(0)
		sl.entry.Store(nil)
		t.held--
	}
}

// of returns the slot of d, or nil.
func (s *set) of(d *auth.Digest) *slot {
	for i := range s {
		if e := s[i].entry.Load(); e != nil && e.digest == *d {
			return &s[i]
		}
	}
	return nil
}

// room returns the slot to put an entry into: an empty one, one whose entry no
// longer serves, one whose entry nobody has asked for, or any.
func (s *set) room(m moment) *slot {
	first := rand.IntN(ways)
	victim := &s[first]
	for i := range s {
		sl := &s[(first+i)%ways]
		e := sl.entry.Load()
		switch {
		case e == nil || !m.serves(e):
			return sl
		case !e.asked.Load():
			victim = sl
		}
	}
	return victim
}
