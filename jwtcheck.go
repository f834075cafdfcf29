package auth

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/seed-077cad0b/auth/internal/jws"
)

// check verifies a token's signature and claims. Where name is not nil, it does
// so once for all who ask at the same time, and remembers the token.
func (j *JWT) check(ctx context.Context, credential string, name *tokenName) (*verified, error) {
	token, ok := jws.Split(credential)
	if !ok {
		return nil, ErrNotMine
	}
	if len(credential) > j.maxLength {
		return nil, errTooLong
	}
	header, known := j.headerOf(token.Header)
	if !known {
		h, err := parseHeader(token.Header, j.typ, j.anyType)
		if err != nil {
			return nil, err
		}
		header = &h
	}
	keys, err := j.lookup(ctx, &token, header)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, errUnknownKey
	}
	if name == nil {
		return j.prove(&token, header, known, keys)
	}

	// Waiting for somebody else's check is safe: it does no I/O and knows no
	// context.
	f, leads := j.cache.join(*name, keys[0])
	if !leads {
		<-f.done
		if f.token != nil || f.err != nil {
			return f.token, f.err
		}
		return j.prove(&token, header, known, keys) // the leader panicked
	}
	defer j.cache.land(f)
	if t := j.cache.get(*name); t != nil && j.keys.Contains(t.key) {
		f.token = t
		return t, nil
	}
	f.token, f.err = j.prove(&token, header, known, keys)
	if f.err == nil {
		f.token.text, f.token.hash = name.keep(), name.hash
		j.cache.put(f.token)
	}
	return f.token, f.err
}

// parseHeader reads a header whose typ is that one or, where it is optional,
// absent.
func parseHeader(text, typ string, optional bool) (jws.Header, error) {
	h, err := jws.ParseHeader(text)
	switch {
	case err != nil:
		return h, errHeader
	case !h.HasType && !optional,
		h.HasType && !strings.EqualFold(mediaType(h.Type), mediaType(typ)):
		return h, errType
	case h.HasKeyID && h.KeyID == "":
		return h, errUnknownKey // what names nothing does not mean any
	}
	return h, nil
}

// mediaType strips the prefix that RFC 7515 section 4.1.9 lets issuers omit.
func mediaType(typ string) string {
	const prefix = "application/"
	if len(typ) >= len(prefix) && strings.EqualFold(typ[:len(prefix)], prefix) {
		return typ[len(prefix):]
	}
	return typ
}

// lookup looks up the keys of a token. Nothing is fetched for one that is refused
// whatever key has signed it, such as another issuer's.
func (j *JWT) lookup(ctx context.Context, token *jws.Token, header *jws.Header) ([]*Key, error) {
	kid, alg := header.KeyID, Algorithm(header.Algorithm)
	if remote, ok := j.keys.(*RemoteKeys); ok {
		if keys, ok := remote.find(kid, alg); ok {
			return keys, nil
		}
		if err := j.foresee(token); err != nil {
			return nil, err
		}
	}
	keys, err := j.keys.Lookup(ctx, kid, alg)
	if err != nil {
		return nil, fmt.Errorf("auth: looking up a key: %w", err)
	}
	return keys, nil
}

// foresee returns the refusal of a token whose own claims are reason enough. What
// it does not refuse is not proved.
func (j *JWT) foresee(token *jws.Token) error {
	b := buffers.Get().(*buffer)
	defer buffers.Put(b)
	if !b.decode(token.Payload) {
		return errPayload
	}
	var c claimSet
	err := j.readClaims(&c, b.bytes)
	if err == nil && j.clock.Now() >= c.exp+j.leeway {
		err = errUnknownKey // whether it was good once, nobody can tell
	}
	return err
}

// readClaims reads a payload, and refuses that of another issuer and of another
// audience.
func (j *JWT) readClaims(c *claimSet, payload []byte) error {
	switch err := c.read(payload, j.audience); {
	case err != nil:
		return err
	case string(c.iss) != j.issuer:
		return errIssuer
	case !c.forUs:
		return errAudience
	}
	return nil
}

// maxTries is how many keys are tried on a token that names none.
const maxTries = 8

