//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

// Whatever a store is asked, that it does not answer is told from what it
// answers.
func TestOutagesAreToldFromAnswers(t *testing.T) {
	s := onSQLite(t).open()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	last := func(ctx context.Context, k auth.Kind) (err error) {
		for _, err = range s.Walk(ctx, k) {
		}
		return err
	}
	for name, ask := range map[string]func(ctx context.Context) error{
		"Lookup":  func(ctx context.Context) error { _, err := s.Lookup(ctx, auth.Digest{}); return err },
		"Insert":  func(ctx context.Context) error { return s.Insert(ctx, auth.Digest{}, auth.Record{Kind: "x"}) },
		"Replace": func(ctx context.Context) error { return s.Replace(ctx, auth.Digest{}, auth.Record{Kind: "x"}) },
		"Take":    func(ctx context.Context) error { _, err := s.Take(ctx, auth.Digest{}); return err },
		"LookupAll": func(ctx context.Context) error {
			return s.LookupAll(ctx, auth.KindMark, make([]auth.Digest, 1), make([]auth.Record, 1))
		},
		"Touch": func(ctx context.Context) error {
			return s.Touch(ctx, map[auth.Digest]time.Time{{}: time.Now()})
		},
		"List": func(ctx context.Context) error {
			_, err := count(s.List(ctx, auth.Digest{1}, auth.KindSession))
			return err
		},
		"Walk":        func(ctx context.Context) error { return last(ctx, "") },
		"UserByLogin": func(ctx context.Context) error { _, err := s.users.UserByLogin(ctx, "x"); return err },
		"UserByID":    func(ctx context.Context) error { _, err := s.users.UserByID(ctx, "x"); return err },
		"InsertUser":  func(ctx context.Context) error { return s.users.InsertUser(ctx, password.User{ID: "x", Login: "x"}) },
		"ReplaceUser": func(ctx context.Context) error { return s.users.ReplaceUser(ctx, password.User{ID: "x"}) },
		"Users":       func(ctx context.Context) error { _, err := count(s.users.Users(ctx)); return err },
	} {
		require.Equal(t, exitUnavailable, exitCode(ask(late)), name)
		require.NotEqual(t, exitUnavailable, exitCode(ask(t.Context())), name)
	}
}

func TestExitCodes(t *testing.T) {
	for want, errs := range map[int][]error{
		exitDone:        {nil},
		exitFailed:      {errors.New("x"), auth.ErrInvalid, password.ErrTooShort, &outage{context.Canceled}},
		exitUsage:       {usagef("x"), fmt.Errorf("x: %w", usagef("x"))},
		exitNotFound:    {auth.ErrNotFound, notFound("x"), errors.Join(nil, auth.ErrNotFound)},
		exitConflict:    {auth.ErrExists, auth.ErrConflict, conflict("x"), told(exitConflict)},
		exitUnavailable: {&outage{errors.New("x")}, fmt.Errorf("x: %w", answer(errors.New("x")))},
		exitNotGood:     {told(exitNotGood)},
	} {
		for _, err := range errs {
			require.Equal(t, want, exitCode(err), "%v", err)
		}
	}
	for _, err := range []error{nil, auth.ErrNotFound, auth.ErrExists, fmt.Errorf("x: %w", auth.ErrConflict)} {
		require.Equal(t, err, answer(err), "an answer, and no outage")
	}
}
