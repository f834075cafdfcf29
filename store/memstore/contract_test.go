package memstore_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// A sentence of a contract is held by its check, in a bubble of synctest with a
// store of its own.
type sentence struct {
	text  string
	check func(t *testing.T, ctx context.Context, s *memstore.Store)
}

// contract holds one case for each sentence of auth.Store.
var contract = []sentence{
	{"A record comes back as it went in, to the microsecond", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		for i, r := range shapes() {
			d := numbered(i)
			require.NoError(t, s.Insert(ctx, d, r))
			got, err := s.Lookup(ctx, d)
			require.NoError(t, err)
			require.Equal(t, r, got)
			require.Same(t, r.Principal, got.Principal)
			got, err = s.Take(ctx, d)
			require.NoError(t, err)
			require.Equal(t, r, got)

			before := record()
			before.Revision = r.Revision - 1
			before.Seen = time.Time{}
			require.NoError(t, s.Insert(ctx, d, before))
			require.NoError(t, s.Replace(ctx, d, r))
			got, err = s.Lookup(ctx, d)
			require.NoError(t, err)
			require.Equal(t, r, got)
		}
	}},
	{"What is finer than a microsecond is dropped, and times are in UTC", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		r := record()
		at := time.Date(2031, 2, 3, 4, 5, 6, 7008, time.FixedZone("", 3600))
		r.Created = at
		require.NoError(t, s.Insert(ctx, numbered(0), r))
		got, err := s.Lookup(ctx, numbered(0))
		require.NoError(t, err)
		require.Equal(t, at.UTC().Truncate(time.Microsecond), got.Created)
	}},
	{"Lookup returns ErrNotFound where none is present", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		requireAbsent(t, ctx, s, numbered(0))
	}},
	{"Insert returns ErrExists where one is present and leaves that one unchanged", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		first, second := record(), record()
		second.Owner, second.Data = numbered(8), []byte("second")
		require.NoError(t, s.Insert(ctx, numbered(0), first))
		require.ErrorIs(t, s.Insert(ctx, numbered(0), second), auth.ErrExists)
		requirePresent(t, ctx, s, numbered(0), first)
		require.Empty(t, list(t, s, second.Owner, second.Kind))
	}},
	{"Replace changes the record if its Revision is the stored one plus 1", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		r := record()
		require.NoError(t, s.Insert(ctx, numbered(0), r))
		r.Revision++
		r.Disabled, r.Data = true, []byte("new")
		require.NoError(t, s.Replace(ctx, numbered(0), r))
		requirePresent(t, ctx, s, numbered(0), r)
	}},
	{"Replace returns ErrNotFound where none is present", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		require.ErrorIs(t, s.Replace(ctx, numbered(0), record()), auth.ErrNotFound)
		requireAbsent(t, ctx, s, numbered(0))
	}},
	{"Replace returns ErrConflict where the revision differs", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		r := record()
		require.NoError(t, s.Insert(ctx, numbered(0), r))
		for _, revision := range []uint64{0, r.Revision - 1, r.Revision, r.Revision + 2} {
			changed := r
			changed.Revision, changed.Disabled = revision, true
			require.ErrorIs(t, s.Replace(ctx, numbered(0), changed), auth.ErrConflict)
		}
		requirePresent(t, ctx, s, numbered(0), r)
	}},
	{"A stale Replace does not hit a record inserted anew", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		stale, anew := record(), record()
		require.NoError(t, s.Insert(ctx, numbered(0), stale))
		_, err := s.Take(ctx, numbered(0))
		require.NoError(t, err)
		require.NoError(t, s.Insert(ctx, numbered(0), anew))
		stale.Revision++
		require.ErrorIs(t, s.Replace(ctx, numbered(0), stale), auth.ErrConflict)
		requirePresent(t, ctx, s, numbered(0), anew)
	}},
	{"Replace keeps the later of both Seen", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		r := record()
		require.NoError(t, s.Insert(ctx, numbered(0), r))
		later, earlier := r.Seen.Add(time.Minute), r.Seen.Add(-time.Minute)

		r.Revision, r.Seen = r.Revision+1, later
		require.NoError(t, s.Replace(ctx, numbered(0), r))
		requirePresent(t, ctx, s, numbered(0), r)

		for _, seen := range []time.Time{earlier, {}} {
			r.Revision, r.Seen = r.Revision+1, seen
			require.NoError(t, s.Replace(ctx, numbered(0), r))
			r.Seen = later
			requirePresent(t, ctx, s, numbered(0), r)
		}
	}},
	{"Take removes the record and returns it", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		r := record()
		require.NoError(t, s.Insert(ctx, numbered(0), r))
		got, err := s.Take(ctx, numbered(0))
		require.NoError(t, err)
		require.Equal(t, r, got)
		requireAbsent(t, ctx, s, numbered(0))
		require.Zero(t, s.Len())
	}},
	{"Until a record's KeepUntil every method finds it", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		r := record()
		r.KeepUntil = time.Now().Add(time.Hour).UTC()
		require.NoError(t, s.Insert(ctx, numbered(0), r))
		authtest.Advance(time.Hour - time.Microsecond)
		requirePresent(t, ctx, s, numbered(0), r)
		r.Revision++
		require.NoError(t, s.Replace(ctx, numbered(0), r))
		got, err := s.Take(ctx, numbered(0))
		require.NoError(t, err)
		require.Equal(t, r, got)
	}},
	{"From a record's KeepUntil on every method answers as if it were absent", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		r := record()
		r.KeepUntil = time.Now().Add(time.Hour).UTC()
		// One for each method, as some remove what they find to be gone.
		for i := range 5 {
			require.NoError(t, s.Insert(ctx, numbered(i), r))
		}
		authtest.Advance(time.Hour)
		requireAbsent(t, ctx, s, numbered(0))
		require.NoError(t, s.Touch(ctx, map[auth.Digest]time.Time{numbered(1): time.Now()}))
		requireAbsent(t, ctx, s, numbered(1))
		next := r
		next.Revision++
		next.KeepUntil = time.Time{}
		require.ErrorIs(t, s.Replace(ctx, numbered(2), next), auth.ErrNotFound)
		requireAbsent(t, ctx, s, numbered(2))
		_, err := s.Take(ctx, numbered(3))
		require.ErrorIs(t, err, auth.ErrNotFound)
		anew := record()
		require.NoError(t, s.Insert(ctx, numbered(4), anew))
		requirePresent(t, ctx, s, numbered(4), anew)
		require.Equal(t, []auth.Digest{numbered(4)}, list(t, s, r.Owner, r.Kind))
	}},
	{"KeepUntil may be in the past from the start, and moved by Replace", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		r := record()
		r.KeepUntil = time.Now()
		require.NoError(t, s.Insert(ctx, numbered(0), r))
		requireAbsent(t, ctx, s, numbered(0))

		for i, keep := range []time.Duration{time.Minute, 3 * time.Minute, 2 * time.Minute} {
			r := record()
			r.KeepUntil = time.Now().Add(time.Hour)
			require.NoError(t, s.Insert(ctx, numbered(i+1), r))
			r.Revision, r.KeepUntil = r.Revision+1, time.Now().Add(keep)
			require.NoError(t, s.Replace(ctx, numbered(i+1), r))
		}
		authtest.Advance(2 * time.Minute)
		requireAbsent(t, ctx, s, numbered(1))
		requireAbsent(t, ctx, s, numbered(3))
		_, err := s.Lookup(ctx, numbered(2))
		require.NoError(t, err)
	}},
	{"A record with a zero KeepUntil is kept for ever", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		r := record()
		r.KeepUntil = time.Time{}
		require.NoError(t, s.Insert(ctx, numbered(0), r))
		authtest.Advance(100 * 365 * 24 * time.Hour)
		_, err := s.Sweep(ctx, 10)
		require.NoError(t, err)
		requirePresent(t, ctx, s, numbered(0), r)
	}},
	{"Expires is never judged by the store", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		r := record()
		r.Expires, r.KeepUntil = time.Now().Add(-time.Hour).UTC(), time.Time{}
		require.NoError(t, s.Insert(ctx, numbered(0), r))
		requirePresent(t, ctx, s, numbered(0), r)
	}},
	{"Every method honours its context, so that a cancelled look-up differs from an absent record", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		r := record()
		require.NoError(t, s.Insert(ctx, numbered(0), r))
		done, cancel := context.WithCancel(ctx)
		cancel()
		next := r
		next.Revision++
		for name, err := range map[string]error{
			"Lookup":    second(s.Lookup(done, numbered(0))),
			"Insert":    s.Insert(done, numbered(1), r),
			"Replace":   s.Replace(done, numbered(0), next),
			"Take":      second(s.Take(done, numbered(0))),
			"LookupAll": s.LookupAll(done, r.Kind, []auth.Digest{numbered(0)}, make([]auth.Record, 1)),
			"Touch":     s.Touch(done, map[auth.Digest]time.Time{numbered(0): time.Now()}),
			"Sweep":     second(s.Sweep(done, 1)),
		} {
			require.ErrorIs(t, err, context.Canceled, name)
		}
		rounds := 0
		for _, err := range s.List(done, r.Owner, r.Kind) {
			require.ErrorIs(t, err, context.Canceled)
			rounds++
		}
		require.Equal(t, 1, rounds)
		requirePresent(t, ctx, s, numbered(0), r)
		requireAbsent(t, ctx, s, numbered(1))
	}},
}

func TestContract(t *testing.T) {
	for _, c := range slices.Concat(contract, abilities) {
		t.Run(strings.NewReplacer(" ", "_", ",", "").Replace(c.text), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.check(t, t.Context(), memstore.New()) })
		})
	}
}
