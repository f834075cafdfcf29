package memstore_test

import (
	"context"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// What follows is promised beyond the contract, or sharper than the contract,
// which the kit holds.

func TestRecordsComeBackAsTheyAre(t *testing.T) {
	s, ctx := memstore.New(), t.Context()
	for i, r := range shapes() {
		d := numbered(i)
		require.NoError(t, s.Insert(ctx, d, r))
		got, err := s.Lookup(ctx, d)
		require.NoError(t, err)
		require.Equal(t, r, got) // nil stays nil, and empty empty
		again, err := s.Lookup(ctx, d)
		require.NoError(t, err)
		if r.Principal != nil {
			require.Same(t, got.Principal, again.Principal) // one copy, shared by all
		}
		if len(r.Data) > 0 {
			require.Same(t, &got.Data[0], &again.Data[0])
		}
		got, err = s.Take(ctx, d)
		require.NoError(t, err)
		require.Equal(t, r, got)
	}
	require.Zero(t, s.Len())
}

func TestTimesAreCutToMicroseconds(t *testing.T) {
	s, ctx := memstore.New(), t.Context()
	r := record()
	at := time.Date(2031, 2, 3, 4, 5, 6, 7008, time.FixedZone("", 3600))
	r.Created = at
	require.NoError(t, s.Insert(ctx, numbered(0), r))
	got, err := s.Lookup(ctx, numbered(0))
	require.NoError(t, err)
	require.Equal(t, at.UTC().Truncate(time.Microsecond), got.Created)
}

// By a clock that stands still, the microsecond at which a record goes is exact.
func TestRecordsAreKeptToTheMicrosecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ctx := memstore.New(), t.Context()
		r, forever := record(), record()
		r.KeepUntil, forever.KeepUntil = time.Now().Add(time.Hour).UTC(), time.Time{}
		ds := []auth.Digest{numbered(0), numbered(1), numbered(2)}
		for _, d := range ds {
			require.NoError(t, s.Insert(ctx, d, r))
		}
		require.NoError(t, s.Insert(ctx, numbered(9), forever))
		authtest.Advance(time.Hour - time.Microsecond)
		requirePresent(t, ctx, s, ds[0], r)
		require.Len(t, list(t, s, r.Owner, r.Kind), 4)
		authtest.Advance(time.Microsecond)
		requireAbsent(t, ctx, s, ds[0])
		r.Revision++
		require.Equal(t, auth.ErrNotFound, s.Replace(ctx, ds[1], r))
		require.Equal(t, auth.ErrNotFound, second(s.Take(ctx, ds[2])))
		require.Equal(t, []auth.Digest{numbered(9)}, list(t, s, r.Owner, r.Kind))
		authtest.Advance(100 * 365 * 24 * time.Hour)
		require.NoError(t, second(s.Sweep(ctx, 10)))
		requirePresent(t, ctx, s, numbered(9), forever)
	})
}

func TestLookupAllFillsInNoMoreThanItIsAsked(t *testing.T) {
	s, ctx := memstore.New(), t.Context()
	mark := record()
	mark.Kind = auth.KindMark
	require.NoError(t, s.Insert(ctx, numbered(1), mark))
	records := slices.Repeat([]auth.Record{record()}, 3)
	rest := records[2]
	require.NoError(t, s.LookupAll(ctx, auth.KindMark, []auth.Digest{numbered(0), numbered(1)}, records))
	require.Equal(t, []auth.Record{{}, mark, rest}, records)
	require.Panics(t, func() {
		_ = s.LookupAll(ctx, auth.KindMark, []auth.Digest{numbered(0), numbered(1)}, records[:1:1])
	})
}

func TestSweepOfLessThanNothing(t *testing.T) {
	s, ctx := memstore.New(), t.Context()
	r := record()
	r.KeepUntil = time.Unix(1, 0)
	require.NoError(t, s.Insert(ctx, numbered(0), r))
	for _, want := range []struct{ limit, swept int }{{-1, 0}, {0, 0}, {1, 1}} {
		n, err := s.Sweep(ctx, want.limit)
		require.NoError(t, err)
		require.Equal(t, want.swept, n)
	}
	require.Zero(t, s.Len())
}

