package auth

import "time"

// ChargeHash charges 1 to whoever has that hash, and reports whether that is
// admitted.
func (l *MemoryLimiter) ChargeHash(hash uint64) bool {
	var q Quota
	l.charge(&q, hash, 1, l.rate)
	return q.Allowed
}

// OwedAt charges 1 to the hash 0, by somebody whose clock tells now, and returns
// what is owed then.
func (l *MemoryLimiter) OwedAt(now time.Duration) time.Duration {
	interval := l.rate.interval()
	owed, _, _ := l.accounts.charge(0, 1, interval, interval*time.Duration(l.rate.burst()), now)
	return owed
}
