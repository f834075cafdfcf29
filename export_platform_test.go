package auth

// Parsed returns how many entries are kept parsed.
func (r *PlatformRecords) Parsed() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.parsed)
}
