//go:build race

package memstore_test

// many is smaller here, as the race detector slows writes down thirtyfold.
const many = 30_000
