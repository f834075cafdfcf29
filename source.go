package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"

	"github.com/seed-077cad0b/auth/internal/body"
)

// A Source looks for a credential at one place of a request and has verifiers
// judge it. The first verifier whose form the text has decides; the others are
// not asked. A text that no verifier knows is refused.
//
// A credential with a Confirmation is good only along with a proof of its key.
// One that is bound to a certificate is admitted where the client has shown that
// certificate in the TLS handshake, see [CertificateConfirmation]; one that is
// bound to a key of DPoP is admitted by [DPoP.Source] alone; any other is refused.
//
// The constructors panic on a nil verifier, a malformed name and verifiers
// whose text forms overlap, as http.ServeMux does on a malformed pattern.
type Source struct {
	scheme    Scheme
	find      func(*http.Request) (string, error)
	verifiers []verifier

	// confirm refuses a good credential whose key the request does not prove.
	// It is the last step, as it may use up the proof.
	confirm func(r *http.Request, credential string, p *Principal) error
}

// A verifier is a Verifier of a source, with what it tells about itself.
type verifier struct {
	Verifier
	form   Form
	formed bool // judges syntax itself
}

// Bearer looks for "Authorization: Bearer TOKEN" (RFC 6750 section 2.1). Other
// schemes in that field count as nothing presented here; two Authorization
// fields are refused. Tokens in the query or in a form are never read.
func Bearer(verifiers ...Verifier) *Source {
	return newSource(Scheme{Name: "Bearer", In: InHeader, Field: "Authorization"}, verifiers,
		func(r *http.Request) (string, error) { return authorization(r, "bearer") })
}

// Header looks for a header field that holds the credential and nothing else,
// such as X-API-Key. Two such fields are refused.
func Header(name string, verifiers ...Verifier) *Source {
	canonical := mustField("Header", name)
	return newSource(Scheme{Name: "ApiKey", In: InHeader, Field: canonical}, verifiers,
		func(r *http.Request) (string, error) { return soleField(r, canonical) })
}

// mustField returns the canonical name of a header field that holds a credential
// and nothing else. It panics where it cannot be one's.
func mustField(constructor, name string) string {
	canonical := textproto.CanonicalMIMEHeaderKey(name)
	if !isToken(name) || canonical == "Authorization" || canonical == "Cookie" {
		panic(fmt.Sprintf("auth: %s(%q): not the name of a header field for this", constructor, name))
	}
	return canonical
}

// JSONField looks for a member of a JSON object in the body. At most 64 KiB are
// read, once, and put back for the handler. An absent or empty member counts as
// nothing presented, which is answered 400; a body that is not one JSON object,
// or a member that is not a string, is [ErrMalformed].
func JSONField(name string, verifiers ...Verifier) *Source {
	if name == "" {
		panic("auth: JSONField: empty name")
	}
	return newSource(Scheme{Name: "ApiKey", In: InBody, Field: name}, verifiers,
		func(r *http.Request) (string, error) {
			values, err := body.JSON(r, name)
			switch {
			case err != nil:
				return "", ofBody(err)
			case values[0] == "":
				return "", ErrNoCredential
			default:
				return values[0], nil
			}
		})
}

// ofBody returns what the error of a body that was read refuses, if anything.
func ofBody(err error) error {
	switch {
	case errors.Is(err, body.ErrTooLarge):
		return ErrTooLarge
	case errors.Is(err, body.ErrMalformed):
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	default:
		return err
	}
}

func newSource(s Scheme, vs []Verifier, find func(*http.Request) (string, error)) *Source {
	if len(vs) == 0 {
		panic(fmt.Sprintf("auth: %s %s: no verifier", s.Name, s.Field))
	}
	src := &Source{scheme: s, find: find, confirm: confirmCertificate}
	for _, v := range vs {
		if v == nil {
			panic(fmt.Sprintf("auth: %s %s: nil verifier", s.Name, s.Field))
		}
		w := verifier{Verifier: v}
		if f, ok := v.(interface{ Form() Form }); ok {
			w.form, w.formed = f.Form(), true
		}
		if k, ok := v.(interface{ Kind() Kind }); ok && !slices.Contains(src.scheme.Kinds, k.Kind()) {
			src.scheme.Kinds = append(src.scheme.Kinds, k.Kind())
		}
		src.verifiers = append(src.verifiers, w)
	}
	src.checkForms()
	return src
}

