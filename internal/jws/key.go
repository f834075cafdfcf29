package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"slices"
	"sync"
	"unicode/utf8"
)

// What makes a key unusable.
var (
	ErrAlgorithm = errors.New("unknown algorithm")
	ErrMismatch  = errors.New("key is not of the kind its algorithm needs")
	ErrWeak      = errors.New("key is too weak for its algorithm")
	ErrKeyID     = errors.New("key id is empty, too long or not UTF-8")
	ErrPurpose   = errors.New("key is not meant for signatures")
	ErrKeyForm   = errors.New("malformed key")
	ErrNoPrivate = errors.New("key has no private part")
	ErrPrivate   = errors.New("key has a private part that should have stayed away")
)

// The sizes of RSA moduli, in bits. Larger ones buy little and make each
// verification a nuisance.
const (
	minRSA = 2048
	maxRSA = 8192
)

// maxKeyID bounds a key id, which goes into the header of each token.
const maxKeyID = 256

// A Key does one algorithm, whatever a token says. It is immutable.
type Key struct {
	id      string
	alg     *algorithm
	public  crypto.PublicKey  // nil: symmetric
	private crypto.PrivateKey // nil: verifies only; symmetric: see macs
	macs    *sync.Pool        // of *digest, keyed; nil: asymmetric
}

// NewSymmetric returns a key of an HMAC algorithm. An empty id is replaced by a
// hash of the secret.
func NewSymmetric(id, alg string, secret []byte) (*Key, error) {
	a := algorithms[alg]
	switch {
	case a == nil:
		return nil, ErrAlgorithm
	case a.family != symmetric:
		return nil, ErrMismatch
	case len(secret) < a.hash.Size():
		return nil, fmt.Errorf("%w: %d bytes, %s needs %d", ErrWeak, len(secret), alg, a.hash.Size())
	case isKey(secret):
		// With a public key as the secret, anybody can sign.
		return nil, fmt.Errorf("%w: the secret is the text of another key", ErrMismatch)
	}
	secret = slices.Clone(secret)
	if id == "" {
		h := sha256.New()
		h.Write([]byte("auth: id of an " + alg + " key\x00"))
		h.Write(secret)
		id = Encode(h.Sum(nil)[:16])
	}
	k := &Key{alg: a, macs: &sync.Pool{New: func() any {
		return &digest{Hash: hmac.New(a.hash.New, secret)}
	}}}
	return k.WithID(id)
}

// isKey reports whether data is a key of another kind: in PEM, DER or as a JWK.
func isKey(data []byte) bool {
	if block, _ := pem.Decode(data); block != nil {
		return true
	}
	if j, err := readJWK(data); err == nil && j.kty != "" {
		return true
	}
	for _, parse := range []func([]byte) error{
		func(der []byte) error { _, err := x509.ParsePKIXPublicKey(der); return err },
		func(der []byte) error { _, err := x509.ParsePKCS1PublicKey(der); return err },
		func(der []byte) error { _, err := x509.ParsePKCS8PrivateKey(der); return err },
	} {
		if parse(data) == nil {
			return true
		}
	}
	return false
}

// NewAsymmetric returns a key from an RSA, ECDSA or Ed25519 key of the standard
// library, public or private. An empty id is replaced by the thumbprint.
func NewAsymmetric(id, alg string, key any) (*Key, error) {
	a := algorithms[alg]
	if a == nil {
		return nil, ErrAlgorithm
	}
	k := &Key{alg: a, public: key}
	if private, ok := key.(interface{ Public() crypto.PublicKey }); ok {
		k.private, k.public = key, private.Public()
	}
	if err := k.check(); err != nil {
		return nil, err
	}
	if id == "" {
		id = k.Thumbprint()
	}
	return k.WithID(id)
}

func (k *Key) check() error {
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		if k.alg.family != rsaKeys {
			return ErrMismatch
		}
		switch n := public.N.BitLen(); {
		case n < minRSA:
			return fmt.Errorf("%w: RSA of %d bits, at least %d are needed", ErrWeak, n, minRSA)
		case n > maxRSA:
			return fmt.Errorf("%w: RSA of more than %d bits", ErrKeyForm, maxRSA)
		case public.E < 3 || public.E%2 == 0 || public.N.Bit(0) == 0:
			return fmt.Errorf("%w: RSA exponent or modulus", ErrWeak)
		}
	case *ecdsa.PublicKey:
		if k.alg.family != ecKeys || public.Curve != k.alg.curve {
			return ErrMismatch
		}
		if _, err := public.Bytes(); err != nil { // not on the curve
			return ErrKeyForm
		}
	case ed25519.PublicKey:
		if k.alg.family != edKeys {
			return ErrMismatch
		}
		if len(public) != ed25519.PublicKeySize {
			return ErrKeyForm
		}
	default:
		return ErrMismatch
	}
	return nil
}

// Generate returns a new key. RSA keys get 3072 bits.
func Generate(id, alg string) (*Key, error) {
	a := algorithms[alg]
	if a == nil {
		return nil, ErrAlgorithm
	}
	var (
		key any
		err error
	)
	switch a.family {
	case symmetric:
		secret := make([]byte, a.hash.Size())
		_, _ = rand.Read(secret) // never fails
		return NewSymmetric(id, alg, secret)
	case rsaKeys:
		key, err = rsa.GenerateKey(rand.Reader, 3072)
	case ecKeys:
		key, err = ecdsa.GenerateKey(a.curve, rand.Reader)
	case edKeys:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		return nil, err
	}
	return NewAsymmetric(id, alg, key)
}

// WithID returns the key under another id.
func (k *Key) WithID(id string) (*Key, error) {
	if id == "" || len(id) > maxKeyID || !utf8.ValidString(id) {
		return nil, ErrKeyID
	}
	c := *k
	c.id = id
	return &c, nil
}

// ID returns the key's id, never empty.
func (k *Key) ID() string { return k.id }

// Algorithm returns the name of the one algorithm of the key.
func (k *Key) Algorithm() string { return k.alg.name }

// Symmetric reports whether who verifies with the key can sign as well.
func (k *Key) Symmetric() bool { return k.alg.family == symmetric }

// CanSign reports whether the key can sign.
func (k *Key) CanSign() bool { return k.Symmetric() || k.private != nil }

// Verify checks the signature of signed with the key's algorithm.
func (k *Key) Verify(signed string, signature []byte) error {
	var ok bool
	if k.macs != nil {
		m := k.macs.Get().(*digest)
		ok = subtle.ConstantTimeCompare(m.sum(signed), signature) == 1
		k.macs.Put(m)
	} else {
		ok = k.alg.method.Verify(signed, signature, k.public) == nil
	}
	if !ok {
		return ErrSignature
	}
	return nil
}

// Sign signs.
func (k *Key) Sign(signed string) ([]byte, error) {
	switch {
	case k.macs != nil:
		m := k.macs.Get().(*digest)
		signature := slices.Clone(m.sum(signed))
		k.macs.Put(m)
		return signature, nil
	case k.private == nil:
		return nil, ErrNoPrivate
	default:
		return k.alg.method.Sign(signed, k.private)
	}
}

// A digest is a hash that is used over and over, or an HMAC: keying one costs as
// much as hashing a small token.
type digest struct {
	hash.Hash
	message []byte
	result  [64]byte
}

// sum returns the digest of message, valid until the next call.
func (d *digest) sum(message string) []byte {
	d.message = append(d.message[:0], message...)
	d.Reset()
	d.Write(d.message)
	return d.Sum(d.result[:0])
}
