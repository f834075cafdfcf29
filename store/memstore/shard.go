package memstore

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/seed-077cad0b/auth"
)

const shardCount = 256

// A shard holds the records of one part of the digests.
//
// Writers take the mutex. Readers take nothing: they read version, copy what
// they look for and read version again. If it was even and is the same, no
// write came between; else they try again. Whatever a reader sees is therefore
// an atomic, even where a write is halfway through it, and nothing that it has
// copied is put to use before the second look at version.
type shard struct {
	version atomic.Uint64 // odd while a writer changes what readers see
	index   index         // by digest
	slots   slab
	first   ref // the shard's bits of every ref into it

	mu  sync.Mutex
	due heap

	_ [64]byte // a write here does not slow down readers of the next shard
}

// A reader that meets this many writes in a row waits for the mutex instead.
const readTries = 16

// read copies the record under d to r, and returns its KeepUntil. If there is
// none, r is left undefined.
func (sh *shard) read(ks *kinds, d *auth.Digest, tag uint32, r *auth.Record) (keep int64, ok bool) {
	for range readTries {
		version := sh.version.Load()
		if version%2 != 0 {
			continue
		}
		keep, data, ok := sh.copy(ks, d, tag, r)
		if sh.version.Load() == version {
			r.Data = data.bytes()
			return keep, ok
		}
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	keep, data, ok := sh.copy(ks, d, tag, r)
	r.Data = data.bytes()
	return keep, ok
}

// copy finds d and copies all of its record but Data, whose pointer and length
// may not belong together until the caller has made sure.
func (sh *shard) copy(ks *kinds, d *auth.Digest, tag uint32, r *auth.Record) (keep int64, data span, ok bool) {
	w := words(*d)
	for p := sh.index.probe(tag); p.next(); {
		slot, shared := sh.slots.at(p.ref)
		if slot == nil || !slot.digest.is(&w) {
			continue
		}
		keep, data = slot.load(ks, shared, r)
		return keep, data, true
	}
	return 0, span{}, false
}

// What follows, up to touch, needs the mutex.

// find returns the place of d, or none.
func (sh *shard) find(d *auth.Digest, tag uint32) ref {
	w := words(*d)
	for p := sh.index.probe(tag); p.next(); {
		if sh.slots.slot(p.ref).digest.is(&w) {
			return p.ref
		}
	}
	return none
}

// load copies the record at a place to r.
func (sh *shard) load(ks *kinds, at ref, r *auth.Record) {
	slot, shared := sh.slots.at(at)
	_, data := slot.load(ks, shared, r)
	r.Data = data.bytes()
}

// publish shows r, of kind k, to readers under d.
func (sh *shard) publish(at ref, tag uint32, d *auth.Digest, r *auth.Record, k kind) {
	slot, shared := sh.slots.at(at)
	sh.version.Add(1)
	slot.digest.store(words(*d))
	slot.seen.Store(never)
	slot.store(shared, r, k)
	sh.index.add(tag, at)
	sh.version.Add(1)
	sh.due.fix(&sh.slots, at)
}

// update shows r, of kind k, to readers in place of what was there.
func (sh *shard) update(at ref, r *auth.Record, k kind) {
	slot, shared := sh.slots.at(at)
	sh.version.Add(1)
	slot.store(shared, r, k)
	sh.version.Add(1)
	sh.due.fix(&sh.slots, at)
}

// withdraw hides the record at a place and frees the place. A shard that is
// empty then gives back its memory.
func (sh *shard) withdraw(at ref, tag uint32) {
	_, shared := sh.slots.at(at)
	sh.due.remove(&sh.slots, at)
	sh.version.Add(1)
	sh.index.remove(tag, at)
	shared.principal.Store(nil)
	shared.data.Store(nil)
	if sh.slots.give(at) {
		sh.due = heap{}
	}
	sh.version.Add(1)
}

// touch moves Seen forward. It is one word, so readers need no new version, and
// on a record that is gone nobody sees it.
func (sh *shard) touch(d *auth.Digest, tag uint32, seen int64) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if at := sh.find(d, tag); at != none {
		sh.slots.slot(at).see(seen)
	}
}

// digests returns the digests of all records. A digest has one shard for good, so
// a walk over the shards meets none twice.
func (sh *shard) digests() []auth.Digest {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	digests := make([]auth.Digest, 0, sh.index.used)
	for cells, i := sh.index.table(), 0; i < len(cells); i++ {
		if _, at := split(cells[i].Load()); at != none {
			digests = append(digests, sh.slots.slot(at).digest.load().digest())
		}
	}
	return digests
}

// A span is a slice in two halves, read one after the other.
type span struct {
	data   *byte
	length uint32
}

// bytes joins the halves. Nil stays nil, and empty empty.
func (s span) bytes() []byte { return unsafe.Slice(s.data, s.length) }
