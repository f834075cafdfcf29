package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/seed-077cad0b/auth"
)

// LookupAll sets records[i] to the record of kind k under digests[i], or to the
// zero Record where none is present; a record of another kind counts as absent.
// It panics if records is shorter than digests. Up to 256 are one statement.
func (s *Store) LookupAll(ctx context.Context, k auth.Kind, digests []auth.Digest, records []auth.Record) error {
	records = records[:len(digests)]
	clear(records)
	return s.among(ctx, k, digests, func(e *auth.Entry) {
		for i := range digests {
			if digests[i] == e.Digest {
				records[i] = e.Record
			}
		}
	})
}

// among calls f with those records of kind k that are under digests.
func (s *Store) among(ctx context.Context, k auth.Kind, digests []auth.Digest, f func(*auth.Entry)) error {
	for some := range slices.Chunk(digests, most) {
		size := sizeOf(len(some))
		args := []any{now(), []byte(k)}
		for i := range sizes[size] {
			args = append(args, some[min(i, len(some)-1)][:])
		}
		err := s.each(ctx, s.says.lookupAll[size], args, func(rows *sql.Rows) error {
			var e auth.Entry
			if err := scanEntry(rows, &e); err != nil {
				return err
			}
			f(&e)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Touch moves the Seen of the records under the keys of seen forward to the
// times there. It neither moves one back, nor changes a Revision, nor brings an
// absent record back. Up to 256 are one statement; where an error is returned,
// some may have been touched.
func (s *Store) Touch(ctx context.Context, seen map[auth.Digest]time.Time) error {
	// In order, so that two that touch the same records cannot wait for each
	// other.
	digests := slices.SortedFunc(maps.Keys(seen), func(a, b auth.Digest) int { return bytes.Compare(a[:], b[:]) })
	for some := range slices.Chunk(digests, most) {
		size := sizeOf(len(some))
		args := []any{now()}
		for i := range sizes[size] {
			d := &some[min(i, len(some)-1)]
			args = append(args, d[:], seen[*d].UnixMicro())
		}
		if _, err := s.exec(ctx, s.says.touch[size], args...); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// sweepBite is how many records one statement sweeps: others wait for it in
// SQLite.
const sweepBite = 1000

// sweepAfter is how long a record has been past its KeepUntil that a Store sweeps
// by itself.
const sweepAfter = time.Minute

// Sweep removes at most limit records that are past their KeepUntil, the oldest
// first, and returns how many those were. It does so in statements of at most
// 1000 records, so that a large limit holds nobody up. This process's clock alone
// is asked: what it says is past is gone for all.
func (s *Store) Sweep(ctx context.Context, limit int) (int, error) {
	return s.sweep(ctx, 0, limit)
}

// sweep is Sweep of what has been past its KeepUntil for so long.
func (s *Store) sweep(ctx context.Context, past time.Duration, limit int) (int, error) {
	swept := 0
	for swept < limit {
		bite := min(limit-swept, sweepBite)
		n, err := s.count(ctx, s.says.sweep, now()-past.Microseconds(), bite)
		swept += int(n)
		if err != nil || int(n) < bite {
			return swept, err
		}
	}
	return swept, ctx.Err()
}

// List lists the records of kind k that owner owns, in no particular order. No
// connection is held while a record is yielded, so the loop may call any method
// of the store. Up to 128 are one statement.
func (s *Store) List(ctx context.Context, owner auth.Digest, k auth.Kind) iter.Seq2[auth.Entry, error] {
	return func(yield func(auth.Entry, error) bool) {
		entries, err := s.entries(ctx, s.says.owned, now(), owner[:], []byte(k), pageSize)
		if err != nil {
			yield(auth.Entry{}, err)
			return
		}
		// What follows must be known before the loop may insert more.
		var following []auth.Digest
		if len(entries) == pageSize {
			last := entries[pageSize-1].Digest
			if following, err = s.digests(ctx, s.says.moreOwned, now(), owner[:], []byte(k), last[:]); err != nil {
				yield(auth.Entry{}, err)
				return
			}
		}
		if !yieldAll(yield, entries) {
			return
		}
		for some := range slices.Chunk(following, pageSize) {
			entries = entries[:0]
			err := s.among(ctx, k, some, func(e *auth.Entry) {
				if e.Record.Owner == owner {
					entries = append(entries, *e)
				}
			})
			if err != nil {
				yield(auth.Entry{}, err)
				return
			}
			if !yieldAll(yield, entries) {
				return
			}
		}
	}
}

// Walk walks through all records of kind k, or of every kind where k is empty.
// No connection is held while a record is yielded, so the loop may call any method
// of the store. For a kind it reads past the records of all others.
func (s *Store) Walk(ctx context.Context, k auth.Kind) iter.Seq2[auth.Entry, error] {
	return func(yield func(auth.Entry, error) bool) {
		after := []byte{}
		for {
			q, args := s.says.page, []any{now(), after, pageSize}
			if k != "" {
				q, args = s.says.pageOfKind, append(args, []byte(k))
			}
			entries, err := s.entries(ctx, q, args...)
			if err != nil {
				yield(auth.Entry{}, err)
				return
			}
			if !yieldAll(yield, entries) || len(entries) < pageSize {
				return
			}
			after = entries[pageSize-1].Digest[:]
		}
	}
}

// pageSize is how many records are read at once. They are read ahead of the loop
// over them, whose body may want the only connection that there is.
const pageSize = 128

func yieldAll(yield func(auth.Entry, error) bool, entries []auth.Entry) bool {
	for _, e := range entries {
		if !yield(e, nil) {
			return false
		}
	}
	return true
}

// entries returns the records that are the answer to q.
func (s *Store) entries(ctx context.Context, q *query, args ...any) (entries []auth.Entry, err error) {
	err = s.each(ctx, q, args, func(rows *sql.Rows) error {
		entries = append(entries, auth.Entry{})
		return scanEntry(rows, &entries[len(entries)-1])
	})
	return entries, err
}

func scanEntry(rows *sql.Rows, e *auth.Entry) error {
	var digest sql.RawBytes
	err := scan(rows, &e.Record, &digest)
	copy(e.Digest[:], digest)
	return err
}

// digests returns the digests that are the answer to q.
func (s *Store) digests(ctx context.Context, q *query, args ...any) (digests []auth.Digest, err error) {
	err = s.each(ctx, q, args, func(rows *sql.Rows) error {
		var digest sql.RawBytes
		if err := rows.Scan(&digest); err != nil {
			return err
		}
		digests = append(digests, auth.Digest(digest))
		return nil
	})
	return digests, err
}
