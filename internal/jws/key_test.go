package jws_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/seed-077cad0b/auth/internal/jws"
	"github.com/stretchr/testify/require"
)

var algorithms = []string{
	"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
	"ES256", "ES384", "ES512", "EdDSA", "Ed25519",
}

func TestEveryAlgorithm(t *testing.T) {
	var keys []*jws.Key
	for _, alg := range algorithms {
		k, err := jws.Generate("", alg)
		require.NoError(t, err, alg)
		require.Equal(t, alg, k.Algorithm())
		require.NotEmpty(t, k.ID())
		require.True(t, k.CanSign())
		keys = append(keys, k)
	}
	for _, k := range keys {
		signature, err := k.Sign("header.payload")
		require.NoError(t, err)
		for _, other := range keys {
			if other == k {
				require.NoError(t, k.Verify("header.payload", signature), k.Algorithm())
			} else {
				require.ErrorIs(t, other.Verify("header.payload", signature), jws.ErrSignature)
			}
		}
		// Row 1: any bit counts.
		require.ErrorIs(t, k.Verify("header.paylobd", signature), jws.ErrSignature, k.Algorithm())
		for bit := range len(signature) * 8 {
			if bit%41 != 0 && bit > 16 {
				continue
			}
			signature[bit/8] ^= 1 << (bit % 8)
			require.ErrorIs(t, k.Verify("header.payload", signature), jws.ErrSignature, "%s bit %d", k.Algorithm(), bit)
			signature[bit/8] ^= 1 << (bit % 8)
		}
		for _, length := range []int{0, 1, len(signature) / 2, len(signature) - 1} {
			require.ErrorIs(t, k.Verify("header.payload", signature[:length]), jws.ErrSignature)
		}
		require.ErrorIs(t, k.Verify("header.payload", append(signature, 0)), jws.ErrSignature)
		require.ErrorIs(t, k.Verify("header.payload", make([]byte, len(signature))), jws.ErrSignature)
	}
}

// Row 44.
func TestSymmetricKeys(t *testing.T) {
	for alg, size := range map[string]int{"HS256": 32, "HS384": 48, "HS512": 64} {
		secret := bytes.Repeat([]byte{7}, size)
		k, err := jws.NewSymmetric("", alg, secret)
		require.NoError(t, err)
		again, err := jws.NewSymmetric("", alg, secret)
		require.NoError(t, err)
		require.Equal(t, k.ID(), again.ID(), "the same key has the same id")

		signature, err := k.Sign("a")
		require.NoError(t, err)
		clear(secret)
		require.NoError(t, k.Verify("a", signature), "the key keeps a copy")

		for _, short := range [][]byte{nil, {}, make([]byte, size-1)} {
			_, err := jws.NewSymmetric("", alg, short)
			require.ErrorIs(t, err, jws.ErrWeak)
		}
	}
	for _, alg := range []string{"", "none", "None", "HS257", "hs256", "HS256 ", "ES521", "RSA1_5", "A256KW"} {
		_, err := jws.NewSymmetric("", alg, make([]byte, 64))
		require.ErrorIs(t, err, jws.ErrAlgorithm, alg)
		_, err = jws.Generate("", alg)
		require.ErrorIs(t, err, jws.ErrAlgorithm, alg)
		_, err = jws.NewAsymmetric("", alg, nil)
		require.ErrorIs(t, err, jws.ErrAlgorithm, alg)
	}
	_, err := jws.NewSymmetric("", "RS256", make([]byte, 64))
	require.ErrorIs(t, err, jws.ErrMismatch)
	_, err = jws.NewSymmetric(strings.Repeat("x", 257), "HS256", make([]byte, 64))
	require.ErrorIs(t, err, jws.ErrKeyID)
	_, err = jws.NewSymmetric("\xff", "HS256", make([]byte, 64))
	require.ErrorIs(t, err, jws.ErrKeyID)
}

// keyTexts are the forms of one key pair.
type keyTexts struct {
	pkcs8, spki, own, ownPublic []byte // own: PKCS#1 or SEC 1
	jwk, publicJWK              []byte
}

