//go:build !race

package memstore_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/store/memstore"
)

// A record that goes into a store with room for it costs a collector little, and so
// does one that comes out, whose principal is made anew.
func TestWritesHardlyAllocate(t *testing.T) {
	s, ctx, r, i := memstore.New(), t.Context(), record(), 0
	var err error
	write := func() {
		i++
		err = errors.Join(err, s.Insert(ctx, numbered(i), r), second(s.Take(ctx, numbered(i))))
	}
	for range 10_000 {
		write()
	}
	require.LessOrEqual(t, testing.AllocsPerRun(10_000, write), 8.0)
	require.NoError(t, err)
}
