package memstore_test

import (
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// race runs f in n goroutines at once and returns how many reported success.
func race(n int, f func(i int) bool) int {
	var wins atomic.Int64
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			if f(i) {
				wins.Add(1)
			}
		})
	}
	close(start)
	wg.Wait()
	return int(wins.Load())
}

func TestTakeHasOneWinner(t *testing.T) {
	s, ctx := memstore.New(), t.Context()
	for range 50 {
		require.NoError(t, s.Insert(ctx, numbered(0), record()))
		require.Equal(t, 1, race(64, func(int) bool {
			_, err := s.Take(ctx, numbered(0))
			return err == nil
		}))
	}
}

func TestReplaceHasOneWinner(t *testing.T) {
	s, ctx := memstore.New(), t.Context()
	r := record()
	require.NoError(t, s.Insert(ctx, numbered(0), r))
	for range 50 {
		r.Revision++
		require.Equal(t, 1, race(64, func(int) bool { return s.Replace(ctx, numbered(0), r) == nil }))
	}
}

func TestInsertHasOneWinner(t *testing.T) {
	s, ctx := memstore.New(), t.Context()
	for i := range 50 {
		require.Equal(t, 1, race(64, func(int) bool { return s.Insert(ctx, numbered(i), record()) == nil }))
	}
}

// Readers take no lock: they must see each record whole or not at all, while
// slots are written, given to other digests, and shards grow and empty.
func TestReadersSeeWholeRecords(t *testing.T) {
	s, ctx := memstore.New(), t.Context()
	const digests = 2000
	principals := make([]*auth.Principal, 8)
	for i := range principals {
		principals[i] = &auth.Principal{Tier: string(rune('a' + i))}
	}
	// made returns a record in which everything follows from n.
	made := func(n int) auth.Record {
		at := time.UnixMicro(int64(n) + 1<<51).UTC()
		owner := auth.Digest{}
		binary.BigEndian.PutUint64(owner[:], uint64(n))
		return auth.Record{
			Kind: auth.Kind(rune('a' + n%8)), Owner: owner, Principal: principals[n%8], Revision: uint64(n),
			Created: at, Expires: at, KeepUntil: at, Disabled: n%2 == 0, Data: make([]byte, n%64),
		}
	}
	whole := func(r auth.Record) bool {
		want := made(int(r.Revision))
		return r.Kind == want.Kind && r.Owner == want.Owner && r.Principal.Tier == want.Principal.Tier &&
			r.Created.Equal(want.Created) && r.Expires.Equal(want.Expires) && r.KeepUntil.Equal(want.KeepUntil) &&
			r.Disabled == want.Disabled && len(r.Data) == len(want.Data)
	}
	var torn, seen atomic.Int64
	race(4, func(g int) bool {
		for i := g; i < 200*digests; i += 7 {
			d := numbered(i % digests)
			if g%2 == 0 { // a writer, that empties the store from time to time
				r := made(i)
				switch {
				case i/digests%3 == 2:
					_, _ = s.Take(ctx, d)
				case errors.Is(s.Insert(ctx, d, r), auth.ErrExists):
					if old, err := s.Lookup(ctx, d); err == nil {
						_ = s.Replace(ctx, d, made(int(old.Revision+1)))
					}
				}
				continue
			}
			r, err := s.Lookup(ctx, d)
			if err == nil {
				seen.Add(1)
				if !whole(r) {
					torn.Add(1)
				}
			}
			for e := range s.List(ctx, made(i).Owner, made(i).Kind) {
				if !whole(e.Record) {
					torn.Add(1)
				}
			}
		}
		return true
	})
	require.Zero(t, torn.Load())
	require.NotZero(t, seen.Load())
}
