package auth_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

func TestOperatorsSeeWhoIsSuspended(t *testing.T) {
	store := newTap(t)
	platforms := must(auth.NewPlatforms(store, must(auth.NewPlatformList()), nil))
	suspended := func(id string) bool { return must(platforms.Suspended(t.Context(), id)) }
	require.False(t, suspended("acme"))
	require.NoError(t, platforms.Suspend(t.Context(), "acme"))
	require.True(t, suspended("acme"))
	require.False(t, suspended("acme2"))
	require.NoError(t, platforms.Resume(t.Context(), "acme"))
	require.False(t, suspended("acme"))

	_, err := platforms.Suspended(t.Context(), "../acme")
	require.Error(t, err)
	down := errors.New("down")
	store.before = func(string) error { return down }
	_, err = platforms.Suspended(t.Context(), "acme")
	require.ErrorIs(t, err, down, "an outage is not an answer")
}

func TestKeysAreListedInOrder(t *testing.T) {
	first, next := must(auth.GenerateKey(auth.ES256)), must(auth.GenerateKey(auth.ES256))
	keys := must(auth.NewKeys(first))
	require.NoError(t, keys.Add(next))
	all := keys.All()
	require.Equal(t, []*auth.Key{first, next}, all)
	all[0] = nil
	require.Equal(t, []*auth.Key{first, next}, keys.All(), "the list is the caller's own")
	require.NoError(t, keys.Rotate(next))
	require.NoError(t, keys.Remove(first.ID()))
	require.Equal(t, []*auth.Key{next}, keys.All())
}
