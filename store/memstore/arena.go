package memstore

import (
	"iter"
	"slices"
	"unsafe"

	"github.com/seed-077cad0b/auth"
)

// An arena keeps the Principals and the Data of a shard's records, in chunks
// that hold no pointers as far as the garbage collector knows: it marks a chunk
// as a whole and does not look into it, so that millions of sessions cost it no
// more than thousands.
//
// Look-ups hand out pointers into the chunks. Whoever has one keeps its chunk
// alive, even one that the arena has let go of, and all that a copy points to is
// in the same chunk. What has been handed out must stay as it is. So a chunk is
// only ever appended to; when enough of one is dead, what lives is copied to the
// newest, and the collector frees the old one when nobody reads in it any more.
//
// What cannot be copied, or is too large, is kept by pointers, apart.
type arena struct {
	chunks table[word] // the first word of each
	apart  table[apart]

	// Guarded by the shard's mutex.
	uses   []use           // of the chunks, by number
	newest uint32          // the chunk that is appended to
	before *auth.Principal // the last one there, or nil
	live   int             // how many words live
	worn   []uint32        // chunks to empty
}

// A use is how a chunk is used, in words.
type use struct{ size, used, dead uint32 }

// An apart is the content of a record that is in no chunk.
type apart struct {
	principal *auth.Principal
	data      []byte
}

// An address is where in an arena something is: the number of its chunk, and the
// word there, which is never the first. Or the number of an apart, and no word.
type address uint32

const (
	wordBits  = 13 // chunks have up to 64 KiB
	maxChunks = 1<<(32-wordBits) - 1
	maxApart  = maxChunks

	// A chunk is as large as all that lives in its arena, in words from 1 KiB
	// to 16 KiB, and more where entries are large. Whoever keeps one Principal
	// for long keeps a chunk.
	minRoom = 1 << 7
	maxRoom = 1 << 11

	// An entry larger than this, 8 KiB, is kept apart.
	maxEntry = 1 << 10

	// A chunk is emptied when 1/wornShare of it is dead.
	wornShare = 8
)

func addressIn(chunk, at uint32) address { return address(chunk<<wordBits | at) }
func (a address) split() (chunk, at uint32) {
	return uint32(a) >> wordBits, uint32(a) & (1<<wordBits - 1)
}

// inChunk reports whether something is in a chunk there.
func (a address) inChunk() bool {
	_, at := a.split()
	return at != 0
}

// What the meta of a slot says of the record's content. A record without a
// Principal and with empty Data has none.
const (
	metaPrincipal = 1 << 17 // there is one
	metaData      = 1 << 18 // there is some, or it is empty and not nil
	metaKept      = 1 << 19 // the content is in a chunk
	metaApart     = 1 << 20 // the content is apart
)

// A spot is what a slot says of the content: where it is, and its part of meta,
// with the length of Data.
type spot struct {
	at   address
	meta uint64
}

// A content is where to find the Principal and the Data of a record. It is read
// word by word, so it is not to be put to use until the reader has made sure that
// the words belong together.
type content struct {
	spot
	chunk *word
	apart *apart
}

// find begins to read what is at a spot.
func (a *arena) find(s spot) content {
	c := content{spot: s}
	n, _ := s.at.split()
	switch {
	case s.meta&metaKept != 0:
		c.chunk = a.chunks.at(n)
	case s.meta&metaApart != 0:
		c.apart = a.apart.at(n)
	}
	return c
}

// open sets the Principal and the Data of r.
func (c *content) open(r *auth.Record) {
	r.Principal, r.Data = nil, nil
	switch {
	case c.meta&metaKept != 0:
		_, at := c.at.split()
		entry := unsafe.Add(unsafe.Pointer(c.chunk), uintptr(at)*wordSize)
		if sealed {
			checkSeal(entry)
		}
		if c.meta&metaPrincipal != 0 {
			r.Principal = (*auth.Principal)(entry)
		}
		if length := c.meta >> metaLenShift; length > 0 {
			if r.Principal != nil {
				entry = unsafe.Add(entry, principalSize)
			}
			r.Data = unsafe.Slice((*byte)(entry), length)
		}
	case c.meta&metaApart != 0:
		r.Principal, r.Data = c.apart.principal, c.apart.data
	}
	if r.Data == nil && c.meta&metaData != 0 {
		r.Data = []byte{}
	}
}

// What follows needs the shard's mutex.

