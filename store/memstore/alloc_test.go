//go:build !race

// The race detector makes things escape that do not otherwise.

package memstore_test

import (
	"runtime"
	"testing"
	"time"

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
	require.LessOrEqual(t, (heap()-before)/n, uint64(maxBytes))
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
