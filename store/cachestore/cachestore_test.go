package cachestore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/cachestore"
	"github.com/seed-077cad0b/auth/store/memstore"
)

func TestOptionsAreJudgedAllAtOnce(t *testing.T) {
	for _, o := range []*cachestore.Options{
		nil,
		{},
		{Size: 1, MaxLag: time.Nanosecond, MaxAge: time.Nanosecond},
		{Size: 1 << 20, MaxLag: time.Minute, MaxAge: time.Hour},
	} {
		c, err := cachestore.New(memstore.New(), o)
		require.NoError(t, err)
		c.Close()
		c.Close()
	}
	_, err := cachestore.New(nil, &cachestore.Options{Size: -1, MaxLag: -1, MaxAge: -2})
	for _, wrong := range []string{"no store", "Size of -1", "MaxLag of -1ns", "MaxAge of -2ns"} {
		require.ErrorContains(t, err, wrong)
	}
	for _, o := range []cachestore.Options{
		{Size: 1<<24 + 1},
		{MaxLag: time.Minute + 1},
		{MaxAge: time.Hour + 1},
		{MaxLag: 2 * time.Second, MaxAge: time.Second},
	} {
		require.Error(t, second(cachestore.New(memstore.New(), &o)), "%+v", o)
	}
}

func TestWhatIsRememberedCostsNoLookup(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		b := newBackend()
		c := newCache(t, b, nil)
		r := session(1)
		require.NoError(t, c.Insert(t.Context(), numbered(1), r))
		for range 3 {
			requirePresent(t, c, numbered(1), r)
		}
		require.Equal(t, 1, b.asked())
		for range 3 {
			requireAbsent(t, c, numbered(2))
		}
		require.Equal(t, 3, b.asked(), "strangers leave nothing")
		require.Equal(t, 1, c.Stats().Records)
		require.NoError(t, second(c.Take(t.Context(), numbered(1))))
		require.Zero(t, c.Stats().Records)
	})
}

// A record need not have anything in it.
func TestARecordWithoutAKind(t *testing.T) {
	b := newBackend()
	c := newCache(t, b, nil)
	r := auth.Record{Revision: 7}
	require.NoError(t, b.Insert(t.Context(), numbered(1), r))
	for range 2 {
		got, err := c.Lookup(t.Context(), numbered(1))
		require.NoError(t, err)
		require.EqualValues(t, 7, got.Revision)
	}
}

func TestOfMarksAbsenceIsRememberedToo(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		b := newBackend()
		c := newCache(t, b, nil)
		one, other := mark(), session(2)
		require.NoError(t, b.Insert(t.Context(), numbered(1), one))
		require.NoError(t, b.Insert(t.Context(), numbered(2), other))
		for range 3 {
			got := marks(t, c, numbered(0), numbered(1), numbered(2), numbered(1))
			require.Equal(t, []auth.Record{{}, one, {}, one}, got)
		}
		require.Equal(t, 1, b.asked(), "one round trip for all, and none again")
		require.Equal(t, []auth.Record{{}, {}, one}, marks(t, c, numbered(3), numbered(0), numbered(1)))
		require.Equal(t, 1, b.asked(), "for the new one")
		require.NoError(t, c.Insert(t.Context(), numbered(0), one))
		require.Equal(t, []auth.Record{one}, marks(t, c, numbered(0)))

		records := []auth.Record{one}
		require.NoError(t, c.LookupAll(t.Context(), auth.KindSession, []auth.Digest{numbered(1)}, records))
		require.Equal(t, []auth.Record{{}}, records, "a record of another kind counts as absent")
		requirePresent(t, c, numbered(1), one)
	})
}

// A store that is no Batcher is asked one by one.
func TestMarksOfAStoreThatIsNoBatcher(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		b := newBackend()
		c := newCache(t, struct{ auth.Store }{b}, nil)
		one := mark()
		require.NoError(t, b.Insert(t.Context(), numbered(1), one))
		require.NoError(t, b.Insert(t.Context(), numbered(2), session(2)))
		for range 2 {
			require.Equal(t, []auth.Record{{}, one, {}}, marks(t, c, numbered(0), numbered(1), numbered(2)))
		}
		require.Equal(t, 3, b.asked())
		b.before = func(context.Context, string) error { return errDown }
		require.ErrorIs(t, c.LookupAll(t.Context(), auth.KindMark, []auth.Digest{numbered(5)}, make([]auth.Record, 1)), errDown)
	})
}

