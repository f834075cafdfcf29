package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/jws"
	"github.com/seed-077cad0b/auth/internal/strictjson"
)

// inspectJWT tells what a JSON Web Token says and, where there are keys, whether
// it is true. What is told of the parts is to help; the verdict is the library's.
func (a *app) inspectJWT(ctx context.Context, r *report, text string, e expected, s *backend) error {
	r.Kind, r.Form = auth.KindJWT, "JSON Web Token"
	token, ok := jws.Split(text)
	if !ok {
		r.wrong("%s", formProblem(text))
		return nil
	}
	header := r.part("header", token.Header)
	claims := r.part("payload", token.Payload)
	if _, err := jws.AppendDecode(nil, token.Signature); err != nil {
		r.wrong("the signature is %s", encodingProblem(token.Signature))
	}
	if header == nil || claims == nil {
		return nil
	}
	r.Header, r.Claims = header, claims
	r.judgeHeader(header, e)
	r.judgeClaims(claims, time.Now())
	all, err := json.Marshal(claims)
	if err != nil {
		return err
	}
	r.field("claims", string(all))
	return a.verify(ctx, r, text, token, members(header), members(claims), e, s)
}

// formProblem says why a text with a dot in it is no JWT.
func formProblem(text string) string {
	parts := strings.Split(text, ".")
	switch {
	case len(parts) == 5:
		return "five parts: this is an encrypted token (JWE), which nobody here reads"
	case len(parts) == 3 && parts[2] == "":
		return "there is no signature"
	case len(parts) == 3:
		return "the header is empty"
	default:
		return fmt.Sprintf("a token has three parts between dots, and this has %d", len(parts))
	}
}

// encodingProblem says why a part is not base64url.
func encodingProblem(text string) string {
	switch {
	case strings.ContainsRune(text, '='):
		return "padded: base64url of a token has no ="
	case strings.ContainsAny(text, "+/"):
		return "in base64, and not in base64url: it has + or /"
	case strings.ContainsAny(text, " \t\r\n"):
		return "broken by white space"
	default:
		return "no base64url, or cut short"
	}
}

type members map[string]json.RawMessage

// part decodes the header or the payload. It returns nil where that is no JSON
// object.
func (r *report) part(name, encoded string) members {
	data, err := jws.AppendDecode(nil, encoded)
	if err != nil {
		r.wrong("the %s is %s", name, encodingProblem(encoded))
		return nil
	}
	if err := strictjson.Object(data, func(_, _ []byte) error { return nil }); err != nil {
		r.wrong("the %s: %v", name, err)
	}
	var m members
	if json.Unmarshal(data, &m) != nil {
		return nil
	}
	return m
}

// text returns a member that is a text, or nothing.
func (m members) text(name string) (s string) {
	_ = json.Unmarshal(m[name], &s)
	return s
}

// texts returns a member that is a text or a list of texts.
func (m members) texts(name string) (list []string) {
	if s := m.text(name); s != "" {
		return []string{s}
	}
	_ = json.Unmarshal(m[name], &list)
	return list
}

// time returns a member that is a number of seconds.
func (m members) time(name string) (t time.Time, ok bool) {
	var seconds float64
	if m[name] == nil || json.Unmarshal(m[name], &seconds) != nil || seconds < -1e11 || seconds > 1e14 {
		return t, false
	}
	return time.UnixMilli(int64(seconds * 1e3)), true
}

func (r *report) judgeHeader(h members, e expected) {
	alg := h.text("alg")
	r.field("algorithm", alg)
	r.field("key id", h.text("kid"))
	r.field("type", h.text("typ"))
	switch {
	case strings.EqualFold(alg, "none"):
		r.wrong(`alg is "none": the token is not signed`)
	case alg == "":
		r.wrong("the header has no alg")
	case !slices.Contains(algorithms, auth.Algorithm(alg)):
		r.wrong("alg is %q, which is none of %v", alg, algorithms)
	}
	if h["crit"] != nil {
		r.wrong("crit demands %s, which nobody here knows", h["crit"])
	}
	for _, name := range []string{"b64", "zip", "cty"} {
		if h[name] != nil {
			r.wrong("the header has %s, which changes what the payload means", name)
		}
	}
	for _, name := range []string{"jwk", "jku", "x5u", "x5c"} {
		if h[name] != nil {
			r.note("the header brings its own key (%s), which is never believed", name)
		}
	}
	if h["kid"] != nil && h.text("kid") == "" {
		r.wrong("kid names no key")
	}
	if typ := h.text("typ"); e.typ != "" && !strings.EqualFold(mediaType(typ), mediaType(e.typ)) {
		r.wrong("typ is %q, not %q", typ, e.typ)
	}
}

var algorithms = []auth.Algorithm{
	auth.HS256, auth.HS384, auth.HS512, auth.RS256, auth.RS384, auth.RS512, auth.PS256, auth.PS384, auth.PS512,
	auth.ES256, auth.ES384, auth.ES512, auth.EdDSA, auth.Ed25519,
}

func mediaType(typ string) string {
	return strings.TrimPrefix(strings.ToLower(typ), "application/")
}

// leeway is how far the clocks of issuer and verifier may differ, by default.
const leeway = 30 * time.Second

// longLife is how long a token may live before that is worth a note: nothing but
// a mark ends it earlier.
const longLife = 24 * time.Hour

