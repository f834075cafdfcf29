//go:build !race

package auth_test

import (
	"context"
	"testing"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/stretchr/testify/require"
)

// A token seen before costs no allocation, however it is looked up.
func TestJWTAllocations(t *testing.T) {
	for name, o := range map[string]*auth.JWTOptions{
		"default":    nil,
		"digests":    {CacheDigests: true},
		"revocation": {Revocation: memstore.New()},
		"both":       {CacheDigests: true, Revocation: memstore.New()},
	} {
		j := newJWT(t, keySet(t, hmacKey(t)), o)
		token := issue(t, j, benchPrincipal())
		accepted(t, j, token)
		ctx := context.Background()
		require.Zero(t, testing.AllocsPerRun(200, func() {
			if _, err := j.Verify(ctx, token); err != nil {
				t.Fatal(err)
			}
		}), name)

		// Nor does a forged one.
		forged := token[:len(token)-10] + flip(token[len(token)-10]) + token[len(token)-9:]
		require.Zero(t, testing.AllocsPerRun(200, func() { _, _ = j.Verify(ctx, forged) }), name)
	}

	// A new one costs its principal, the principal's texts and the claims.
	j := newJWT(t, keySet(t, hmacKey(t)), &auth.JWTOptions{CacheSize: -1})
	token := issue(t, j, benchPrincipal())
	require.LessOrEqual(t, testing.AllocsPerRun(200, func() { _, _ = j.Verify(context.Background(), token) }), 3.0)
}
