package memstore

// A heap orders the slots of a shard that are not kept for ever by KeepUntil,
// the next one to leave first. Each slot knows its place in the heap, so that
// one that is taken early leaves no trace behind.
type heap struct {
	refs []ref
}

// first returns the slot that leaves next, or none.
func (h *heap) first() ref {
	if len(h.refs) == 0 {
		return none
	}
	return h.refs[0]
}

// fix brings the heap up to date after the KeepUntil of a slot was set.
func (h *heap) fix(s *slab, r ref) {
	slot := s.slot(r)
	switch keep := slot.keepUntil.Load(); {
	case keep == never:
		h.remove(s, r)
	case slot.due == 0:
		h.refs = append(h.refs, r)
		h.up(s, len(h.refs)-1, r)
	default:
		i := int(slot.due) - 1
		h.up(s, i, r)
		if h.refs[i] == r {
			h.down(s, i, r)
		}
	}
}

// remove removes a slot, if it is there.
func (h *heap) remove(s *slab, r ref) {
	slot := s.slot(r)
	if slot.due == 0 {
		return
	}
	i, last := int(slot.due)-1, len(h.refs)-1
	slot.due = 0
	moved := h.refs[last]
	h.refs = h.refs[:last]
	if i == last {
		return
	}
	h.up(s, i, moved)
	if h.refs[i] == moved {
		h.down(s, i, moved)
	}
}

// up puts r at i or nearer to the root, moving those aside that leave later.
func (h *heap) up(s *slab, i int, r ref) {
	keep := s.slot(r).keepUntil.Load()
	for i > 0 {
		parent := (i - 1) / 2
		other := h.refs[parent]
		if s.slot(other).keepUntil.Load() <= keep {
			break
		}
		h.set(s, i, other)
		i = parent
	}
	h.set(s, i, r)
}

// down puts r at i or further from the root, moving those up that leave sooner.
func (h *heap) down(s *slab, i int, r ref) {
	keep := s.slot(r).keepUntil.Load()
	for {
		child := 2*i + 1
		if child >= len(h.refs) {
			break
		}
		sooner := s.slot(h.refs[child]).keepUntil.Load()
		if child+1 < len(h.refs) {
			if k := s.slot(h.refs[child+1]).keepUntil.Load(); k < sooner {
				child, sooner = child+1, k
			}
		}
		if keep <= sooner {
			break
		}
		h.set(s, i, h.refs[child])
		i = child
	}
	h.set(s, i, r)
}

func (h *heap) set(s *slab, i int, r ref) {
	h.refs[i] = r
	s.slot(r).due = uint32(i + 1)
}
