package strictjson

import (
	"bytes"
	"math"
)

// few is how many names are compared one by one. An object with more of them
// gets a map, so that the work stays linear in the length of the document.
const few = 24

// names are the member names of one object. The first few stay where they are
// written; others, and those with escapes, are copied.
type names struct {
	// mask has two bits for every name, by a poor hash. A name whose bits are not
	// set is new, which spares most comparisons.
	mask  uint64
	n     int
	plain int
	list  [few]span // so many are plain
	rest  map[string]struct{}
}

// A span is a part of a document.
type span struct{ from, to int32 }

// add adds a name, which is written between from and to in data, and refuses one that
// is there already.
func (s *names) add(data, name []byte, from, to int) error {
	bits := bitsOf(name)
	if s.mask&bits == bits && s.has(data, name) {
		return ErrDuplicate
	}
	s.mask |= bits
	s.n++
	if to-from == len(name) && s.plain < few && to <= math.MaxInt32 {
		s.list[s.plain] = span{int32(from), int32(to)}
		s.plain++
		return nil
	}
	return s.copy(name)
}

func (s *names) copy(name []byte) error {
	if s.n > MaxMembers {
		return ErrLimit
	}
	if s.rest == nil {
		s.rest = make(map[string]struct{})
	}
	s.rest[string(name)] = struct{}{}
	return nil
}

func (s *names) has(data, name []byte) bool {
	for _, other := range s.list[:s.plain] {
		if bytes.Equal(data[other.from:other.to], name) {
			return true
		}
	}
	_, ok := s.rest[string(name)]
	return ok
}

func bitsOf(name []byte) uint64 {
	length := len(name)
	if length == 0 {
		return 1
	}
	h := uint64(length) | uint64(name[0])<<8 | uint64(name[length-1])<<16 | uint64(name[length/2])<<24
	h *= 0x9e3779b97f4a7c15 // spreads them to the upper bits
	return 1<<(h>>58) | 1<<(h>>52&63)
}
