package jws

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// ParsePEM reads the one key in data: PKCS#1, PKCS#8, SEC 1 or SPKI, public or
// private.
func ParsePEM(id, alg string, data []byte) (*Key, error) {
	block, rest := pem.Decode(data)
	if block != nil && block.Type == "EC PARAMETERS" {
		block, rest = pem.Decode(rest) // openssl ecparam -genkey puts these in front
	}
	if block == nil {
		return nil, fmt.Errorf("%w: no PEM block", ErrKeyForm)
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%w: more than one PEM block", ErrKeyForm)
	}
	if len(block.Headers) > 0 {
		return nil, fmt.Errorf("%w: PEM block with headers, encrypted perhaps", ErrKeyForm)
	}
	var (
		key any
		err error
	)
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("%w: PEM block is no key", ErrKeyForm)
	}
	if err != nil {
		return nil, ErrKeyForm // x509's own text may describe a private key
	}
	return NewAsymmetric(id, alg, key)
}