// put adds the content of r, for the slot of that number to refer to.
func (a *arena) put(r *auth.Record, number uint32) (spot, error) {
	meta := metaOf(r)
	if r.Principal == nil && len(r.Data) == 0 {
		return spot{0, meta}, nil
	}
	length, ok := principals.size(r.Principal, r.Data)
	size := length/wordSize + headerWords
	if !ok || size > maxEntry {
		n, ok := a.apart.add(&apart{r.Principal, slices.Clip(r.Data)}, maxApart)
		if !ok {
			return spot{}, errFull
		}
		return spot{addressIn(n, 0), meta | metaApart}, nil
	}
	if !a.fit(uint32(size)) {
		return spot{}, errFull
	}
	u, words := &a.uses[a.newest], a.words(a.newest)
	at := u.used + headerWords
	n := principals.copy(bytesOf(words[at:u.used+uint32(size)]), r.Principal, a.before, r.Data)
	entry := words[u.used : at+uint32(n/wordSize)]
	seal(entry, number)
	u.used += uint32(len(entry))
	a.live += len(entry)
	if r.Principal != nil {
		a.before = (*auth.Principal)(unsafe.Pointer(&words[at]))
	}
	return spot{addressIn(a.newest, at), meta | metaKept}, nil
}

func metaOf(r *auth.Record) uint64 {
	meta := uint64(len(r.Data)) << metaLenShift
	if r.Principal != nil {
		meta |= metaPrincipal
	}
	if r.Data != nil {
		meta |= metaData
	}
	return meta
}

// fit makes room for size words in the newest chunk.
func (a *arena) fit(size uint32) bool {
	if len(a.uses) > 0 && a.uses[a.newest].size-a.uses[a.newest].used >= size {
		return true
	}
	words := make([]word, max(size, minRoom, min(uint32(a.live), max(maxRoom, 4*size))))
	n, ok := a.chunks.add(&words[0], maxChunks)
	if !ok {
		return false
	}
	if last := a.newest; len(a.uses) > 0 && a.uses[last].worn() {
		a.worn = append(a.worn, last)
	}
	if n == uint32(len(a.uses)) {
		a.uses = append(a.uses, use{})
	}
	a.uses[n] = use{size: uint32(len(words))}
	a.newest, a.before = n, nil
	return true
}

// release lets go of what is at a spot. Readers must find out that it is gone.
func (a *arena) release(s spot) {
	n, at := s.at.split()
	switch {
	case s.meta&metaApart != 0:
		a.apart.remove(n)
	case s.meta&metaKept != 0:
		u, size := &a.uses[n], end(a.words(n)[at-headerWords:])
		a.live -= int(size)
		before := u.worn()
		if u.dead += size; !before && u.worn() && n != a.newest {
			a.worn = append(a.worn, n)
		}
	}
}

// worn reports whether a chunk is worth emptying.
func (u *use) worn() bool { return u.dead > 0 && u.dead*wornShare >= u.used }

// next returns a chunk that is to be emptied, if there is one.
func (a *arena) next() (chunk uint32, ok bool) {
	last := len(a.worn) - 1
	if last < 0 {
		return 0, false
	}
	chunk = a.worn[last]
	a.worn = a.worn[:last]
	return chunk, true
}

// living yields the numbers of the slots whose content is in a chunk.
func (a *arena) living(chunk uint32) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		words := a.words(chunk)[:a.uses[chunk].used]
		for len(words) > 0 {
			size, number := splitHeader(words[0])
			if number != 0 && !yield(number) {
				return
			}
			words = words[size:]
		}
	}
}

// drop lets go of a chunk in which nothing lives. Readers must find out.
func (a *arena) drop(chunk uint32) {
	a.chunks.remove(chunk)
	a.uses[chunk] = use{}
}

// clear lets go of everything, where nothing lives. The smallest arena keeps its
// chunk, else a store of one record would allocate one with each.
func (a *arena) clear() {
	if len(a.uses) == 0 || len(a.uses) == 1 && a.uses[0].size <= minRoom {
		return
	}
	a.chunks.clear()
	a.apart.clear()
	a.uses, a.newest, a.before, a.worn = nil, 0, nil, nil
}

func (a *arena) words(chunk uint32) []word {
	return unsafe.Slice(a.chunks.at(chunk), a.uses[chunk].size)
}

func bytesOf(words []word) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*wordSize)
}
