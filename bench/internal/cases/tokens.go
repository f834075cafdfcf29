package cases

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
)

// A tokenSpec is what the tokens of an issuer look like.
type tokenSpec struct {
	Algorithm string // HS256 if empty
	Scopes    int    // how many; 2 if zero, none if negative
	Pad       int    // bytes of a claim that nobody reads
}

// An issuer signs tokens, such as those that everybody is to accept.
type issuer struct {
	peers.Check
	spec   tokenSpec
	method jwt.SigningMethod
}

// newIssuer returns an issuer with a new key.
func newIssuer(spec tokenSpec) (*issuer, error) {
	if spec.Algorithm == "" {
		spec.Algorithm = "HS256"
	}
	i := &issuer{spec: spec, method: jwt.GetSigningMethod(spec.Algorithm)}
	i.Check = peers.Check{Algorithm: spec.Algorithm, KeyID: "k1", Issuer: "https://issuer.example", Audience: "https://api.example"}
	var err error
	i.Private, i.Public, err = newKey(spec.Algorithm)
	return i, err
}

// newKey returns a key of the algorithm: the private half, and the public one.
func newKey(algorithm string) (private, public any, err error) {
	var k crypto.Signer
	switch algorithm[:2] {
	case "HS":
		secret := make([]byte, 64)
		_, err = rand.Read(secret)
		return secret, secret, err
	case "RS", "PS":
		k, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES":
		k, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "Ed":
		_, k, err = ed25519.GenerateKey(rand.Reader)
	default:
		err = fmt.Errorf("no keys of %s", algorithm)
	}
	if err != nil {
		return nil, nil, err
	}
	return k, k.Public(), nil
}

// claims are those of a good token for the subject. It is some minutes old, as
// go-guardian takes none that is younger than one.
func (i *issuer) claims(subject string) jwt.MapClaims {
	now := time.Now()
	c := jwt.MapClaims{
		"iss": i.Issuer, "aud": i.Audience, "sub": subject, "jti": "f1e2d3c4b5a69788",
		"iat": now.Add(-10 * time.Minute).Unix(), "exp": now.Add(24 * time.Hour).Unix(),
	}
	if s := i.scope(); s != "" {
		c["scope"] = s
	}
	if i.spec.Pad > 0 {
		c["pad"] = strings.Repeat("x", i.spec.Pad)
	}
	return c
}

func (i *issuer) scope() string {
	n := i.spec.Scopes
	if n == 0 {
		n = 2
	}
	names := make([]string, 0, max(0, n))
	for k := range max(0, n) {
		names = append(names, fmt.Sprintf("data:part%d", k))
	}
	return strings.Join(names, " ")
}

// token returns a good token for the subject.
func (i *issuer) token(subject string) string { return i.sign(i.method, i.Private, i.claims(subject)) }

// tokens returns good tokens for so many subjects.
func (i *issuer) tokens(n int) []string {
	all := make([]string, n)
	for k := range all {
		all[k] = i.token(fmt.Sprintf("user-%010d", k))
	}
	return all
}

// sign signs claims. What it is given is this package's own, so it does not fail.
func (i *issuer) sign(method jwt.SigningMethod, key any, c jwt.MapClaims) string {
	t := jwt.NewWithClaims(method, c)
	t.Header["kid"] = i.KeyID
	text, err := t.SignedString(key)
	if err != nil {
		panic(err)
	}
	return text
}

// verified is an issuer and ours, for its tokens. o may be nil.
func verified(spec tokenSpec, o *auth.JWTOptions) (*issuer, *auth.JWT, error) {
	i, err := newIssuer(spec)
	if err != nil {
		return nil, nil, err
	}
	v, err := verifier(i.Check, o)
	return i, v, err
}

// verifier is ours, for the tokens of the issuer. o may be nil.
func verifier(c peers.Check, o *auth.JWTOptions) (*auth.JWT, error) {
	key, err := verifyKey(c)
	if err != nil {
		return nil, err
	}
	keys, err := auth.NewKeys(nil, key)
	if err != nil {
		return nil, err
	}
	return auth.NewJWT(c.Issuer, c.Audience, keys, o)
}

func verifyKey(c peers.Check) (*auth.Key, error) {
	if secret, ok := c.Public.([]byte); ok {
		return auth.NewHMACKey(c.KeyID, auth.Algorithm(c.Algorithm), secret)
	}
	der, err := x509.MarshalPKIXPublicKey(c.Public)
	if err != nil {
		return nil, err
	}
	key, err := auth.ParsePEM(auth.Algorithm(c.Algorithm), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	if err != nil {
		return nil, err
	}
	return key.WithID(c.KeyID)
}

// ours returns our middleware for the tokens of an issuer. o may be nil.
func ours(o *auth.JWTOptions, f form) func(peers.Check) (peers.Middleware, error) {
	return func(c peers.Check) (peers.Middleware, error) {
		j, err := verifier(c, o)
		if err != nil {
			return nil, err
		}
		return f(auth.NewGuard(auth.Bearer(j), nil)), nil
	}
}

// request returns a request from this host with an Authorization field, or
// without where it is empty.
func request(authorization string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "127.0.0.1:50000"
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return r
}

// nothing is the handler behind every middleware.
var nothing = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
