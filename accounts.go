package auth

import (
	"math/bits"
	"slices"
	"sync"
	"time"
)

// accounts are the accounts of a MemoryLimiter: an open hash table in shards,
// each of which grows on its own. An account that is paid up is as good as none
// and makes room for others, so nothing needs to be swept.
type accounts struct {
	shards []shard
}

// An account is all that is kept for a key, so that tables hold no pointers.
type account struct {
	hash uint64
	paid time.Duration // when its debt is paid, since the limiter's start; zero: a free slot
}

type shard struct {
	mu    sync.Mutex
	slots []account
	used  int // slots that are not free
	most  int // slots there may be
	_     [16]byte
}

const (
	maxShards = 256
	minSlots  = 8
)

// full is how many of n slots may be used, for the sake of short searches.
func full(n int) int { return n - n/8 }

func newAccounts(maxKeys int) accounts {
	n := 1
	for n < maxShards && maxKeys/n > 2048 {
		n *= 2
	}
	// Keys spread unevenly, so each shard has room for more than its share.
	most := max(minSlots, maxKeys/n+maxKeys/n*2/5)
	t := accounts{make([]shard, n)}
	for i := range t.shards {
		t.shards[i].most = most
	}
	return t
}

func (t *accounts) shard(hash uint64) *shard {
	return &t.shards[hash&uint64(len(t.shards)-1)]
}

// find returns the account of a hash, or nil.
func (s *shard) find(hash uint64) *account {
	if len(s.slots) == 0 {
		return nil
	}
	for i := s.first(hash); ; i = s.next(i) {
		switch a := &s.slots[i]; {
		case a.paid == 0:
			return nil
		case a.hash == hash:
			return a
		}
	}
}

// open returns an account for a hash that has none.
func (s *shard) open(hash uint64, now time.Duration) *account {
	if s.used >= full(len(s.slots)) {
		s.rebuild(now)
	}
	for i := s.first(hash); ; i = s.next(i) {
		a := &s.slots[i]
		if a.paid > now {
			continue
		}
		if a.paid == 0 {
			s.used++
		}
		a.hash = hash
		return a
	}
}

// first is where a search for a hash begins. It uses other bits than the choice
// of the shard.
func (s *shard) first(hash uint64) int {
	i, _ := bits.Mul64(hash, uint64(len(s.slots)))
	return int(i)
}

func (s *shard) next(i int) int {
	if i++; i == len(s.slots) {
		return 0
	}
	return i
}

// rebuild drops what is paid up and takes as much room as the rest needs. Where
// that is more than there may be, those with the least debt go too: they lose
// the least by being forgotten, and whoever is at the limit stays.
func (s *shard) rebuild(now time.Duration) {
	live := slices.DeleteFunc(slices.Clone(s.slots), func(a account) bool { return a.paid <= now })
	size := min(minSlots, s.most)
	for size < s.most && len(live) > full(size)/2 {
		size = min(2*size, s.most)
	}
	if most := full(size) * 3 / 4; len(live) > most {
		slices.SortFunc(live, func(a, b account) int { return int(b.paid - a.paid) })
		live = live[:most]
	}
	s.slots, s.used = make([]account, size), len(live)
	for _, a := range live {
		i := s.first(a.hash)
		for s.slots[i].paid != 0 {
			i = s.next(i)
		}
		s.slots[i] = a
	}
}
