package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"

	"github.com/seed-077cad0b/auth"
)

// A jwk is a JSON Web Key (RFC 7517) with the members of RFC 7518 section 6 and
// RFC 8037 section 2.
type jwk struct {
	Type      string         `json:"kty"`
	Use       string         `json:"use"`
	Algorithm auth.Algorithm `json:"alg"`
	ID        string         `json:"kid"`

	Curve string `json:"crv,omitempty"`
	X     string `json:"x,omitempty"`
	Y     string `json:"y,omitempty"`
	N     string `json:"n,omitempty"`
	E     string `json:"e,omitempty"`

	// What is private.
	D  string `json:"d,omitempty"`
	P  string `json:"p,omitempty"`
	Q  string `json:"q,omitempty"`
	DP string `json:"dp,omitempty"`
	DQ string `json:"dq,omitempty"`
	QI string `json:"qi,omitempty"`
	K  string `json:"k,omitempty"`
}

// jwk returns the private and the public form; symmetric keys have none.
func (p *pair) jwk(kid string) (private, public []byte, err error) {
	if kid == "" {
		if kid, err = p.thumbprint(); err != nil {
			return nil, nil, err
		}
	}
	k := jwk{Use: "sig", Algorithm: p.alg, ID: kid}
	if p.signer == nil {
		k.Type, k.K = "oct", encode(p.secret)
		private, err = json.Marshal(k)
		return append(private, '\n'), nil, err
	}
	shared := k
	if err := p.members(&k, &shared); err != nil {
		return nil, nil, err
	}
	if private, err = json.Marshal(k); err != nil {
		return nil, nil, err
	}
	public, err = json.Marshal(shared)
	return append(private, '\n'), append(public, '\n'), err
}

// thumbprint returns the id that the library gives to a key without one.
func (p *pair) thumbprint() (string, error) {
	if p.signer == nil {
		k, err := auth.NewHMACKey("", p.alg, p.secret)
		if err != nil {
			return "", err
		}
		return k.ID(), nil
	}
	private, _, err := p.pem()
	if err != nil {
		return "", err
	}
	k, err := auth.ParsePEM(p.alg, private)
	if err != nil {
		return "", err
	}
	return k.ID(), nil
}

// members fills in those of the private and of the public key.
func (p *pair) members(private, public *jwk) error {
	switch key := p.signer.(type) {
	case *rsa.PrivateKey:
		public.Type, public.N, public.E = "RSA", encodeInt(key.N), encodeInt(big.NewInt(int64(key.E)))
		*private = *public
		private.D, private.P, private.Q = encodeInt(key.D), encodeInt(key.Primes[0]), encodeInt(key.Primes[1])
		private.DP, private.DQ, private.QI = encodeInt(key.Precomputed.Dp), encodeInt(key.Precomputed.Dq), encodeInt(key.Precomputed.Qinv)
	case *ecdsa.PrivateKey:
		point, err := key.PublicKey.Bytes()
		if err != nil {
			return err
		}
		d, err := key.Bytes()
		if err != nil {
			return err
		}
		size := len(point) / 2
		public.Type, public.Curve = "EC", key.Curve.Params().Name
		public.X, public.Y = encode(point[1:1+size]), encode(point[1+size:])
		*private = *public
		private.D = encode(d)
	case ed25519.PrivateKey:
		public.Type, public.Curve, public.X = "OKP", "Ed25519", encode(key.Public().(ed25519.PublicKey))
		*private = *public
		private.D = encode(key.Seed())
	}
	return nil
}

func encode(data []byte) string   { return base64.RawURLEncoding.EncodeToString(data) }
func encodeInt(n *big.Int) string { return encode(n.Bytes()) }
