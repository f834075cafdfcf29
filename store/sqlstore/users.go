package sqlstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"iter"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

// Users are found by hashes of their names: those have one length, and no
// collation, index or driver has an opinion on what a stranger types.

// UserByLogin returns the user with that login, compared byte for byte, or
// [auth.ErrNotFound].
func (s *Store) UserByLogin(ctx context.Context, login string) (password.User, error) {
	return s.user(ctx, s.says.userByLogin, login)
}

// UserByID returns the user with that ID, compared byte for byte, or
// [auth.ErrNotFound].
func (s *Store) UserByID(ctx context.Context, id string) (password.User, error) {
	return s.user(ctx, s.says.userByID, id)
}

// InsertUser adds u. Where its Login or its ID is taken it returns
// [auth.ErrExists] and changes nothing.
func (s *Store) InsertUser(ctx context.Context, u password.User) error {
	account, err := u.MarshalBinary()
	if err != nil {
		return err
	}
	return s.add(ctx, s.says.insertUser, nameHash(u.ID), nameHash(u.Login), int64(u.Revision), account)
}

// ReplaceUser changes the user with u's ID to u, whose Revision must be the
// stored one plus 1. It returns [auth.ErrNotFound] where none is present,
// [auth.ErrConflict] where the revision differs, and [auth.ErrExists] where u's
// Login is new and taken by another user.
func (s *Store) ReplaceUser(ctx context.Context, u password.User) error {
	account, err := u.MarshalBinary()
	if err != nil {
		return err
	}
	id, login := nameHash(u.ID), nameHash(u.Login)
	changed, err := s.count(ctx, s.says.replaceUser, id, login, int64(u.Revision), account, int64(u.Revision-1))
	if err == nil && changed > 0 {
		return nil
	}
	// The error may be that of a login that is taken, which each driver tells in
	// its own way.
	known, current, taken := false, false, false
	if e := s.each(ctx, s.says.likeUser, []any{id, login}, func(rows *sql.Rows) error {
		var other sql.RawBytes
		var revision int64
		if err := rows.Scan(&other, &revision); err != nil {
			return err
		}
		if !bytes.Equal(other, id) {
			taken = true
			return nil
		}
		known, current = true, revision == int64(u.Revision-1)
		return nil
	}); e != nil {
		return e
	}
	switch {
	case err != nil && !(current && taken):
		return err // whether it has come about or not
	case !known:
		return auth.ErrNotFound
	case current && taken:
		return auth.ErrExists
	}
	return auth.ErrConflict
}

// Users implements [password.UserWalker]. No connection is held while a user is
// yielded.
func (s *Store) Users(ctx context.Context) iter.Seq2[password.User, error] {
	return func(yield func(password.User, error) bool) {
		after := []byte{}
		for {
			var page []password.User
			err := s.each(ctx, s.says.pageOfUsers, []any{after, pageSize}, func(rows *sql.Rows) error {
				var account sql.RawBytes
				if err := rows.Scan(&after, &account); err != nil {
					return err
				}
				page = append(page, password.User{})
				return page[len(page)-1].UnmarshalBinary(account)
			})
			if err != nil {
				yield(password.User{}, err)
				return
			}
			for _, u := range page {
				if !yield(u, nil) {
					return
				}
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}

func (s *Store) user(ctx context.Context, q *query, name string) (u password.User, err error) {
	found := false
	err = s.each(ctx, q, []any{nameHash(name)}, func(rows *sql.Rows) error {
		var account sql.RawBytes
		if err := rows.Scan(&account); err != nil {
			return err
		}
		found = true
		return u.UnmarshalBinary(account)
	})
	switch {
	case err != nil:
		return password.User{}, err
	case !found:
		return password.User{}, auth.ErrNotFound
	}
	return u, nil
}

func nameHash(name string) []byte {
	h := sha256.Sum256([]byte(name))
	return h[:]
}
