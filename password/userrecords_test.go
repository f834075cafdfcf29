package password_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestUserRecordsAreAUserStore(t *testing.T) {
	store := memstore.New()
	storetest.RunUsers(t, func(testing.TB) password.UserStore { return must(password.NewUserRecords(store)) })
}

func TestNewUserRecordsRefusesNoStore(t *testing.T) {
	_, err := password.NewUserRecords(nil)
	require.Error(t, err)
}

func recorded(i int) password.User {
	return password.User{ID: fmt.Sprint("id-", i), Login: fmt.Sprint("login-", i), Hash: "hash", Revision: auth.NewRevision()}
}

// A dying store makes so many calls, and no more: to whoever comes after, its
// process has been killed.
type dyingStore struct {
	auth.Store
	left, calls, refused int
	late                 int // look-ups that a cache may answer
}

var errKilled = errors.New("killed")

func (s *dyingStore) call(f func() error) error {
	if s.left == 0 {
		s.refused++
		return errKilled
	}
	s.left--
	s.calls++
	return f()
}

func (s *dyingStore) Lookup(ctx context.Context, d auth.Digest) (r auth.Record, err error) {
	if !auth.IsUncached(ctx) {
		s.late++
	}
	err = s.call(func() error { r, err = s.Store.Lookup(ctx, d); return err })
	return r, err
}

func (s *dyingStore) Insert(ctx context.Context, d auth.Digest, r auth.Record) error {
	return s.call(func() error { return s.Store.Insert(ctx, d, r) })
}

func (s *dyingStore) Replace(ctx context.Context, d auth.Digest, r auth.Record) error {
	return s.call(func() error { return s.Store.Replace(ctx, d, r) })
}

func (s *dyingStore) Take(ctx context.Context, d auth.Digest) (r auth.Record, err error) {
	err = s.call(func() error { r, err = s.Store.Take(ctx, d); return err })
	return r, err
}

// Wherever a process is killed, its change has come about whole or not at all,
// and the next who wants the login gets it, a second later at most.
func TestUserRecordsKilledAfterAnyCall(t *testing.T) {
	insert := func(ctx context.Context, s password.UserStore, u password.User) error { return s.InsertUser(ctx, u) }
	rename := func(ctx context.Context, s password.UserStore, u password.User) error {
		u.Revision++
		return s.ReplaceUser(ctx, u)
	}
	for name, c := range map[string]struct {
		present bool
		change  func(context.Context, password.UserStore, password.User) error
	}{"insert": {false, insert}, "rename": {true, rename}} {
		for calls := 0; ; calls++ {
			done := false
			t.Run(fmt.Sprintf("%s, %d calls", name, calls), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, store := t.Context(), memstore.New()
					after := must(password.NewUserRecords(store))
					before := recorded(0)
					if c.present {
						require.NoError(t, after.InsertUser(ctx, before))
					}
					u := before
					u.Login = "wanted"
					dying := &dyingStore{Store: store, left: calls}
					err := c.change(ctx, must(password.NewUserRecords(dying)), u)
					done = dying.refused == 0
					require.Zero(t, dying.late, "what is written is decided by what the store holds")

					got, byLogin := after.UserByLogin(ctx, "wanted")
					stored, byID := after.UserByID(ctx, u.ID)
					changed := byID == nil && stored.Login == "wanted"
					require.Equal(t, changed, byLogin == nil, "%v", byLogin)
					if err == nil {
						require.True(t, changed, "what is acknowledged is there")
					}
					other := recorded(1)
					other.Login = "wanted"
					start := time.Now()
					err = after.InsertUser(ctx, other)
					if changed {
						require.Equal(t, u.ID, got.ID)
						require.ErrorIs(t, err, auth.ErrExists)
						require.Zero(t, time.Since(start))
						return
					}
					require.NoError(t, err)
					require.Less(t, time.Since(start), 1100*time.Millisecond)
					require.Equal(t, c.present, byID == nil, "nobody is lost")
					require.NoError(t, second(after.UserByLogin(ctx, "wanted")))

					// Who was killed can do it again, but for the login.
					require.ErrorIs(t, c.change(ctx, after, u), auth.ErrExists)
					u.Login = "another"
					require.NoError(t, c.change(ctx, after, u))
				})
			})
			if done {
				break
			}
			require.Less(t, calls, 20)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// A rename leaves neither its old login behind nor, where it fails, the new one.
func TestUserRecordsLeaveNoClaims(t *testing.T) {
	ctx, store := t.Context(), memstore.New()
	users := must(password.NewUserRecords(store))
	u, other := recorded(0), recorded(1)
	require.NoError(t, users.InsertUser(ctx, u))
	require.NoError(t, users.InsertUser(ctx, other))
	u.Login = "new"
	u.Revision++
	require.NoError(t, users.ReplaceUser(ctx, u))
	require.Equal(t, 2, claims(t, store))

	late := u
	late.Login = "late"
	late.Revision++
	racing := &overtakenStore{Store: store, then: func() {
		u.Tier = "gold"
		u.Revision++
		require.NoError(t, users.ReplaceUser(ctx, u))
	}}
	require.ErrorIs(t, must(password.NewUserRecords(racing)).ReplaceUser(ctx, late), auth.ErrConflict)
	require.Equal(t, 2, claims(t, store))
}

