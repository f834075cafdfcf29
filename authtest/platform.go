package authtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A Platform is a partner that signs assertions, with an RSA key of its own that
// exists in this test only.
type Platform struct {
	id      string
	private *rsa.PrivateKey
	keys    *auth.Keys
}

// NewPlatform returns a platform with a new key of 2048 bits, which takes a
// moment to make. Two platforms never share one.
func NewPlatform(id string) *Platform {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	must(err)
	public, err := auth.ParsePEM(auth.RS512, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	must(err)
	keys, err := auth.NewKeys(nil, public)
	must(err)
	return &Platform{id, private, keys}
}

// Entry returns a new registry entry of the platform: its id and key, and what
// else is zero by default. Change it before it is in use.
func (p *Platform) Entry() *auth.Platform {
	return &auth.Platform{ID: p.id, Keys: p.keys}
}

// Sign returns an assertion of {"email","expire"}. Expire is cut to seconds.
// What is signed twice is one assertion, which is good for one use.
func (p *Platform) Sign(email string, expire time.Time) string {
	return p.SignClaims(map[string]any{"email": email, "expire": expire.Unix()})
}

// SignClaims returns an assertion whose payload is claims in JSON. A
// json.RawMessage is signed as it is, be it JSON or not. It panics on what
// encoding/json cannot express.
func (p *Platform) SignClaims(claims any) string {
	if raw, ok := claims.(json.RawMessage); ok {
		return p.sign(raw)
	}
	payload, err := json.Marshal(claims)
	must(err)
	return p.sign(payload)
}

func (p *Platform) sign(payload []byte) string {
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"RS512","typ":"JWT"}`)) + "." + encode(payload)
	hash := sha512.Sum512([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, p.private, crypto.SHA512, hash[:])
	must(err)
	return signed + "." + encode(signature)
}

func must(err error) {
	if err != nil {
		panic("authtest: Platform: " + err.Error())
	}
}
