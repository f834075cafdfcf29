package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/seed-077cad0b/auth/internal/jws"
	"github.com/seed-077cad0b/auth/internal/strictjson"
)

// An Assertion is what a platform has signed of one of its users, once it is
// proved.
type Assertion struct {
	// ID is public. It tells assertions of all platforms apart.
	ID string

	// Email is one plain address: ASCII, without a name, quotes or comments,
	// the domain in lower case and what stands before it as it was signed. It
	// is empty where a standard assertion has none.
	Email string

	// Subject names the user within the platform, see [Platform].SubjectClaim:
	// at most 255 bytes, none of them control characters. Other platforms have
	// the same subjects and emails for other people.
	Subject string

	Expires time.Time

	// Claims is the payload verbatim. Beyond the members that this package
	// judges it is the platform's word alone.
	Claims json.RawMessage
}

// maxAssertion bounds the text of an assertion, in bytes.
const maxAssertion = 8 << 10

// maxAssertionSubject is that of a sub in OpenID Connect Core section 2.
const maxAssertionSubject = 255

// assertionLeeway is how far a platform's clock may be ahead of ours. It counts
// for when an assertion begins, never for when it ends.
const assertionLeeway = 30 * time.Second

var (
	errAssertionForm = refusal("not three parts of at most 8 KiB")
	errIncomplete    = refusal("a required member is missing")
	errBound         = refusal("bound to a key that was not proved")
	errTooFar        = refusal("expires too far ahead")
	errEmail         = refusal("email is not one plain address")
	errEmailDomain   = refusal("email is of a domain that is not the platform's")
	errSubject       = refusal("subject is too long or has control characters")
)

// An assertionForm is what must be in an assertion. What else is there must be
// right all the same, so that one assertion means the same in both forms.
type assertionForm struct {
	required []string
	subject  string // the member that names the user, unless the platform says
}

var (
	emailForm    = assertionForm{[]string{"email", "expire"}, "email"}
	standardForm = assertionForm{[]string{"iss", "sub", "aud", "exp", "jti"}, "sub"}
)

// prove checks the signature of an assertion and, only then, what it says. The
// digest is the name by which its use is remembered.
func (f assertionForm) prove(ctx context.Context, p *Platform, text string, at time.Time) (*Assertion, Digest, error) {
	token, ok := jws.Split(text)
	if !ok || len(text) > maxAssertion {
		return nil, Digest{}, errAssertionForm
	}
	header, err := parseHeader(token.Header, "JWT", true)
	if err != nil {
		return nil, Digest{}, err
	}
	alg := Algorithm(header.Algorithm)
	if !p.accepts(alg) {
		return nil, Digest{}, errUnknownKey
	}
	keys, err := p.Keys.Lookup(ctx, header.KeyID, alg)
	if err != nil {
		return nil, Digest{}, fmt.Errorf("auth: looking up a platform's key: %w", err)
	}
	b := buffers.Get().(*buffer)
	defer buffers.Put(b)
	if _, err := b.open(&token, alg, keys); err != nil {
		return nil, Digest{}, err
	}
	c, err := readAssertion(b.bytes, or(p.SubjectClaim, f.subject))
	if err != nil {
		return nil, Digest{}, err
	}
	a, err := f.judge(p, c, at)
	if err != nil {
		return nil, Digest{}, err
	}
	// Not of the signature: of some algorithms there is more than one that
	// holds.
	name := nameDigest("assertion", p.ID, "signed", token.Signed)
	if jti, ok := c.texts["jti"]; ok {
		name = nameDigest("assertion", p.ID, "jti", jti)
	}
	a.ID, a.Claims = name.String(), bytes.Clone(b.bytes)
	return a, name, nil
}

// assertionClaims are the members of a payload that this package judges. A
// member that is not there is absent from the payload.
type assertionClaims struct {
	texts   map[string]string // none is empty
	dates   map[string]int64  // in microseconds
	subject string            // the name of the one that names the user
}

