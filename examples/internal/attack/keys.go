package attack

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A Material is bytes that are no secret, and that a careless verifier may take
// for one.
type Material struct {
	Name  string
	Bytes []byte
}

// Guesses are keys that everybody knows.
func Guesses(f *Forge) []Material {
	var all []Material
	for _, s := range []string{"", "\x00", "secret", "password", "changeme", "your-256-bit-secret", "null", "undefined", "[object Object]", "none"} {
		all = append(all, Material{quote(s), []byte(s)})
	}
	for _, n := range []int{16, 32, 48, 64} {
		all = append(all, Material{quote(n) + " zeros", make([]byte, n)})
	}
	return append(all,
		Material{"kid", []byte(strings.Trim(f.header.get("kid"), `"`))},
		Material{"kid decoded", []byte(decode(strings.Trim(f.header.get("kid"), `"`)))},
		Material{"iss", []byte(strings.Trim(f.claims.get("iss"), `"`))},
		Material{"aud", []byte(strings.Trim(f.claims.get("aud"), `"`))})
}

// Secrets are the printed secret in forms that are not the key.
func Secrets(secret []byte) []Material {
	url := base64.RawURLEncoding.EncodeToString(secret)
	sum := string(digest(crypto.SHA256, string(secret)))
	return []Material{
		{"base64url of the secret", []byte(url)},
		{"padded base64 of the secret", []byte(base64.StdEncoding.EncodeToString(secret))},
		{"hexadecimal of the secret", []byte(hex.EncodeToString(secret))},
		{"hash of the secret", []byte(sum)},
		{"secret cut", secret[:len(secret)-1]},
		{"secret extended", append(append([]byte{}, secret...), 1)},
		{"secret after a zero", append([]byte{0}, secret...)},
		{"secret with a line end", append(append([]byte{}, secret...), '\n')},
	}
}

// PublicKey returns the first key of a JWK Set, which holds a key of P-256, in
// every form in which somebody might load it.
func PublicKey(t testing.TB, jwks string) []Material {
	t.Helper()
	var set struct{ Keys []json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(jwks), &set))
	require.NotEmpty(t, set.Keys)
	var jwk struct{ Crv, X, Y string }
	require.NoError(t, json.Unmarshal(set.Keys[0], &jwk))
	require.Equal(t, "P-256", jwk.Crv)
	point := "\x04" + decode(jwk.X) + decode(jwk.Y)
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), []byte(point))
	require.NoError(t, err)

	thumb := `{"crv":"P-256","kty":"EC","x":"` + jwk.X + `","y":"` + jwk.Y + `"}`
	x, y := decode(jwk.X), decode(jwk.Y)
	return append(spellings(t, key, "EC PUBLIC KEY"), []Material{
		{"JWK", set.Keys[0]},
		{"JWK with a line end", append(append([]byte{}, set.Keys[0]...), '\n')},
		{"JWK Set", []byte(jwks)},
		{"JWK Set with a line end", []byte(jwks + "\n")},
		{"JWK for the thumbprint", []byte(thumb)},
		{"thumbprint", digest(crypto.SHA256, thumb)},
		{"x and y", []byte(x + y)},
		{"point", []byte(point)},
		{"compressed point", append([]byte{2 + y[31]&1}, x...)},
		{"x", []byte(x)},
		{"y", []byte(y)},
		{"x and y in base64url", []byte(jwk.X + jwk.Y)},
		{"x and y as one base64url", []byte(encode(x + y))},
		{"point in base64url", []byte(encode(point))},
		{"point in hexadecimal", []byte(hex.EncodeToString([]byte(point)))},
		{"x in base64url", []byte(jwk.X)},
		{"y in base64url", []byte(jwk.Y)},
	}...)
}

// RSAPublicKey returns a public key of RSA in every form in which somebody might
// load it.
func RSAPublicKey(t testing.TB, key *rsa.PublicKey) []Material {
	t.Helper()
	n := key.N.Bytes()
	jwk := rsaJWK(key)
	bare := x509.MarshalPKCS1PublicKey(key)
	return append(spellings(t, key, "RSA PUBLIC KEY"), []Material{
		{"PEM of PKCS#1", pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: bare})},
		{"DER of PKCS#1", bare},
		{"JWK for the thumbprint", []byte(jwk)},
		{"JWK Set", []byte(`{"keys":[` + jwk + `]}`)},
		{"thumbprint", digest(crypto.SHA256, jwk)},
		{"n", n},
		{"n after a zero", append([]byte{0}, n...)},
		{"n in base64url", []byte(encode(string(n)))},
		{"n in hexadecimal", []byte(hex.EncodeToString(n))},
		{"n in decimal", []byte(key.N.String())},
	}...)
}

func rsaJWK(key *rsa.PublicKey) string {
	return `{"e":"AQAB","kty":"RSA","n":"` + encode(string(key.N.Bytes())) + `"}`
}

