package memstore

import "sync/atomic"

// An index finds slots by a hash: an open table with linear probing, whose cells
// are a tag of 32 bits and a ref of 32 bits. The tag says where in the table a
// cell would like to be, and spares a look at most slots that are not the one
// sought. An empty cell is zero.
//
// A table is doubled as it fills. There are so many shards and groups that each
// table is small, and doubling one a matter of microseconds even with millions
// of records in the store.
type index struct {
	cells atomic.Pointer[[]atomic.Uint64] // a power of two, never full
	used  int
}

const minCells = 8

// tagOf takes the half of a hash that picks no shard and no group.
func tagOf(hash uint64) uint32 { return uint32(hash >> 32) }

func cell(tag uint32, r ref) uint64         { return uint64(tag)<<32 | uint64(r) }
func split(cell uint64) (tag uint32, r ref) { return uint32(cell >> 32), ref(cell) }

// A probe walks over the refs under a tag.
type probe struct {
	cells []atomic.Uint64
	tag   uint32
	step  uint32
	ref   ref // of the last next
}

func (x *index) probe(tag uint32) probe {
	if cells := x.cells.Load(); cells != nil {
		return probe{cells: *cells, tag: tag}
	}
	return probe{}
}

// next moves on to the next ref under the tag, if there is one. It makes no more
// steps than there are cells, whatever a writer does to them meanwhile.
func (p *probe) next() bool {
	for p.step < uint32(len(p.cells)) {
		c := p.cells[(p.tag+p.step)&uint32(len(p.cells)-1)].Load()
		p.step++
		if c == 0 {
			return false
		}
		var tag uint32
		if tag, p.ref = split(c); tag == p.tag {
			return true
		}
	}
	return false
}

// What follows needs the mutex of the index's owner.

// add adds r under tag.
func (x *index) add(tag uint32, r ref) {
	cells := x.table()
	if (x.used+1)*4 > len(cells)*3 {
		cells = grown(cells)
		x.cells.Store(&cells)
	}
	x.used++
	put(cells, cell(tag, r))
}

// swap puts r in the place of old.
func (x *index) swap(tag uint32, old, r ref) {
	cells := x.table()
	cells[position(cells, cell(tag, old))].Store(cell(tag, r))
}

// remove removes r. The cells behind it close up, so that no probe ends early
// at the hole.
func (x *index) remove(tag uint32, r ref) {
	cells := x.table()
	mask := uint32(len(cells) - 1)
	hole := position(cells, cell(tag, r))
	for i := (hole + 1) & mask; ; i = (i + 1) & mask {
		c := cells[i].Load()
		if c == 0 {
			break
		}
		home, _ := split(c)
		if (i-home)&mask >= (i-hole)&mask {
			cells[hole].Store(c)
			hole = i
		}
	}
	cells[hole].Store(0)
	if x.used--; x.used == 0 && len(cells) > minCells {
		x.cells.Store(nil)
	}
}

func (x *index) table() []atomic.Uint64 {
	if cells := x.cells.Load(); cells != nil {
		return *cells
	}
	return nil
}

// position returns where c is, which must be there.
func position(cells []atomic.Uint64, c uint64) uint32 {
	mask := uint32(len(cells) - 1)
	i := uint32(c>>32) & mask
	for cells[i].Load() != c {
		i = (i + 1) & mask
	}
	return i
}

// put puts c into the first empty cell from its home on.
func put(cells []atomic.Uint64, c uint64) {
	mask := uint32(len(cells) - 1)
	i := uint32(c>>32) & mask
	for cells[i].Load() != 0 {
		i = (i + 1) & mask
	}
	cells[i].Store(c)
}

// grown returns twice as many cells with the same content.
func grown(cells []atomic.Uint64) []atomic.Uint64 {
	double := make([]atomic.Uint64, max(2*len(cells), minCells))
	for i := range cells {
		if c := cells[i].Load(); c != 0 {
			put(double, c)
		}
	}
	return double
}
