package cases

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-077cad0b/auth/bench/internal/peers"
)

// A credential is what an Authorization field says.
type credential struct{ name, field string }

// bad are the credentials that nobody should admit.
func (i *issuer) bad() []credential {
	return []credential{
		{"no token", ""},
		{"expired", "Bearer " + i.changed("exp", time.Now().Add(-time.Hour).Unix())},
		{"wrong iss", "Bearer " + i.changed("iss", "https://other.example")},
		{"wrong aud", "Bearer " + i.changed("aud", "https://other.example")},
		{"bad signature", "Bearer " + i.forged()},
		{"tampered payload", "Bearer " + i.tampered()},
		{"alg none", "Bearer " + i.unsigned()},
		{"no exp", "Bearer " + i.changed("exp", nil)},
		{"nbf in the future", "Bearer " + i.changed("nbf", time.Now().Add(time.Hour).Unix())},
		{"unknown crit", "Bearer " + i.critical()},
	}
}

// changed returns a token that is good but for one claim, which nil leaves out.
func (i *issuer) changed(claim string, value any) string {
	c := i.claims("user")
	if c[claim] = value; value == nil {
		delete(c, claim)
	}
	return i.sign(i.method, i.Private, c)
}

// forged returns a token that is good but for a bit of its signature. It takes as
// long to check as a good one: it is the one in the middle, which leaves what the
// signature consists of in range.
func (i *issuer) forged() string {
	parts := strings.Split(i.token("user"), ".")
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		panic(err)
	}
	signature[len(signature)/2] ^= 1
	parts[2] = base64.RawURLEncoding.EncodeToString(signature)
	return strings.Join(parts, ".")
}

// tampered returns a good token with the payload of another one.
func (i *issuer) tampered() string {
	parts := strings.Split(i.token("user"), ".")
	parts[1] = strings.Split(i.token("admin"), ".")[1]
	return strings.Join(parts, ".")
}

// unsigned returns a token that says that it is not signed.
func (i *issuer) unsigned() string {
	return i.sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, i.claims("user"))
}

// critical returns a token with an extension that nobody knows, and that must not
// be passed over (RFC 7515 section 4.1.11).
func (i *issuer) critical() string {
	t := jwt.NewWithClaims(i.method, i.claims("user"))
	t.Header["kid"], t.Header["crit"], t.Header["b65"] = i.KeyID, []string{"b65"}, true
	text, err := t.SignedString(i.Private)
	if err != nil {
		panic(err)
	}
	return text
}

// survey has a middleware judge a good token, which it has to admit, and all of
// the bad ones. It returns notes on those that it does not refuse.
func survey(m peers.Middleware, i *issuer) (notes []string, err error) {
	if answer := judge(m, "Bearer "+i.token("user")); answer != accepts {
		return nil, fmt.Errorf("%s a good token of %s", answer, i.Algorithm)
	}
	for _, c := range i.bad() {
		if answer := judge(m, c.field); answer != refuses {
			notes = append(notes, answer+" "+c.name)
		}
	}
	return notes, nil
}

// What a middleware can do about a credential.
const (
	accepts = "accepts"
	refuses = "refuses"
	panics  = "panics on"
)

// judge tells what a middleware does about a request with that Authorization field.
func judge(m peers.Middleware, authorization string) (answer string) {
	defer func() {
		if recover() != nil {
			answer = panics
		}
	}()
	answer = refuses
	h := m(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { answer = accepts }))
	h.ServeHTTP(httptest.NewRecorder(), request(authorization))
	return answer
}

// junk returns so many bytes that look like the parts of a token, none of which is
// JSON.
func junk(n int) string {
	text := strings.Repeat(base64.RawURLEncoding.EncodeToString([]byte("no JSON, whatever it looks like")), n/40+1)[:n]
	return text[:n/8] + "." + text[n/8:n-n/8] + "." + text[n-n/8+2:]
}