// spellings are a public key in PEM and DER. otherType is what some PEM blocks are falsely called.
func spellings(t testing.TB, key any, otherType string) []Material {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	require.NoError(t, err)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	trimmed := strings.TrimSuffix(text, "\n")
	body := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(trimmed, "-----BEGIN PUBLIC KEY-----\n"), "\n-----END PUBLIC KEY-----"), "\n", "")
	other := string(pem.EncodeToMemory(&pem.Block{Type: otherType, Bytes: der}))
	return []Material{
		{"PEM", []byte(text)},
		{"PEM without a line end", []byte(trimmed)},
		{"PEM with two line ends", []byte(text + "\n")},
		{"PEM with CRLF", []byte(strings.ReplaceAll(text, "\n", "\r\n"))},
		{"PEM with CRLF, none at the end", []byte(strings.ReplaceAll(trimmed, "\n", "\r\n"))},
		{"PEM on one line", []byte(strings.ReplaceAll(trimmed, "\n", ""))},
		{"PEM with escaped line ends", []byte(strings.ReplaceAll(text, "\n", `\n`))},
		{"PEM of another type", []byte(other)},
		{"PEM of another type without a line end", []byte(strings.TrimSuffix(other, "\n"))},
		{"PEM without its frame", []byte(body)},
		{"DER", der},
		{"DER in base64", []byte(base64.StdEncoding.EncodeToString(der))},
		{"DER in base64url", []byte(base64.RawURLEncoding.EncodeToString(der))},
		{"DER in hexadecimal", []byte(hex.EncodeToString(der))},
	}
}

// Confusion returns tokens with MACs whose key is one of the materials.
func Confusion(f *Forge, materials []Material) []Token {
	var all []Token
	for _, m := range materials {
		for _, alg := range []string{"HS256", "HS384", "HS512", "ES256"} {
			h := f.header.set("alg", quote(alg))
			for name, v := range map[string]object{alg: h, alg + " without kid": h.without("kid")} {
				signed := encode(v.String()) + "." + encode(f.claims.String())
				all = append(all, newToken(m.Name+" as key of "+name, signed+"."+encode(mac(alg, m.Bytes, signed)), Unauthorized))
			}
		}
	}
	return all
}

// Embedded returns tokens that bring the key by which they are signed, or tell
// where it can be had: at elsewhere, a base URL.
func Embedded(t testing.TB, f *Forge, elsewhere string) []Token {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mallory"}, NotBefore: time.Unix(0, 0), NotAfter: time.Now().Add(time.Hour)}
	point, err := f.mallory.PublicKey.Bytes()
	require.NoError(t, err)
	symmetric := []byte("this secret of mallory has 32 or more bytes: 64, in fact, here it is")
	var all []Token
	for _, signer := range []struct {
		alg  string
		jwk  string
		key  crypto.Signer
		sign func(string) string
	}{
		{"ES256", `{"kty":"EC","crv":"P-256","x":"` + encode(string(point[1:33])) + `","y":"` + encode(string(point[33:])) + `"}`, f.mallory, f.malloryES256},
		{"RS256", `{"kty":"RSA","e":"AQAB","n":"` + encode(string(f.malloryRSA.N.Bytes())) + `"}`, f.malloryRSA, f.malloryRS256},
		{"RS512", `{"kty":"RSA","e":"AQAB","n":"` + encode(string(f.malloryRSA.N.Bytes())) + `"}`, f.malloryRSA, f.malloryRS512},
		{"EdDSA", `{"kty":"OKP","crv":"Ed25519","x":"` + encode(string(f.malloryEd.Public().(ed25519.PublicKey))) + `"}`, f.malloryEd, f.malloryEdDSA},
		{"HS256", `{"kty":"oct","k":"` + encode(string(symmetric)) + `"}`, f.mallory, func(s string) string { return mac("HS256", symmetric, s) }},
	} {
		certificate, err := x509.CreateCertificate(rand.Reader, template, template, publicOf(signer.key), signer.key)
		require.NoError(t, err)
		chain := `["` + base64.StdEncoding.EncodeToString(certificate) + `"]`
		bare := object{}.set("alg", quote(signer.alg)).set("typ", `"JWT"`)
		for _, kid := range []struct{ name, value string }{
			{"the API's kid", f.header.get("kid")}, {"a kid of its own", `"mallory"`}, {"no kid", ""}, {"a URL for a kid", quote(elsewhere + "/kid")},
		} {
			h := bare
			if kid.value != "" {
				h = h.set("kid", kid.value)
			}
			for _, v := range []document{
				{"nothing", ""},
				{"jwk", `"jwk":` + signer.jwk},
				{"jwk with a private part", `"jwk":` + strings.TrimSuffix(signer.jwk, "}") + `,"d":"AQ"}`},
				{"jku", `"jku":` + quote(elsewhere+"/jwks.json")},
				{"jku of the API", `"jku":` + quote("http://api.example@"+strings.TrimPrefix(elsewhere, "http://")+"/jwks.json")},
				{"x5u", `"x5u":` + quote(elsewhere+"/chain.pem")},
				{"x5c", `"x5c":` + chain},
				{"x5c and x5t", `"x5c":` + chain + `,"x5t#S256":"` + encode(string(digest(crypto.SHA256, string(certificate)))) + `"`},
				{"iss, as a place for discovery", `"iss":` + quote(elsewhere)},
				{"all", `"jwk":` + signer.jwk + `,"jku":` + quote(elsewhere) + `,"x5u":` + quote(elsewhere) + `,"x5c":` + chain},
			} {
				header := h.String()
				if v.text != "" {
					header = strings.TrimSuffix(header, "}") + "," + v.text + "}"
				}
				for _, claims := range []document{{"", f.claims.String()}, {" and its own iss", f.claims.set("iss", quote(elsewhere)).String()}} {
					signed := encode(header) + "." + encode(claims.text)
					all = append(all, newToken(signer.alg+", "+kid.name+", with "+v.name+claims.name, signed+"."+encode(signer.sign(signed)), Unauthorized))
				}
			}
		}
	}
	return all
}

func publicOf(key crypto.Signer) any {
	if k, ok := key.(*rsa.PrivateKey); ok {
		return &k.PublicKey
	}
	return key.Public()
}
