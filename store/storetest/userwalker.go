package storetest

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/seed-077cad0b/auth/password"
)

const walksUsers = "It sees each user once that is there from beginning to end"

// userWalkerClaims hold each sentence of password.UserWalker.
var userWalkerClaims = []claim[userOpener]{
	{"Walk users, all", walksUsers, func(t *trial, open userOpener) {
		a, b := open(t), open(t)
		t.walksUsers(b, t.users(a, 300))
	}},
	{"Walk users, and the loop changes the store", "The loop may call other methods of the store.", func(t *trial, open userOpener) {
		s := open(t)
		all := t.users(s, 20)
		for u, err := range usersOf(t, s) {
			t.must(err, "Users")
			if _, ours := all[u.ID]; !ours {
				continue
			}
			delete(all, u.ID)
			u.Revision++
			u.Disabled = true
			t.must(s.ReplaceUser(t.ctx, u), "ReplaceUser")
		}
		equal(t, len(all), 0, "users that the loop did not see")
	}},
	{"Walk users, until the loop breaks", walksUsers, func(t *trial, open userOpener) {
		s := open(t)
		all := t.users(s, 3)
		for range 20 { // what is not closed runs out
			for _, err := range usersOf(t, s) {
				t.must(err, "Users")
				break
			}
		}
		t.walksUsers(s, all)
	}},
	{"Walk users, context", "The sequence ends after the first error.", func(t *trial, open userOpener) {
		s := open(t)
		t.users(s, 3)
		past, cancel := context.WithDeadline(t.ctx, time.Now().Add(-time.Second))
		defer cancel()
		rounds := 0
		for _, err := range s.(password.UserWalker).Users(past) {
			t.ended(err, past, "Users")
			rounds++
		}
		equal(t, rounds, 1, "rounds of a loop whose context had ended")
	}},
}

// walksUsersAtAll reports whether s is a UserWalker that can walk.
func walksUsersAtAll(tb testing.TB, s password.UserStore) bool {
	w, ok := s.(password.UserWalker)
	if !ok {
		return false
	}
	for _, err := range w.Users(tb.Context()) {
		return !errors.Is(err, errors.ErrUnsupported)
	}
	return true
}

func usersOf(t *trial, s password.UserStore) iter.Seq2[password.User, error] {
	return s.(password.UserWalker).Users(t.ctx)
}

// users inserts n users and returns them by their IDs.
func (t *trial) users(s password.UserStore, n int) map[string]password.User {
	t.Helper()
	all := make(map[string]password.User, n)
	for range n {
		u := user()
		t.must(s.InsertUser(t.ctx, u), "InsertUser")
		all[u.ID] = u
	}
	return all
}

// walksUsers wants each of the users to be seen once, as they are.
func (t *trial) walksUsers(s password.UserStore, want map[string]password.User) {
	t.Helper()
	seen := map[string]bool{}
	for u, err := range usersOf(t, s) {
		t.must(err, "Users")
		w, ours := want[u.ID]
		if !ours {
			continue
		}
		if seen[u.ID] {
			t.Fatalf("a user is seen twice")
		}
		seen[u.ID] = true
		same(t, u, w, "Users")
	}
	equal(t, len(seen), len(want), "users seen")
}
