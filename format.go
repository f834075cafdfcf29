package auth

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A Format is the dialect in which an API speaks of authentication: plain
// functions that return a value for encoding/json. A nil function, and a nil
// Format, mean the default. A Format never chooses the status code.
type Format struct {
	// Grant is the body of a successful [Guard.Exchange]. The default is the
	// access token response of RFC 6749 section 5.1. The token is zero where
	// it travels in a cookie.
	Grant func(*Grant) any

	// Status is the body of [Guard.Status]: with the principal, or with the
	// failure where the answer is 401. The default has the member names of RFC
	// 7662 section 2.2.
	Status func(*Principal, *Failure) any

	// Error is the body of every other refusal. The default is a problem
	// detail (RFC 9457): its type leads to docs/errors.md of this module, and
	// the reason's code is in the member "code".
	Error func(*Failure) any
}

func (f *Format) grant(g *Grant) any {
	if f != nil && f.Grant != nil {
		return f.Grant(g)
	}
	return newTokenResponse(g)
}

func (f *Format) status(p *Principal, failure *Failure) any {
	if f != nil && f.Status != nil {
		return f.Status(p, failure)
	}
	if failure != nil {
		return introspection{}
	}
	return newIntrospection(p)
}

// error returns the body and its content type.
func (f *Format) error(failure *Failure) (value any, contentType string) {
	if f != nil && f.Error != nil {
		return f.Error(failure), contentJSON
	}
	return newProblem(failure), "application/problem+json"
}

const contentJSON = "application/json"

// tokenResponse is the access token response of RFC 6749 section 5.1.
type tokenResponse struct {
	AccessToken  string `json:"access_token,omitempty"`
	TokenType    string `json:"token_type,omitempty"`
	ExpiresIn    int64  `json:"expires_in,omitempty"` // seconds
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
}

func newTokenResponse(g *Grant) tokenResponse {
	t := tokenResponse{
		AccessToken:  g.Token.Reveal(),
		RefreshToken: g.RefreshToken.Reveal(),
		Scope:        strings.Join(g.Principal.Scopes, " "),
	}
	switch {
	case t.AccessToken == "":
	case strings.HasPrefix(g.Principal.Credential.Confirmation, confirmJKT):
		t.TokenType = "DPoP" // RFC 9449 section 5
	default:
		t.TokenType = "Bearer"
	}
	if c := g.Principal.Credential; !c.Expires.IsZero() {
		t.ExpiresIn = max(0, int64(time.Until(c.Expires).Round(time.Second)/time.Second))
	}
	return t
}

// introspection has the member names of RFC 7662 section 2.2.
type introspection struct {
	Active  bool   `json:"active"`
	Issuer  string `json:"iss,omitempty"`
	Subject string `json:"sub,omitempty"`
	Scope   string `json:"scope,omitempty"`
	Issued  int64  `json:"iat,omitempty"`
	Expires int64  `json:"exp,omitempty"`
}

func newIntrospection(p *Principal) introspection {
	i := introspection{
		Active:  true,
		Issuer:  p.Issuer,
		Subject: p.Subject,
		Scope:   strings.Join(p.Scopes, " "),
	}
	if c := p.Credential; !c.Created.IsZero() {
		i.Issued = c.Created.Unix()
	}
	if c := p.Credential; !c.Expires.IsZero() {
		i.Expires = c.Expires.Unix()
	}
	return i
}

// problem is a problem detail of RFC 9457. Its type leads to what the API's
// clients can read about the reason.
type problem struct {
	Type   string   `json:"type"`
	Title  string   `json:"title"`
	Status int      `json:"status"`
	Code   string   `json:"code"`
	Scopes []string `json:"required_scopes,omitempty"`

	// Violated is of the problem type quota-exceeded
	// (draft-ietf-httpapi-ratelimit-headers-11 section 5.1).
	Violated []string `json:"violated-policies,omitempty"`
}

const (
	reasonDocs    = "https://github.com/seed-077cad0b/auth/blob/main/docs/errors.md#"
	quotaExceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded"
)

func newProblem(f *Failure) problem {
	p := problem{
		Type:   reasonDocs + url.PathEscape(string(f.Reason)),
		Title:  f.Reason.Title(),
		Status: f.Status(),
		Code:   string(f.Reason),
		Scopes: f.Scopes,
	}
	if f.Reason == ErrRateLimited && f.Limit != "" {
		p.Type, p.Violated = quotaExceeded, []string{f.Limit}
	}
	return p
}

// answer writes a refusal.
func (g *Guard) answer(w http.ResponseWriter, v *verdict, f *Failure) {
	value, contentType := g.base.Format.error(f)
	g.writeFailure(w, v, f, contentType, value)
}

func (g *Guard) writeFailure(w http.ResponseWriter, v *verdict, f *Failure, contentType string, value any) {
	h := w.Header()
	if f.Reason == ErrRateLimited {
		v.quota = f.Quota
		v.tellOnly(h, &limit{LimitKey: LimitKey{name: f.Limit}})
	}
	g.announce(w, v)
	status := f.Status()
	if status == http.StatusUnauthorized || f.Reason.outcome().oauth != "" {
		h["Www-Authenticate"] = g.challenge(f)
	}
	if f.RetryAfter > 0 {
		tellWait(h, f.RetryAfter)
	}
	if f.Nonce != "" {
		h.Set("DPoP-Nonce", f.Nonce) // RFC 9449 section 8.2
	}
	if f.Reason == ErrMethod {
		h.Set("Allow", http.MethodPost)
	}
	writeJSON(w, status, contentType, value)
}

// writeJSON writes an answer that no cache keeps.
func writeJSON(w http.ResponseWriter, status int, contentType string, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		// A Format returned what JSON cannot express.
		status, contentType = http.StatusInternalServerError, contentJSON
		text = []byte(`{}`)
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// tellWait tells when to come again (RFC 9110 section 10.2.3).
func tellWait(h http.Header, d time.Duration) {
	h["Retry-After"] = []string{strconv.FormatInt(ceilSeconds(d), 10)}
}

func ceilSeconds(d time.Duration) int64 {
	seconds := int64(d / time.Second)
	if d%time.Second > 0 {
		seconds++
	}
	return seconds
}
