//go:build !race

// The race detector makes things escape that do not otherwise.

package cachestore_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/cachestore"
	"github.com/seed-077cad0b/auth/store/memstore"
)

func TestHitsDoNotAllocate(t *testing.T) {
	m := memstore.New()
	c, err := cachestore.New(m, &cachestore.Options{MaxLag: time.Minute})
	require.NoError(t, err)
	defer c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d, names, records := numbered(1), []auth.Digest{numbered(2), numbered(3)}, make([]auth.Record, 2)
	require.NoError(t, m.Insert(ctx, d, session(1)))
	require.NoError(t, m.Insert(ctx, names[0], mark()))
	for name, f := range map[string]func(){
		"a record": func() { _, _ = c.Lookup(ctx, d) },
		"marks":    func() { _ = c.LookupAll(ctx, auth.KindMark, names, records) },
	} {
		f()
		loads := c.Stats().Loads
		require.Zero(t, testing.AllocsPerRun(1000, f), name)
		require.Equal(t, loads, c.Stats().Loads, name)
	}
}

// A cache takes what the options say, however much passes through it.
func TestBytesPerEntry(t *testing.T) {
	const size = 1 << 14
	m, ctx := memstore.New(), t.Context()
	digests := make([]auth.Digest, 2*size)
	for i := range digests {
		digests[i] = numbered(i)
		require.NoError(t, m.Insert(ctx, digests[i], session(i)))
	}
	names := make([]auth.Digest, 8*size)
	for i := range names {
		names[i] = numbered(-i)
	}
	records := make([]auth.Record, 4)

	before := heap()
	c, err := cachestore.New(m, &cachestore.Options{Size: size})
	require.NoError(t, err)
	defer c.Close()
	for range 2 {
		for _, d := range digests {
			require.NoError(t, second(c.Lookup(ctx, d)))
		}
	}
	full := heap()
	require.LessOrEqual(t, c.Stats().Records, size)
	require.Greater(t, c.Stats().Records, size*9/10)
	const empty = 16 * 4 * size // the places of the names

	for i := 0; i < len(names); i += 4 {
		require.NoError(t, c.LookupAll(ctx, auth.KindMark, names[i:i+4], records))
	}
	require.LessOrEqual(t, c.Stats().Marks, 4*size)
	require.Greater(t, c.Stats().Marks, 4*size*8/10)
	held, all := full-before-empty, heap()-full+empty
	t.Logf("%d bytes per record, %d per name", held/size, all/(4*size))
	require.Less(t, held, uint64(320*size))
	require.Less(t, all, uint64(100*4*size))
	runtime.KeepAlive(c)
	runtime.KeepAlive(m)
	runtime.KeepAlive(digests)
	runtime.KeepAlive(names)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