var errDown = errors.New("the backend is down")

// Whatever a write answers, what it may have changed is forgotten.
func TestOwnWritesAreSeenAtOnce(t *testing.T) {
	d, absent := numbered(1), auth.Record{}
	old := session(1)
	replaced := next(old)
	later := old
	later.Seen = old.Seen.Add(time.Minute)
	for _, c := range []struct {
		name   string
		remote bool // another process has changed the record before
		lost   bool // the answer is lost on the way
		write  func(ctx context.Context, c *cachestore.Store) error
		err    error
		want   auth.Record
	}{
		{"Replace", false, false, func(ctx context.Context, c *cachestore.Store) error { return c.Replace(ctx, d, replaced) }, nil, replaced},
		{"Replace, lost", false, true, func(ctx context.Context, c *cachestore.Store) error { return c.Replace(ctx, d, replaced) }, errDown, replaced},
		{"Replace of what has changed", true, false, func(ctx context.Context, c *cachestore.Store) error { return c.Replace(ctx, d, replaced) }, auth.ErrConflict, next(replaced)},
		{"Insert of what is there", true, false, func(ctx context.Context, c *cachestore.Store) error { return c.Insert(ctx, d, old) }, auth.ErrExists, next(replaced)},
		{"Take", false, false, func(ctx context.Context, c *cachestore.Store) error { return second(c.Take(ctx, d)) }, nil, absent},
		{"Take, lost", false, true, func(ctx context.Context, c *cachestore.Store) error { return second(c.Take(ctx, d)) }, errDown, absent},
		{"Touch", false, false, func(ctx context.Context, c *cachestore.Store) error { return touch(ctx, c, d, later.Seen) }, nil, later},
		{"Touch, backwards", false, false, func(ctx context.Context, c *cachestore.Store) error {
			return touch(ctx, c, d, old.Seen.Add(-time.Minute))
		}, nil, old},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBackend()
			cache := newCache(t, b, nil)
			require.NoError(t, b.Insert(t.Context(), d, old))
			requirePresent(t, cache, d, old)
			marks(t, cache, d)
			if c.remote {
				require.NoError(t, b.Replace(t.Context(), d, replaced))
				require.NoError(t, b.Replace(t.Context(), d, next(replaced)))
				requirePresent(t, cache, d, old)
			}
			if c.lost {
				b.after = func(context.Context, string) error { return errDown }
			}
			require.ErrorIs(t, c.write(t.Context(), cache), c.err)
			b.after = nil
			if c.want.Kind == "" {
				requireAbsent(t, cache, d)
				return
			}
			requirePresent(t, cache, d, c.want)
		})
	}
}

func touch(ctx context.Context, s auth.Store, d auth.Digest, seen time.Time) error {
	t, _ := auth.StoreAbility[auth.Toucher](s)
	return t.Touch(ctx, map[auth.Digest]time.Time{d: seen})
}

