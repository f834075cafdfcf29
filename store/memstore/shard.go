package memstore

import (
	"bytes"
	"sync"
	"sync/atomic"

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
	arena   arena
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
		keep, content, ok := sh.copy(ks, d, tag, version, r)
		if sh.version.Load() == version {
			content.open(r)
			return keep, ok
		}
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	keep, content, ok := sh.copy(ks, d, tag, sh.version.Load(), r)
	content.open(r)
	return keep, ok
}

// copy finds d and copies all of its record but the content, which the caller is
// not to open until it has made sure that the version is the same still.
func (sh *shard) copy(ks *kinds, d *auth.Digest, tag uint32, version uint64, r *auth.Record) (keep int64, c content, ok bool) {
	w := words(*d)
	for p := sh.index.probe(tag); p.next(); {
		place := sh.slots.place(p.ref)
		if place.slot == nil {
			continue
		}
		sh.fetch(address(place.address.Load()), version)
		if !place.digest.is(&w) {
			continue
		}
		keep, spot := place.load(ks, r)
		return keep, sh.arena.find(spot), true
	}
	return 0, content{}, false
}

// fetch has the processor begin to read what is at an address. Among millions of
// records that takes longer than all else: this way a look-up waits for the slot
// and for the content at the same time, not for one and then for the other.
func (sh *shard) fetch(a address, version uint64) {
	if !a.inChunk() {
		return
	}
	n, at := a.split()
	if chunk := sh.arena.chunks.at(n); chunk != nil && sh.version.Load() == version {
		peek(chunk, at)
	}
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
	_, spot := sh.slots.place(at).load(ks, r)
	c := sh.arena.find(spot)
	c.open(r)
}

// keep returns where the content of r is, which is to replace the one at a place:
// where it has been, if it is the same.
func (sh *shard) keep(at ref, r *auth.Record) (spot, error) {
	var old auth.Record
	s := sh.slots.place(at).content()
	c := sh.arena.find(s)
	c.open(&old)
	if r.Principal == old.Principal && (r.Data == nil) == (old.Data == nil) && bytes.Equal(r.Data, old.Data) {
		return s, nil
	}
	return sh.arena.put(r, at.number())
}

// publish shows r, of kind k, to readers under d. Its content is kept already.
func (sh *shard) publish(at ref, tag uint32, d *auth.Digest, r *auth.Record, k kind, content spot) {
	place := sh.slots.place(at)
	sh.version.Add(1)
	place.digest.store(words(*d))
	place.seen.Store(never)
	place.store(r, k, content)
	sh.index.add(tag, at)
	sh.version.Add(1)
	sh.due.fix(&sh.slots, at)
	sh.tidy()
}

// update shows r, of kind k, to readers in place of what was there.
func (sh *shard) update(at ref, r *auth.Record, k kind, content spot) {
	place := sh.slots.place(at)
	old := place.content()
	sh.version.Add(1)
	place.store(r, k, content)
	if content != old {
		sh.arena.release(old)
	}
	sh.version.Add(1)
	sh.due.fix(&sh.slots, at)
	sh.tidy()
}

// withdraw hides the record at a place and frees the place. A shard that is
// empty then gives back its memory.
func (sh *shard) withdraw(at ref, tag uint32) {
	sh.due.remove(&sh.slots, at)
	sh.version.Add(1)
	sh.index.remove(tag, at)
	sh.arena.release(sh.slots.place(at).content())
	if sh.slots.give(at) {
		sh.due = heap{}
	}
	if sh.slots.out == 0 {
		sh.arena.clear()
	}
	sh.version.Add(1)
	sh.tidy()
}

// tidy empties the chunks of the arena that are worn. A write makes few so, and
// copies less than it has made room for.
func (sh *shard) tidy() {
	for {
		chunk, ok := sh.arena.next()
		if !ok {
			return
		}
		sh.empty(chunk)
	}
}

// empty moves what lives in a chunk to the newest, and lets go of the chunk.
// Readers may find a record here or there as it moves: both are the same.
func (sh *shard) empty(chunk uint32) {
	for number := range sh.arena.living(chunk) {
		var r auth.Record
		place := sh.slots.place(ref(number))
		old := place.content()
		c := sh.arena.find(old)
		c.open(&r)
		moved, err := sh.arena.put(&r, number)
		if err != nil {
			return // the chunk stays as it is
		}
		place.address.Store(uint32(moved.at))
		sh.arena.release(old)
	}
	sh.version.Add(1)
	sh.arena.drop(chunk)
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