// loops are the sequences over all that a store of n records of record's holds.
var loops = map[string]func(s *memstore.Store, ctx context.Context) iter.Seq2[auth.Entry, error]{
	"List": func(s *memstore.Store, ctx context.Context) iter.Seq2[auth.Entry, error] {
		return s.List(ctx, record().Owner, record().Kind)
	},
	"Walk": func(s *memstore.Store, ctx context.Context) iter.Seq2[auth.Entry, error] {
		return s.Walk(ctx, "")
	},
}

func TestLoopsDoNotSeeWhatTheyHaveTaken(t *testing.T) {
	for name, loop := range loops {
		t.Run(name, func(t *testing.T) {
			s, ctx := memstore.New(), t.Context()
			for i := range 6 {
				require.NoError(t, s.Insert(ctx, numbered(i), record()))
			}
			rounds := 0
			for e, err := range loop(s, ctx) {
				require.NoError(t, err)
				for i := range 6 {
					if d := numbered(i); d != e.Digest {
						_, _ = s.Take(ctx, d)
					}
				}
				rounds++
			}
			require.Equal(t, 1, rounds)
		})
	}
}

func TestLoopsDoNotSeeWhatHasChangedHands(t *testing.T) {
	for name, loop := range map[string]func(s *memstore.Store) iter.Seq2[auth.Entry, error]{
		"List, owner": func(s *memstore.Store) iter.Seq2[auth.Entry, error] {
			return s.List(t.Context(), record().Owner, record().Kind)
		},
		"Walk, kind": func(s *memstore.Store) iter.Seq2[auth.Entry, error] { return s.Walk(t.Context(), record().Kind) },
	} {
		t.Run(name, func(t *testing.T) {
			s, ctx := memstore.New(), t.Context()
			const n = 2000 // in each shard several
			for i := range n {
				require.NoError(t, s.Insert(ctx, numbered(i), record()))
			}
			rounds := 0
			for _, err := range loop(s) {
				require.NoError(t, err)
				if rounds++; rounds > 1 {
					continue
				}
				for i := range n {
					r, err := s.Lookup(ctx, numbered(i))
					require.NoError(t, err)
					r.Revision++
					if r.Owner = numbered(-1); name == "Walk, kind" {
						r.Kind = auth.KindAPIKey
					}
					require.NoError(t, s.Replace(ctx, numbered(i), r))
				}
			}
			require.Equal(t, 1, rounds)
		})
	}
}

func TestLoopsEndWithTheirContext(t *testing.T) {
	for name, loop := range loops {
		t.Run(name, func(t *testing.T) {
			s := memstore.New()
			for i := range 5 {
				require.NoError(t, s.Insert(t.Context(), numbered(i), record()))
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var errs []error
			for _, err := range loop(s, ctx) {
				errs = append(errs, err)
				cancel()
			}
			require.Equal(t, []error{nil, context.Canceled}, errs)
		})
	}
}

func TestUsersWalksThroughAll(t *testing.T) {
	s, ctx := memstore.New(), t.Context()
	want := map[string]password.User{}
	for _, id := range []string{"a", "b", "c"} {
		want[id] = password.User{ID: id, Login: "login " + id, Revision: 1}
		require.NoError(t, s.InsertUser(ctx, want[id]))
	}
	got := map[string]password.User{}
	for u, err := range s.Users(ctx) {
		require.NoError(t, err)
		require.NotContains(t, got, u.ID)
		got[u.ID] = u
	}
	require.Equal(t, want, got)

	rounds := 0
	for range s.Users(ctx) {
		rounds++
		break
	}
	require.Equal(t, 1, rounds)

	for _, before := range []int{0, 1} { // the round before which the context ends
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var errs []error
		if before == 0 {
			cancel()
		}
		for _, err := range s.Users(ctx) {
			errs = append(errs, err)
			cancel()
		}
		require.Len(t, errs, before+1)
		require.Equal(t, context.Canceled, errs[before])
	}
}
