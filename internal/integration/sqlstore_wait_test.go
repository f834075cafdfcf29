//go:build linux

package integration_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// TestSQLDeadlineAtALockedRow has somebody else hold a row, as a program does
// that hangs in a transaction: who looks is not held up, and who writes waits no
// longer than they said.
func TestSQLDeadlineAtALockedRow(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		name := e.migrated(t)
		db := e.connect(t, name)
		s := e.store(t, db, sqlstore.Options{})
		d, r := anyDigest(), session(0)
		require.NoError(t, s.Insert(t.Context(), d, r))

		holder, err := e.connect(t, name).Conn(t.Context())
		require.NoError(t, err)
		defer holder.Close()
		begin := "BEGIN"
		if e.dialect == sqlstore.SQLite {
			begin = "BEGIN IMMEDIATE"
		}
		for _, text := range []string{begin, "UPDATE auth_records SET kind = 'held'"} {
			_, err := holder.ExecContext(t.Context(), text)
			require.NoError(t, err)
		}
		require.Equal(t, r, must(s.Lookup(t.Context(), d)))

		next := r
		next.Revision++
		for method, call := range map[string]func(context.Context) error{
			"Insert":  func(ctx context.Context) error { return s.Insert(ctx, d, r) },
			"Replace": func(ctx context.Context) error { return s.Replace(ctx, d, next) },
			"Take":    func(ctx context.Context) error { _, err := s.Take(ctx, d); return err },
			"Touch": func(ctx context.Context) error {
				return s.Touch(ctx, map[auth.Digest]time.Time{d: time.Now()})
			},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			require.ErrorIs(t, call(ctx), context.DeadlineExceeded, method)
			cancel()
			ctx, cancel = context.WithCancel(t.Context())
			time.AfterFunc(20*time.Millisecond, cancel)
			require.ErrorIs(t, call(ctx), context.Canceled, method)
		}
		require.Equal(t, r, must(s.Lookup(t.Context(), d)))
		_, err = holder.ExecContext(t.Context(), "ROLLBACK")
		require.NoError(t, err)
		require.NoError(t, s.Insert(t.Context(), anyDigest(), r))
	})
}

// TestSQLMeantimeNobodyFails has many goroutines of two stores write the same few
// records in every way: whoever gets no answer would be told that the service is
// down.
func TestSQLMeantimeNobodyFails(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		name := e.migrated(t)
		stores := []*sqlstore.Store{
			e.store(t, e.connect(t, name), sqlstore.Options{}), e.store(t, e.connect(t, name), sqlstore.Options{}),
		}
		digests := make([]auth.Digest, 8)
		for i := range digests {
			digests[i] = anyDigest()
		}
		ctx := t.Context()
		var all sync.WaitGroup
		for i := range 24 {
			s := stores[i%2]
			all.Go(func() {
				for j := range 15 {
					r := session(j)
					if j%3 == 0 {
						r.KeepUntil = time.Now().Add(-time.Second) // to be given way, and swept
					}
					d := digests[(i+j)%len(digests)]
					seen := map[auth.Digest]time.Time{}
					for _, d := range digests {
						seen[d] = time.Now()
					}
					old, err := s.Lookup(ctx, d)
					old.Revision++
					_, taken := s.Take(ctx, digests[j%len(digests)])
					_, swept := s.Sweep(ctx, 3)
					for _, err := range []error{err, s.Insert(ctx, d, r), s.Replace(ctx, d, old), s.Touch(ctx, seen), taken, swept} {
						switch {
						case err == nil, errors.Is(err, auth.ErrNotFound), errors.Is(err, auth.ErrExists), errors.Is(err, auth.ErrConflict):
						default:
							t.Error(err)
						}
					}
				}
			})
		}
		all.Wait()
	})
}