// prove checks the signature and, only then, reads the claims.
func (j *JWT) prove(token *jws.Token, header *jws.Header, known bool, keys []*Key) (*verified, error) {
	b := buffers.Get().(*buffer)
	defer buffers.Put(b)
	key, err := b.open(token, Algorithm(header.Algorithm), keys)
	if err != nil {
		return nil, err
	}
	if !known {
		j.remember(token.Header, header)
	}
	var c claimSet
	if err := j.readClaims(&c, b.bytes); err != nil {
		return nil, err
	}
	t := &proved{}
	t.key, t.principal = key, &t.who
	if err := j.identify(&t.who, t.scopes[:0], &c, token.Signed, b.bytes); err != nil {
		return nil, err
	}
	return &t.verified, j.judge(&t.verified, &c)
}

// A proved token has its principal beside it, and room for as many scopes as most
// have: one allocation in place of three.
type proved struct {
	verified
	who    Principal
	scopes [2]string
}

// A buffer is where tokens are decoded.
type buffer struct{ bytes []byte }

var buffers = sync.Pool{New: func() any { return &buffer{make([]byte, 0, 1<<10)} }}

// open checks the signature of a token, leaves its payload in b, and returns
// the key that signed it.
func (b *buffer) open(token *jws.Token, alg Algorithm, keys []*Key) (*Key, error) {
	if !b.decode(token.Signature) {
		return nil, errBadSignature
	}
	key := signedBy(token.Signed, b.bytes, alg, keys)
	if key == nil {
		return nil, errBadSignature
	}
	if !b.decode(token.Payload) {
		return nil, errPayload
	}
	return key, nil
}

func (b *buffer) decode(encoded string) bool {
	decoded, err := jws.AppendDecode(b.bytes[:0], encoded)
	if err != nil {
		return false
	}
	b.bytes = decoded
	return true
}

// signedBy returns the key that made the signature, or nil.
func signedBy(signed string, signature []byte, alg Algorithm, keys []*Key) *Key {
	for _, k := range keys[:min(len(keys), maxTries)] {
		// The set was asked for keys of alg; that it answers right is not
		// relied upon.
		if k.Algorithm() == alg && k.jws.Verify(signed, signature) == nil {
			return k
		}
	}
	return nil
}

// judge works out when t is good, and under which names it can be revoked.
func (j *JWT) judge(t *verified, c *claimSet) error {
	t.from = max(c.nbf, c.iat, c.authTime, c.originTime) - j.leeway
	t.until = c.exp + j.leeway
	age := func(limit int64) {
		if limit < t.until {
			t.until, t.tooOld = limit, true
		}
	}
	if j.maxAge > 0 {
		if !c.has(hasIat) {
			return errNoAge
		}
		age(c.iat + j.maxAge + j.leeway)
	}
	if j.marks != nil {
		// Marks are forgotten after maxLifetime, so what they could have ended
		// has to be over by then.
		if !c.has(hasIat) && !c.has(hasAuthTime) && !c.has(hasOriginTime) {
			return errNoAge
		}
		age(t.principal.Origin.Time.Add(maxLifetime).UnixMicro())
		t.marks = namesOf(t.principal)
		if c.has(hasIdp) && string(c.idp) != t.principal.Issuer {
			// Whose mark it is, the issuer that shares the store knows by the name
			// that a foreign token is not believed in otherwise: it can end it only.
			of := *t.principal
			of.Issuer = string(c.idp)
			t.marks = append(t.marks, ownerMark(&of))
		}
	}
	return nil
}

// A knownHeader is the header of a token that a trusted key has signed.
type knownHeader struct {
	text string
	jws.Header
}

// maxHeaders bounds the headers that are remembered.
const maxHeaders = 32

// headerOf returns the header that has this text, if it is known.
func (j *JWT) headerOf(text string) (*jws.Header, bool) {
	headers := *j.headers.Load()
	for i := range headers {
		if h := &headers[i]; h.text == text {
			return &h.Header, true
		}
	}
	return nil, false
}

// remember keeps a header that a trusted key has signed.
func (j *JWT) remember(text string, h *jws.Header) {
	j.learn.Lock()
	defer j.learn.Unlock()
	if _, known := j.headerOf(text); known {
		return
	}
	known := slices.Clone(*j.headers.Load())
	if len(known) == maxHeaders {
		known = nil
	}
	known = append(known, knownHeader{strings.Clone(text), *h})
	j.headers.Store(&known)
}
