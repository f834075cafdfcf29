package auth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// Row 51: a key grants what its maker asks for and has, never more.
func TestAPIKeyScopesAreNarrowed(t *testing.T) {
	keys := newKeys(t, newStore(t), nil)
	p := authtest.Principal("42", "read", "write")
	for name, c := range map[string]struct{ asked, want []string }{
		"all of the principal's":  {nil, []string{"read", "write"}},
		"some":                    {[]string{"write"}, []string{"write"}},
		"none":                    {[]string{}, []string{}},
		"one that nobody granted": {[]string{"read", "admin", "READ", "read:all"}, []string{"read"}},
	} {
		t.Run(name, func(t *testing.T) {
			key := must(keys.Create(t.Context(), p, &auth.KeyOptions{Scopes: c.asked}))
			got, err := keys.Verify(t.Context(), key.Token.Reveal())
			require.NoError(t, err)
			require.Equal(t, c.want, got.Scopes)
			next := must(keys.Rotate(t.Context(), got.Credential.ID))
			require.Equal(t, c.want, next.Principal.Scopes, "its successor grants the same")
		})
	}
	require.Equal(t, []string{"read", "write"}, p.Scopes)
}

// Row 67: a list without a network is not the absence of a list.
func TestAPIKeyRemembersThatNoNetworkIsAllowed(t *testing.T) {
	keys := newKeys(t, newStore(t), nil)
	for name, networks := range map[string]*auth.Networks{"anywhere": nil, "nowhere": must(auth.NewNetworks())} {
		key := must(keys.Create(t.Context(), authtest.Principal("42"), &auth.KeyOptions{Networks: networks}))
		view, err := keys.Lookup(t.Context(), key.Principal.Credential.ID)
		require.NoError(t, err)
		require.Equal(t, networks, view.Principal.Networks, name)
	}
}
