package jws_test

import (
	"bytes"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/internal/jws"
)

// What a key says of a signature is what golang-jwt says: of a good one, of those with
// a bit changed or of another length, and of those of other messages, longer and
// shorter.
func TestEdDSAIsGolangJWTs(t *testing.T) {
	for _, alg := range []string{"EdDSA", "Ed25519"} {
		k, err := jws.Generate("", alg)
		require.NoError(t, err)
		public := jws.PublicOf(k)
		agree := func(signed string, signature []byte) bool {
			want := jwt.SigningMethodEdDSA.Verify(signed, signature, public) == nil
			require.Equal(t, want, k.Verify(signed, signature) == nil, "%s %x", alg, signature)
			return want
		}
		signature, err := k.Sign("a.b")
		require.NoError(t, err)
		for i := range signature {
			changed := bytes.Clone(signature)
			changed[i] ^= 1
			require.False(t, agree("a.b", changed))
		}
		for n := range len(signature) + 3 {
			require.Equal(t, n == len(signature), agree("a.b", append(bytes.Clone(signature), 0, 0)[:n]))
		}
		for _, signed := range []string{"a.b.c", "a.b", "a.", "", "a.b"} {
			require.Equal(t, signed == "a.b", agree(signed, signature))
		}
	}
}
