package attack

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // for crypto.SHA256
	_ "crypto/sha512"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A Forge makes tokens that look like one that was issued.
type Forge struct {
	Issued string // the token that serves as a model

	header, claims object
	alg            string
	mallory        *ecdsa.PrivateKey
	malloryRSA     *rsa.PrivateKey
	malloryEd      ed25519.PrivateKey

	secret []byte          // nil: the API's key is not known
	own    *rsa.PrivateKey // a platform's, which signs by RS512; nil: it is no platform
}

// NewForge returns a forge of tokens like the one issued. secret is the API's
// own, where it has told; without it the tokens are signed by somebody else.
func NewForge(t testing.TB, issued string, secret []byte) *Forge {
	t.Helper()
	f := &Forge{Issued: issued, secret: secret}
	parts := strings.Split(issued, ".")
	require.Len(t, parts, 3)
	for i, o := range []*object{&f.header, &f.claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		require.NoError(t, err)
		*o, err = parseObject(string(text))
		require.NoError(t, err)
		require.Equal(t, string(text), o.String(), "the forge does not write what it reads")
	}
	f.alg = strings.Trim(f.header.get("alg"), `"`)
	var err error
	f.mallory, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	f.malloryRSA, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, f.malloryEd, err = ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return f
}

// admitted is what a token must get that means what an issued one means.
func (f *Forge) admitted() Want { return f.want(Admitted) }

// forbidden is what a token must get that proves somebody, but grants nothing.
func (f *Forge) forbidden() Want { return f.want(Forbidden) }

func (f *Forge) want(w Want) Want {
	if f.secret == nil && f.own == nil {
		return Unauthorized // whoever it means, the signature does not hold
	}
	return w
}

// token returns a token with that header and those claims, signed as well as the
// forge can.
func (f *Forge) token(header, claims string) string {
	signed := encode(header) + "." + encode(claims)
	switch {
	case f.own != nil:
		return signed + "." + encode(signRSA(f.own, crypto.SHA512, signed))
	case f.secret != nil:
		return signed + "." + encode(mac(f.alg, f.secret, signed))
	default:
		return signed + "." + encode(f.malloryES256(signed))
	}
}

func (f *Forge) malloryES256(signed string) string {
	r, s, err := ecdsa.Sign(rand.Reader, f.mallory, digest(crypto.SHA256, signed))
	if err != nil {
		panic(err) // P-256 and a reader that never fails
	}
	return string(r.FillBytes(make([]byte, 32))) + string(s.FillBytes(make([]byte, 32)))
}

func (f *Forge) malloryRS256(signed string) string {
	return signRSA(f.malloryRSA, crypto.SHA256, signed)
}

func (f *Forge) malloryRS512(signed string) string {
	return signRSA(f.malloryRSA, crypto.SHA512, signed)
}

func signRSA(key *rsa.PrivateKey, h crypto.Hash, signed string) string {
	text, err := rsa.SignPKCS1v15(nil, key, h, digest(h, signed))
	if err != nil {
		panic(err) // a key of 2048 bits
	}
	return string(text)
}

func (f *Forge) malloryEdDSA(signed string) string {
	return string(ed25519.Sign(f.malloryEd, []byte(signed)))
}

var hashes = map[string]crypto.Hash{"HS256": crypto.SHA256, "HS384": crypto.SHA384, "HS512": crypto.SHA512}

// mac returns the HMAC of an algorithm, HS256 where it is none of those.
func mac(alg string, key []byte, signed string) string {
	h, ok := hashes[alg]
	if !ok {
		h = crypto.SHA256
	}
	m := hmac.New(h.New, key)
	m.Write([]byte(signed))
	return string(m.Sum(nil))
}

func digest(h crypto.Hash, text string) []byte {
	d := h.New()
	d.Write([]byte(text))
	return d.Sum(nil)
}

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// decode reads what [encode] wrote.
func decode(s string) string {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		panic(fmt.Sprintf("attack: %v", err))
	}
	return string(b)
}
