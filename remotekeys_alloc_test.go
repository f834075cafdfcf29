//go:build !race

package auth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// A key that is there is found without an allocation, and a token that was seen
// before costs none, whether its keys are fetched, and whether its issuer is one
// of several.
func TestRemoteKeysAllocations(t *testing.T) {
	key := generate(t, auth.ES256)
	p := newProvider(t, key)
	keys := p.discover(auth.RemoteKeysOptions{})
	j := p.jwt(keys)
	theirs := auth.Issuers(j)
	both := auth.Issuers(newJWT(t, keySet(t, hmacKey(t)), nil), j)
	token, ctx, kid := p.token(key), t.Context(), key.ID()
	good(t, j, token)
	found, err := keys.Lookup(ctx, kid, auth.ES256)
	require.NoError(t, err)
	unknown := signWith(nil, plainHeader, goodClaims().String())
	for name, run := range map[string]func(){
		"Lookup":            func() { _, _ = keys.Lookup(ctx, kid, auth.ES256) },
		"Lookup by none":    func() { _, _ = keys.Lookup(ctx, "", auth.ES256) },
		"Lookup of another": func() { _, _ = keys.Lookup(ctx, kid, auth.HS256) },
		"Contains":          func() { _ = keys.Contains(found[0]) },
		"token":             func() { _, _ = j.Verify(ctx, token) },
		"one of several":    func() { _, _ = both.Verify(ctx, token) },
		"unknown issuer":    func() { _, _ = theirs.Verify(ctx, unknown) },
	} {
		require.Zero(t, testing.AllocsPerRun(200, run), name)
	}
	require.Equal(t, 1, p.fetched())
}
