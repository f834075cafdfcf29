package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-077cad0b/auth/internal/jws"
)

// A JWT verifies and issues JSON Web Tokens (RFC 7519) of one issuer for one
// audience. It is a [Verifier] and, where its key set has a key that signs, an
// [Issuer]. It is safe for concurrent use.
//
// It takes signed tokens in compact form with the members iss, aud, sub and
// exp. What decides over a token is strict: names are compared exactly, none
// may appear twice, a member of the wrong type is an error and never an absent
// one, and nothing in a token chooses its own algorithm or key.
//
// The principal's scopes are those of the member scope (text, separated by
// blanks), else scp, else scopes (arrays). The members tenant and tier are
// texts. Origin is read from auth_time and, in tokens that this package issued,
// private members; a token without says nothing of its origin, and [Fresh]
// refuses it. Claims is the payload verbatim.
type JWT struct {
	issuer   string
	audience string
	keys     KeySet
	signer   interface{ Signing() *Key } // keys, if they can sign; else nil

	lifetime  time.Duration
	leeway    int64 // in microseconds, as all times here
	maxAge    int64 // zero: none
	maxLength int
	typ       string
	anyType   bool // an absent typ will do

	marks *marks      // nil: no revocation
	cache *tokenCache // nil: none

	// headers are those of tokens whose signature held, by their text: an
	// issuer writes the same one again and again.
	headers atomic.Pointer[map[string]jws.Header]
	learn   sync.Mutex
}

// JWTOptions change how a [JWT] works. The zero value is good.
type JWTOptions struct {
	// Lifetime is that of issued tokens: 1 hour by default, at most 400 days.
	// Tokens have whole seconds.
	Lifetime time.Duration

	// Leeway is how far the clocks of issuer and verifier may differ; it
	// applies to every time in a token. 30 seconds by default, at most a
	// minute, none if negative.
	Leeway time.Duration

	// Type is the typ of the header, which keeps kinds of tokens apart (RFC
	// 8725 section 3.11). By default it is "JWT", and may be absent from a
	// token. Any other, such as "at+jwt" (RFC 9068), must be there. It is
	// compared without regard to case and to a prefix "application/".
	Type string

	// MaxAge, if positive, is how long after its iat a token is accepted,
	// whatever its exp says.
	MaxAge time.Duration

	// MaxLength bounds the text of a token: 16 KiB by default, at most 64 KiB.
	MaxLength int

	// Revocation, if not nil, keeps what [JWT.Revoke] and its kin have ended,
	// and is asked on every use of a token. Tokens must then bear an iat or
	// auth_time, and are good for at most 400 days after it.
	Revocation Store

	// CacheSize is about how many verified tokens are remembered, so that their
	// signatures need not be checked again: 65,536 by default, none if
	// negative. The cache never holds more than twice as many, and grows with
	// use. It changes no decision: expiry, removed keys and revocation count at
	// every use.
	CacheSize int

	// CacheDigests makes the cache keep SHA-256 hashes instead of tokens, for
	// where no clear token may lie in memory. Each use then costs a hash of the
	// token.
	CacheDigests bool
}