func encode(kind string, der []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func rsaTexts(k *rsa.PrivateKey, alg string) keyTexts {
	var t keyTexts
	der, err := x509.MarshalPKCS8PrivateKey(k)
	t.pkcs8 = encode("PRIVATE KEY", der, err)
	der, err = x509.MarshalPKIXPublicKey(&k.PublicKey)
	t.spki = encode("PUBLIC KEY", der, err)
	t.own = encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k), nil)
	t.ownPublic = encode("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&k.PublicKey), nil)
	public := map[string]any{"kty": "RSA", "alg": alg, "n": jws.Encode(k.N.Bytes()), "e": jws.Encode(big.NewInt(int64(k.E)).Bytes())}
	t.publicJWK, _ = json.Marshal(public)
	public["d"], public["p"], public["q"] = jws.Encode(k.D.Bytes()), jws.Encode(k.Primes[0].Bytes()), jws.Encode(k.Primes[1].Bytes())
	t.jwk, _ = json.Marshal(public)
	return t
}

func ecTexts(k *ecdsa.PrivateKey) keyTexts {
	var t keyTexts
	der, err := x509.MarshalPKCS8PrivateKey(k)
	t.pkcs8 = encode("PRIVATE KEY", der, err)
	der, err = x509.MarshalPKIXPublicKey(&k.PublicKey)
	t.spki = encode("PUBLIC KEY", der, err)
	der, err = x509.MarshalECPrivateKey(k)
	t.own = encode("EC PRIVATE KEY", der, err)
	point, _ := k.PublicKey.Bytes()
	size := len(point) / 2
	d, _ := k.Bytes()
	public := map[string]any{"kty": "EC", "crv": k.Params().Name, "x": jws.Encode(point[1 : 1+size]), "y": jws.Encode(point[1+size:])}
	t.publicJWK, _ = json.Marshal(public)
	public["d"] = jws.Encode(d)
	t.jwk, _ = json.Marshal(public)
	return t
}

func edTexts(k ed25519.PrivateKey) keyTexts {
	var t keyTexts
	der, err := x509.MarshalPKCS8PrivateKey(k)
	t.pkcs8 = encode("PRIVATE KEY", der, err)
	der, err = x509.MarshalPKIXPublicKey(k.Public())
	t.spki = encode("PUBLIC KEY", der, err)
	public := map[string]any{"kty": "OKP", "crv": "Ed25519", "x": jws.Encode(k.Public().(ed25519.PublicKey))}
	t.publicJWK, _ = json.Marshal(public)
	public["d"] = jws.Encode(k.Seed())
	t.jwk, _ = json.Marshal(public)
	return t
}

func TestEveryFormOfAKey(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	texts := map[string]keyTexts{"RS256": rsaTexts(rsaKey, "RS256"), "PS512": rsaTexts(rsaKey, "PS512"), "EdDSA": edTexts(edKey)}
	for alg, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()} {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		require.NoError(t, err)
		texts[alg] = ecTexts(k)
	}
	for alg, forms := range texts {
		var private, public []*jws.Key
		pems := map[string]*[]*jws.Key{string(forms.pkcs8): &private, string(forms.own): &private, string(forms.spki): &public, string(forms.ownPublic): &public}
		for text, list := range pems {
			if text == "" {
				continue
			}
			k, err := jws.ParsePEM("", alg, []byte("leading text\n"+text+"\n"))
			require.NoError(t, err, "%s %.40s", alg, text)
			*list = append(*list, k)

			for _, other := range algorithms {
				if strings.TrimRight(other, "0123456789")[1:] != strings.TrimRight(alg, "0123456789")[1:] || other[0] == 'E' && other != alg {
					_, err := jws.ParsePEM("", other, []byte(text))
					if other == "Ed25519" && alg == "EdDSA" {
						require.NoError(t, err)
						continue
					}
					require.Error(t, err, "%s key as %s", alg, other)
				}
			}
		}
		k, err := jws.ParseJWK(forms.jwk, "")
		require.NoError(t, err)
		private = append(private, k)
		k, err = jws.ParseJWK(forms.publicJWK, "")
		require.NoError(t, err)
		public = append(public, k)

		signature, err := private[0].Sign("a.b")
		require.NoError(t, err)
		for _, k := range append(private, public...) {
			require.NoError(t, k.Verify("a.b", signature))
			require.Equal(t, private[0].ID(), k.ID(), "the id is the thumbprint of the public part")
			require.Equal(t, k.ID(), k.Thumbprint())
			published, ok := k.Public()
			require.True(t, ok)
			text, err := json.Marshal(published)
			require.NoError(t, err)
			for _, secret := range []string{`"d"`, `"p"`, `"q"`, `"k"`} {
				require.NotContains(t, string(text), secret)
			}
			again, err := jws.ParseJWK(text, "")
			require.NoError(t, err)
			require.NoError(t, again.Verify("a.b", signature))
		}
		for _, k := range public {
			require.False(t, k.CanSign())
			_, err := k.Sign("a.b")
			require.ErrorIs(t, err, jws.ErrNoPrivate)
		}

		// Row 3: no form of a key is the secret of an HMAC.
		for _, text := range [][]byte{forms.pkcs8, forms.spki, forms.own, forms.ownPublic, forms.jwk, forms.publicJWK, bytes.TrimSpace(forms.spki)} {
			if len(text) == 0 {
				continue
			}
			_, err := jws.NewSymmetric("", "HS256", text)
			require.ErrorIs(t, err, jws.ErrMismatch, "%s", text)
			if block, _ := pem.Decode(text); block != nil && block.Type != "EC PRIVATE KEY" && block.Type != "RSA PRIVATE KEY" {
				_, err := jws.NewSymmetric("", "HS256", block.Bytes)
				require.ErrorIs(t, err, jws.ErrMismatch, block.Type)
			}
		}
	}
}

