//go:build !race

package memstore

// sealed reports whether entries are sealed, see sealOf.
const (
	sealed    = false
	sealWords = 0
)
