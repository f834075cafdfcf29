package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth/internal/jws"
	"github.com/seed-077cad0b/auth/internal/strictjson"
)

// How long a proof and its jti may be, in bytes. A proof with an RSA key of 8192
// bits takes half of it.
const (
	maxProof   = 8 << 10
	maxProofID = 256
)

// The refusals of a proof. They name no part of it.
var (
	errNoProof       = badProof("missing")
	errTwoProofs     = badProof("more than one DPoP field")
	errProofForm     = badProof("not three parts of at most 8 KiB")
	errProofHeader   = badProof("header")
	errProofType     = badProof("typ is another")
	errProofAlg      = badProof("alg is not admitted")
	errProofKey      = badProof("jwk is not a public key for alg")
	errProofSigned   = badProof("signature")
	errProofPayload  = badProof("payload is not one JSON object")
	errProofClaim    = badProof("a claim is of the wrong type")
	errProofRequired = badProof("jti, htm, htu or iat is missing or empty")
	errProofID       = badProof("jti is too long")
	errProofMethod   = badProof("htm is another")
	errProofURI      = badProof("htu is another")
	errProofTime     = badProof("iat, exp or nbf is not of this time")
	errProofToken    = badProof("ath is missing or another")
	errProofUsed     = badProof("used already")
)

func badProof(what string) error { return fmt.Errorf("%w: %s", ErrProof, what) }

// A proof is a DPoP proof (RFC 9449 section 4.2) whose signature holds.
type proof struct {
	thumbprint string // of the key that has signed it

	jti, htm, htu, ath, nonce string

	iat, exp, nbf          int64 // in microseconds
	hasIat, hasExp, hasNbf bool
}

// proofField returns the text of the proof that r carries, or ErrNoCredential.
func proofField(r *http.Request) (string, error) {
	switch fields := r.Header["Dpop"]; {
	case len(fields) > 1:
		return "", errTwoProofs
	case len(fields) == 0 || fields[0] == "":
		return "", ErrNoCredential
	case len(fields[0]) > maxProof:
		return "", errProofForm
	default:
		return fields[0], nil
	}
}

// open checks the signature of a proof and, only then, reads it. Where a
// thumbprint is expected, the key is compared with it first, so that nobody has us
// check signatures of keys that prove nothing.
func (d *DPoP) open(text, expected string) (*proof, error) {
	token, ok := jws.Split(text)
	if !ok {
		return nil, errProofForm
	}
	key, err := d.keyOf(token.Header)
	if err != nil {
		return nil, err
	}
	thumbprint := key.ID()
	if expected != "" && subtle.ConstantTimeCompare([]byte(thumbprint), []byte(expected)) != 1 {
		return nil, errAnotherKey
	}
	b := buffers.Get().(*buffer)
	defer buffers.Put(b)
	if !b.decode(token.Signature) || key.Verify(token.Signed, b.bytes) != nil {
		return nil, errProofSigned
	}
	if !b.decode(token.Payload) {
		return nil, errProofPayload
	}
	p, err := readProof(b.bytes)
	if err != nil {
		return nil, err
	}
	p.thumbprint = thumbprint
	return p, nil
}

// keyOf returns the key that a proof brings. Its ID is its thumbprint.
func (d *DPoP) keyOf(header string) (*jws.Key, error) {
	h, jwk, err := jws.ParseProofHeader(header)
	switch {
	case err != nil:
		return nil, errProofHeader
	case !strings.EqualFold(mediaType(h.Type), "dpop+jwt"):
		return nil, errProofType
	case !slices.Contains(d.algorithms, Algorithm(h.Algorithm)):
		return nil, errProofAlg
	}
	key, err := jws.ParsePublicJWK(jwk, h.Algorithm)
	if err != nil {
		return nil, errProofKey
	}
	return key, nil
}

// readProof reads a payload in one pass. Other members are let pass.
func readProof(payload []byte) (*proof, error) {
	p := &proof{}
	err := strictjson.Object(payload, func(name, value []byte) error {
		ok := true
		switch string(name) {
		case "jti":
			p.jti, ok = strictjson.String(value)
		case "htm":
			p.htm, ok = strictjson.String(value)
		case "htu":
			p.htu, ok = strictjson.String(value)
		case "ath":
			p.ath, ok = strictjson.String(value)
		case "nonce":
			p.nonce, ok = strictjson.String(value)
		case "iat":
			p.iat, ok = numericDate(value)
			p.hasIat = true
		case "exp":
			p.exp, ok = numericDate(value)
			p.hasExp = true
		case "nbf":
			p.nbf, ok = numericDate(value)
			p.hasNbf = true
		}
		if !ok {
			return errProofClaim
		}
		return nil
	})
	switch {
	case err == errProofClaim:
		return nil, err
	case err != nil:
		return nil, errProofPayload
	case p.jti == "" || p.htm == "" || p.htu == "" || !p.hasIat:
		return nil, errProofRequired
	case len(p.jti) > maxProofID:
		return nil, errProofID
	}
	return p, nil
}

// judge decides whether a proof is for this request, this credential and this
// time. The nonce comes last: who lacks only that is told.
func (d *DPoP) judge(r *http.Request, p *proof, credential string, t time.Time) error {
	switch {
	case p.htm != r.Method:
		return errProofMethod
	case !d.names(p.htu, r):
		return errProofURI
	case !p.current(t, d.maxAge):
		return errProofTime
	case credential != "" && !p.covers(credential):
		return errProofToken
	case d.nonces != nil && !d.isNonce(p.nonce, t):
		return &Failure{Reason: ErrUseNonce, Nonce: d.newNonce(t)}
	}
	return nil
}

// current reports whether a proof was made about now. The members exp and nbf,
// which it need not have, mean what they do in every JWT.
func (p *proof) current(t time.Time, maxAge time.Duration) bool {
	at, age := t.UnixMicro(), maxAge.Microseconds()
	return at-p.iat <= age && p.iat-at <= age &&
		(!p.hasExp || at < p.exp) && (!p.hasNbf || p.nbf-at <= age)
}

// covers reports whether the ath of a proof is the hash of the credential.
func (p *proof) covers(credential string) bool {
	hash := sha256.Sum256([]byte(credential))
	return subtle.ConstantTimeCompare([]byte(jws.Encode(hash[:])), []byte(p.ath)) == 1
}
