package jws

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rsa"

	// The hashes of the algorithms.
	_ "crypto/sha256"
	_ "crypto/sha512"

	"github.com/golang-jwt/jwt/v5"
)

// family is how an algorithm works, and so what its keys are.
type family int

const (
	symmetric family = iota
	rsaKeys
	ecKeys
	edKeys
)

// An algorithm is one row of RFC 7518 section 3.1 or of RFC 8037.
type algorithm struct {
	name   string
	family family
	hash   crypto.Hash
	curve  elliptic.Curve
	method method // nil: symmetric
}

// A method is the part of jwt.SigningMethod that does cryptography.
type method interface {
	Verify(signed string, signature []byte, key any) error
	Sign(signed string, key any) ([]byte, error)
}

var algorithms = map[string]*algorithm{}

func init() {
	for _, a := range []*algorithm{
		{"HS256", symmetric, crypto.SHA256, nil, nil},
		{"HS384", symmetric, crypto.SHA384, nil, nil},
		{"HS512", symmetric, crypto.SHA512, nil, nil},
		{"RS256", rsaKeys, crypto.SHA256, nil, jwt.SigningMethodRS256},
		{"RS384", rsaKeys, crypto.SHA384, nil, jwt.SigningMethodRS384},
		{"RS512", rsaKeys, crypto.SHA512, nil, jwt.SigningMethodRS512},
		{"PS256", rsaKeys, crypto.SHA256, nil, pss(jwt.SigningMethodPS256)},
		{"PS384", rsaKeys, crypto.SHA384, nil, pss(jwt.SigningMethodPS384)},
		{"PS512", rsaKeys, crypto.SHA512, nil, pss(jwt.SigningMethodPS512)},
		{"ES256", ecKeys, crypto.SHA256, elliptic.P256(), newECMethod(jwt.SigningMethodES256)},
		{"ES384", ecKeys, crypto.SHA384, elliptic.P384(), newECMethod(jwt.SigningMethodES384)},
		{"ES512", ecKeys, crypto.SHA512, elliptic.P521(), newECMethod(jwt.SigningMethodES512)},
		{"EdDSA", edKeys, 0, nil, newEdMethod()},
		{"Ed25519", edKeys, 0, nil, newEdMethod()}, // RFC 9864
	} {
		algorithms[a.name] = a
	}
}

// pss is m with the salt as long as the hash, as RFC 7518 section 3.5 demands:
// the library itself verifies any length.
func pss(m *jwt.SigningMethodRSAPSS) method {
	exact := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
	return &jwt.SigningMethodRSAPSS{SigningMethodRSA: m.SigningMethodRSA, Options: exact, VerifyOptions: exact}
}