// An overtakenStore has somebody else change something after the first Insert.
type overtakenStore struct {
	auth.Store
	then func()
}

func (s *overtakenStore) Insert(ctx context.Context, d auth.Digest, r auth.Record) error {
	err := s.Store.Insert(ctx, d, r)
	if s.then != nil {
		s.then()
		s.then = nil
	}
	return err
}

func claims(t *testing.T, store *memstore.Store) int {
	n := 0
	for _, err := range store.Walk(t.Context(), password.KindLogin) {
		require.NoError(t, err)
		n++
	}
	return n
}

// The time that a look-up takes tells no stranger who has an account.
func TestUserRecordsLookAsOftenForNobody(t *testing.T) {
	ctx, counted := t.Context(), &dyingStore{Store: memstore.New(), left: 1 << 20}
	users := must(password.NewUserRecords(counted))
	require.NoError(t, users.InsertUser(ctx, recorded(0)))
	looks := func(login string) int {
		before := counted.calls
		_, _ = users.UserByLogin(ctx, login)
		return counted.calls - before
	}
	require.Equal(t, 2, looks(recorded(0).Login))
	require.Equal(t, 2, looks("nobody"))
	require.Error(t, users.InsertUser(ctx, password.User{Login: "no ID"}), "that is where nobody is looked for")
}

func TestUserRecordsLists(t *testing.T) {
	ctx, store := t.Context(), memstore.New()
	users := must(password.NewUserRecords(store))
	want := map[string]password.User{}
	for i := range 50 {
		u := recorded(i)
		require.NoError(t, users.InsertUser(ctx, u))
		want[u.ID] = u
	}
	taken := recorded(100)
	taken.Login = recorded(1).Login
	require.ErrorIs(t, users.InsertUser(ctx, taken), auth.ErrExists) // its ID is reserved, and nobody's
	got := map[string]password.User{}
	for u, err := range users.Users(ctx) {
		require.NoError(t, err)
		got[u.ID] = u
	}
	require.Equal(t, want, got)
	for range users.Users(ctx) {
		break
	}

	bare := must(password.NewUserRecords(struct{ auth.Store }{store}))
	for _, err := range bare.Users(ctx) {
		require.ErrorContains(t, err, "Walker")
	}
}

// What cannot be read is no user that is not there, and its login nobody's to
// take.
func TestUserRecordsThatCannotBeRead(t *testing.T) {
	ctx, store := t.Context(), memstore.New()
	users := must(password.NewUserRecords(store))
	u := recorded(0)
	require.NoError(t, users.InsertUser(ctx, u))
	spoil(t, store, password.KindUser, func(data string) string { return strings.Replace(data, `"version":1`, `"version":2`, 1) })
	other := recorded(1)
	other.Login = u.Login
	for name, err := range map[string]error{
		"by ID": second(users.UserByID(ctx, u.ID)), "by login": second(users.UserByLogin(ctx, u.Login)),
		"replace": users.ReplaceUser(ctx, u), "insert": users.InsertUser(ctx, other),
	} {
		require.Error(t, err, name)
		for _, is := range []error{auth.ErrNotFound, auth.ErrExists, auth.ErrConflict} {
			require.NotErrorIs(t, err, is, name)
		}
	}
	var failed error
	for _, err := range users.Users(ctx) {
		require.NoError(t, failed)
		failed = err
	}
	require.Error(t, failed)

	spoil(t, store, password.KindLogin, func(string) string { return "short" })
	require.Error(t, second(users.UserByLogin(ctx, u.Login)))
	require.NotErrorIs(t, second(users.UserByLogin(ctx, u.Login)), auth.ErrNotFound)
	require.NotErrorIs(t, users.InsertUser(ctx, other), auth.ErrExists)
}

func spoil(t *testing.T, store *memstore.Store, k auth.Kind, change func(string) string) {
	for e, err := range store.Walk(t.Context(), k) {
		require.NoError(t, err)
		e.Record.Data = []byte(change(string(e.Record.Data)))
		e.Record.Revision++
		require.NoError(t, store.Replace(t.Context(), e.Digest, e.Record))
	}
}

// Who waits for another stops when nobody waits for them.
func TestUserRecordsWaitNoLongerThanTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		dying := &dyingStore{Store: store, left: 2}
		require.ErrorIs(t, must(password.NewUserRecords(dying)).InsertUser(t.Context(), recorded(0)), errKilled)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		other := recorded(1)
		other.Login = recorded(0).Login
		start := time.Now()
		require.ErrorIs(t, must(password.NewUserRecords(store)).InsertUser(ctx, other), context.DeadlineExceeded)
		require.Equal(t, 100*time.Millisecond, time.Since(start))
	})
}
