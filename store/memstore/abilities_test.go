package memstore_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// abilities holds one case for each sentence of auth.Lister, auth.Batcher,
// auth.Toucher and auth.Sweeper.
var abilities = []sentence{
	{"List lists the records of a kind by owner", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		want := map[auth.Kind][]auth.Digest{}
		for i := range 40 {
			r := record()
			if i%2 == 0 {
				r.Owner = numbered(1000)
			}
			if i%4 < 2 {
				r.Kind = auth.KindAPIKey
			}
			if i%2 == 0 {
				want[r.Kind] = append(want[r.Kind], numbered(i))
			}
			require.NoError(t, s.Insert(ctx, numbered(i), r))
		}
		for kind, digests := range want {
			require.ElementsMatch(t, digests, list(t, s, numbered(1000), kind))
		}
		require.Empty(t, list(t, s, numbered(1000), auth.KindJWT))
		require.Empty(t, list(t, s, numbered(2000), auth.KindSession))
	}},
	{"A record without an owner is not listed", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		r := record()
		r.Owner = auth.Digest{}
		require.NoError(t, s.Insert(ctx, numbered(0), r))
		require.Empty(t, list(t, s, auth.Digest{}, r.Kind))
	}},
	{"List follows what is taken, and what changes owner or kind", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		a, b := numbered(1000), numbered(2000)
		for i := range 5 {
			r := record()
			r.Owner = a
			require.NoError(t, s.Insert(ctx, numbered(i), r))
		}
		take := func(i int) { require.NoError(t, second(s.Take(ctx, numbered(i)))) }
		change := func(i int, owner auth.Digest, k auth.Kind) {
			r, err := s.Lookup(ctx, numbered(i))
			require.NoError(t, err)
			r.Revision, r.Owner, r.Kind = r.Revision+1, owner, k
			require.NoError(t, s.Replace(ctx, numbered(i), r))
		}
		take(2) // from the middle of the list, its end and its beginning
		take(0)
		take(4)
		require.ElementsMatch(t, []auth.Digest{numbered(1), numbered(3)}, list(t, s, a, auth.KindSession))
		change(1, b, auth.KindSession)
		change(3, a, auth.KindAPIKey)
		require.Empty(t, list(t, s, a, auth.KindSession))
		require.Equal(t, []auth.Digest{numbered(3)}, list(t, s, a, auth.KindAPIKey))
		require.Equal(t, []auth.Digest{numbered(1)}, list(t, s, b, auth.KindSession))
		change(1, auth.Digest{}, auth.KindSession)
		take(3)
		require.Empty(t, list(t, s, a, auth.KindAPIKey))
		require.Empty(t, list(t, s, b, auth.KindSession))
	}},
	{"List stops when the loop breaks", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		for i := range 5 {
			require.NoError(t, s.Insert(ctx, numbered(i), record()))
		}
		rounds := 0
		for range s.List(ctx, record().Owner, record().Kind) {
			if rounds++; rounds == 2 {
				break
			}
		}
		require.Equal(t, 2, rounds)
	}},
	{"The loop over a List may change the store, and does not see what it has taken", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		for i := range 6 {
			require.NoError(t, s.Insert(ctx, numbered(i), record()))
		}
		rounds := 0
		for e, err := range s.List(ctx, record().Owner, record().Kind) {
			require.NoError(t, err)
			for i := range 6 {
				if d := numbered(i); d != e.Digest {
					_, _ = s.Take(ctx, d)
				}
			}
			rounds++
		}
		require.Equal(t, 1, rounds)
	}},
	{"A List ends after the first error", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		for i := range 5 {
			require.NoError(t, s.Insert(ctx, numbered(i), record()))
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var errs []error
		for _, err := range s.List(ctx, record().Owner, record().Kind) {
			errs = append(errs, err)
			cancel()
		}
		require.Len(t, errs, 2)
		require.NoError(t, errs[0])
		require.ErrorIs(t, errs[1], context.Canceled)
	}},
	{"LookupAll fills in the records of one kind, and the zero Record where none is present", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		mark, other, gone := record(), record(), record()
		mark.Kind, gone.Kind = auth.KindMark, auth.KindMark
		gone.KeepUntil = time.Now().Add(time.Second)
		require.NoError(t, s.Insert(ctx, numbered(1), mark))
		require.NoError(t, s.Insert(ctx, numbered(2), other))
		require.NoError(t, s.Insert(ctx, numbered(3), gone))
		authtest.Advance(time.Second)
		records := slices.Repeat([]auth.Record{record()}, 5)
		untouched := records[4]
		require.NoError(t, s.LookupAll(ctx, auth.KindMark, []auth.Digest{numbered(0), numbered(1), numbered(2), numbered(3)}, records))
		require.Equal(t, []auth.Record{{}, mark, {}, {}, untouched}, records)
	}},
	{"LookupAll of a kind that the store does not hold finds nothing", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		records := []auth.Record{record()}
		require.NoError(t, s.LookupAll(ctx, auth.KindMark, []auth.Digest{numbered(0)}, records))
		require.Equal(t, []auth.Record{{}}, records)
		require.NoError(t, s.Insert(ctx, numbered(0), record()))
		require.NoError(t, s.LookupAll(ctx, auth.KindMark, []auth.Digest{numbered(0)}, records))
		require.Equal(t, []auth.Record{{}}, records)
		require.NoError(t, s.LookupAll(ctx, auth.KindMark, nil, nil))
	}},
	{"Touch moves Seen forward, never back, and leaves the Revision alone", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		r := record()
		require.NoError(t, s.Insert(ctx, numbered(0), r))
		later := r.Seen.Add(time.Minute)
		for _, seen := range []time.Time{later, r.Seen, {}} {
			require.NoError(t, s.Touch(ctx, map[auth.Digest]time.Time{numbered(0): seen}))
			want := r
			want.Seen = later
			requirePresent(t, ctx, s, numbered(0), want)
		}
	}},
	{"Touch brings no absent record back", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		require.NoError(t, s.Insert(ctx, numbered(0), record()))
		require.NoError(t, second(s.Take(ctx, numbered(0))))
		require.NoError(t, s.Touch(ctx, map[auth.Digest]time.Time{numbered(0): time.Now(), numbered(1): time.Now()}))
		requireAbsent(t, ctx, s, numbered(0))
		requireAbsent(t, ctx, s, numbered(1))
		require.Zero(t, s.Len())
	}},
	{"Sweep removes at most limit records, and only such as are past their KeepUntil", func(t *testing.T, ctx context.Context, s *memstore.Store) {
		living := record()
		living.KeepUntil = time.Now().Add(time.Hour).UTC()
		for i := range 100 {
			r := living
			if i >= 10 {
				r.KeepUntil = time.Now().Add(time.Minute)
			}
			require.NoError(t, s.Insert(ctx, numbered(i), r))
		}
		authtest.Advance(time.Minute)
		for _, want := range []struct{ limit, swept int }{{0, 0}, {-1, 0}, {40, 40}, {40, 40}, {40, 10}, {40, 0}} {
			n, err := s.Sweep(ctx, want.limit)
			require.NoError(t, err)
			require.Equal(t, want.swept, n)
		}
		for i := range 10 {
			requirePresent(t, ctx, s, numbered(i), living)
		}
		require.Equal(t, 10, s.Len())
	}},
}
