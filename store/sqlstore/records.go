package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seed-077cad0b/auth"
)

// Lookup returns the record under d, or [auth.ErrNotFound].
func (s *Store) Lookup(ctx context.Context, d auth.Digest) (auth.Record, error) {
	var r auth.Record
	found := false
	err := s.each(ctx, s.says.lookup, []any{d[:]}, func(rows *sql.Rows) error {
		found = true
		if err := scan(rows, &r); err != nil {
			return err
		}
		return errEnough
	})
	switch {
	case err != nil:
		return auth.Record{}, err
	case !found || !r.KeepUntil.IsZero() && r.KeepUntil.UnixMicro() <= now():
		return auth.Record{}, auth.ErrNotFound
	}
	return r, nil
}

// Insert adds r under d. Where one is present it returns [auth.ErrExists] and
// leaves that one unchanged; one that is past its KeepUntil gives way.
func (s *Store) Insert(ctx context.Context, d auth.Digest, r auth.Record) error {
	args, err := s.columns(d, &r)
	if err != nil {
		return err
	}
	return s.add(ctx, s.says.insert, s.told(d, args...)...)
}

// Replace changes the record under d to r, whose Revision must be the stored one
// plus 1. It returns [auth.ErrNotFound] where none is present, and
// [auth.ErrConflict] where the revision differs. The later of both Seen is kept.
func (s *Store) Replace(ctx context.Context, d auth.Digest, r auth.Record) error {
	args, err := s.columns(d, &r)
	if err != nil {
		return err
	}
	args = append(args, int64(r.Revision-1))
	changed, err := s.count(ctx, s.says.replace, s.told(d, args...)...)
	if err != nil || changed > 0 {
		return err
	}
	err = auth.ErrNotFound
	if e := s.each(ctx, s.says.exists, []any{now(), d[:]}, func(*sql.Rows) error {
		err = auth.ErrConflict
		return nil
	}); e != nil {
		return e
	}
	return err
}

// Take removes the record under d and returns it. Of concurrent callers exactly
// one succeeds; the others get [auth.ErrNotFound].
func (s *Store) Take(ctx context.Context, d auth.Digest) (auth.Record, error) {
	if s.grammar.returning {
		return s.takeOnce(ctx, d)
	}
	for try := 1; ; try++ {
		r, err := s.Lookup(ctx, d)
		if err != nil {
			return auth.Record{}, err
		}
		taken, err := s.count(ctx, s.says.take, d[:], int64(r.Revision))
		switch {
		case err != nil:
			return auth.Record{}, err
		case taken > 0:
			return r, nil
		case try == tries:
			return auth.Record{}, errChanging
		}
		// It has been taken or changed since; of those who try, one gets through.
		if err := pause(ctx, rand.N(time.Duration(try)*maxPause)); err != nil {
			return auth.Record{}, err
		}
	}
}

var errChanging = errors.New("sqlstore: the record to be taken keeps changing")

// takeOnce is Take where a statement both removes and returns.
func (s *Store) takeOnce(ctx context.Context, d auth.Digest) (r auth.Record, err error) {
	found := false
	err = s.each(ctx, s.says.take, s.told(d, now(), d[:]), func(rows *sql.Rows) error {
		found = true
		return scan(rows, &r, new(sql.RawBytes))
	})
	switch {
	case err != nil:
		return auth.Record{}, err
	case !found:
		return auth.Record{}, auth.ErrNotFound
	}
	return r, nil
}

// now is the time in the database's terms, microseconds since 1970.
func now() int64 { return time.Now().UnixMicro() }

// told adds d's text to the arguments of a statement that tells of a change.
func (s *Store) told(d auth.Digest, args ...any) []any {
	if s.notify {
		args = append(args, d.String())
	}
	return args
}

// add gives a statement that inserts a row, or returns ErrExists.
func (s *Store) add(ctx context.Context, q *query, args ...any) error {
	result, err := s.exec(ctx, q, args...)
	if err != nil {
		return err
	}
	switch added, err := s.grammar.added(result); {
	case err != nil:
		return fmt.Errorf("sqlstore: %w", err)
	case !added:
		return auth.ErrExists
	}
	return nil
}

// count gives a statement and returns how many rows it has changed.
func (s *Store) count(ctx context.Context, q *query, args ...any) (int64, error) {
	result, err := s.exec(ctx, q, args...)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("sqlstore: %w", err)
	}
	return n, nil
}

// maxKind is the length of the longest kind, in bytes.
const maxKind = 255

var errKind = errors.New("sqlstore: the name of a kind is too long")

// columns returns the time, and the record as it is kept.
func (s *Store) columns(d auth.Digest, r *auth.Record) ([]any, error) {
	if len(r.Kind) > maxKind {
		return nil, errKind
	}
	var owner, keep any
	if !r.Owner.IsZero() {
		owner = r.Owner[:]
	}
	if !r.KeepUntil.IsZero() {
		keep = r.KeepUntil.UnixMicro()
	}
	blob, err := r.AppendBinary(nil)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	return []any{now(), d[:], []byte(r.Kind), owner, int64(r.Revision), keep, r.Seen.UnixMicro(), blob}, nil
}

// scan sets r to the record in a row, whose other columns come first. Seen is
// what its column says, as a touch leaves the rest alone.
func scan(rows *sql.Rows, r *auth.Record, first ...any) error {
	var record sql.RawBytes
	var seen int64
	if err := rows.Scan(append(first, &record, &seen)...); err != nil {
		return err
	}
	if err := r.UnmarshalBinary(record); err != nil {
		return err
	}
	r.Seen = time.UnixMicro(seen).UTC()
	return nil
}
