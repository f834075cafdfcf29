package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

type userOpener = func(testing.TB) password.UserStore

const (
	insertsUser = "InsertUser adds u. Where its Login or its ID is taken it returns auth.ErrExists and changes nothing."
	changesUser = "ReplaceUser changes the user with u's ID to u, whose Revision must be the stored one plus 1."
)

// userClaims hold each sentence of password.UserStore.
var userClaims = []claim[userOpener]{
	{"User, every field", "UserByLogin returns the user with that login", func(t *trial, open userOpener) {
		a, b := open(t), open(t)
		for range 3 {
			u := wholeUser(t)
			t.must(a.InsertUser(t.ctx, u), "InsertUser")
			t.user(b, u)
			other := wholeUser(t)
			other.ID, other.Login, other.Revision = u.ID, u.Login, u.Revision+1
			u = other
			t.must(b.ReplaceUser(t.ctx, u), "ReplaceUser")
			t.user(a, u)
		}
	}},
	{"User, little", "UserByID returns the user with that ID", func(t *trial, open userOpener) {
		s := open(t)
		full := wholeUser(t)
		for _, f := range []func(*password.User){
			func(*password.User) {},
			func(u *password.User) { u.Disabled = true },
			func(u *password.User) { u.Scopes, u.Claims = []string{}, []byte{} },
			func(u *password.User) { u.Scopes = []string{"", "a", ""} },
			func(u *password.User) { u.Claims = []byte(`{ "b":1,"a" : 12345678901234567890, "e":"\u00e9" }`) },
			func(u *password.User) { u.Created, u.Changed = full.Created, full.Changed },
			func(u *password.User) { u.Revision = math.MaxUint64 },
		} {
			u := password.User{ID: rand.Text(), Login: rand.Text()}
			f(&u)
			t.must(s.InsertUser(t.ctx, u), "InsertUser")
			t.user(s, u)
			u.Revision++
			t.must(s.ReplaceUser(t.ctx, u), "ReplaceUser")
			t.user(s, u)
		}
	}},
	{"User, strange texts", "UserByLogin returns the user with that login, compared byte for byte", func(t *trial, open userOpener) {
		s := open(t)
		for _, text := range []string{
			"'; DROP TABLE users; --", `"\'` + "`", "%_ {}[]<>&", "\U0001F511", "e\u0301 \u00e9 \u00df \u0130", strings.Repeat("x", 200),
		} {
			u := user()
			u.ID, u.Login = u.ID+text, u.Login+text
			u.Hash, u.Tenant, u.Tier, u.Scopes = text, text, text, []string{text}
			t.must(s.InsertUser(t.ctx, u), "InsertUser")
			t.user(s, u)
		}
	}},
	{"User, names alike", "compared byte for byte", func(t *trial, open userOpener) {
		s := open(t)
		start := name()
		for _, end := range []string{"a", "A", "a ", " a", "aa", "\u00e4", "a\u0308", "\u00c4", "%", "_", ""} {
			u := user()
			u.ID, u.Login = start+end, start+end
			t.noUser(s, u.ID, u.Login)
			t.must(s.InsertUser(t.ctx, u), "InsertUser")
			t.user(s, u)
		}
	}},
	{"User, absent", "compared byte for byte, or auth.ErrNotFound.", func(t *trial, open userOpener) {
		s := open(t)
		u := user()
		t.must(s.InsertUser(t.ctx, u), "InsertUser")
		for _, text := range []string{u.ID + u.Login, strings.ToUpper(u.Login), u.Login + "\x00", "\x00", "\xff\xfe", strings.Repeat("long", 5000)} {
			t.noUser(s, text, text)
		}
		t.noUser(s, u.Login, u.ID)
	}},
	{"InsertUser, taken", insertsUser, func(t *trial, open userOpener) {
		s := open(t)
		u := user()
		t.must(s.InsertUser(t.ctx, u), "InsertUser")
		sameID, sameLogin := user(), user()
		sameID.ID, sameLogin.Login = u.ID, u.Login
		t.is(s.InsertUser(t.ctx, u), auth.ErrExists, "InsertUser of the same")
		t.is(s.InsertUser(t.ctx, sameID), auth.ErrExists, "InsertUser of a taken ID")
		t.is(s.InsertUser(t.ctx, sameLogin), auth.ErrExists, "InsertUser of a taken Login")
		t.user(s, u)
		t.noUser(s, sameLogin.ID, sameID.Login)
		sameID.ID, sameLogin.Login = name(), name()
		t.must(s.InsertUser(t.ctx, sameID), "InsertUser of a Login that was refused with another's ID")
		t.must(s.InsertUser(t.ctx, sameLogin), "InsertUser of an ID that was refused with another's Login")
	}},
	{"ReplaceUser, another login", changesUser, func(t *trial, open userOpener) {
		s := open(t)
		u := user()
		t.must(s.InsertUser(t.ctx, u), "InsertUser")
		renamed := nextUser(u)
		renamed.Login = name()
		t.must(s.ReplaceUser(t.ctx, renamed), "ReplaceUser")
		t.user(s, renamed)
		t.is(second(s.UserByLogin(t.ctx, u.Login)), auth.ErrNotFound, "UserByLogin of the old login")
		other := user()
		other.Login = u.Login
		t.must(s.InsertUser(t.ctx, other), "InsertUser with a login that is free again")
		t.user(s, other)
		t.user(s, renamed)
	}},
	{"ReplaceUser, absent", "It returns auth.ErrNotFound where none is present", func(t *trial, open userOpener) {
		s := open(t)
		u := user()
		t.is(s.ReplaceUser(t.ctx, u), auth.ErrNotFound, "ReplaceUser")
		t.noUser(s, u.ID, u.Login)
		present := user()
		t.must(s.InsertUser(t.ctx, present), "InsertUser")
		u.Login, u.Revision = present.Login, present.Revision+1
		t.is(s.ReplaceUser(t.ctx, u), auth.ErrNotFound, "ReplaceUser with a login that is taken")
		t.user(s, present)
	}},
	{"ReplaceUser, stale", "auth.ErrConflict where the revision differs", func(t *trial, open userOpener) {
		s := open(t)
		u := user()
		t.must(s.InsertUser(t.ctx, u), "InsertUser")
		for _, by := range []uint64{0, 2, 1 << 32, math.MaxUint64, math.MaxUint64 - u.Revision + 1} {
			stale := nextUser(u)
			stale.Revision, stale.Login = u.Revision+by, name()
			t.is(s.ReplaceUser(t.ctx, stale), auth.ErrConflict, "ReplaceUser")
			t.user(s, u)
			t.is(second(s.UserByLogin(t.ctx, stale.Login)), auth.ErrNotFound, "UserByLogin")
		}
	}},
	{"ReplaceUser, taken", "auth.ErrExists where u's Login is new and taken by another user", func(t *trial, open userOpener) {
		s := open(t)
		u, other := user(), user()
		t.must(s.InsertUser(t.ctx, u), "InsertUser")
		t.must(s.InsertUser(t.ctx, other), "InsertUser")
		thief := nextUser(u)
		thief.Login = other.Login
		t.is(s.ReplaceUser(t.ctx, thief), auth.ErrExists, "ReplaceUser")
		t.user(s, u)
		t.user(s, other)
	}},
	{"Users, one succeeds", "Every method is atomic, honours its context, and is safe for concurrent use.", func(t *trial, open userOpener) {
		handles := [2]password.UserStore{open(t), open(t)}
		users := make([]password.User, racers)
		login := name()
		for i := range users {
			users[i] = user()
			users[i].Login = login
		}
		errs := race(racers, func(i int) error { return handles[i%2].InsertUser(t.ctx, users[i]) })
		t.one(errs, auth.ErrExists)
		won := users[winner(errs)]
		t.user(handles[0], won)
		for i := range users {
			users[i] = nextUser(won)
		}
		errs = race(racers, func(i int) error { return handles[i%2].ReplaceUser(t.ctx, users[i]) })
		t.one(errs, auth.ErrConflict)
		t.user(handles[1], users[winner(errs)])
	}},
	{"Users, one gets a login", "It is unique in its store, over all tenants.", func(t *trial, open userOpener) {
		handles := [2]password.UserStore{open(t), open(t)}
		for range 5 {
			login := name()
			users := make([]password.User, 8)
			for i := range users {
				users[i] = user()
				if i > 0 {
					t.must(handles[0].InsertUser(t.ctx, users[i]), "InsertUser")
					users[i].Revision++
				}
				users[i].Login = login
			}
			errs := race(len(users), func(i int) error {
				if i == 0 {
					return handles[0].InsertUser(t.ctx, users[0])
				}
				return handles[i%2].ReplaceUser(t.ctx, users[i])
			})
			t.one(errs, auth.ErrExists)
			t.user(handles[1], users[winner(errs)])
		}
	}},
	{"Users, context", "Every method is atomic, honours its context, and is safe for concurrent use.", func(t *trial, open userOpener) {
		s := open(t)
		u, absent := user(), user()
		t.must(s.InsertUser(t.ctx, u), "InsertUser")
		cancelled, cancel := context.WithCancel(t.ctx)
		cancel()
		past, cancel := context.WithDeadline(t.ctx, time.Now().Add(-time.Second))
		defer cancel()
		for _, ctx := range []context.Context{cancelled, past} {
			t.ended(second(s.UserByID(ctx, u.ID)), ctx, "UserByID")
			t.ended(second(s.UserByLogin(ctx, absent.Login)), ctx, "UserByLogin")
			t.ended(s.InsertUser(ctx, absent), ctx, "InsertUser")
			t.ended(s.InsertUser(ctx, u), ctx, "InsertUser of one that is there")
			t.ended(s.ReplaceUser(ctx, nextUser(u)), ctx, "ReplaceUser")
			t.ended(s.ReplaceUser(ctx, absent), ctx, "ReplaceUser of none")
		}
		t.user(s, u)
		t.noUser(s, absent.ID, absent.Login)
	}},
	{"Users, a handle that is closed", "Errors other than the three of auth.Store mean that the backend could not answer", func(t *trial, open userOpener) {
		u := user()
		t.must(open(t).InsertUser(t.ctx, u), "InsertUser")
		var closed password.UserStore
		t.scope(func(t *trial) { closed = open(t) })
		ctx, cancel := context.WithTimeout(t.ctx, 10*time.Second)
		defer cancel()
		for _, err := range []error{
			second(closed.UserByID(ctx, u.ID)), second(closed.UserByLogin(ctx, u.Login)),
			closed.InsertUser(ctx, user()), closed.ReplaceUser(ctx, nextUser(u)),
		} {
			if isAnswer(err) {
				t.Fatalf("through a handle that is closed: %v, which is an answer", err)
			}
		}
	}},
	{"Users, no goroutine is left", "no goroutine of its own is left after that", func(t *trial, open userOpener) {
		t.scope(func(t *trial) { t.noUser(open(t), "kit", "kit") }) // what starts once stays
		before := runtime.NumGoroutine()
		t.scope(func(t *trial) { t.must(open(t).InsertUser(t.ctx, user()), "InsertUser") })
		t.goroutinesEnd(before)
	}},
}

