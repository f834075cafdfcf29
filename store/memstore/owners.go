package memstore

import (
	"hash/maphash"
	"sync"

	"github.com/seed-077cad0b/auth"
)

const groupCount = 64

// A group knows the records of one part of the owners. For each owner its index
// holds the head of a list that runs through slot.next and slot.prev, over all
// shards. The owner itself is read from the head: an owner without records
// takes up no space.
//
// The mutex guards the lists. It is taken after that of a shard, never before.
type group struct {
	mu    sync.Mutex
	heads index
}

func (s *Store) group(owner *blockWords) (*group, uint32) {
	d := owner.digest()
	h := maphash.Bytes(s.seed, d[:])
	return &s.owners[h%groupCount], tagOf(h)
}

// head returns the first record of owner, or none.
func (s *Store) head(g *group, tag uint32, owner *blockWords) ref {
	for p := g.heads.probe(tag); p.next(); {
		if s.slot(p.ref).owner.is(owner) {
			return p.ref
		}
	}
	return none
}

// link lists the record at a place, whose owner is stored already, unless the
// owner is zero.
func (s *Store) link(owner *blockWords, at ref) {
	if *owner == (blockWords{}) {
		return
	}
	g, tag := s.group(owner)
	g.mu.Lock()
	defer g.mu.Unlock()
	slot, head := s.slot(at), s.head(g, tag, owner)
	slot.prev, slot.next = none, head
	if head == none {
		g.heads.add(tag, at)
		return
	}
	s.slot(head).prev = at
	g.heads.swap(tag, head, at)
}

// unlink takes the record at a place off its owner's list. The owner is stored
// still.
func (s *Store) unlink(owner *blockWords, at ref) {
	if *owner == (blockWords{}) {
		return
	}
	g, tag := s.group(owner)
	g.mu.Lock()
	defer g.mu.Unlock()
	slot := s.slot(at)
	if slot.next != none {
		s.slot(slot.next).prev = slot.prev
	}
	switch {
	case slot.prev != none:
		s.slot(slot.prev).next = slot.next
	case slot.next != none:
		g.heads.swap(tag, at, slot.next)
	default:
		g.heads.remove(tag, at)
	}
}

// owned returns the digests of the records of kind k that owner owns.
func (s *Store) owned(owner auth.Digest, k auth.Kind) []auth.Digest {
	number, ok := s.kinds.find(k)
	if !ok || owner.IsZero() {
		return nil
	}
	w := words(owner)
	g, tag := s.group(&w)
	g.mu.Lock()
	defer g.mu.Unlock()
	var digests []auth.Digest
	for at := s.head(g, tag, &w); at != none; {
		slot := s.slot(at)
		if slot.kind() == number {
			digests = append(digests, slot.digest.load().digest())
		}
		at = slot.next
	}
	return digests
}