// NewJWT returns a verifier and issuer of tokens whose iss is issuer and whose
// aud is, or contains, audience. Both are compared exactly. o may be nil. The
// error joins all that is wrong.
func NewJWT(issuer, audience string, keys KeySet, o *JWTOptions) (*JWT, error) {
	if o == nil {
		o = &JWTOptions{}
	}
	var errs []error
	require := func(ok bool, what string) {
		if !ok {
			errs = append(errs, errors.New("auth: NewJWT: "+what))
		}
	}
	require(issuer != "", "issuer is empty")
	require(audience != "", "audience is empty")
	require(!isNil(keys), "key set is nil")
	require(o.Lifetime >= 0 && o.Lifetime <= maxLifetime, "Lifetime is negative or more than 400 days")
	require(o.Lifetime == 0 || o.Lifetime >= time.Second, "Lifetime is less than a second")
	require(o.Leeway <= time.Minute, "Leeway is more than a minute")
	require(o.MaxAge >= 0, "MaxAge is negative")
	require(o.MaxLength >= 0 && o.MaxLength <= 64<<10, "MaxLength is negative or more than 64 KiB")
	require(o.CacheSize <= 1<<26, "CacheSize is more than 67,108,864")
	require(o.Revocation == nil || !isNil(o.Revocation), "Revocation is a nil pointer")
	require(mediaType(o.Type) != "" || o.Type == "", "Type is empty after its prefix")
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}

	j := &JWT{
		issuer:    issuer,
		audience:  audience,
		keys:      keys,
		lifetime:  or(o.Lifetime, time.Hour),
		leeway:    max(0, or(o.Leeway, 30*time.Second)).Microseconds(),
		maxAge:    o.MaxAge.Microseconds(),
		maxLength: or(o.MaxLength, 16<<10),
		typ:       or(o.Type, "JWT"),
	}
	j.anyType = strings.EqualFold(mediaType(j.typ), "JWT")
	j.signer, _ = keys.(interface{ Signing() *Key })
	if o.Revocation != nil {
		m := newMarks(o.Revocation)
		j.marks = &m
	}
	if o.CacheSize >= 0 {
		j.cache = newTokenCache(or(o.CacheSize, 65536), o.CacheDigests)
	}
	j.headers.Store(&map[string]jws.Header{})
	return j, nil
}

// or returns v, or the default where v is zero.
func or[T comparable](v, byDefault T) T {
	var zero T
	if v == zero {
		return byDefault
	}
	return v
}

// isNil reports whether v is nil or holds a nil pointer.
func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return !r.IsValid() || r.Kind() == reflect.Pointer && r.IsNil()
}

// Kind returns [KindJWT].
func (j *JWT) Kind() Kind { return KindJWT }

// Form returns the form of tokens: three parts, with dots between.
func (j *JWT) Form() Form {
	return Form{
		New: func() string {
			return jws.Encode([]byte(`{"alg":"ES256"}`)) + "." + jws.Encode(random(64)) + "." + jws.Encode(random(64))
		},
		Match: func(text string) bool {
			_, ok := jws.Split(text)
			return ok
		},
	}
}

// The refusals of a token. They are made once, because being refused must be
// cheap, and name no part of the token.
var (
	errTooLong      = refusal("longer than allowed")
	errHeader       = refusal("header")
	errType         = refusal("typ is another")
	errUnknownKey   = refusal("no key of that id and algorithm")
	errBadSignature = refusal("signature")
	errNotYet       = refusal("not valid yet")
	errExpired      = fmt.Errorf("%w: token", ErrExpired)
	errTooOld       = fmt.Errorf("%w: token is older than allowed", ErrExpired)
)

func refusal(what string) error { return fmt.Errorf("%w: token: %s", ErrInvalid, what) }

// Verify implements [Verifier]. [ErrNotMine] are texts that do not have three
// parts between dots.
func (j *JWT) Verify(ctx context.Context, credential string) (*Principal, error) {
	at := time.Now().UnixMicro()
	if j.cache == nil {
		t, err := j.check(ctx, credential, nil)
		if err != nil {
			return nil, err
		}
		return j.admit(ctx, t, at)
	}
	name := j.cache.name(credential)
	t := j.cache.get(name)
	if t != nil && !j.keys.Contains(t.key) {
		j.cache.remove(t)
		t = nil
	}
	if t == nil {
		var err error
		if t, err = j.check(ctx, credential, &name); err != nil {
			return nil, err
		}
	}
	return j.admit(ctx, t, at)
}

// A verified token is one whose signature and claims hold. What may change
// with time, admit looks at.
type verified struct {
	text      string // the token, or its hash; see tokenCache
	hash      uint64
	key       *Key
	principal *Principal
	from      int64    // when it begins to be good, the leeway counted in
	until     int64    // when it ceases
	tooOld    bool     // it ceases because of its age, not of its exp
	marks     []Digest // nil: no revocation
}

