package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/body"
)

// JSON returns an authenticator that reads the login name and the password
// from two members of a JSON object in the body. At most 64 KiB are read, once,
// and put back for the handler. A request with neither member, or both empty,
// presents nothing, which is answered 400; one of the two without the other, a
// member that is not a string, and a body that is not one JSON object are
// auth.ErrMalformed.
//
// The media type is application/json, one that ends in +json, or absent; a body
// of another type presents nothing. JSON panics where the names are empty or
// equal.
func (u *Users) JSON(login, password string) auth.Authenticator {
	mustDiffer("JSON", login, password)
	return u.source("Password", auth.InBody, password, func(r *http.Request) (string, string, error) {
		values, err := body.JSON(r, login, password)
		return both(values, err)
	})
}

// Form is JSON for a POST of application/x-www-form-urlencoded, such as an HTML
// form sends. The query of the URL is not looked at, and a field that comes
// twice is auth.ErrMalformed.
func (u *Users) Form(login, password string) auth.Authenticator {
	mustDiffer("Form", login, password)
	return u.source("Password", auth.InBody, password, func(r *http.Request) (string, string, error) {
		values, err := body.Form(r, login, password)
		return both(values, err)
	})
}

// Basic returns an authenticator that reads "Authorization: Basic" (RFC 7617),
// in UTF-8. Other schemes in that field present nothing here; two such fields
// and what is not base64 are auth.ErrMalformed. A password is hashed with each
// request, which is slow on purpose: put it behind Guard.Exchange.
func (u *Users) Basic() auth.Authenticator {
	return u.source("Basic", auth.InHeader, "Authorization", basic)
}

// source is an authenticator: one place of a request, judged by Users.Verify.
type source struct {
	users  *Users
	scheme auth.Scheme
	find   func(*http.Request) (login, password string, err error)
}

func (u *Users) source(name string, in auth.Location, field string, find func(*http.Request) (string, string, error)) *source {
	return &source{
		users:  u,
		scheme: auth.Scheme{Name: name, In: in, Field: field, Kinds: []auth.Kind{auth.KindPassword}},
		find:   find,
	}
}

// Schemes returns the one scheme of the source.
func (s *source) Schemes() []auth.Scheme { return []auth.Scheme{s.scheme} }

// Authenticate is AuthenticateClient where the client's address is not known.
func (s *source) Authenticate(r *http.Request) (*auth.Principal, error) {
	return s.AuthenticateClient(r, netip.Addr{})
}

// AuthenticateClient finds the login name and the password and verifies them,
// with failures counted by the address, too.
func (s *source) AuthenticateClient(r *http.Request, client netip.Addr) (*auth.Principal, error) {
	login, password, err := s.find(r)
	if err != nil {
		return nil, s.refuse(err)
	}
	p, err := s.users.VerifyFrom(r.Context(), client, login, password)
	if err != nil {
		return nil, s.refuse(err)
	}
	return p, nil
}

// refuse stamps a refusal with the source's scheme. That nothing was presented
// stays the plain reason.
func (s *source) refuse(err error) error {
	if err == error(auth.ErrNoCredential) {
		return err
	}
	var (
		stamped = auth.Failure{Reason: auth.ErrUnavailable, Err: err}
		failure *auth.Failure
		reason  auth.Reason
	)
	switch {
	case errors.As(err, &failure):
		stamped = *failure
	case errors.As(err, &reason):
		stamped.Reason = reason
	}
	stamped.Scheme = s.scheme
	return &stamped
}

// both judges what was read from a body.
func both(values []string, err error) (login, password string, _ error) {
	switch {
	case errors.Is(err, body.ErrTooLarge):
		return "", "", auth.ErrTooLarge
	case err != nil:
		return "", "", fmt.Errorf("%w: %w", auth.ErrMalformed, err)
	}
	login, password = values[0], values[1]
	switch {
	case login == "" && password == "":
		return "", "", auth.ErrNoCredential
	case login == "" || password == "":
		return "", "", fmt.Errorf("%w: a login name and a password, one without the other", auth.ErrMalformed)
	default:
		return login, password, nil
	}
}

// maxBasic bounds the base64 text: the longest login and password that are not
// refused anyway.
const maxBasic = (4*maxLogin + 1 + MaxBytes + 2) / 3 * 4

// basic reads the Authorization field.
func basic(r *http.Request) (login, password string, err error) {
	fields := r.Header["Authorization"]
	if len(fields) > 1 {
		return "", "", fmt.Errorf("%w: more than one Authorization field", auth.ErrMalformed)
	}
	if len(fields) == 0 {
		return "", "", auth.ErrNoCredential
	}
	scheme, text, _ := strings.Cut(fields[0], " ")
	if !isBasic(scheme) {
		return "", "", auth.ErrNoCredential
	}
	text = strings.Trim(text, " ")
	switch {
	case text == "":
		return "", "", auth.ErrNoCredential
	case len(text) > maxBasic:
		return "", "", fmt.Errorf("%w: longer than %d bytes", auth.ErrInvalid, maxBasic)
	case strings.ContainsAny(text, "\r\n"): // Go's decoder skips them
		return "", "", fmt.Errorf("%w: not base64", auth.ErrMalformed)
	}
	pair, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return "", "", fmt.Errorf("%w: not base64", auth.ErrMalformed)
	}
	login, password, ok := strings.Cut(string(pair), ":")
	switch {
	case !ok:
		return "", "", fmt.Errorf("%w: no colon", auth.ErrMalformed)
	case login == "" && password == "":
		return "", "", auth.ErrNoCredential
	default:
		// One without the other is a person's slip: 401, so that a browser asks
		// again.
		return login, password, nil
	}
}

// isBasic compares in ASCII only, where strings.EqualFold would let other
// letters, such as the long s, stand for these.
func isBasic(scheme string) bool {
	const lower = "basic"
	if len(scheme) != len(lower) {
		return false
	}
	for i := range len(lower) {
		if scheme[i]|0x20 != lower[i] {
			return false
		}
	}
	return true
}

func mustDiffer(method, login, password string) {
	if login == "" || password == "" || login == password {
		panic(fmt.Sprintf("password: Users.%s(%q, %q): not the names of two fields", method, login, password))
	}
}