// wholeUser returns a user with something of its own in every field.
func wholeUser(t *trial) (u password.User) {
	t.Helper()
	fill(t, reflect.ValueOf(&u).Elem())
	u.Revision = auth.NewRevision()
	return u
}

// user returns a user with little in it.
func user() password.User {
	return password.User{ID: name(), Login: name(), Hash: rand.Text(), Revision: auth.NewRevision()}
}

func name() string { return "kit-" + rand.Text() }

// nextUser returns what may replace u: one of the same ID and Login.
func nextUser(u password.User) password.User {
	n := user()
	n.ID, n.Login, n.Revision = u.ID, u.Login, u.Revision+1
	return n
}

// user wants u by both ways.
func (t *trial) user(s password.UserStore, u password.User) {
	t.Helper()
	got, err := s.UserByID(t.ctx, u.ID)
	t.must(err, "UserByID")
	same(t, got, u, "UserByID")
	got, err = s.UserByLogin(t.ctx, u.Login)
	t.must(err, "UserByLogin")
	same(t, got, u, "UserByLogin")
}

// noUser wants nobody of that ID, nor of that login.
func (t *trial) noUser(s password.UserStore, id, login string) {
	t.Helper()
	for way, err := range map[string]error{"UserByID": second(s.UserByID(t.ctx, id)), "UserByLogin": second(s.UserByLogin(t.ctx, login))} {
		if !errors.Is(err, auth.ErrNotFound) {
			t.Fatalf("%s(%.100q): got error %v, want %v", way, id+" or "+login, err, auth.ErrNotFound)
		}
	}
}