// admit decides whether a verified token is good at a time.
func (j *JWT) admit(ctx context.Context, t *verified, at int64) (*Principal, error) {
	switch {
	case at >= t.until && t.tooOld:
		return nil, errTooOld
	case at >= t.until:
		return nil, errExpired
	case at < t.from:
		return nil, errNotYet
	}
	if j.marks != nil {
		if err := j.marks.check(ctx, t.principal, t.marks...); err != nil {
			return nil, err
		}
	}
	return t.principal, nil
}

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
	header, known := (*j.headers.Load())[token.Header]
	if !known {
		var err error
		if header, err = j.parseHeader(token.Header); err != nil {
			return nil, err
		}
	}
	keys, err := j.keys.Lookup(ctx, header.KeyID, Algorithm(header.Algorithm))
	if err != nil {
		return nil, fmt.Errorf("auth: looking up a key: %w", err)
	}
	if len(keys) == 0 {
		return nil, errUnknownKey
	}
	if name == nil {
		return j.prove(token, header, known, keys)
	}

	// Waiting for somebody else's check is safe: it does no I/O and knows no
	// context.
	f, leads := j.cache.join(*name, keys[0])
	if !leads {
		<-f.done
		if f.token != nil || f.err != nil {
			return f.token, f.err
		}
		return j.prove(token, header, known, keys) // the leader panicked
	}
	defer j.cache.land(f)
	if t := j.cache.get(*name); t != nil && j.keys.Contains(t.key) {
		f.token = t
		return t, nil
	}
	f.token, f.err = j.prove(token, header, known, keys)
	if f.err == nil {
		f.token.text, f.token.hash = name.keep(), name.hash
		j.cache.put(f.token)
	}
	return f.token, f.err
}

func (j *JWT) parseHeader(text string) (jws.Header, error) {
	h, err := jws.ParseHeader(text)
	switch {
	case err != nil:
		return h, errHeader
	case !h.HasType && !j.anyType,
		h.HasType && !strings.EqualFold(mediaType(h.Type), mediaType(j.typ)):
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

// maxTries is how many keys are tried on a token that names none.
const maxTries = 8

// prove checks the signature and, only then, reads the claims.
func (j *JWT) prove(token jws.Token, header jws.Header, known bool, keys []*Key) (*verified, error) {
	b := buffers.Get().(*buffer)
	defer buffers.Put(b)
	key, err := b.open(token, Algorithm(header.Algorithm), keys)
	if err != nil {
		return nil, err
	}
	if !known {
		j.remember(token.Header, header)
	}
	c, err := readClaims(b.bytes, j.audience)
	switch {
	case err != nil:
		return nil, err
	case string(c.iss) != j.issuer:
		return nil, errIssuer
	case !c.audience:
		return nil, errAudience
	}
	t := &verified{key: key}
	if t.principal, err = j.principal(&c, token.Signed, b.bytes); err != nil {
		return nil, err
	}
	return t, j.judge(t, &c)
}

// A buffer is where tokens are decoded.
type buffer struct{ bytes []byte }

var buffers = sync.Pool{New: func() any { return &buffer{make([]byte, 0, 1<<10)} }}

// open checks the signature of a token, leaves its payload in b, and returns
// the key that signed it.
func (b *buffer) open(token jws.Token, alg Algorithm, keys []*Key) (*Key, error) {
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
	}
	return nil
}

// maxHeaders bounds the headers that are remembered.
const maxHeaders = 32

// remember keeps a header that a trusted key has signed.
func (j *JWT) remember(text string, h jws.Header) {
	j.learn.Lock()
	defer j.learn.Unlock()
	old := *j.headers.Load()
	next := make(map[string]jws.Header, len(old)+1)
	if len(old) < maxHeaders {
		maps.Copy(next, old)
	}
	next[strings.Clone(text)] = h
	j.headers.Store(&next)
}
