package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/seed-077cad0b/auth"
)

// A Store is an auth.Store in a bbolt file, which one process at a time opens.
type Store struct{ db *bolt.DB }

// The buckets: what is kept, and two indexes to it.
var (
	records = []byte("records") // digest → record
	owned   = []byte("owned")   // owner, kind, digest → nothing
	due     = []byte("due")     // KeepUntil, digest → nothing
)

// Open opens the store in a file, or makes it.
func Open(path string) (*Store, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{records, owned, due} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	return &Store{db}, err
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Lookup implements [auth.Store].
func (s *Store) Lookup(ctx context.Context, d auth.Digest) (r auth.Record, err error) {
	err = s.in(ctx, s.db.View, func(tx *bolt.Tx) error {
		r, err = find(tx, d)
		return err
	})
	return r, err
}

// Insert implements [auth.Store].
func (s *Store) Insert(ctx context.Context, d auth.Digest, r auth.Record) error {
	return s.in(ctx, s.db.Update, func(tx *bolt.Tx) error {
		if _, err := find(tx, d); err == nil {
			return auth.ErrExists
		} else if !errors.Is(err, auth.ErrNotFound) {
			return err
		}
		return put(tx, d, r)
	})
}

// Replace implements [auth.Store].
func (s *Store) Replace(ctx context.Context, d auth.Digest, r auth.Record) error {
	return s.in(ctx, s.db.Update, func(tx *bolt.Tx) error {
		old, err := find(tx, d)
		if err != nil {
			return err
		}
		if r.Revision != old.Revision+1 {
			return auth.ErrConflict
		}
		if r.Seen.Before(old.Seen) {
			r.Seen = old.Seen
		}
		return put(tx, d, r)
	})
}

// Take implements [auth.Store].
func (s *Store) Take(ctx context.Context, d auth.Digest) (r auth.Record, err error) {
	err = s.in(ctx, s.db.Update, func(tx *bolt.Tx) error {
		if r, err = find(tx, d); err != nil {
			return err
		}
		return drop(tx, d)
	})
	return r, err
}

// List implements [auth.Lister]. Yielding inside the transaction would make a
// loop wait for itself that writes to the store.
func (s *Store) List(ctx context.Context, owner auth.Digest, k auth.Kind) iter.Seq2[auth.Entry, error] {
	return func(yield func(auth.Entry, error) bool) {
		var all []auth.Entry
		err := s.in(ctx, s.db.View, func(tx *bolt.Tx) error {
			prefix := ownedKey(owner, k)
			c := tx.Bucket(owned).Cursor()
			for key, _ := c.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = c.Next() {
				d := auth.Digest(key[len(prefix):])
				r, err := find(tx, d)
				if errors.Is(err, auth.ErrNotFound) {
					continue // past its KeepUntil
				}
				if err != nil {
					return err
				}
				all = append(all, auth.Entry{Digest: d, Record: r})
			}
			return nil
		})
		if err != nil {
			yield(auth.Entry{}, err)
			return
		}
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Touch implements [auth.Toucher]: all in one transaction.
func (s *Store) Touch(ctx context.Context, seen map[auth.Digest]time.Time) error {
	return s.in(ctx, s.db.Update, func(tx *bolt.Tx) error {
		for d, t := range seen {
			r, err := find(tx, d)
			if errors.Is(err, auth.ErrNotFound) || err == nil && !t.After(r.Seen) {
				continue
			}
			if err == nil {
				r.Seen = t
				err = put(tx, d, r)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Sweep implements [auth.Sweeper].
func (s *Store) Sweep(ctx context.Context, limit int) (swept int, err error) {
	err = s.in(ctx, s.db.Update, func(tx *bolt.Tx) error {
		now := dueKey(time.Now())
		c := tx.Bucket(due).Cursor()
		for swept < limit {
			key, _ := c.First()
			if key == nil || bytes.Compare(key[:len(now)], now) > 0 {
				break
			}
			if err := drop(tx, auth.Digest(key[len(now):])); err != nil {
				return err
			}
			swept++
		}
		return nil
	})
	return swept, err
}

// in runs f in a transaction, unless the context has ended by then.
func (s *Store) in(ctx context.Context, run func(func(*bolt.Tx) error) error, f func(*bolt.Tx) error) error {
	return run(func(tx *bolt.Tx) error {
		if err := ctx.Err(); err != nil {
			return err // also while others were writing
		}
		return f(tx)
	})
}

// find returns the record under d. One past its KeepUntil is absent, swept or
// not.
func find(tx *bolt.Tx, d auth.Digest) (r auth.Record, err error) {
	data := tx.Bucket(records).Get(d[:])
	if data == nil {
		return r, auth.ErrNotFound
	}
	if err := r.UnmarshalBinary(data); err != nil {
		return auth.Record{}, err
	}
	if !r.KeepUntil.IsZero() && !time.Now().Before(r.KeepUntil) {
		return auth.Record{}, auth.ErrNotFound
	}
	return r, nil
}

// put writes a record and its keys in the indexes, in place of what is there.
func put(tx *bolt.Tx, d auth.Digest, r auth.Record) error {
	data, err := r.MarshalBinary()
	if err != nil {
		return err
	}
	if err := drop(tx, d); err != nil {
		return err
	}
	if !r.Owner.IsZero() {
		err = tx.Bucket(owned).Put(append(ownedKey(r.Owner, r.Kind), d[:]...), nil)
	}
	if err == nil && !r.KeepUntil.IsZero() {
		err = tx.Bucket(due).Put(append(dueKey(r.KeepUntil), d[:]...), nil)
	}
	if err != nil {
		return err
	}
	return tx.Bucket(records).Put(d[:], data)
}

// drop removes a record, if there is one, from wherever put has put it.
func drop(tx *bolt.Tx, d auth.Digest) error {
	data := tx.Bucket(records).Get(d[:])
	if data == nil {
		return nil
	}
	var r auth.Record
	if err := r.UnmarshalBinary(data); err != nil {
		return err
	}
	return errors.Join(
		tx.Bucket(owned).Delete(append(ownedKey(r.Owner, r.Kind), d[:]...)),
		tx.Bucket(due).Delete(append(dueKey(r.KeepUntil), d[:]...)),
		tx.Bucket(records).Delete(d[:]),
	)
}

// ownedKey begins the keys of an owner's records of a kind. Kinds hold no NUL.
func ownedKey(owner auth.Digest, k auth.Kind) []byte {
	return append(append(owner[:len(owner):len(owner)], k...), 0)
}

// dueKey is in the order of time, before 1970 as well.
func dueKey(t time.Time) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(t.UnixMicro())^1<<63)
}