func TestParsePEMRefuses(t *testing.T) {
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	good := ecTexts(ecKey)
	k, err := jws.ParsePEM("", "ES256", append(pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6}}), good.own...))
	require.NoError(t, err, "what openssl ecparam -genkey writes")
	require.True(t, k.CanSign())

	weak, err := x509.ParsePKCS1PrivateKey(weakRSA(t))
	require.NoError(t, err)
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(x25519)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		alg, text string
		want      error
	}{
		"nothing":           {"ES256", "", jws.ErrKeyForm},
		"no PEM":            {"ES256", "hello", jws.ErrKeyForm},
		"two":               {"ES256", string(good.spki) + string(good.spki), jws.ErrKeyForm},
		"junk behind":       {"ES256", string(good.spki) + "x", jws.ErrKeyForm},
		"certificate":       {"ES256", string(encode("CERTIFICATE", []byte{1}, nil)), jws.ErrKeyForm},
		"encrypted":         {"RS256", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", jws.ErrKeyForm},
		"malformed":         {"ES256", string(encode("PRIVATE KEY", []byte{1, 2, 3}, nil)), jws.ErrKeyForm},
		"RSA of 1024 bits":  {"RS256", string(rsaTexts(weak, "RS256").spki), jws.ErrWeak},
		"another curve":     {"ES384", string(good.spki), jws.ErrMismatch},
		"EC for RSA":        {"RS256", string(good.spki), jws.ErrMismatch},
		"EC for EdDSA":      {"EdDSA", string(good.spki), jws.ErrMismatch},
		"X25519":            {"EdDSA", string(encode("PRIVATE KEY", der, nil)), jws.ErrMismatch},
		"public as HMAC":    {"HS256", string(good.spki), jws.ErrMismatch},
		"unknown algorithm": {"ES256K", string(good.spki), jws.ErrAlgorithm},
	} {
		_, err := jws.ParsePEM("", c.alg, []byte(c.text))
		require.ErrorIs(t, err, c.want, name)
	}
}

func weakRSA(t *testing.T) []byte {
	t.Setenv("GODEBUG", "rsa1024min=0")
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	return x509.MarshalPKCS1PrivateKey(k)
}

// Row 46: golang-jwt makes and accepts salts of another length if told to.
func TestPSSSaltLength(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	k, err := jws.NewAsymmetric("", "PS256", &rsaKey.PublicKey)
	require.NoError(t, err)
	for salt, ok := range map[int]bool{rsa.PSSSaltLengthEqualsHash: true, 32: true, 31: false, 33: false, 20: false, 1: false, 64: false} {
		m := *jwt.SigningMethodPS256
		m.Options = &rsa.PSSOptions{SaltLength: salt}
		signature, err := m.Sign("a.b", rsaKey)
		require.NoError(t, err)
		require.NoError(t, jwt.SigningMethodPS256.Verify("a.b", signature, &rsaKey.PublicKey), "the library takes any")
		require.Equal(t, ok, k.Verify("a.b", signature) == nil, "salt of %d", salt)
	}
}
