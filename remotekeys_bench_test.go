package auth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// Keys that are fetched beside the same ones written down, and a token that was
// seen before with one issuer and as one of three.
func BenchmarkRemoteKeys(b *testing.B) {
	key := generate(b, auth.ES256)
	written := keySet(b, key)
	server := httptest.NewServer(http.HandlerFunc(written.JWKS().ServeHTTP))
	b.Cleanup(server.Close)
	remote, err := auth.NewRemoteKeys(server.URL, nil)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, remote.Close()) })

	ctx, kid := b.Context(), key.ID()
	token := issue(b, newJWT(b, written, nil), benchPrincipal())
	for name, keys := range map[string]auth.KeySet{"written": written, "fetched": remote} {
		found, err := keys.Lookup(ctx, kid, auth.ES256)
		require.NoError(b, err)
		j := newJWT(b, keys, nil)
		for what, run := range map[string]func(){
			"Lookup":   func() { _, _ = keys.Lookup(ctx, kid, auth.ES256) },
			"Contains": func() { _ = keys.Contains(found[0]) },
			"Verify":   func() { _, _ = j.Verify(ctx, token) },
		} {
			b.Run(what+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					run()
				}
			})
		}
	}

	jwts := []*auth.JWT{newJWT(b, remote, nil)}
	for _, name := range []string{"https://a.example", "https://b.example"} {
		j, err := auth.NewJWT(name, jwtAudience, keySet(b, generate(b, auth.ES256)), nil)
		require.NoError(b, err)
		jwts = append(jwts, j)
	}
	v := auth.Issuers(jwts...)
	_, err = v.Verify(ctx, token)
	require.NoError(b, err)
	b.Run("Verify/one of three issuers", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = v.Verify(ctx, token)
		}
	})
}