// TestSQLOneInsertOverAnExpiredRecord lets many insert where a record is past its
// KeepUntil.
func TestSQLOneInsertOverAnExpiredRecord(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		s := e.open(t)
		ctx := t.Context()
		for range 20 {
			d, gone := anyDigest(), session(0)
			gone.KeepUntil = time.Now().Add(-time.Hour).UTC().Truncate(time.Microsecond)
			require.NoError(t, s.Insert(ctx, d, gone))
			require.NoError(t, s.Insert(ctx, d, gone), "the same again, and past as well")
			inserted := make(chan auth.Record, 16)
			var all sync.WaitGroup
			for i := range 16 {
				all.Go(func() {
					r := session(i)
					switch err := s.Insert(ctx, d, r); {
					case err == nil:
						inserted <- r
					case !errors.Is(err, auth.ErrExists):
						t.Error(err)
					}
				})
			}
			all.Wait()
			require.Len(t, inserted, 1)
			require.Equal(t, <-inserted, must(s.Lookup(ctx, d)))
		}
	})
}

// TestSQLTakeReturnsWhatItRemoves has a Replace get between: where both succeed,
// what is taken is what was put in place.
func TestSQLTakeReturnsWhatItRemoves(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		s := e.open(t)
		ctx := t.Context()
		both := 0
		for range 100 {
			d, r := anyDigest(), session(0)
			require.NoError(t, s.Insert(ctx, d, r))
			next := r
			next.Revision++
			next.Data = []byte("next")
			var replaced error
			var replacing sync.WaitGroup
			replacing.Go(func() { replaced = s.Replace(ctx, d, next) })
			got, err := s.Take(ctx, d)
			replacing.Wait()
			require.NoError(t, err)
			if replaced == nil {
				both++
				require.Equal(t, next, got)
			} else {
				require.ErrorIs(t, replaced, auth.ErrNotFound)
				require.Equal(t, r, got)
			}
		}
		t.Logf("both succeeded %d times", both)
	})
}

// TestSQLiteWritersQueueInOrder has writers take turns: SQLite by itself lets them
// try until they are lucky, and some are not for as long as the busy timeout.
func TestSQLiteWritersQueueInOrder(t *testing.T) {
	s := sqlite.open(t)
	const writers, each = 8, 50
	var all sync.WaitGroup
	var total atomic.Int64
	written := make([]int, writers)
	for i := range writers {
		all.Go(func() {
			for total.Add(1) <= writers*each {
				if err := s.Insert(t.Context(), anyDigest(), session(0)); err != nil {
					t.Error(err)
				}
				written[i]++
			}
		})
	}
	all.Wait()
	require.GreaterOrEqual(t, slices.Min(written), each/4, written)
}

// TestSQLListLeavesOutWhatHasChangedHands lists more than one statement reads.
func TestSQLListLeavesOutWhatHasChangedHands(t *testing.T) {
	s := sqlite.open(t)
	ctx := t.Context()
	r := session(0)
	last := auth.Digest{}
	for range 200 {
		d := anyDigest()
		require.NoError(t, s.Insert(ctx, d, r))
		if bytes.Compare(d[:], last[:]) > 0 {
			last = d
		}
	}
	listed := 0
	for e, err := range s.List(ctx, r.Owner, r.Kind) {
		require.NoError(t, err)
		require.NotEqual(t, last, e.Digest)
		if listed++; listed == 1 {
			next := r
			next.Revision++
			next.Owner = anyDigest()
			require.NoError(t, s.Replace(ctx, last, next))
		}
	}
	require.Equal(t, 199, listed)
}

// TestSQLiteReopened finds everything again.
func TestSQLiteReopened(t *testing.T) {
	name := sqlite.migrated(t)
	want := map[auth.Digest]auth.Record{}
	for i := range 3 {
		db, err := sql.Open("sqlite", name)
		require.NoError(t, err)
		require.NoError(t, sqlstore.Migrate(t.Context(), db, sqlstore.SQLite))
		s, err := sqlstore.New(t.Context(), db, sqlstore.SQLite, nil)
		require.NoError(t, err)
		d := auth.DigestOf(auth.KindSession, fmt.Sprint(i))
		want[d] = session(i)
		require.NoError(t, s.Insert(t.Context(), d, want[d]))
		got := map[auth.Digest]auth.Record{}
		for e, err := range s.Walk(t.Context(), auth.KindSession) {
			require.NoError(t, err)
			got[e.Digest] = e.Record
		}
		require.Equal(t, want, got)
		require.NoError(t, s.Close())
		require.NoError(t, db.Close())
	}
}
