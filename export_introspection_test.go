package auth

// Refused returns how many refused tokens are remembered.
func (i *Introspection) Refused() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.refused.young) + len(i.refused.older)
}
