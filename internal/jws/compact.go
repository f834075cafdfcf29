// Package jws takes compact JSON Web Signatures apart, strictly, and checks
// and makes their signatures. It knows nothing of claims.
//
// The order of a check is Split, ParseHeader, the key that the caller trusts
// for that header, Key.Verify, and only then Decode of the payload: nothing
// that a stranger wrote is used before the signature holds, but for the header
// that says which key to try.
package jws

import (
	"errors"
	"strings"

	"github.com/seed-077cad0b/auth/internal/strictjson"
)

// What is wrong with a token. No error carries any of it.
var (
	ErrForm      = errors.New("not a compact JWS")
	ErrEncoding  = errors.New("not strict base64url")
	ErrHeader    = errors.New("malformed header")
	ErrCritical  = errors.New("header demands an extension")
	ErrSignature = errors.New("signature does not hold")
)

// MaxHeader bounds a header's text. Certificate chains, which some issuers
// send along and nobody here reads, fit.
const MaxHeader = 16 << 10

// A Token is a compact serialization (RFC 7515 section 7.1) taken apart. Its
// parts are base64url as they came, and unchecked.
type Token struct {
	Header, Payload, Signature string
	Signed                     string // Header, dot, Payload
}

// Split takes text apart at its dots, of which there must be two. The payload
// alone may be empty.
func Split(text string) (Token, bool) {
	first := strings.IndexByte(text, '.')
	last := first + 1 + strings.IndexByte(text[first+1:], '.')
	if first <= 0 || last <= first || last == len(text)-1 || strings.IndexByte(text[last+1:], '.') >= 0 {
		return Token{}, false
	}
	return Token{
		Header:    text[:first],
		Payload:   text[first+1 : last],
		Signature: text[last+1:],
		Signed:    text[:last],
	}, true
}

// A Header is the part of a JOSE header that this package looks at. The
// members jwk, jku, x5u and x5c, by which a token would bring its own key, are
// not, but for the jwk of [ParseProofHeader].
type Header struct {
	Algorithm string
	KeyID     string
	Type      string
	HasKeyID  bool
	HasType   bool
}

// ParseHeader reads the header of a token. It refuses the members crit, b64
// and zip, which change what a signature means, and cty, which says that the
// payload is no set of claims but another token.
func ParseHeader(encoded string) (Header, error) {
	return parseHeader(encoded, func([]byte) {})
}

// ParseProofHeader is ParseHeader for what proves that somebody has a key, which
// it brings: the text of the member jwk, for [ParsePublicJWK]. That key is good
// for nothing else than to be compared with the one that is expected.
func ParseProofHeader(encoded string) (h Header, jwk []byte, err error) {
	h, err = parseHeader(encoded, func(value []byte) { jwk = value })
	if err == nil && jwk == nil {
		err = ErrHeader
	}
	return h, jwk, err
}

func parseHeader(encoded string, key func(jwk []byte)) (Header, error) {
	if len(encoded) > MaxHeader {
		return Header{}, ErrHeader
	}
	data, err := AppendDecode(nil, encoded)
	if err != nil {
		return Header{}, err
	}
	var h Header
	err = strictjson.Object(data, func(name, value []byte) error {
		ok := true
		switch string(name) {
		case "alg":
			h.Algorithm, ok = strictjson.String(value)
		case "kid":
			h.KeyID, ok = strictjson.String(value)
			h.HasKeyID = true
		case "typ":
			h.Type, ok = strictjson.String(value)
			h.HasType = true
		case "jwk":
			key(value)
		case "crit", "b64", "zip", "cty":
			return ErrCritical
		}
		if !ok {
			return ErrHeader
		}
		return nil
	})
	if err == nil && h.Algorithm == "" {
		err = ErrHeader
	}
	if err != nil {
		return Header{}, err
	}
	return h, nil
}
