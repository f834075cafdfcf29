//go:build race

package memstore

const (
	sealed    = true
	sealWords = 1
)
