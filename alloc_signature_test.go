//go:build !race

package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// A new token costs what its signature does, and a few for its principal.
func TestNewTokenAllocations(t *testing.T) {
	for alg, key := range map[auth.Algorithm]crypto.Signer{
		auth.RS256: must(rsa.GenerateKey(rand.Reader, 2048)),
		auth.ES256: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)),
		auth.EdDSA: func() crypto.Signer { _, k, _ := ed25519.GenerateKey(rand.Reader); return k }(),
	} {
		der := must(x509.MarshalPKCS8PrivateKey(key))
		ours := must(auth.ParsePEM(alg, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
		j := newJWT(t, keySet(t, ours), &auth.JWTOptions{CacheSize: -1})
		token := issue(t, j, benchPrincipal())
		at := strings.LastIndexByte(token, '.')
		signature := must(base64.RawURLEncoding.DecodeString(token[at+1:]))
		method := jwt.GetSigningMethod(string(alg))
		bare := testing.AllocsPerRun(100, func() {
			if err := method.Verify(token[:at], signature, key.Public()); err != nil {
				t.Fatal(err)
			}
		})
		require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
			if _, err := j.Verify(t.Context(), token); err != nil {
				t.Fatal(err)
			}
		}), bare+4, alg)
	}
}
