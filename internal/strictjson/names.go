package strictjson

import "bytes"

// few is how many names are compared one by one. An object with more of them
// gets a map, so that the work stays linear in the length of the document.
const few = 24

// names are the member names of one object.
type names struct {
	// mask has a bit for every name, by a poor hash. A name whose bit is not
	// set is new, which spares most comparisons.
	mask uint64
	n    int
	list [few][]byte
	rest map[string]struct{}
}

// add adds a name and refuses one that is there already.
func (s *names) add(name []byte) error {
	h := len(name)
	if h > 0 {
		h += int(name[0])*5 + int(name[h-1])*11 + int(name[h/2])*17
	}
	bit := uint64(1) << (h & 63)
	if s.mask&bit != 0 && s.has(name) {
		return ErrDuplicate
	}
	s.mask |= bit
	switch {
	case s.n < few:
		s.list[s.n] = name
	case s.n == MaxMembers:
		return ErrLimit
	case s.rest == nil:
		s.rest = make(map[string]struct{})
		fallthrough
	default:
		s.rest[string(name)] = struct{}{}
	}
	s.n++
	return nil
}

func (s *names) has(name []byte) bool {
	for _, other := range s.list[:min(s.n, few)] {
		if bytes.Equal(other, name) {
			return true
		}
	}
	_, ok := s.rest[string(name)]
	return ok
}
