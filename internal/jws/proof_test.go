package jws_test

import (
	"strings"
	"testing"

	"github.com/seed-077cad0b/auth/internal/jws"
	"github.com/stretchr/testify/require"
)

// RFC 9449 section 4.3: the key comes with the proof, and is public.
func TestParsePublicJWK(t *testing.T) {
	const (
		ecThumbprint  = "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"
		okpThumbprint = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" // RFC 8037 A.3
		rsaThumbprint = "IsUn6_e04MaShXFIISMp4kG62LWzMIPy_MvSA5pJgX8"
	)
	for _, c := range []struct{ members, alg, id string }{
		{ec, "ES256", ecThumbprint},
		{ec + `,"alg":"ES256","use":"sig","key_ops":["verify"],"kid":"another","x5c":["AA"]`, "ES256", ecThumbprint},
		{okp, "EdDSA", okpThumbprint},
		{okp, "Ed25519", okpThumbprint},
		{rsaE, "PS256", rsaThumbprint},
		{rsaE, "RS256", rsaThumbprint},
	} {
		k, err := jws.ParsePublicJWK([]byte("{"+c.members+"}"), c.alg)
		require.NoError(t, err, c.members)
		require.Equal(t, c.alg, k.Algorithm())
		require.Equal(t, c.id, k.ID(), "its thumbprint, whatever the kid")
		require.Equal(t, c.id, k.Thumbprint())
		require.False(t, k.CanSign())
	}

	for _, c := range []struct {
		members, alg string
		want         error
	}{
		{``, "ES256", jws.ErrMismatch},
		{ec, "", jws.ErrAlgorithm},
		{ec, "none", jws.ErrAlgorithm},
		{ec, "ES384", jws.ErrMismatch},
		{ec, "EdDSA", jws.ErrMismatch},
		{ec, "RS256", jws.ErrMismatch},
		{ec, "HS256", jws.ErrMismatch},
		{okp, "ES256", jws.ErrMismatch},
		{rsaE, "ES256", jws.ErrMismatch},
		{ec + `,"alg":"ES384"`, "ES256", jws.ErrMismatch},
		{ec + `,"alg":""`, "ES256", jws.ErrMismatch},
		{okp + `,"alg":"EdDSA"`, "Ed25519", jws.ErrMismatch},
		{ec + `,"use":"enc"`, "ES256", jws.ErrPurpose},
		{ec + `,"key_ops":["encrypt"]`, "ES256", jws.ErrPurpose},
		{ec + `,"key_ops":["sign"]`, "ES256", jws.ErrPurpose},
		// Whatever of the private part it is, and whether it is right.
		{ec + `,"d":"` + ecD + `"`, "ES256", jws.ErrPrivate},
		{ec + `,"d":""`, "ES256", jws.ErrPrivate},
		{okp + `,"d":"` + okpD + `"`, "EdDSA", jws.ErrPrivate},
		{rsaE + `,"d":"AQAB"`, "RS256", jws.ErrPrivate},
		{rsaE + `,"p":"AQAB"`, "RS256", jws.ErrPrivate},
		{rsaE + `,"q":"AQAB"`, "RS256", jws.ErrPrivate},
		{rsaE + `,"dp":"AQAB"`, "RS256", jws.ErrPrivate},
		{rsaE + `,"dq":"AQAB"`, "RS256", jws.ErrPrivate},
		{rsaE + `,"qi":"AQAB"`, "RS256", jws.ErrPrivate},
		{rsaE + `,"oth":[]`, "RS256", jws.ErrKeyForm},
		{ec + `,"k":"AQAB"`, "ES256", jws.ErrPrivate},
		{oct, "HS256", jws.ErrPrivate},
		{`"kty":"oct"`, "HS256", jws.ErrWeak},
		// Sizes.
		{`"kty":"RSA","e":"AQAB","n":"` + rsaN[:172] + `"`, "RS256", jws.ErrWeak},
		{`"kty":"RSA","e":"AQAB","n":"` + strings.Repeat(rsaN[:340], 5) + `"`, "RS256", jws.ErrKeyForm},
		{`"kty":"EC","crv":"P-256","x":"` + ecX + `","y":"` + ecX + `"`, "ES256", jws.ErrKeyForm},
		{`"kty":"OKP","crv":"Ed25519","x":"AA"`, "EdDSA", jws.ErrKeyForm},
		{`"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`, "EdDSA", jws.ErrMismatch},
	} {
		_, err := jws.ParsePublicJWK([]byte("{"+c.members+"}"), c.alg)
		require.ErrorIs(t, err, c.want, "%s %s", c.alg, c.members)
	}
	for _, notAnObject := range []string{``, `null`, `"` + ecX + `"`, `[]`, `{` + ec + `,"kty":"EC"}`} {
		_, err := jws.ParsePublicJWK([]byte(notAnObject), "ES256")
		require.Error(t, err, notAnObject)
	}
}

func TestParseProofHeader(t *testing.T) {
	parse := func(header string) (jws.Header, []byte, error) {
		return jws.ParseProofHeader(jws.Encode([]byte(header)))
	}
	h, jwk, err := parse(`{"typ":"dpop+jwt","alg":"ES256","jwk": {` + ec + `} }`)
	require.NoError(t, err)
	require.Equal(t, jws.Header{Algorithm: "ES256", Type: "dpop+jwt", HasType: true}, h)
	require.Equal(t, "{"+ec+"}", string(jwk))

	for _, bad := range []string{
		`{"typ":"dpop+jwt","alg":"ES256"}`,
		`{"typ":"dpop+jwt","alg":"ES256","JWK":{}}`,
		`{"typ":"dpop+jwt","jwk":{}}`,
		`{"alg":"ES256","jwk":{},"jwk":{}}`,
		`{"alg":"ES256","jwk":{"a":1,"a":1}}`,
		`{"alg":"ES256","jwk":{},"crit":["jwk"]}`,
		`{"alg":"ES256","jwk":{}}{}`,
	} {
		_, _, err := parse(bad)
		require.Error(t, err, bad)
	}
}