// A touch costs the next request no look-up, also where it fails, and a look-up
// that is under way meanwhile does not undo it.
func TestTouchesKeepWhatIsRemembered(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		b := newBackend()
		c := newCache(t, b, nil)
		r := session(1)
		require.NoError(t, b.Insert(t.Context(), numbered(1), r))
		requirePresent(t, c, numbered(1), r)
		r.Seen = r.Seen.Add(time.Minute)
		require.NoError(t, touch(t.Context(), c, numbered(1), r.Seen))
		require.NoError(t, touch(t.Context(), c, numbered(2), r.Seen))
		requirePresent(t, c, numbered(1), r)
		b.before = func(context.Context, string) error { return errDown }
		require.ErrorIs(t, touch(t.Context(), c, numbered(1), r.Seen.Add(time.Hour)), errDown)
		requirePresent(t, c, numbered(1), r)
		require.Equal(t, 1, b.asked())
		authtest.Advance(lag + 1)
		require.ErrorIs(t, second(c.Lookup(t.Context(), numbered(1))), errDown, "a touch makes nothing younger")

		b.before, b.after = nil, func(ctx context.Context, op string) error {
			if op == "Lookup" {
				return after(ctx, time.Millisecond)
			}
			return nil
		}
		go func() { _, _ = c.Lookup(t.Context(), numbered(1)) }()
		authtest.Advance(time.Microsecond)
		r.Seen = r.Seen.Add(time.Minute)
		require.NoError(t, touch(t.Context(), c, numbered(1), r.Seen))
		authtest.Advance(2 * time.Millisecond)
		requirePresent(t, c, numbered(1), r)
	})
}

// What is beyond its KeepUntil is absent on the dot, remembered or not.
func TestARecordLeavesInTime(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		b := newBackend()
		c := newCache(t, b, nil)
		r, m := session(1), mark()
		r.KeepUntil = r.Created.Add(lag / 2)
		m.KeepUntil = r.KeepUntil
		require.NoError(t, b.Insert(t.Context(), numbered(1), r))
		require.NoError(t, b.Insert(t.Context(), numbered(2), m))
		requirePresent(t, c, numbered(1), r)
		require.Equal(t, []auth.Record{m}, marks(t, c, numbered(2)))
		authtest.Advance(lag/2 - time.Microsecond)
		requirePresent(t, c, numbered(1), r)
		require.Equal(t, []auth.Record{m}, marks(t, c, numbered(2)))
		require.Equal(t, 2, b.asked())
		authtest.Advance(time.Microsecond)
		requireAbsent(t, c, numbered(1))
		require.Equal(t, []auth.Record{{}}, marks(t, c, numbered(2)))
	})
}

// While the backend is down, what is remembered serves within the bound, and all
// else is an outage.
func TestAnOutage(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		b := newBackend()
		c := newCache(t, b, b.wire)
		r := session(1)
		require.NoError(t, c.Insert(t.Context(), numbered(1), r))
		authtest.Advance(beat)
		requirePresent(t, c, numbered(1), r)
		b.before = func(context.Context, string) error { return errDown }
		b.wire.set(false, true)
		authtest.Advance(lag)
		requirePresent(t, c, numbered(1), r)
		require.ErrorIs(t, second(c.Lookup(t.Context(), numbered(2))), errDown)
		require.ErrorIs(t, c.LookupAll(t.Context(), auth.KindMark, []auth.Digest{numbered(1)}, make([]auth.Record, 1)), errDown)
		authtest.Advance(time.Millisecond)
		require.ErrorIs(t, second(c.Lookup(t.Context(), numbered(1))), errDown)
		b.before = nil
		requirePresent(t, c, numbered(1), r)
	})
}

func TestAbilitiesAreThoseOfTheStore(t *testing.T) {
	plain := newCache(t, struct{ auth.Store }{memstore.New()}, nil)
	_, ok := auth.StoreAbility[auth.Toucher](plain)
	require.False(t, ok)
	_, ok = auth.StoreAbility[auth.Lister](plain)
	require.False(t, ok)
	full := newCache(t, newBackend(), nil)
	_, ok = auth.StoreAbility[auth.Toucher](full)
	require.True(t, ok)
	_, ok = auth.StoreAbility[auth.Lister](full)
	require.True(t, ok)
	_, ok = auth.StoreAbility[auth.Sweeper](full)
	require.True(t, ok)
}

func TestADoneContextGetsItsError(t *testing.T) {
	c := newCache(t, newBackend(), nil)
	require.NoError(t, c.Insert(t.Context(), numbered(1), session(1)))
	require.NoError(t, second(c.Lookup(t.Context(), numbered(1))))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, second(c.Lookup(ctx, numbered(1))), context.Canceled)
	require.ErrorIs(t, c.LookupAll(ctx, auth.KindMark, nil, nil), context.Canceled)
}
