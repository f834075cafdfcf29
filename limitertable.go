package auth

import (
	"math"
	"math/bits"
	"sync"
	"time"
)

// accounts are the accounts of a MemoryLimiter: an open hash table in shards,
// each of which grows and shrinks on its own. An account that is paid up is as
// good as none, so nothing needs to be swept.
type accounts []shard

// An account is all that is kept for a key, so that tables hold no pointers.
type account struct {
	hash uint64
	paid time.Duration // when its debt is paid, since the limiter's start; zero in a free slot
}

type shard struct {
	mu    sync.Mutex
	slots []account
	most  int           // slots there may be
	room  int           // accounts that may be opened before the next rebuild
	now   time.Duration // the latest that anybody came with
	_     [8]byte
}

const (
	// shardKeys is for how many a shard has room at most. A rebuild of one holds
	// its lock, for a tenth of a millisecond at worst.
	shardKeys = 4096

	minSlots = 8

	// reach is how far from its first slot an account may be. At half the
	// slots, which is what MaxKeys fill, none needs as much.
	reach = 128
)

func newAccounts(maxKeys int) accounts {
	n := 1
	for maxKeys > n*shardKeys {
		n *= 2
	}
	t := make(accounts, n)
	for i := range t {
		t[i].most = 2 * maxKeys / n
	}
	return t
}

// charge charges cost to the account of a hash, each unit of it an interval,
// unless more than burst would be owed. It returns what is owed then, and how
// long to wait until the cost is admitted.
func (t accounts) charge(hash uint64, cost int, interval, burst, now time.Duration) (debt, wait time.Duration, ok bool) {
	s := &t[hash&uint64(len(t)-1)]
	s.mu.Lock()
	debt, wait, ok = s.charge(hash, cost, interval, burst, now)
	s.mu.Unlock()
	return debt, wait, ok
}

// charge is that of accounts, under the lock.
//
// An account is a time: when its debt is paid. Each unit moves it on by the
// interval, and it may be ahead of the clock, which is never zero, by as much as a
// burst.
func (s *shard) charge(hash uint64, cost int, interval, burst, now time.Duration) (debt, wait time.Duration, ok bool) {
	// Who looked at the clock first may come second, and owes no more for that.
	now = max(now, s.now)
	s.now = now
	a, known := s.search(hash)
	if known {
		debt = max(0, a.paid-now)
	}
	if debt > burst { // at another rate
		debt = burst
		if cost != 0 {
			a.paid = now + debt
		}
	}
	if cost < 0 {
		// Not below nothing: what has come back by itself is not given back.
		debt = max(0, debt-units(-cost, interval))
		if known {
			a.paid = now + debt
		}
		return debt, 0, true
	}
	charged := debt + units(max(cost, 1), interval)
	if charged > burst {
		return debt, min(debt, charged-burst), false
	}
	if cost == 0 {
		return debt, 0, true
	}
	if !known {
		a = s.open(hash, now, a)
	}
	a.paid = now + charged
	return charged, 0, true
}

// units is how long n units take to come back, or long enough: debts are far
// less, and no sum with one overflows.
func units(n int, interval time.Duration) time.Duration {
	const most = math.MaxInt64 / 4
	if high, low := bits.Mul64(uint64(n), uint64(interval)); high == 0 && low < most {
		return time.Duration(low)
	}
	return most
}

// search returns the account of a hash. Where there is none, it returns the
// slot for one instead: of those in reach a free one, or the one with the least
// debt. That is nil as long as there are no slots.
func (s *shard) search(hash uint64) (a *account, known bool) {
	i := s.first(hash)
	for range min(reach, len(s.slots)) {
		b := &s.slots[i]
		if b.paid == 0 {
			return b, false
		}
		if b.hash == hash {
			return b, true
		}
		if a == nil || b.paid < a.paid {
			a = b
		}
		if i++; i == len(s.slots) {
			i = 0
		}
	}
	return a, false
}

// first is where the search for a hash begins. It goes by other bits than the
// choice of the shard.
func (s *shard) first(hash uint64) int {
	i, _ := bits.Mul64(hash, uint64(len(s.slots)))
	return int(i)
}

// open returns an account for a hash that has none, in the slot a that search
// has found. Where that belongs to somebody and there may be no more slots, they
// are forgotten: nobody in reach loses less by it.
func (s *shard) open(hash uint64, now time.Duration, a *account) *account {
	switch size := len(s.slots); {
	case s.room == 0:
		s.rebuild(now, minSlots)
		a, _ = s.search(hash)
	case a.paid > now && size < s.most:
		s.rebuild(now, 2*size)
		a, _ = s.search(hash)
	}
	s.room--
	a.hash = hash
	return a
}

// rebuild drops what is paid up, and takes the room that the rest needs, which is
// size or more, and may have.
func (s *shard) rebuild(now time.Duration, size int) {
	used, live := 0, 0
	for _, a := range s.slots {
		if a.paid != 0 {
			used++
		}
		if a.paid > now {
			live++
		}
	}
	size = min(size, s.most)
	for size < s.most && live > size/2 {
		size = min(2*size, s.most)
	}
	// What is opened until the next time fills no more than another quarter.
	s.room = max(1, size/4)
	if size == s.most && size == len(s.slots) && used-live < size/8 {
		return // there is little to gain
	}
	old := s.slots
	s.slots = make([]account, size)
	for _, a := range old {
		if a.paid <= now {
			continue
		}
		if b, _ := s.search(a.hash); b.paid < a.paid {
			*b = a
		}
	}
}
