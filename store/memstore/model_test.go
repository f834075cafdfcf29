package memstore_test

import (
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// model is the contract in the plainest form: a map, and a look at the clock.
type model map[auth.Digest]auth.Record

func (m model) lookup(d auth.Digest) (auth.Record, error) {
	r, ok := m[d]
	if !ok || !r.KeepUntil.IsZero() && !time.Now().Before(r.KeepUntil) {
		return auth.Record{}, auth.ErrNotFound
	}
	return r, nil
}

func (m model) insert(d auth.Digest, r auth.Record) error {
	if _, err := m.lookup(d); err == nil {
		return auth.ErrExists
	}
	m[d] = r
	return nil
}

func (m model) replace(d auth.Digest, r auth.Record) error {
	old, err := m.lookup(d)
	if err != nil {
		return err
	}
	if r.Revision != old.Revision+1 {
		return auth.ErrConflict
	}
	if r.Seen.Before(old.Seen) {
		r.Seen = old.Seen
	}
	m[d] = r
	return nil
}

func (m model) take(d auth.Digest) (auth.Record, error) {
	r, err := m.lookup(d)
	delete(m, d)
	return r, err
}

func (m model) touch(d auth.Digest, seen time.Time) {
	if r, err := m.lookup(d); err == nil && seen.After(r.Seen) {
		r.Seen = seen
		m[d] = r
	}
}

func (m model) list(owner auth.Digest, k auth.Kind) (digests []auth.Digest) {
	for d := range m {
		if r, err := m.lookup(d); err == nil && r.Owner == owner && r.Kind == k {
			digests = append(digests, d)
		}
	}
	return digests
}

// A random history gives the same answers in the store as in the model.
func TestStoreBehavesLikeTheModel(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			s, m, random := memstore.New(), model{}, rand.New(rand.NewPCG(seed, 0))
			// So many that shards hold several, and slots are used again.
			digests := make([]auth.Digest, 1500)
			for i := range digests {
				digests[i] = numbered(i)
			}
			owners := []auth.Digest{numbered(-1), numbered(-2), numbered(-3), {}}
			kinds := []auth.Kind{auth.KindSession, auth.KindAPIKey, auth.KindMark}
			pick := func() auth.Record {
				now := time.Now().UTC()
				r := auth.Record{
					Kind: kinds[random.IntN(3)], Owner: owners[random.IntN(4)], Revision: random.Uint64N(3),
					Created: now, Seen: now.Add(-time.Duration(random.IntN(100)) * time.Second),
				}
				if i := random.IntN(100); i > 0 {
					_, of := owned(i)
					r.Principal, r.Data = of.Principal, of.Data[:i%len(of.Data)]
				}
				if random.IntN(4) > 0 {
					r.KeepUntil = now.Add(time.Duration(random.IntN(100)) * time.Second)
				}
				return r
			}
			ctx := t.Context()
			for i := range 8000 {
				if i%1000 == 0 {
					runtime.GC()
				}
				d := digests[random.IntN(len(digests))]
				switch random.IntN(8) {
				case 0, 1, 2:
					r := pick()
					require.Equal(t, m.insert(d, r), s.Insert(ctx, d, r))
				case 3:
					r, want := pick(), auth.Record{}
					if want, _ = m.lookup(d); random.IntN(4) > 0 {
						r.Revision = want.Revision + 1
					}
					require.Equal(t, m.replace(d, r), s.Replace(ctx, d, r))
				case 4:
					want, wantErr := m.take(d)
					got, err := s.Take(ctx, d)
					require.Equal(t, wantErr, err)
					require.Equal(t, want, got)
				case 5:
					seen := time.Now().UTC()
					m.touch(d, seen)
					require.NoError(t, s.Touch(ctx, map[auth.Digest]time.Time{d: seen}))
				case 6:
					authtest.Advance(time.Duration(random.IntN(1000)) * time.Millisecond)
				case 7:
					want, wantErr := m.lookup(d)
					got, err := s.Lookup(ctx, d)
					require.Equal(t, wantErr, err)
					require.Equal(t, want, got)
				}
			}
			for _, owner := range owners[:3] {
				for _, k := range kinds {
					require.ElementsMatch(t, m.list(owner, k), list(t, s, owner, k))
				}
			}
			maps.DeleteFunc(m, func(d auth.Digest, _ auth.Record) bool { _, err := m.lookup(d); return err != nil })
			_, err := s.Sweep(ctx, len(digests))
			require.NoError(t, err)
			require.Equal(t, len(m), s.Len())
			for _, d := range slices.Collect(maps.Keys(m)) {
				require.NoError(t, second(s.Take(ctx, d)))
			}
			require.Zero(t, s.Len())
		})
	}
}
