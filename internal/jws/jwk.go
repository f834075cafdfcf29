package jws

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"

	"github.com/seed-077cad0b/auth/internal/strictjson"
)

// A jwk is a JSON Web Key (RFC 7517), taken apart. Texts are what was there,
// octets are decoded; absent ones are nil.
type jwk struct {
	kty, use, alg, kid, crv string
	hasUse, hasOps, hasAlg  bool
	ops                     []string
	octets                  map[string][]byte
}

// ParseJWK reads a key: kty RSA, EC, OKP or oct. A private key that key_ops
// allows to verify only comes back without its private part. A key that names
// no algorithm gets the one its curve has, or else the default, which may be
// empty: then it is refused.
func ParseJWK(data []byte, defaultAlg string) (*Key, error) {
	j, err := readJWK(data)
	if err != nil {
		return nil, err
	}
	return j.key(defaultAlg)
}

// ParsePublicJWK reads an asymmetric key that comes with what it has signed. Its
// algorithm is alg, which it may name and no other, and its id the thumbprint,
// whatever its kid says. A key that brings any private member is refused: others
// have seen it.
func ParsePublicJWK(data []byte, alg string) (*Key, error) {
	j, err := readJWK(data)
	if err != nil {
		return nil, err
	}
	for _, member := range privateMembers {
		if _, ok := j.octets[member]; ok {
			return nil, ErrPrivate
		}
	}
	if j.hasAlg && j.alg != alg {
		return nil, ErrMismatch
	}
	j.alg, j.hasAlg, j.kid = alg, true, ""
	return j.key("")
}

// privateMembers are those of RFC 7518 section 6 that nobody else may see; oth is
// refused anyway.
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "k"}

// key makes the key that j describes.
func (j *jwk) key(defaultAlg string) (*Key, error) {
	if j.hasUse && j.use != "sig" {
		return nil, ErrPurpose
	}
	alg := j.alg
	if !j.hasAlg {
		alg = curveAlg[j.crv]
		if alg == "" || j.kty != "EC" && j.kty != "OKP" {
			alg = defaultAlg
		}
	}
	a := algorithms[alg]
	if a == nil {
		return nil, ErrAlgorithm
	}
	if a.family != map[string]family{"oct": symmetric, "RSA": rsaKeys, "EC": ecKeys, "OKP": edKeys}[j.kty] {
		return nil, ErrMismatch // kty is known, see readJWK
	}
	_, private := j.octets["d"]
	signs, verifies := j.allows("sign"), j.allows("verify")
	switch {
	case a.family == symmetric && !(signs && verifies),
		a.family != symmetric && !verifies && !(signs && private):
		return nil, ErrPurpose
	case a.family == symmetric:
		return NewSymmetric(j.kid, alg, j.octets["k"])
	}
	var (
		key any
		err error
	)
	switch a.family {
	case rsaKeys:
		key, err = j.rsa()
	case ecKeys:
		key, err = j.ec(a.curve)
	default:
		key, err = j.ed()
	}
	if err != nil {
		return nil, err
	}
	k, err := NewAsymmetric(j.kid, alg, key)
	if err == nil && !signs {
		k.private = nil
	}
	return k, err
}

var curveAlg = map[string]string{"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}

func (j *jwk) allows(op string) bool { return !j.hasOps || slices.Contains(j.ops, op) }

func readJWK(data []byte) (*jwk, error) {
	j := &jwk{octets: map[string][]byte{}}
	var hasKid bool
	err := strictjson.Object(data, func(name, value []byte) error {
		ok := true
		switch n := string(name); n {
		case "kty":
			j.kty, ok = strictjson.String(value)
		case "use":
			j.use, ok = strictjson.String(value)
			j.hasUse = true
		case "alg":
			j.alg, ok = strictjson.String(value)
			j.hasAlg = true
		case "kid":
			j.kid, ok = strictjson.String(value)
			hasKid = true
		case "crv":
			j.crv, ok = strictjson.String(value)
		case "key_ops":
			j.hasOps = true
			return strictjson.Array(value, func(value []byte) error {
				op, ok := strictjson.String(value)
				if !ok || slices.Contains(j.ops, op) {
					return ErrKeyForm
				}
				j.ops = append(j.ops, op)
				return nil
			})
		case "n", "e", "d", "p", "q", "dp", "dq", "qi", "x", "y", "k":
			var text string
			if text, ok = strictjson.String(value); ok {
				octets, err := AppendDecode(nil, text)
				j.octets[n] = octets
				return err
			}
		case "oth": // more than two primes
			return ErrKeyForm
		}
		if !ok {
			return ErrKeyForm
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrKeyForm, err)
	case hasKid && j.kid == "":
		return nil, ErrKeyID
	case !slices.Contains([]string{"oct", "RSA", "EC", "OKP"}, j.kty):
		return nil, ErrMismatch
	}
	return j, nil
}

func (j *jwk) rsa() (any, error) {
	n, e := j.octets["n"], j.octets["e"]
	if len(n) == 0 || len(n) > maxRSA/8 || len(e) == 0 || len(e) > 4 || n[0] == 0 || e[0] == 0 {
		return nil, ErrKeyForm
	}
	exponent := new(big.Int).SetBytes(e).Int64()
	if exponent > 1<<31-1 {
		return nil, ErrKeyForm
	}
	public := rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent)}
	d, private := j.octets["d"]
	if !private {
		return &public, nil
	}
	p, q := j.octets["p"], j.octets["q"]
	// The primes, without which RFC 7518 section 6.3.2 allows a private key to
	// come, are what makes signing fast and checked.
	if len(p) == 0 || len(q) == 0 || len(d) > maxRSA/8 || len(p) > maxRSA/8 || len(q) > maxRSA/8 {
		return nil, fmt.Errorf("%w: RSA private key without its primes", ErrKeyForm)
	}
	key := &rsa.PrivateKey{
		PublicKey: public,
		D:         new(big.Int).SetBytes(d),
		Primes:    []*big.Int{new(big.Int).SetBytes(p), new(big.Int).SetBytes(q)},
	}
	if err := key.Validate(); err != nil {
		return nil, ErrKeyForm
	}
	key.Precompute()
	return key, nil
}

