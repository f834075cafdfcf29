package main

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

// An outage is an error by which a backend says that it could not answer, told
// from all that this program and the library say by themselves.
type outage struct{ err error }

func (e *outage) Error() string { return "the store does not answer: " + e.err.Error() }
func (e *outage) Unwrap() error { return e.err }

func answer(err error) error {
	switch {
	case err == nil, errors.Is(err, auth.ErrNotFound), errors.Is(err, auth.ErrExists), errors.Is(err, auth.ErrConflict):
		return err
	default:
		return &outage{err}
	}
}

func answers[T any](seq iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range seq {
			if !yield(v, answer(err)) {
				return
			}
		}
	}
}

// A keeper is a store with the abilities that operators need.
type keeper interface {
	auth.Store
	auth.Lister
	auth.Batcher
	auth.Toucher
	auth.Walker
}

// records is a keeper whose outages are told from other errors.
type records struct{ keeper }

func (s records) Lookup(ctx context.Context, d auth.Digest) (auth.Record, error) {
	r, err := s.keeper.Lookup(ctx, d)
	return r, answer(err)
}

func (s records) Insert(ctx context.Context, d auth.Digest, r auth.Record) error {
	return answer(s.keeper.Insert(ctx, d, r))
}

func (s records) Replace(ctx context.Context, d auth.Digest, r auth.Record) error {
	return answer(s.keeper.Replace(ctx, d, r))
}

func (s records) Take(ctx context.Context, d auth.Digest) (auth.Record, error) {
	r, err := s.keeper.Take(ctx, d)
	return r, answer(err)
}

func (s records) List(ctx context.Context, owner auth.Digest, k auth.Kind) iter.Seq2[auth.Entry, error] {
	return answers(s.keeper.List(ctx, owner, k))
}

func (s records) LookupAll(ctx context.Context, k auth.Kind, digests []auth.Digest, found []auth.Record) error {
	return answer(s.keeper.LookupAll(ctx, k, digests, found))
}

func (s records) Touch(ctx context.Context, seen map[auth.Digest]time.Time) error {
	return answer(s.keeper.Touch(ctx, seen))
}

func (s records) Walk(ctx context.Context, k auth.Kind) iter.Seq2[auth.Entry, error] {
	return answers(s.keeper.Walk(ctx, k))
}

// A userKeeper is a store of users that can be walked.
type userKeeper interface {
	password.UserStore
	password.UserWalker
}

// users is a userKeeper whose outages are told from other errors.
type users struct{ userKeeper }

func (s users) UserByLogin(ctx context.Context, login string) (password.User, error) {
	u, err := s.userKeeper.UserByLogin(ctx, login)
	return u, answer(err)
}

func (s users) UserByID(ctx context.Context, id string) (password.User, error) {
	u, err := s.userKeeper.UserByID(ctx, id)
	return u, answer(err)
}

func (s users) InsertUser(ctx context.Context, u password.User) error {
	return answer(s.userKeeper.InsertUser(ctx, u))
}

func (s users) ReplaceUser(ctx context.Context, u password.User) error {
	return answer(s.userKeeper.ReplaceUser(ctx, u))
}

func (s users) Users(ctx context.Context) iter.Seq2[password.User, error] {
	return answers(s.userKeeper.Users(ctx))
}