func (r *report) judgeClaims(c members, now time.Time) {
	r.ID = c.text("jti")
	r.field("issuer", c.text("iss"))
	r.field("subject", c.text("sub"))
	r.field("audience", strings.Join(c.texts("aud"), " "))
	r.field("scopes", strings.Join(append(strings.Fields(c.text("scope")), slices.Concat(c.texts("scp"), c.texts("scopes"))...), " "))
	for _, name := range []string{"iss", "sub", "aud", "exp"} {
		if c[name] == nil {
			r.wrong("%s is missing", name)
		}
	}
	if c["exp"] == nil && c["expire"] != nil {
		r.note("expire is there instead of exp: this may be a platform's assertion, which only platforms' sign-in takes")
	}
	times := map[string]time.Time{}
	for _, name := range []string{"iat", "nbf", "exp", "auth_time"} {
		if c[name] == nil {
			continue
		}
		t, ok := c.time(name)
		switch {
		case !ok:
			r.wrong("%s is %.40s, and not a number of seconds", name, c[name])
		case t.Year() > 5000:
			r.wrong("%s is %s: that looks like milliseconds, and it counts seconds", name, c[name])
		default:
			times[name] = t
			r.field(name, ago(t, now))
		}
	}
	r.judgeTimes(times, now)
}

func (r *report) judgeTimes(times map[string]time.Time, now time.Time) {
	exp, ends := times["exp"]
	if ends && !now.Before(exp.Add(leeway)) {
		r.wrong("it expired %s", ago(exp, now))
	}
	for _, name := range []string{"nbf", "iat"} {
		if t, ok := times[name]; ok && t.After(now.Add(leeway)) {
			r.wrong("it is not good yet: %s is %s", name, ago(t, now))
		}
	}
	iat, begins := times["iat"]
	switch {
	case !begins:
		r.note("without an iat it cannot be revoked by a mark")
	case ends && exp.Before(iat):
		r.wrong("it ends before it begins: exp is before iat")
	case ends && exp.Sub(iat) > longLife:
		r.note("it lives for %s, which is long for a token", span(exp.Sub(iat)))
	}
}

// verify has the library judge the token.
func (a *app) verify(ctx context.Context, r *report, text string, token jws.Token, h, c members, e expected, s *backend) error {
	file := e.jwks + e.key
	if file == "" {
		r.note("no key was given: say --jwks or --key")
		return nil
	}
	data, err := readKeyFile(file)
	if err != nil {
		return err
	}
	signed, err := jwsKeys(data, e.alg)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if !r.judgeSignature(token, h, signed) {
		return nil
	}
	keys, err := parseKeys(data, auth.Algorithm(e.alg))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	set, err := auth.NewKeys(nil, keys...)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	verifier, err := a.verifier(r, set, h, c, e, s)
	if err != nil {
		r.wrong("it cannot be judged: %v", err)
		return nil
	}
	switch _, err := verifier.Verify(ctx, text); {
	case err == nil:
		r.Verified = true
	case exitCode(err) == exitUnavailable:
		return err
	case len(r.Problems) == 0:
		r.wrong("the library refuses it: %s", reasonOf(err))
	}
	return nil
}

// judgeSignature tells whether one of the keys has signed the token.
func (r *report) judgeSignature(token jws.Token, h members, keys []*jws.Key) bool {
	kid, alg := h.text("kid"), h.text("alg")
	signature, err := jws.AppendDecode(nil, token.Signature)
	if err != nil {
		return false // that is told already
	}
	var known []string
	named, tried := false, false
	for _, k := range keys {
		known = append(known, fmt.Sprintf("%q for %s", k.ID(), k.Algorithm()))
		if h["kid"] != nil && k.ID() != kid {
			continue
		}
		named = true
		if k.Algorithm() != alg {
			continue
		}
		tried = true
		if k.Verify(token.Signed, signature) == nil {
			r.field("signed by", k.ID())
			return true
		}
	}
	switch list := strings.Join(known, ", "); {
	case tried:
		r.wrong("the signature does not hold: the token was altered, or another key signed it")
	case named:
		r.wrong("it says %s, which is not the algorithm of the key: that is %s", alg, list)
	default:
		r.wrong("none of the keys has its id %q: they are %s", kid, list)
	}
	return false
}

// verifier returns what judges the token. What nobody named is taken from the
// token itself, and not checked.
func (a *app) verifier(r *report, keys *auth.Keys, h, c members, e expected, s *backend) (*auth.JWT, error) {
	issuer, audience, typ := a.issuer, e.audience, e.typ
	if issuer == "" {
		issuer = c.text("iss")
		r.note("the issuer is not checked: say --issuer")
	}
	if audience == "" {
		r.note("the audience is not checked: say --audience")
		if all := c.texts("aud"); len(all) > 0 {
			audience = all[0]
		}
	}
	if typ == "" {
		if typ = h.text("typ"); typ != "" && mediaType(typ) != "jwt" {
			r.note("the type is not checked: say --typ")
		}
	}
	o := &auth.JWTOptions{Type: typ, CacheSize: -1, MaxLength: 64 << 10}
	if s != nil && c["iat"] != nil {
		o.Revocation = s
	}
	// A token without one of them is refused all the same.
	return auth.NewJWT(orElse(issuer, "?"), orElse(audience, "?"), keys, o)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
