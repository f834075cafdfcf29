package jws_test

import (
	"bytes"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/internal/jws"
)

// What a key says of a signature is what golang-jwt says: of good ones, many so that
// some begin with zeros; of those with a bit changed; and of those whose halves are
// 0, not less than the order of the curve, or of another length.
func TestECDSAIsGolangJWTs(t *testing.T) {
	for alg, m := range map[string]*jwt.SigningMethodECDSA{"ES256": jwt.SigningMethodES256, "ES384": jwt.SigningMethodES384, "ES512": jwt.SigningMethodES512} {
		k, err := jws.Generate("", alg)
		require.NoError(t, err)
		public := jws.PublicOf(k)
		agree := func(signature []byte) bool {
			want := m.Verify("a.b", signature, public) == nil
			require.Equal(t, want, k.Verify("a.b", signature) == nil, "%s %x", alg, signature)
			return want
		}
		zeros := 0
		for zeros < 2 {
			signature, err := k.Sign("a.b")
			require.NoError(t, err)
			require.True(t, agree(signature))
			if signature[0] == 0 || signature[m.KeySize] == 0 {
				zeros++
			}
		}
		signature, err := k.Sign("a.b")
		require.NoError(t, err)
		half := m.KeySize
		for i := range signature {
			changed := bytes.Clone(signature)
			changed[i] ^= 1
			require.False(t, agree(changed))
		}
		for _, part := range [][]byte{make([]byte, half), bytes.Repeat([]byte{0xff}, half), append(make([]byte, half-1), 1)} {
			agree(append(bytes.Clone(part), signature[half:]...))
			agree(append(bytes.Clone(signature[:half]), part...))
			agree(append(bytes.Clone(part), part...))
		}
		for n := range len(signature) + 3 {
			agree(append(bytes.Clone(signature), 0, 0)[:n])
		}
	}
}
