package main

import (
	"context"
	"errors"
	"iter"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// Where a SQL store keeps users is the API's choice. Nothing in the store tells
// it, but that there are users.
const (
	inTable   = "table"
	inRecords = "records"
)

func (a *app) checkUserPlace() error {
	switch {
	case a.userPlace != "" && a.userPlace != inTable && a.userPlace != inRecords:
		return usagef("users are kept in the table or in the records, and not in %q", a.userPlace)
	case a.userPlace == inTable && isRedis(a.storeURL()):
		return usagef("Redis has no table of users")
	}
	return nil
}

// placeUsers has a backend look for users where they are kept.
func (a *app) placeUsers(b *backend, table *sqlstore.Store) error {
	kept, err := password.NewUserRecords(table)
	if err != nil {
		return err
	}
	switch a.userPlace {
	case inRecords:
		b.users = users{kept}
	case inTable:
		b.users = users{table}
	default:
		b.users, b.strays = users{table}, &users{kept}
	}
	return nil
}

var errStrays = errors.New("this store has users that password.NewUserRecords keeps, outside the table of users: " +
	"say --users records if the API has them there, or else --users table")

// noStrays returns an error where there are users in a place in which the command
// does not look.
func (s *backend) noStrays(ctx context.Context) error {
	if s.strays == nil {
		return nil
	}
	return first(s.strays.Users(ctx), errStrays)
}

// settled is noStrays for a store whose users need not be there yet.
func (s *backend) settled(ctx context.Context) error {
	err := first(s.users.Users(ctx), errAny)
	if errors.Is(err, errAny) {
		return nil
	}
	return errors.Join(err, s.noStrays(ctx))
}

var errAny = errors.New("there is one")

// first returns what is said if there is anything in seq.
func first[T any](seq iter.Seq2[T, error], said error) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
		return said
	}
	return nil
}

// orStray is the error of a user who was not found: missing, unless find finds
// them in the place in which the command does not look.
func (s *backend) orStray(missing error, find func(users) (password.User, error)) error {
	if s.strays == nil {
		return missing
	}
	_, err := find(*s.strays)
	switch {
	case err == nil:
		return errStrays
	case errors.Is(err, auth.ErrNotFound):
		return missing
	default:
		return err
	}
}
