package memstore

import (
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A ref is the place of a slot: its shard, and its number there. Numbers begin
// at 1, so that the zero ref is none.
type ref uint32

const (
	none       ref = 0
	numberBits     = 24
	maxNumber      = 1<<numberBits - 1
)

func (r ref) number() uint32 { return uint32(r) & maxNumber }

// never is the zero time.Time in microseconds. It needs no case of its own: it
// converts back to the zero time.Time.
var never = time.Time{}.UnixMicro()

// A slot is a record but for its Principal and its Data, in two cache lines that
// the garbage collector does not look into.
type slot struct {
	digest, owner block
	revision      atomic.Uint64

	// Microseconds since 1970.
	created, expires, keepUntil, seen atomic.Int64

	meta atomic.Uint64 // the length of Data, the kind, and flags

	// Neighbours in the list of the owner's records, which the owner's group
	// guards. A free slot points to the next free one.
	next, prev ref

	// The place in the shard's heap, counted from 1; guarded by its mutex.
	due uint32
}

// A place is where a record is: its slot, and the address of its Principal and its
// Data in the shard's arena.
type place struct {
	*slot
	address *atomic.Uint32
}

const (
	metaDisabled  = 1 << 0
	metaKindShift = 1
	metaKindMask  = 1<<16 - 1
	metaLenShift  = 32 // the flags in between are the arena's
	metaOther     = metaDisabled | metaKindMask<<metaKindShift
)

func (s *slot) kind() kind { return kind(s.meta.Load() >> metaKindShift & metaKindMask) }

// past reports whether the record is past its KeepUntil.
func (s *slot) past(now int64) bool { return past(s.keepUntil.Load(), now) }

// past reports whether a record that is kept until keep is gone by now.
func past(keep, now int64) bool { return keep != never && now >= keep }

// see moves seen forward.
func (s *slot) see(t int64) {
	if t > s.seen.Load() {
		s.seen.Store(t)
	}
}

// store sets all but the digest, and moves seen forward only.
func (s place) store(r *auth.Record, k kind, content spot) {
	meta := content.meta | uint64(k)<<metaKindShift
	if r.Disabled {
		meta |= metaDisabled
	}
	s.owner.store(words(r.Owner))
	s.revision.Store(r.Revision)
	s.created.Store(r.Created.UnixMicro())
	s.expires.Store(r.Expires.UnixMicro())
	s.keepUntil.Store(r.KeepUntil.UnixMicro())
	s.see(r.Seen.UnixMicro())
	s.meta.Store(meta)
	s.address.Store(uint32(content.at))
}

// load copies all but the content, and returns where that is.
func (s place) load(ks *kinds, r *auth.Record) (keep int64, content spot) {
	meta := s.meta.Load()
	keep = s.keepUntil.Load()
	r.Kind = ks.name(kind(meta >> metaKindShift & metaKindMask))
	r.Owner = s.owner.load().digest()
	r.Revision = s.revision.Load()
	r.Created = timeOf(s.created.Load())
	r.Expires = timeOf(s.expires.Load())
	r.KeepUntil = timeOf(keep)
	r.Seen = timeOf(s.seen.Load())
	r.Disabled = meta&metaDisabled != 0
	return keep, spot{address(s.address.Load()), meta}
}

// content returns where the content is.
func (s place) content() spot { return spot{address(s.address.Load()), s.meta.Load() &^ metaOther} }

// timeOf is the inverse of time.Time.UnixMicro.
func timeOf(micro int64) time.Time { return time.UnixMicro(micro).UTC() }

// A block is a digest in atomics, and blockWords its value.
type (
	block      [4]atomic.Uint64
	blockWords [4]uint64
)

func words(d auth.Digest) blockWords {
	return blockWords{
		binary.LittleEndian.Uint64(d[0:]), binary.LittleEndian.Uint64(d[8:]),
		binary.LittleEndian.Uint64(d[16:]), binary.LittleEndian.Uint64(d[24:]),
	}
}

func (w blockWords) digest() (d auth.Digest) {
	binary.LittleEndian.PutUint64(d[0:], w[0])
	binary.LittleEndian.PutUint64(d[8:], w[1])
	binary.LittleEndian.PutUint64(d[16:], w[2])
	binary.LittleEndian.PutUint64(d[24:], w[3])
	return d
}

func (b *block) load() blockWords {
	return blockWords{b[0].Load(), b[1].Load(), b[2].Load(), b[3].Load()}
}

func (b *block) store(w blockWords) {
	b[0].Store(w[0])
	b[1].Store(w[1])
	b[2].Store(w[2])
	b[3].Store(w[3])
}

// is compares digests, not secrets: it need not take the same time always.
func (b *block) is(w *blockWords) bool {
	return b[0].Load() == w[0] && b[1].Load() == w[1] && b[2].Load() == w[2] && b[3].Load() == w[3]
}
