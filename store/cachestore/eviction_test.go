package cachestore_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/cachestore"
)

// Some sessions are in use. Ten thousand others are looked up once each, by
// somebody who has them, and as many that do not exist: next to all that are in
// use stay.
func TestAFloodDisplacesLittle(t *testing.T) {
	const used, size, flood = 100, 1024, 10_000
	b := newBackend()
	c, err := cachestore.New(b, &cachestore.Options{Size: size, MaxLag: time.Minute, MaxAge: time.Hour, Watcher: b.wire})
	require.NoError(t, err)
	defer c.Close()
	ctx := t.Context()
	for i := range used + flood {
		require.NoError(t, b.Store.Insert(ctx, numbered(i), session(i)))
	}
	use := func() {
		for i := range used {
			require.NoError(t, second(c.Lookup(ctx, numbered(i))))
		}
	}
	use()
	use()
	b.asked()
	for i := range flood {
		require.NoError(t, second(c.Lookup(ctx, numbered(used+i))))
		_, _ = c.Lookup(ctx, numbered(-i))
	}
	b.asked()
	use()
	require.Less(t, b.asked(), used/20)
	require.LessOrEqual(t, c.Stats().Records, size)
}

// A flood of names, which are as many as somebody has tokens, leaves the records
// alone, and the names in use.
func TestAFloodOfNames(t *testing.T) {
	const used, size, flood = 100, 256, 10_000
	b := newBackend()
	c, err := cachestore.New(b, &cachestore.Options{Size: size, MaxLag: time.Minute, MaxAge: time.Hour, Watcher: b.wire})
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, b.Insert(t.Context(), numbered(0), session(0)))
	require.NoError(t, second(c.Lookup(t.Context(), numbered(0))))
	records := make([]auth.Record, 4)
	look := func(i int) {
		names := []auth.Digest{numbered(i), numbered(i + 1), numbered(i + 2), numbered(i + 3)}
		require.NoError(t, c.LookupAll(t.Context(), auth.KindMark, names, records))
	}
	for range 2 {
		for i := 0; i < used; i += 4 {
			look(i)
		}
	}
	for i := used; i < flood; i += 4 {
		look(i)
	}
	require.LessOrEqual(t, c.Stats().Marks, 4*size)
	b.asked()
	require.NoError(t, second(c.Lookup(t.Context(), numbered(0))))
	require.Zero(t, b.asked())
	for i := 0; i < used; i += 4 {
		look(i)
	}
	require.Less(t, b.asked(), used/4/5)
}

// What was in use once makes room for what is in use now.
func TestUseOfOldIsForgotten(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		const size = 64
		b := newBackend()
		c, err := cachestore.New(b, &cachestore.Options{Size: size})
		require.NoError(t, err)
		defer c.Close()
		for i := range 2 * size {
			require.NoError(t, b.Insert(t.Context(), numbered(i), session(i)))
		}
		for first := range 2 {
			for range 20 {
				for i := range size / 2 {
					require.NoError(t, second(c.Lookup(t.Context(), numbered(first*size+i))))
					require.NoError(t, second(c.Lookup(t.Context(), numbered(first*size+i))))
				}
			}
		}
		b.asked()
		for i := range size / 2 {
			require.NoError(t, second(c.Lookup(t.Context(), numbered(size+i))))
		}
		require.LessOrEqual(t, b.asked(), size/8)
	})
}

// Answers that no longer serve are the first to make room.
func TestWhatServesStays(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		b := newBackend()
		c, err := cachestore.New(b, &cachestore.Options{Size: 8, MaxLag: lag})
		require.NoError(t, err)
		defer c.Close()
		for i := range 12 {
			require.NoError(t, b.Insert(t.Context(), numbered(i), session(i)))
		}
		look := func(from, to int) {
			for i := from; i < to; i++ {
				require.NoError(t, second(c.Lookup(t.Context(), numbered(i))))
			}
		}
		look(0, 4)
		look(0, 4)
		authtest.Advance(lag/2 + 1)
		look(4, 8) // not asked for again, as the first four were
		authtest.Advance(lag / 2)
		look(8, 12)
		require.Equal(t, 12, b.asked())
		look(4, 12)
		require.Zero(t, b.asked())
	})
}
