package memstore_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// perWrite is how many expired records may leave with one write.
const perWrite = 4

func TestExpiredRecordsLeaveAFewWithEachWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ctx := memstore.New(), t.Context()
		const n = 20_000
		for i := range n {
			r := session(shared, i)
			r.KeepUntil = time.Now().Add(time.Minute)
			require.NoError(t, s.Insert(ctx, numbered(i), r))
		}
		authtest.Advance(time.Minute)
		before := s.Len()
		require.Equal(t, n, before)
		for i := range n {
			require.NoError(t, s.Insert(ctx, numbered(n+i), session(shared, i)))
			after := s.Len()
			require.LessOrEqual(t, before+1-after, perWrite)
			require.LessOrEqual(t, after, before+1)
			before = after
		}
		// All have left long before as many have come.
		require.Less(t, before, n+n/50)
	})
}

func TestAStoreInUseHoldsLittleMoreThanTheLiving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ctx := memstore.New(), t.Context()
		const living = 5000
		for i := range 10 * living {
			r := session(shared, i)
			r.KeepUntil = time.Now().Add(living * time.Millisecond)
			require.NoError(t, s.Insert(ctx, numbered(i), r))
			authtest.Advance(time.Millisecond)
			require.Less(t, s.Len(), living+living/2)
		}
	})
}

func TestWhatIsDueLeavesAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ctx, random := memstore.New(), t.Context(), rand.New(rand.NewPCG(1, 2))
		const n, minutes = 20_000, 10
		due := make([]int, minutes+1)
		for i := range n {
			minute := 1 + random.IntN(minutes)
			r := session(shared, i)
			r.KeepUntil = time.Now().Add(time.Duration(minute) * time.Minute)
			require.NoError(t, s.Insert(ctx, numbered(i), r))
			due[minute]++
		}
		for i := range n {
			if random.IntN(2) == 0 {
				r, err := s.Take(ctx, numbered(i))
				require.NoError(t, err)
				due[time.Until(r.KeepUntil)/time.Minute]--
			}
		}
		for minute := 1; minute <= minutes; minute++ {
			authtest.Advance(time.Minute)
			swept, err := s.Sweep(ctx, n)
			require.NoError(t, err)
			require.Equal(t, due[minute], swept)
		}
		require.Zero(t, s.Len())
	})
}

func TestSweepingInBites(t *testing.T) {
	n := many
	synctest.Test(t, func(t *testing.T) {
		s, ctx := memstore.New(), t.Context()
		for i := range n {
			r := session(shared, i)
			r.KeepUntil = time.Now().Add(time.Minute)
			if i%10 == 0 {
				r.KeepUntil = time.Time{}
			}
			if err := s.Insert(ctx, numbered(i), r); err != nil {
				t.Fatal(err)
			}
		}
		authtest.Advance(time.Minute)
		swept := 0
		for {
			k, err := s.Sweep(ctx, 1000)
			require.NoError(t, err)
			if swept += k; k == 0 {
				break
			}
			require.LessOrEqual(t, k, 1000)
		}
		require.Equal(t, n-n/10, swept)
		require.Equal(t, n/10, s.Len())
		for i := 0; i < n; i += 10 {
			if _, err := s.Lookup(ctx, numbered(i)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestAnEmptiedStoreWorksOn(t *testing.T) {
	s, ctx := memstore.New(), t.Context()
	for range 3 {
		for i := range 30_000 {
			require.NoError(t, s.Insert(ctx, numbered(i), session(shared, i%100)))
		}
		for i := range 100 {
			require.Len(t, list(t, s, session(shared, i).Owner, auth.KindSession), 300)
		}
		for i := range 30_000 {
			require.NoError(t, second(s.Take(ctx, numbered(i))))
		}
		for i := range 100 {
			require.Empty(t, list(t, s, session(shared, i).Owner, auth.KindSession))
		}
		require.Zero(t, s.Len())
	}
}
