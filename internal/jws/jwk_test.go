package jws_test

import (
	"strings"
	"testing"

	"github.com/seed-077cad0b/auth/internal/jws"
	"github.com/stretchr/testify/require"
)

// The public key of RFC 7515 A.3, its private part, and the RSA key of A.2.
const (
	ecX = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
	ecY = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
	ecD = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
	ec  = `"kty":"EC","crv":"P-256","x":"` + ecX + `","y":"` + ecY + `"`
	oct = `"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"`
	// RFC 8037 A.1.
	okp  = `"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`
	okpD = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
	rsaN = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
	rsaE = `"kty":"RSA","n":"` + rsaN + `","e":"AQAB"`
)

// Checklist rows 44 and 45.
func TestParseJWK(t *testing.T) {
	for members, want := range map[string]struct {
		alg   string
		signs bool
	}{
		ec:                               {"ES256", false},
		ec + `,"alg":"ES256","kid":"1"`:  {"ES256", false},
		ec + `,"d":"` + ecD + `"`:        {"ES256", true},
		ec + `,"use":"sig"`:              {"ES256", false},
		ec + `,"key_ops":["verify"]`:     {"ES256", false},
		ec + `,"key_ops":["verify","x"]`: {"ES256", false},
		ec + `,"d":"` + ecD + `","key_ops":["sign"]`:          {"ES256", true},
		ec + `,"d":"` + ecD + `","key_ops":["verify"]`:        {"ES256", false},
		ec + `,"d":"` + ecD + `","key_ops":["sign","verify"]`: {"ES256", true},
		ec + `,"x5c":["AA"],"unknown":{}`:                     {"ES256", false},
		okp:                                                   {"EdDSA", false},
		okp + `,"d":"` + okpD + `"`:                           {"EdDSA", true},
		okp + `,"alg":"Ed25519"`:                              {"Ed25519", false},
		oct + `,"alg":"HS256"`:                                {"HS256", true},
		oct + `,"alg":"HS512","key_ops":["sign","verify"]`:    {"HS512", true},
		rsaE + `,"alg":"PS512"`:                               {"PS512", false},
	} {
		k, err := jws.ParseJWK([]byte("{"+members+"}"), "")
		require.NoError(t, err, members)
		require.Equal(t, want.alg, k.Algorithm())
		require.Equal(t, want.signs, k.CanSign(), members)
	}

	for members, want := range map[string]error{
		``:                          jws.ErrMismatch,
		`"kty":"ec"`:                jws.ErrMismatch,
		`"kty":"oct","alg":"HS256"`: jws.ErrWeak,
		`"kty":"EC"`:                jws.ErrAlgorithm,
		// The algorithm.
		oct:                                  jws.ErrAlgorithm,
		rsaE:                                 jws.ErrAlgorithm,
		oct + `,"alg":"none"`:                jws.ErrAlgorithm,
		oct + `,"alg":"A128KW"`:              jws.ErrAlgorithm,
		oct + `,"alg":""`:                    jws.ErrAlgorithm,
		oct + `,"alg":null`:                  jws.ErrKeyForm,
		oct + `,"alg":"RS256"`:               jws.ErrMismatch,
		oct + `,"alg":"HS256","crv":"P-256"`: nil,
		rsaE + `,"alg":"HS256"`:              jws.ErrMismatch,
		rsaE + `,"alg":"ES256"`:              jws.ErrMismatch,
		rsaE + `,"alg":"RSA1_5"`:             jws.ErrAlgorithm,
		rsaE + `,"crv":"P-256"`:              jws.ErrAlgorithm,
		ec + `,"alg":"ES384"`:                jws.ErrMismatch,
		ec + `,"alg":"EdDSA"`:                jws.ErrMismatch,
		ec + `,"alg":"ES256K"`:               jws.ErrAlgorithm,
		okp + `,"alg":"ES256"`:               jws.ErrMismatch,
		// The purpose.
		ec + `,"use":"enc"`:                         jws.ErrPurpose,
		ec + `,"use":""`:                            jws.ErrPurpose,
		ec + `,"use":null`:                          jws.ErrKeyForm,
		ec + `,"key_ops":[]`:                        jws.ErrPurpose,
		ec + `,"key_ops":["sign"]`:                  jws.ErrPurpose,
		ec + `,"key_ops":["encrypt"]`:               jws.ErrPurpose,
		ec + `,"key_ops":"verify"`:                  jws.ErrKeyForm,
		ec + `,"key_ops":["verify","verify"]`:       jws.ErrKeyForm,
		ec + `,"key_ops":["verify",1]`:              jws.ErrKeyForm,
		oct + `,"alg":"HS256","key_ops":["verify"]`: jws.ErrPurpose,
		oct + `,"alg":"HS256","use":"enc"`:          jws.ErrPurpose,
		// The parts.
		ec + `,"kid":""`: jws.ErrKeyID,
		ec + `,"kid":1`:  jws.ErrKeyForm,
		ec + `,"kid":"` + strings.Repeat("x", 257) + `"`: jws.ErrKeyID,
		ec + `,"d":"` + okpD + `"`:                       jws.ErrKeyForm,
		ec + `,"d":""`:                                   jws.ErrKeyForm,
		okp + `,"d":"` + ecD + `"`:                       jws.ErrKeyForm,
		okp + `,"d":""`:                                  jws.ErrKeyForm,
		`"kty":"EC","crv":"P-256","x":"` + ecX + `","y":"` + ecX + `"`:               jws.ErrKeyForm,
		`"kty":"EC","crv":"P-256","x":"` + ecX + `"`:                                 jws.ErrKeyForm,
		`"kty":"EC","crv":"P-256","x":"AA` + ecX + `","y":"` + ecY + `"`:             jws.ErrKeyForm,
		`"kty":"EC","crv":"P-384","x":"` + ecX + `","y":"` + ecY + `"`:               jws.ErrKeyForm,
		`"kty":"EC","crv":"P-384","alg":"ES256","x":"` + ecX + `","y":"` + ecY + `"`: jws.ErrMismatch,
		`"kty":"EC","crv":"secp256k1","x":"` + ecX + `","y":"` + ecY + `"`:           jws.ErrAlgorithm,
		`"kty":"OKP","crv":"X25519","alg":"EdDSA","x":"` + ecX + `"`:                 jws.ErrMismatch,
		`"kty":"OKP","crv":"Ed25519","x":"AAAA"`:                                     jws.ErrKeyForm,
		`"kty":"OKP","crv":"Ed25519"`:                                                jws.ErrKeyForm,
		`"kty":"oct","alg":"HS256","k":"AAAA"`:                                       jws.ErrWeak,
		`"kty":"oct","alg":"HS256","k":"A==="`:                                       jws.ErrEncoding,
		`"kty":"oct","alg":"HS256","k":1`:                                            jws.ErrKeyForm,
		`"kty":"RSA","alg":"RS256","n":"` + rsaN + `"`:                               jws.ErrKeyForm,
		`"kty":"RSA","alg":"RS256","n":"` + rsaN + `","e":"AQ"`:                      jws.ErrWeak,
		`"kty":"RSA","alg":"RS256","n":"` + rsaN + `","e":"Ag"`:                      jws.ErrWeak,
		`"kty":"RSA","alg":"RS256","n":"` + rsaN + `","e":"_____w"`:                  jws.ErrKeyForm,
		`"kty":"RSA","alg":"RS256","n":"` + rsaN + `","e":"AAEAAQ"`:                  jws.ErrKeyForm,
		`"kty":"RSA","alg":"RS256","n":"` + rsaN + `","e":"AQAAAAAB"`:                jws.ErrKeyForm,
		`"kty":"RSA","alg":"RS256","n":"` + rsaN[:170] + `","e":"AQAB"`:              nil,
		`"kty":"RSA","alg":"RS256","n":"AAAA` + rsaN + `","e":"AQAB"`:                jws.ErrKeyForm,
		`"kty":"RSA","alg":"RS256","n":"` + strings.Repeat(rsaN, 5) + `","e":"AQAB"`: nil,
		rsaE + `,"alg":"RS256","d":"AQAB"`:                                           jws.ErrKeyForm,
		rsaE + `,"alg":"RS256","d":"AQAB","p":"AQAB","q":"AQAB"`:                     jws.ErrKeyForm,
		rsaE + `,"alg":"RS256","oth":[]`:                                             jws.ErrKeyForm,
		ec + `,"crv":"P-256"`:                                                        jws.ErrKeyForm,
		strings.Replace(ec, `"kty"`, `"KTY"`, 1):                                     jws.ErrMismatch,
	} {
		_, err := jws.ParseJWK([]byte("{"+members+"}"), "")
		if members == oct+`,"alg":"HS256","crv":"P-256"` {
			require.NoError(t, err, "a member of other kinds of keys is ignored")
			continue
		}
		require.Error(t, err, members)
		if want != nil {
			require.ErrorIs(t, err, want, members)
		}
	}
	for _, text := range []string{"", "null", "[]", `"x"`, "{", "{" + ec + "}x"} {
		_, err := jws.ParseJWK([]byte(text), "")
		require.Error(t, err, text)
	}
	k, err := jws.ParseJWK([]byte("{"+rsaE+"}"), "RS256")
	require.NoError(t, err, "a default algorithm")
	require.Equal(t, "RS256", k.Algorithm())
}

func TestThumbprint(t *testing.T) {
	// RFC 7638 section 3.1 and RFC 8037 A.3.
	k, err := jws.ParseJWK([]byte(`{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`), "")
	require.NoError(t, err)
	require.Equal(t, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", k.Thumbprint())
	require.Equal(t, "2011-04-29", k.ID())
	k, err = jws.ParseJWK([]byte("{"+okp+"}"), "")
	require.NoError(t, err)
	require.Equal(t, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", k.ID())
}
