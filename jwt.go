package auth

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-077cad0b/auth/internal/clock"
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
// texts, client_id is the credential's ClientID (RFC 9068 section 2.2). Origin
// is read from auth_time and acr and, in tokens that this package issued,
// private members; a token without says nothing of its origin, and [Fresh]
// refuses it. Claims is the payload verbatim.
type JWT struct {
	issuer   string
	audience [][]string // each alone; the first is that of issued tokens
	keys     KeySet
	signer   interface{ Signing() *Key } // keys, if they can sign; else nil

	lifetime  time.Duration
	leeway    int64 // in microseconds, as all times here
	maxAge    int64 // zero: none
	maxLength int
	typ       string
	anyType   bool // an absent typ will do

	clock clock.Clock
	marks *marks      // nil: no revocation
	cache *tokenCache // nil: none

	// headers are those of tokens whose signature held: an issuer writes the
	// same few again and again.
	headers atomic.Pointer[[]knownHeader]
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

	// Audiences are other names of this API that a token may be for, beside the
	// audience of NewJWT: that is the one of issued tokens.
	Audiences []string

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
	// negative. The cache never holds more than twice as many, or seven if that
	// is more, and takes no memory before the first token. It changes no
	// decision: expiry, removed keys and revocation count at every use.
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
	require(audience != "" && !slices.Contains(o.Audiences, ""), "audience is empty")
	require(!isNil(keys), "key set is nil")
	if r, ok := keys.(*RemoteKeys); ok && r != nil {
		require(r.Issuer() == "" || r.Issuer() == issuer, "key set is that of another issuer")
	}
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
		audience:  alone(append([]string{audience}, o.Audiences...)),
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
	j.headers.Store(&[]knownHeader{})
	return j, nil
}

// alone returns each text twice: to compare with, and for principals to hold, so
// that who writes to one of these changes nothing about who is admitted.
func alone(texts []string) [][]string {
	lists := make([][]string, len(texts))
	for i, t := range texts {
		lists[i] = []string{t, t}
	}
	return lists
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
	at := j.clock.Now()
	if j.cache == nil {
		t, err := j.check(ctx, credential, nil)
		if err != nil {
			return nil, err
		}
		return j.admit(ctx, t, at)
	}
	name := j.cache.name(credential)
	t := j.recall(&name)
	if t == nil {
		var err error
		if t, err = j.check(ctx, credential, &name); err != nil {
			return nil, err
		}
	}
	return j.admit(ctx, t, at)
}

// recall returns the token that the cache remembers by that name, or nil. One whose
// key has left the set is forgotten.
func (j *JWT) recall(name *tokenName) *verified {
	t := j.cache.get(*name)
	if t != nil && !j.keys.Contains(t.key) {
		j.cache.remove(t)
		return nil
	}
	return t
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
	case at < t.from && time.Now().UnixMicro() < t.from: // at may lag
		return nil, errNotYet
	}
	if j.marks != nil {
		if err := j.marks.check(ctx, t.principal, t.marks...); err != nil {
			return nil, err
		}
	}
	return t.principal, nil
}