// checkForms panics where a fresh text of one verifier has the form of another:
// whose credential it is would depend on their order.
func (s *Source) checkForms() {
	for i, a := range s.verifiers {
		for j, b := range s.verifiers {
			if i == j || !a.formed || !b.formed {
				continue
			}
			for range 8 {
				if b.form.Match(a.form.New()) {
					panic(fmt.Sprintf("auth: %s %s: the forms of %T and %T overlap",
						s.scheme.Name, s.scheme.Field, a.Verifier, b.Verifier))
				}
			}
		}
	}
}

// Schemes returns the one scheme of the source.
func (s *Source) Schemes() []Scheme { return []Scheme{s.scheme} }

// Authenticate finds the credential and has it verified.
func (s *Source) Authenticate(r *http.Request) (*Principal, error) {
	return stamped(s.authenticate(r))
}

// authenticate is Authenticate for guards: beside a refusal it returns the
// source's scheme, which needs no allocation. That nothing was presented stays the
// plain reason.
func (s *Source) authenticate(r *http.Request) (*Principal, *Scheme, error) {
	text, err := s.find(r)
	if err == error(ErrNoCredential) {
		return nil, nil, err
	}
	var p *Principal
	if err == nil {
		p, err = s.verify(r.Context(), text)
	}
	if err == nil {
		err = s.confirm(r, text, p)
	}
	if err != nil {
		return nil, &s.scheme, err
	}
	return p, nil, nil
}

// stamped returns what a guard is told as Authenticate tells it: a refusal knows
// its scheme.
func stamped(p *Principal, at *Scheme, err error) (*Principal, error) {
	if at != nil {
		err = at.stamp(err)
	}
	return p, err
}

// stamp returns a refusal that knows that it comes from s.
func (s *Scheme) stamp(err error) *Failure {
	f := failureOf(err)
	f.Scheme = *s
	return f
}

func (s *Source) verify(ctx context.Context, text string) (*Principal, error) {
	if len(text) > maxCredential {
		return nil, errCredentialTooLong
	}
	for i := range s.verifiers {
		v := &s.verifiers[i]
		if !v.formed && s.scheme.In != InBody && !isToken68(text) {
			continue
		}
		p, err := v.Verify(ctx, text)
		if r, ok := plainReason(err); ok && r != ErrNoCredential {
			return nil, err
		}
		switch {
		case errors.Is(err, ErrNotMine):
		case errors.Is(err, ErrNoCredential):
			// Something was presented, so no other source may look.
			return nil, fmt.Errorf("%w: a verifier says %v", ErrInvalid, err)
		case err != nil:
			return nil, err
		case p == nil || p.Subject == "":
			return nil, errNoSubject
		default:
			return p, nil
		}
	}
	return nil, errNoForm
}

// maxCredential bounds every credential in bytes. Verifiers set tighter bounds.
const maxCredential = 64 << 10

// Made once, as being refused must be cheap.
var (
	errCredentialTooLong = fmt.Errorf("%w: longer than %d bytes", ErrInvalid, maxCredential)
	errNoForm            = fmt.Errorf("%w: of no known form", ErrInvalid)
)

// authorization returns the token of an Authorization field of the scheme, which
// is in lower case.
func authorization(r *http.Request, scheme string) (string, error) {
	field, err := soleField(r, "Authorization")
	if err != nil {
		return "", err
	}
	if len(field) < len(scheme) || !equalFold(field[:len(scheme)], scheme) {
		return "", ErrNoCredential
	}
	if len(field) == len(scheme) {
		return "", ErrNoCredential
	}
	if field[len(scheme)] != ' ' {
		return "", ErrNoCredential // another scheme, such as "BearerX"
	}
	token := strings.TrimLeft(field[len(scheme):], " ")
	if token == "" {
		return "", ErrNoCredential
	}
	return token, nil
}