func (j *jwk) ec(curve elliptic.Curve) (any, error) {
	if curveAlg[j.crv] == "" || curve.Params().Name != j.crv {
		return nil, ErrMismatch
	}
	x, y := j.octets["x"], j.octets["y"]
	size := (curve.Params().BitSize + 7) / 8
	if len(x) != size || len(y) != size { // RFC 7518 section 6.2.1.2
		return nil, ErrKeyForm
	}
	public, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, ErrKeyForm
	}
	d, private := j.octets["d"]
	if !private {
		return public, nil
	}
	key, err := ecdsa.ParseRawPrivateKey(curve, d)
	if err != nil || !key.PublicKey.Equal(public) {
		return nil, ErrKeyForm
	}
	return key, nil
}

func (j *jwk) ed() (any, error) {
	if j.crv != "Ed25519" {
		return nil, ErrMismatch
	}
	public := ed25519.PublicKey(j.octets["x"])
	if len(public) != ed25519.PublicKeySize {
		return nil, ErrKeyForm
	}
	seed, private := j.octets["d"]
	if !private {
		return public, nil
	}
	if len(seed) != ed25519.SeedSize {
		return nil, ErrKeyForm
	}
	key := ed25519.NewKeyFromSeed(seed)
	if !public.Equal(key.Public()) {
		return nil, ErrKeyForm
	}
	return key, nil
}

// ParseJWKS reads a JWK Set (RFC 7517 section 5) whose keys are all usable.
func ParseJWKS(data []byte, defaultAlg string) ([]*Key, error) {
	var keys []*Key
	found := false
	err := strictjson.Object(data, func(name, value []byte) error {
		if string(name) != "keys" {
			return nil
		}
		found = true
		return strictjson.Array(value, func(value []byte) error {
			k, err := ParseJWK(value, defaultAlg)
			if err != nil {
				return fmt.Errorf("key %d: %w", len(keys)+1, err)
			}
			keys = append(keys, k)
			return nil
		})
	})
	if err == nil && !found {
		err = ErrKeyForm
	}
	if err != nil {
		return nil, err
	}
	return keys, nil
}

// A PublicJWK is the public part of an asymmetric key as it is published. The
// members that a kind of key lacks are empty.
type PublicJWK struct {
	KeyID     string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	keyMembers
}

// keyMembers are the required public members. Those of each kind are in the
// order of RFC 7638, which hashes them.
type keyMembers struct {
	Curve    string `json:"crv,omitempty"`
	Exponent string `json:"e,omitempty"`
	Type     string `json:"kty"`
	Modulus  string `json:"n,omitempty"`
	X        string `json:"x,omitempty"`
	Y        string `json:"y,omitempty"`
}

// Public returns the public part of the key, and false for a symmetric key,
// which has none.
func (k *Key) Public() (PublicJWK, bool) {
	if k.Symmetric() {
		return PublicJWK{}, false
	}
	return PublicJWK{KeyID: k.id, Use: "sig", Algorithm: k.alg.name, keyMembers: k.members()}, true
}

// Thumbprint returns the RFC 7638 thumbprint of an asymmetric key: SHA-256 in
// base64url.
func (k *Key) Thumbprint() string {
	text, _ := json.Marshal(k.members()) // strings only
	sum := sha256.Sum256(text)
	return Encode(sum[:])
}

func (k *Key) members() keyMembers {
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		e := big.NewInt(int64(public.E)).Bytes()
		return keyMembers{Type: "RSA", Modulus: Encode(public.N.Bytes()), Exponent: Encode(e)}
	case *ecdsa.PublicKey:
		point, _ := public.Bytes() // checked when the key was made
		size := len(point) / 2
		return keyMembers{Type: "EC", Curve: k.alg.curve.Params().Name, X: Encode(point[1 : 1+size]), Y: Encode(point[1+size:])}
	case ed25519.PublicKey:
		return keyMembers{Type: "OKP", Curve: "Ed25519", X: Encode(public)}
	default:
		return keyMembers{}
	}
}
