package cachestore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/cachestore"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// usersOf returns the users that a process keeps in records behind its cache.
func usersOf(t *testing.T, c *cachestore.Store, s *auth.Sessions) *password.Users {
	t.Helper()
	records, err := password.NewUserRecords(c)
	require.NoError(t, err)
	users, err := password.NewUsers(records, &password.Options{Store: c, Sessions: []password.SessionRevoker{s}})
	require.NoError(t, err)
	return users
}

// A login goes by what the store holds, in a handler of the author's own as well:
// a user that another process has disabled, and a password that it has changed,
// are refused at once.
func TestALoginIsNotRemembered(t *testing.T) {
	const login, old, next = "ann@example.com", "correct horse battery staple", "another staple battery horse"
	store := memstore.New()
	open := func() *password.Users {
		c, err := cachestore.New(store, nil)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, c.Close()) })
		s, err := auth.NewSessions(c, nil)
		require.NoError(t, err)
		return usersOf(t, c, s)
	}
	here, there := open(), open()
	user, err := here.Register(t.Context(), password.User{Login: login}, old)
	require.NoError(t, err)
	require.NoError(t, second(there.Verify(t.Context(), login, old)))
	require.NoError(t, here.SetPassword(t.Context(), user.ID, next))
	require.ErrorIs(t, second(there.Verify(t.Context(), login, old)), auth.ErrInvalid)
	require.NoError(t, second(there.Verify(t.Context(), login, next)))
	require.NoError(t, here.Disable(t.Context(), user.ID))
	require.Error(t, second(there.Verify(t.Context(), login, next)))
}

// Whoever verifies a key by themselves, to issue something, asks past the cache.
func TestUncachedLookupsAskTheStore(t *testing.T) {
	b := newBackend()
	here, there := sites(t, b, nil)
	key := createKey(t, here)
	verify := func(s *site) error {
		_, err := s.keys.Verify(auth.Uncached(t.Context()), key.Token.Reveal())
		return err
	}
	require.NoError(t, verify(there))
	require.NoError(t, here.keys.Disable(t.Context(), key.Principal.Credential.ID))
	require.NoError(t, second(there.keys.Verify(t.Context(), key.Token.Reveal())), "within the lag")
	require.ErrorIs(t, verify(there), auth.ErrDisabled)
}
