package auth

import (
	"crypto/sha256"
	"hash/maphash"
	"math/bits"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A tokenCache remembers tokens whose signatures and claims held. A look-up
// hashes the end of the signature, which nobody can choose without the key, and
// compares the whole token. Only verified tokens get in, so strangers cannot
// fill it, and nothing is remembered of a refusal.
//
// It is a table of sets, each the size of a cache line. There is room for twice
// the size, so that few sets are ever full; one that is loses an expired token
// or else any.
type tokenCache struct {
	seed    maphash.Seed
	digests bool
	sets    int
	table   atomic.Pointer[[]cacheSet] // nil until the first token
	flights [64]flightShard
}

const ways = 7

type cacheSet struct {
	// tags are a byte of the hash of each slot. They only save looking at
	// slots, and may be wrong while a slot changes.
	tags  atomic.Uint64
	slots [ways]atomic.Pointer[verified]
}

func newTokenCache(size int, digests bool) *tokenCache {
	return &tokenCache{
		seed:    maphash.MakeSeed(),
		digests: digests,
		sets:    max(1, 2*size/ways),
	}
}

// A tokenName is by what a token is looked up.
type tokenName struct {
	text    string
	hash    uint64
	digest  [sha256.Size]byte // used instead of text, if digests
	digests bool
}

func (c *tokenCache) name(token string) tokenName {
	n := tokenName{text: token, hash: maphash.String(c.seed, token[max(0, len(token)-32):]), digests: c.digests}
	if c.digests {
		b := buffers.Get().(*buffer)
		b.bytes = append(b.bytes[:0], token...)
		n.digest = sha256.Sum256(b.bytes)
		clear(b.bytes)
		buffers.Put(b)
	}
	return n
}

// is reports whether the name is that of t.
func (n *tokenName) is(t *verified) bool {
	if n.digests {
		return t.text == string(n.digest[:])
	}
	return t.text == n.text
}

// keep returns what the cache stores. A token is copied, as it may be part of
// something larger that would stay in memory with it.
func (n *tokenName) keep() string {
	if n.digests {
		return string(n.digest[:])
	}
	return strings.Clone(n.text)
}

func (c *tokenCache) set(hash uint64) *cacheSet {
	table := c.table.Load()
	if table == nil {
		return nil
	}
	i, _ := bits.Mul64(hash, uint64(len(*table)))
	return &(*table)[i]
}

// tagOf uses other bits of the hash than set does. Zero is for empty slots.
func tagOf(hash uint64) uint64 { return max(1, hash&0xff) }

// get returns the token of that name, or nil.
func (c *tokenCache) get(n tokenName) *verified {
	s := c.set(n.hash)
	if s == nil {
		return nil
	}
	tags, tag := s.tags.Load(), tagOf(n.hash)
	for i := range ways {
		if tags>>(8*i)&0xff != tag {
			continue
		}
		if t := s.slots[i].Load(); t != nil && t.hash == n.hash && n.is(t) {
			return t
		}
	}
	return nil
}

// put adds a token.
func (c *tokenCache) put(t *verified) {
	if c.table.Load() == nil {
		table := make([]cacheSet, c.sets)
		c.table.CompareAndSwap(nil, &table)
	}
	s := c.set(t.hash)
	i := s.victim()
	s.slots[i].Store(t)
	for {
		old := s.tags.Load()
		tags := old&^(0xff<<(8*i)) | tagOf(t.hash)<<(8*i)
		if s.tags.CompareAndSwap(old, tags) {
			return
		}
	}
}

// victim returns the slot to be written: an empty one, an expired one, any.
func (s *cacheSet) victim() int {
	at, expired := time.Now().UnixMicro(), -1
	for i := range ways {
		switch t := s.slots[i].Load(); {
		case t == nil:
			return i
		case at >= t.until:
			expired = i
		}
	}
	if expired >= 0 {
		return expired
	}
	return rand.IntN(ways)
}

// remove removes t, if it is still there.
func (c *tokenCache) remove(t *verified) {
	s := c.set(t.hash)
	for i := range ways {
		s.slots[i].CompareAndSwap(t, nil)
	}
}

// A flight is a check under way, so that a burst of one new token checks its
// signature once.
type flight struct {
	hash uint64
	text string
	key  *Key
	done chan struct{} // nil as long as nobody waits; guarded by the shard

	// The outcome, set before done is closed. Neither is set by a leader that
	// panicked.
	token *verified
	err   error
}

type flightShard struct {
	mu     sync.Mutex
	flying []*flight
	_      [32]byte // to the end of the cache line
}

var flights = sync.Pool{New: func() any { return &flight{} }}

// join returns the flight that checks a token with a key. Who leads it calls
// land; others wait until it is done.
func (c *tokenCache) join(n tokenName, k *Key) (f *flight, leads bool) {
	s := &c.flights[n.hash%uint64(len(c.flights))]
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.flying {
		if f.hash == n.hash && f.key == k && f.text == n.text {
			if f.done == nil {
				f.done = make(chan struct{})
			}
			return f, false
		}
	}
	f = flights.Get().(*flight)
	*f = flight{hash: n.hash, text: n.text, key: k}
	s.flying = append(s.flying, f)
	return f, true
}

// land ends a flight.
func (c *tokenCache) land(f *flight) {
	s := &c.flights[f.hash%uint64(len(c.flights))]
	s.mu.Lock()
	last := len(s.flying) - 1
	for i, other := range s.flying {
		if other == f {
			s.flying[i], s.flying[last] = s.flying[last], nil
			s.flying = s.flying[:last]
			break
		}
	}
	done := f.done
	s.mu.Unlock()
	if done != nil {
		close(done)
		return
	}
	*f = flight{}
	flights.Put(f) // nobody else has it
}
