package memstore

import "sync/atomic"

// A table is a list of pointers by number, with gaps, into which readers look
// without a lock.
type table[T any] struct {
	cells atomic.Pointer[[]atomic.Pointer[T]]

	// Guarded by the shard's mutex.
	gaps  []uint32
	fresh uint32 // numbers that have been in use at some time
}

// at returns what has the number n, or nil: a reader without the mutex may have
// a number that is out of date.
func (t *table[T]) at(n uint32) *T {
	cells := t.cells.Load()
	if cells == nil || n >= uint32(len(*cells)) {
		return nil
	}
	return (*cells)[n].Load()
}

// add gives p a number below limit, if there is one left.
func (t *table[T]) add(p *T, limit uint32) (n uint32, ok bool) {
	if last := len(t.gaps) - 1; last >= 0 {
		n, t.gaps = t.gaps[last], t.gaps[:last]
	} else if n = t.fresh; n < limit {
		t.fresh++
	} else {
		return 0, false
	}
	if cells := t.cells.Load(); cells == nil || n == uint32(len(*cells)) {
		t.grow()
	}
	(*t.cells.Load())[n].Store(p)
	return n, true
}

// remove makes a gap of n. Readers may be about to look at it: those must find
// out that it is another's by the time it is.
func (t *table[T]) remove(n uint32) {
	(*t.cells.Load())[n].Store(nil)
	t.gaps = append(t.gaps, n)
}

// clear lets go of everything.
func (t *table[T]) clear() {
	t.cells.Store(nil)
	t.gaps, t.fresh = nil, 0
}

const minTable = 4

func (t *table[T]) grow() {
	var old []atomic.Pointer[T]
	if cells := t.cells.Load(); cells != nil {
		old = *cells
	}
	cells := make([]atomic.Pointer[T], max(minTable, 2*len(old)))
	for i := range old {
		cells[i].Store(old[i].Load())
	}
	t.cells.Store(&cells)
}