// isAssertionRule reports whether a member says when and for whom an assertion
// is good, rather than whom it is about.
func isAssertionRule(name string) bool {
	switch name {
	case "iss", "aud", "jti", "exp", "expire", "nbf", "iat", "cnf":
		return true
	}
	return false
}

func readAssertion(payload []byte, subject string) (*assertionClaims, error) {
	c := &assertionClaims{map[string]string{}, map[string]int64{}, subject}
	bound := false
	err := strictjson.Object(payload, func(name, value []byte) error {
		ok := true
		switch n := string(name); n {
		case "iss", "aud", "jti", "sub", "email", subject:
			c.texts[n], ok = strictjson.String(value)
			ok = ok && c.texts[n] != ""
		case "exp", "expire", "nbf", "iat":
			c.dates[n], ok = numericDate(value)
		case "cnf":
			bound = true
		}
		if !ok {
			return errClaim
		}
		return nil
	})
	switch {
	case err == errClaim:
		return nil, err
	case err != nil:
		return nil, errPayload
	case bound:
		return nil, errBound
	}
	return c, nil
}

// judge decides whether what an assertion says is good.
func (f assertionForm) judge(p *Platform, c *assertionClaims, at time.Time) (*Assertion, error) {
	if !c.complete(f, p) {
		return nil, errIncomplete
	}
	if iss, ok := c.texts["iss"]; ok && iss != p.ID {
		return nil, errIssuer
	}
	if aud, ok := c.texts["aud"]; ok && aud != p.Audience {
		return nil, errAudience
	}
	a := &Assertion{Subject: c.texts[c.subject]}
	var err error
	if a.Expires, err = c.judgeDates(at, or(p.MaxLife, assertionLife)); err != nil {
		return nil, err
	}
	if text, ok := c.texts["email"]; ok {
		if a.Email, err = p.judgeEmail(text); err != nil {
			return nil, err
		}
	}
	if c.subject == "email" {
		a.Subject = a.Email
	}
	if len(a.Subject) > maxAssertionSubject || strings.ContainsFunc(a.Subject, unicode.IsControl) {
		return nil, errSubject
	}
	return a, nil
}

// complete reports whether all is there that the form and the platform require.
func (c *assertionClaims) complete(f assertionForm, p *Platform) bool {
	for _, name := range f.required {
		if !c.has(name) {
			return false
		}
	}
	return c.has(c.subject) && (p.Audience == "" || c.has("aud")) && (p.EmailDomains == nil || c.has("email"))
}

func (c *assertionClaims) has(name string) bool {
	_, text := c.texts[name]
	_, date := c.dates[name]
	return text || date
}

// judgeDates returns when the assertion ends, which is after at and no more than
// life ahead.
func (c *assertionClaims) judgeDates(at time.Time, life time.Duration) (time.Time, error) {
	var end time.Time
	for _, name := range []string{"exp", "expire"} {
		us, ok := c.dates[name]
		if !ok {
			continue
		}
		switch t := instantOf(us); {
		case !t.After(at):
			return end, errExpired
		case t.After(at.Add(life)):
			return end, errTooFar
		case end.IsZero() || t.Before(end):
			end = t
		}
	}
	for _, name := range []string{"nbf", "iat"} {
		if us, ok := c.dates[name]; ok && instantOf(us).After(at.Add(assertionLeeway)) {
			return end, errNotYet
		}
	}
	return end, nil
}

// judgeEmail returns an address as it is compared, if it is one that the
// platform may speak for.
func (p *Platform) judgeEmail(text string) (string, error) {
	email, domain, ok := parseEmail(text)
	if !ok {
		return "", errEmail
	}
	if p.EmailDomains == nil {
		return email, nil
	}
	for _, d := range p.EmailDomains {
		if strings.EqualFold(d, domain) {
			return email, nil
		}
	}
	return "", errEmailDomain
}
