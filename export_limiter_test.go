package auth

// ChargeHash charges 1 to whoever has that hash, and reports whether that is
// admitted.
func (l *MemoryLimiter) ChargeHash(hash uint64) bool {
	var q Quota
	l.charge(&q, hash, 1, l.rate)
	return q.Allowed
}