// soleField returns the value of a header field that may be there once.
func soleField(r *http.Request, name string) (string, error) {
	switch fields := r.Header[name]; {
	case len(fields) > 1:
		return "", fmt.Errorf("%w: more than one %s field", ErrMalformed, name)
	case len(fields) == 0 || fields[0] == "":
		return "", ErrNoCredential
	default:
		return fields[0], nil
	}
}

// equalFold compares s with a lower-case ASCII text. strings.EqualFold would
// fold the Kelvin sign into a k.
func equalFold(s, lower string) bool {
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// isToken reports whether s is a token of RFC 9110 section 5.6.2.
func isToken(s string) bool {
	return s != "" && tokenChars.hasAll(s)
}

// isToken68 reports whether s is a b64token of RFC 6750 section 2.1.
func isToken68(s string) bool {
	t := strings.TrimRight(s, "=")
	return t != "" && token68Chars.hasAll(t)
}

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

var (
	tokenChars   = charset(alphanumeric + "!#$%&'*+-.^_`|~")
	token68Chars = charset(alphanumeric + "-._~+/")
)

// First asks each authenticator in turn until one finds something presented to
// it; what that one says is final. It panics on a nil authenticator and where a
// cookie, which browsers send unasked, stands ahead of a credential that a
// client sends on purpose.
func First(authenticators ...Authenticator) Authenticator {
	if len(authenticators) == 0 {
		panic("auth: First: nothing to ask")
	}
	ambient := false
	for _, a := range authenticators {
		if a == nil {
			panic("auth: First: nil authenticator")
		}
		if isAmbient(a) {
			ambient = true
		} else if ambient {
			panic("auth: First: a cookie ahead of an explicit credential")
		}
	}
	return first(slices.Clone(authenticators))
}

type first []Authenticator

func (f first) Authenticate(r *http.Request) (*Principal, error) {
	return f.AuthenticateClient(r, peer(r))
}

func (f first) AuthenticateClient(r *http.Request, client netip.Addr) (*Principal, error) {
	return stamped(f.authenticate(r, client))
}

func (f first) authenticate(r *http.Request, client netip.Addr) (*Principal, *Scheme, error) {
	for _, a := range f {
		p, at, err := authenticate(a, r, client)
		if err == nil || at != nil || !errors.Is(err, ErrNoCredential) {
			return p, at, err
		}
	}
	return nil, nil, ErrNoCredential
}

func (f first) Schemes() []Scheme {
	var all []Scheme
	for _, a := range f {
		all = append(all, schemesOf(a)...)
	}
	return all
}

// authenticate runs an authenticator, with the client's address where it goes by
// that. Beside what a Source refuses it returns where that was.
func authenticate(a Authenticator, r *http.Request, client netip.Addr) (p *Principal, at *Scheme, err error) {
	switch a := a.(type) {
	case *Source:
		return a.authenticate(r)
	case *CookieSource:
		return a.Source.authenticate(r)
	case first:
		return a.authenticate(r, client)
	case ClientAuthenticator:
		p, err = a.AuthenticateClient(r, client)
	default:
		p, err = a.Authenticate(r)
	}
	return p, nil, err
}

func schemesOf(a Authenticator) []Scheme {
	if s, ok := a.(interface{ Schemes() []Scheme }); ok {
		return s.Schemes()
	}
	return nil
}

// isAmbient reports whether a, or any part of it, reads what browsers send
// unasked.
func isAmbient(a Authenticator) bool {
	if f, ok := a.(first); ok {
		return slices.ContainsFunc(f, isAmbient)
	}
	_, cookie := a.(*CookieSource)
	return cookie
}
