package main

import (
	"context"
	"errors"
	"iter"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

// noUsers stands in for the users of a store that keeps none.
type noUsers struct{}

var errNoUsers = errors.New("no users are kept in this store")

func (noUsers) UserByLogin(context.Context, string) (password.User, error) {
	return password.User{}, auth.ErrNotFound
}
func (noUsers) UserByID(context.Context, string) (password.User, error) {
	return password.User{}, auth.ErrNotFound
}
func (noUsers) InsertUser(context.Context, password.User) error  { return errNoUsers }
func (noUsers) ReplaceUser(context.Context, password.User) error { return errNoUsers }
func (noUsers) Users(context.Context) iter.Seq2[password.User, error] {
	return func(func(password.User, error) bool) {}
}
