package auth

// Remembered returns under which texts good and refused tokens are remembered.
func (i *Introspection) Remembered() (good, refused []string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if table := i.good.table.Load(); table != nil {
		for s := range *table {
			for w := range (*table)[s].slots {
				if t := (*table)[s].slots[w].Load(); t != nil {
					good = append(good, t.text)
				}
			}
		}
	}
	for _, part := range []map[Digest]*question{i.refused.young, i.refused.older} {
		for d, q := range part {
			refused = append(refused, string(d[:])+q.name.text)
		}
	}
	return good, refused
}
