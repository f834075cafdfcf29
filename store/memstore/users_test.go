package memstore_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// userContract holds one case for each sentence of password.UserStore.
var userContract = []struct {
	sentence string
	check    func(t *testing.T, ctx context.Context, s password.UserStore)
}{
	{"A user comes back as it went in, by login and by ID", func(t *testing.T, ctx context.Context, s password.UserStore) {
		for i, u := range []password.User{user(0), {ID: "1", Login: "1"}, {ID: "2", Login: "ü\x00'--", Scopes: []string{}}} {
			require.NoError(t, s.InsertUser(ctx, u), i)
			requireUser(t, ctx, s, u)
		}
	}},
	{"Where no user is present both ways return ErrNotFound", func(t *testing.T, ctx context.Context, s password.UserStore) {
		require.NoError(t, s.InsertUser(ctx, user(0)))
		for _, key := range []string{"", user(1).ID, strings.ToUpper(user(0).Login), strings.ToUpper(user(0).ID), user(0).Login + " "} {
			require.ErrorIs(t, second(s.UserByID(ctx, key)), auth.ErrNotFound)
			require.ErrorIs(t, second(s.UserByLogin(ctx, key)), auth.ErrNotFound)
		}
	}},
	{"InsertUser returns ErrExists where the Login or the ID is taken and changes nothing", func(t *testing.T, ctx context.Context, s password.UserStore) {
		require.NoError(t, s.InsertUser(ctx, user(0)))
		sameID, sameLogin := user(1), user(2)
		sameID.ID, sameLogin.Login = user(0).ID, user(0).Login
		sameLogin.Tenant = "another"
		require.ErrorIs(t, s.InsertUser(ctx, sameID), auth.ErrExists)
		require.ErrorIs(t, s.InsertUser(ctx, sameLogin), auth.ErrExists)
		requireUser(t, ctx, s, user(0))
		require.ErrorIs(t, second(s.UserByLogin(ctx, sameID.Login)), auth.ErrNotFound)
		require.ErrorIs(t, second(s.UserByID(ctx, sameLogin.ID)), auth.ErrNotFound)
	}},
	{"ReplaceUser changes the user if the Revision is the stored one plus 1", func(t *testing.T, ctx context.Context, s password.UserStore) {
		u := user(0)
		require.NoError(t, s.InsertUser(ctx, u))
		u.Revision++
		u.Hash, u.Disabled, u.Login = "another", true, "another"
		require.NoError(t, s.ReplaceUser(ctx, u))
		requireUser(t, ctx, s, u)
		require.ErrorIs(t, second(s.UserByLogin(ctx, user(0).Login)), auth.ErrNotFound)
		again := user(1)
		again.Login = user(0).Login // free now
		require.NoError(t, s.InsertUser(ctx, again))
	}},
	{"ReplaceUser returns ErrNotFound where none is present", func(t *testing.T, ctx context.Context, s password.UserStore) {
		require.ErrorIs(t, s.ReplaceUser(ctx, user(0)), auth.ErrNotFound)
	}},
	{"ReplaceUser returns ErrConflict where the revision differs", func(t *testing.T, ctx context.Context, s password.UserStore) {
		require.NoError(t, s.InsertUser(ctx, user(0)))
		for _, revision := range []uint64{0, user(0).Revision - 1, user(0).Revision, user(0).Revision + 2} {
			u := user(0)
			u.Revision, u.Hash = revision, "another"
			require.ErrorIs(t, s.ReplaceUser(ctx, u), auth.ErrConflict)
		}
		requireUser(t, ctx, s, user(0))
	}},
	{"ReplaceUser returns ErrExists where the new Login is taken, and changes nothing", func(t *testing.T, ctx context.Context, s password.UserStore) {
		require.NoError(t, s.InsertUser(ctx, user(0)))
		require.NoError(t, s.InsertUser(ctx, user(1)))
		u := user(0)
		u.Revision++
		u.Login = user(1).Login
		require.ErrorIs(t, s.ReplaceUser(ctx, u), auth.ErrExists)
		requireUser(t, ctx, s, user(0))
		requireUser(t, ctx, s, user(1))
	}},
	{"Every method honours its context", func(t *testing.T, ctx context.Context, s password.UserStore) {
		require.NoError(t, s.InsertUser(ctx, user(0)))
		done, cancel := context.WithCancel(ctx)
		cancel()
		u := user(0)
		u.Revision++
		require.ErrorIs(t, second(s.UserByID(done, u.ID)), context.Canceled)
		require.ErrorIs(t, second(s.UserByLogin(done, u.Login)), context.Canceled)
		require.ErrorIs(t, s.InsertUser(done, user(1)), context.Canceled)
		require.ErrorIs(t, s.ReplaceUser(done, u), context.Canceled)
		requireUser(t, ctx, s, user(0))
	}},
	{"Of concurrent writers one succeeds", func(t *testing.T, ctx context.Context, s password.UserStore) {
		require.Equal(t, 1, race(64, func(int) bool { return s.InsertUser(ctx, user(0)) == nil }))
		u := user(0)
		u.Revision++
		require.Equal(t, 1, race(64, func(int) bool { return s.ReplaceUser(ctx, u) == nil }))
	}},
}

func TestUserContract(t *testing.T) {
	for _, c := range userContract {
		t.Run(c.sentence, func(t *testing.T) { c.check(t, t.Context(), memstore.New()) })
	}
}

func user(i int) password.User {
	at := time.Date(2030, 1, 2, 3, 4, 5, 6000, time.UTC)
	return password.User{
		ID: "id-" + strconv.Itoa(i), Login: "login-" + strconv.Itoa(i), Hash: "hash", Tenant: "tenant", Tier: "tier",
		Scopes: []string{"a", "b"}, Claims: []byte(`{"a":1}`), Created: at, Changed: at.Add(time.Hour), Revision: 1 << 40,
	}
}

func requireUser(t *testing.T, ctx context.Context, s password.UserStore, want password.User) {
	t.Helper()
	got, err := s.UserByID(ctx, want.ID)
	require.NoError(t, err)
	require.Equal(t, want, got)
	got, err = s.UserByLogin(ctx, want.Login)
	require.NoError(t, err)
	require.Equal(t, want, got)
}
