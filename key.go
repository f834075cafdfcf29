package auth

import (
	"fmt"
	"io"

	"github.com/seed-077cad0b/auth/internal/jws"
)

// An Algorithm is the name of a signature algorithm of JSON Web Tokens (RFC
// 7518 section 3.1).
type Algorithm string

// The algorithms. HS256 and its kin are symmetric: whoever can verify can sign
// as well. There is no "none".
const (
	HS256 Algorithm = "HS256"
	HS384 Algorithm = "HS384"
	HS512 Algorithm = "HS512"
	RS256 Algorithm = "RS256"
	RS384 Algorithm = "RS384"
	RS512 Algorithm = "RS512"
	PS256 Algorithm = "PS256"
	PS384 Algorithm = "PS384"
	PS512 Algorithm = "PS512"
	ES256 Algorithm = "ES256"
	ES384 Algorithm = "ES384"
	ES512 Algorithm = "ES512"

	// EdDSA is Ed25519 under the name of RFC 8037.
	EdDSA Algorithm = "EdDSA"

	// Ed25519 is the same under the fully specified name of RFC 9864. A key of
	// one does not verify tokens of the other.
	Ed25519 Algorithm = "Ed25519"
)

// isAsymmetric reports whether who verifies with a key of the algorithm cannot
// sign.
func (a Algorithm) isAsymmetric() bool {
	switch a {
	case ES256, ES384, ES512, EdDSA, Ed25519:
		return true
	}
	return a.isRSA()
}

func (a Algorithm) isRSA() bool {
	switch a {
	case RS256, RS384, RS512, PS256, PS384, PS512:
		return true
	}
	return false
}

// A Key signs or verifies tokens with one algorithm, whatever a token says: a
// public key can never be taken for the secret of an HMAC.
//
// It is immutable, safe for concurrent use, and prints nothing secret. Keys are
// compared by pointer: what is parsed twice is two keys.
type Key struct{ jws *jws.Key }

// NewHMACKey returns a key of [HS256], [HS384] or [HS512]. The secret is
// random bytes, not a password, and at least as long as the hash: 32, 48 or 64
// bytes (RFC 7518 section 3.2); the text of another key is refused. An empty id
// stands for a hash of the secret.
func NewHMACKey(id string, alg Algorithm, secret []byte) (*Key, error) {
	return wrapKey(jws.NewSymmetric(id, string(alg), secret))
}

// ParsePEM reads one RSA, ECDSA or Ed25519 key, public or private, in PKCS#1,
// PKCS#8, SEC 1 or SPKI form. Its id is its thumbprint (RFC 7638). RSA keys
// have 2048 to 8192 bits, ECDSA keys the curve of the algorithm.
func ParsePEM(alg Algorithm, data []byte) (*Key, error) {
	return wrapKey(jws.ParsePEM("", string(alg), data))
}

// ParseJWK reads a JSON Web Key (RFC 7517), public, private or symmetric. Its
// alg is required, unless the curve tells; use and key_ops are honoured. A key
// without kid gets the id that [ParsePEM] or [NewHMACKey] would give it.
func ParseJWK(data []byte) (*Key, error) {
	return wrapKey(jws.ParseJWK(data, ""))
}

// ParseJWKS reads a JSON Web Key Set of one's own (RFC 7517 section 5). One key
// that cannot be used refuses all; [NewKeys] checks that they go together.
func ParseJWKS(data []byte) ([]*Key, error) {
	parsed, err := jws.ParseJWKS(data, "")
	if err != nil {
		return nil, keyError(err)
	}
	keys := make([]*Key, len(parsed))
	for i, k := range parsed {
		keys[i] = &Key{k}
	}
	return keys, nil
}

// GenerateKey returns a new random key. RSA keys have 3072 bits.
func GenerateKey(alg Algorithm) (*Key, error) {
	return wrapKey(jws.Generate("", string(alg)))
}

// ID returns what tokens name the key by: their kid. It is never empty.
func (k *Key) ID() string { return k.jws.ID() }

// Algorithm returns the one algorithm of the key.
func (k *Key) Algorithm() Algorithm { return Algorithm(k.jws.Algorithm()) }

// CanSign reports whether the key can sign: it is symmetric or has its private
// part.
func (k *Key) CanSign() bool { return k.jws.CanSign() }

// WithID returns the key under another id, for issuers whose kid is no
// thumbprint. An id has 1 to 256 bytes of UTF-8.
func (k *Key) WithID(id string) (*Key, error) { return wrapKey(k.jws.WithID(id)) }

// Format prints the algorithm and the id of the key for every verb.
func (k *Key) Format(f fmt.State, _ rune) {
	if k == nil || k.jws == nil {
		_, _ = io.WriteString(f, "auth.Key(none)")
		return
	}
	_, _ = fmt.Fprintf(f, "auth.Key(%s, %q)", k.jws.Algorithm(), k.jws.ID())
}

func wrapKey(k *jws.Key, err error) (*Key, error) {
	if err != nil {
		return nil, keyError(err)
	}
	return &Key{k}, nil
}

func keyError(err error) error { return fmt.Errorf("auth: key: %w", err) }
