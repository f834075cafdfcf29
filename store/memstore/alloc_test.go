//go:build !race

// The race detector makes things escape that do not otherwise.

package memstore_test

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// many is how many records the tests of large stores use.
const many = 1_000_000

func TestLookupsDoNotAllocate(t *testing.T) {
	s, ctx := memstore.New(), t.Context()
	digests := []auth.Digest{numbered(0), numbered(1), numbered(2)}
	records := make([]auth.Record, len(digests))
	require.NoError(t, s.Insert(ctx, digests[1], record()))
	mark := record()
	mark.Kind = auth.KindMark

	for name, f := range map[string]func(){
		"present": func() { _, _ = s.Lookup(ctx, digests[1]) },
		"absent":  func() { _, _ = s.Lookup(ctx, digests[0]) },
		"no mark": func() { _ = s.LookupAll(ctx, auth.KindMark, digests, records) },
	} {
		require.Zero(t, testing.AllocsPerRun(1000, f), name)
	}
	require.NoError(t, s.Insert(ctx, digests[2], mark))
	require.Zero(t, testing.AllocsPerRun(1000, func() { _ = s.LookupAll(ctx, auth.KindMark, digests, records) }))
	require.Equal(t, mark, records[2])
}

// maxBytes is what a session may take beside its Principal and its Data, its
// share of every index included.
const maxBytes = 200

func TestBytesPerSession(t *testing.T) {
	before := heap()
	s, digests := filled(t, many)
	n := uint64(len(digests))
	digests = nil
	principal := uint64(unsafe.Sizeof(*shared)) // of which each has a copy
	require.LessOrEqual(t, (heap()-before)/n-principal, uint64(maxBytes))
	runtime.KeepAlive(s)
}

// The copy of a Principal in the store, and what is dead around it, are no more
// than that bound above what the Principal takes by itself: when the store has
// been filled, and when any half of the sessions has been ended and others begun.
func TestBytesPerSessionWithAPrincipalOfItsOwn(t *testing.T) {
	const n = 200_000
	records, before := make([]auth.Record, n), heap()
	for i := range records {
		_, records[i] = owned(i)
	}
	alone := heap() - before
	runtime.KeepAlive(records)
	records = nil

	before = heap()
	s := filledOwned(t, n)
	require.LessOrEqual(t, heap()-before, alone+n*maxBytes)
	next := n
	for range 3 {
		random := rand.New(rand.NewPCG(uint64(next), 0))
		for i := range next {
			if random.IntN(2) == 0 {
				continue
			}
			if _, err := s.Take(t.Context(), numbered(i)); err != nil {
				continue // it has gone before
			}
			d, r := owned(next)
			require.NoError(t, s.Insert(t.Context(), d, r))
			next++
		}
		require.Equal(t, n, s.Len())
		require.LessOrEqual(t, heap()-before, alone+n*maxBytes)
	}
	runtime.KeepAlive(s)
}

// What a look-up has handed out keeps its surroundings in memory, and no longer.
func TestAChunkIsLetGo(t *testing.T) {
	s, ctx, gone := memstore.New(), t.Context(), make(chan struct{})
	const n = 20_000
	for i := range n {
		d, r := owned(i)
		require.NoError(t, s.Insert(ctx, d, r))
	}
	r, err := s.Lookup(ctx, numbered(0))
	require.NoError(t, err)
	runtime.AddCleanup(r.Principal, func(c chan struct{}) { close(c) }, gone)
	for i := range n {
		if i%10 != 1 { // in each shard some stay
			require.NoError(t, second(s.Take(ctx, numbered(i))))
		}
	}
	runtime.GC()
	_, want := owned(0)
	require.Equal(t, want.Principal, r.Principal)
	r = auth.Record{}
	runtime.GC()
	select {
	case <-gone:
	case <-time.After(time.Minute):
		t.Fatal("the principal of a record that was taken is still referred to")
	}
	runtime.KeepAlive(s)
}

func TestAnEmptiedStoreGivesItsMemoryBack(t *testing.T) {
	before := heap()
	s, digests := filled(t, 100_000)
	for _, d := range digests {
		require.NoError(t, second(s.Take(t.Context(), d)))
	}
	digests = nil
	const kept = 4 << 20 // of some 18 MiB: the smallest tables of each shard
	require.Less(t, heap(), before+kept)
	runtime.KeepAlive(s)
}

func TestATakenRecordIsLetGo(t *testing.T) {
	s, ctx := memstore.New(), t.Context()
	r := record()
	r.Principal = &auth.Principal{Subject: "somebody else"}
	gone := make(chan struct{})
	runtime.AddCleanup(r.Principal, func(c chan struct{}) { close(c) }, gone)
	require.NoError(t, s.Insert(ctx, numbered(0), r))
	require.NoError(t, s.Insert(ctx, numbered(1), record()))
	require.NoError(t, second(s.Take(ctx, numbered(0))))
	r = auth.Record{}
	runtime.GC()
	select {
	case <-gone:
	case <-time.After(time.Minute):
		t.Fatal("the principal of a record that was taken is still referred to")
	}
	runtime.KeepAlive(s)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
