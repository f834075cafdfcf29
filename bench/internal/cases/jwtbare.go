package cases

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/seed-077cad0b/auth/bench/internal/measure"
)

// bareCheck is the standard library's check of a token's signature, which is
// decoded beforehand: less than that is no check. Little more is wanted of ours.
func bareCheck(spec tokenSpec) measure.Contender {
	wanted := 1 / 1.05
	if strings.HasPrefix(spec.Algorithm, "RS") {
		wanted = 1 / 1.10
	}
	return measure.Contender{Name: "bare signature check", Wanted: wanted, Enter: func() (*measure.Entry, error) {
		i, err := newIssuer(spec)
		if err != nil {
			return nil, err
		}
		signed, signature := parts(i.token("user-0000000000"))
		check, err := signatureCheck(i, signed, signature)
		if err != nil {
			return nil, err
		}
		return &measure.Entry{Round: measure.Timed(func(n int) error {
			for range n {
				if !check() {
					return errors.New("refused a good signature")
				}
			}
			return nil
		})}, nil
	}}
}

// parts returns what is signed of a token, and the signature.
func parts(token string) (signed, signature []byte) {
	dot := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		panic(err)
	}
	return []byte(token[:dot]), signature
}

func signatureCheck(i *issuer, signed, signature []byte) (func() bool, error) {
	hash := crypto.SHA256
	if strings.HasSuffix(i.Algorithm, "512") {
		hash = crypto.SHA512
	}
	switch key := i.Public.(type) {
	case *rsa.PublicKey:
		return func() bool { return rsa.VerifyPKCS1v15(key, hash, digest(hash, signed), signature) == nil }, nil
	case *ecdsa.PublicKey:
		signature, err := toASN1(signature)
		return func() bool { return ecdsa.VerifyASN1(key, digest(hash, signed), signature) }, err
	case ed25519.PublicKey:
		return func() bool { return ed25519.Verify(key, signed, signature) }, nil
	}
	return nil, fmt.Errorf("no bare check of %s", i.Algorithm)
}

func digest(hash crypto.Hash, signed []byte) []byte {
	h := hash.New()
	h.Write(signed)
	return h.Sum(nil)
}

// toASN1 writes the signature of a token as the standard library has it.
func toASN1(signature []byte) ([]byte, error) {
	half := len(signature) / 2
	return asn1.Marshal(struct{ R, S *big.Int }{
		new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]),
	})
}
