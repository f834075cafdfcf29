//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// A smith makes tokens by hand, good ones and others.
type smith struct {
	*cli

	sign func(header, claims string) string
}

// newSmith returns one whose public key is in the file jwks.json.
func newSmith(t *testing.T, c *cli) *smith {
	c.ok("keygen", "--alg", "HS256", "--form", "jwk", "--kid", "k1", "--out", "jwks.json")
	signed, err := jwsKeys([]byte(c.read("jwks.json")), "")
	require.NoError(t, err)
	return &smith{cli: c, sign: func(header, claims string) string {
		text := encode([]byte(header)) + "." + encode([]byte(claims))
		signature, err := signed[0].Sign(text)
		require.NoError(t, err)
		return text + "." + encode(signature)
	}}
}

const good = `{"alg":"HS256","kid":"k1","typ":"JWT"}`

// claims returns those of a good token, with others or other values.
func claims(change map[string]any) string {
	c := map[string]any{"iss": "https://id.example.com", "aud": "api", "sub": "42", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range change {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	text, _ := json.Marshal(c)
	return string(text)
}

// inspect returns the exit code and the report on a token.
func (s *smith) inspect(token string, args ...string) (int, report) {
	s.Helper()
	a := s.run(token, append([]string{"token", "inspect", "--json"}, args...)...)
	var r report
	require.NoError(s, json.Unmarshal([]byte(a.out), &r), "%s%s", a.out, a.err)
	if _, signature, ok := strings.Cut(token, "."); ok && strings.Count(signature, ".") == 1 {
		require.NotContains(s, a.out+a.err, token, "the report could be sent in")
	}
	return a.code, r
}

func TestTokenIsNeverVerifiedSilently(t *testing.T) {
	s := newSmith(t, newCLI(t, ""))
	token := s.sign(good, claims(nil))
	a := s.run(token, "token", "inspect")
	require.Equal(t, exitNotGood, a.code)
	require.Contains(t, a.out, "UNVERIFIED nothing of this is proved")
	require.NotContains(t, strings.ReplaceAll(a.out, "UNVERIFIED", ""), "VERIFIED")

	a = s.run(token, "token", "inspect", "--jwks", "jwks.json", "--issuer", "https://id.example.com", "--audience", "api", "--typ", "jwt")
	require.Zero(t, a.code, a.out)
	require.Contains(t, a.out, "\nVERIFIED")
	require.NotContains(t, a.out, "not checked")

	code, r := s.inspect(token, "--jwks", "jwks.json")
	require.Zero(t, code)
	require.True(t, r.Verified)
	require.Contains(t, fmt.Sprint(r.Notes), "issuer is not checked")
	require.Contains(t, fmt.Sprint(r.Notes), "audience is not checked")
}

// Each of these tokens has one thing wrong with it, and is told that.
func TestWhatIsWrongWithAToken(t *testing.T) {
	s := newSmith(t, newCLI(t, ""))
	h := func(members string) string { return `{"alg":"HS256","kid":"k1",` + members + `}` }
	hour := func(n int) int64 { return time.Now().Add(time.Duration(n) * time.Hour).Unix() }
	token := s.sign(good, claims(nil))
	part := strings.Split(token, ".")
	flipped := part[0] + "." + encode([]byte(claims(map[string]any{"sub": "43"}))) + "." + part[2]
	for want, token := range map[string]string{
		"the token is not signed":              encode([]byte(`{"alg":"none"}`)) + "." + part[1] + ".AA",
		"there is no signature":                part[0] + "." + part[1] + ".",
		"this is an encrypted token":           "a.b.c.d.e",
		"this has 2":                           "a.b",
		"the signature does not hold":          flipped,
		"none of the keys has its id \"k2\"":   s.sign(`{"alg":"HS256","kid":"k2"}`, claims(nil)),
		"not the algorithm of the key":         s.sign(`{"alg":"RS256","kid":"k1"}`, claims(nil)),
		"which is none of":                     s.sign(`{"alg":"ROT13","kid":"k1"}`, claims(nil)),
		"has no alg":                           s.sign(`{"kid":"k1"}`, claims(nil)),
		"crit demands [\"exp\"]":               s.sign(h(`"crit":["exp"]`), claims(nil)),
		"has zip":                              s.sign(h(`"zip":"DEF"`), claims(nil)),
		"kid names no key":                     s.sign(`{"alg":"HS256","kid":""}`, claims(nil)),
		"it expired":                           s.sign(good, claims(map[string]any{"iat": hour(-4), "exp": hour(-3)})),
		"3h0m ago":                             s.sign(good, claims(map[string]any{"iat": hour(-4), "exp": hour(-3)})),
		"not good yet: nbf":                    s.sign(good, claims(map[string]any{"nbf": hour(1)})),
		"not good yet: iat":                    s.sign(good, claims(map[string]any{"iat": hour(1), "exp": hour(2)})),
		"ends before it begins":                s.sign(good, claims(map[string]any{"iat": hour(3), "exp": hour(2)})),
		"looks like milliseconds":              s.sign(good, claims(map[string]any{"exp": hour(1) * 1000})),
		"and not a number of seconds":          s.sign(good, claims(map[string]any{"exp": "tomorrow"})),
		"exp is missing":                       s.sign(good, claims(map[string]any{"exp": nil})),
		"sub is missing":                       s.sign(good, claims(map[string]any{"sub": nil})),
		"iss is missing":                       s.sign(good, claims(map[string]any{"iss": nil})),
		"aud is missing":                       s.sign(good, claims(map[string]any{"aud": nil})),
		"JSON member appears twice":            s.sign(good, `{"sub":"1","sub":"2"}`),
		"the payload: not one JSON object":     s.sign(good, `"x"`),
		"the header: not one JSON object":      s.sign(`[]`, claims(nil)),
		"the payload is padded":                part[0] + "." + part[1] + "=." + part[2],
		"the payload is in base64, and not":    part[0] + ".a+b/." + part[2],
		"the signature is no base64url":        part[0] + "." + part[1] + ".A",
		"the library refuses it: invalid_cred": s.sign(good, claims(map[string]any{"sub": ""})),
		"the header is broken by white space":  part[0] + "\t." + part[1] + "." + part[2],
	} {
		code, r := s.inspect(token, "--jwks", "jwks.json")
		require.Equal(t, exitNotGood, code, want)
		require.False(t, r.Verified, want)
		require.Contains(t, strings.Join(r.Problems, "\n"), want)
	}
	for want, args := range map[string][]string{
		"iss is another":             {"--issuer", "https://other.example.com"},
		"aud is another":             {"--audience", "other"},
		`typ is "JWT", not "at+jwt"`: {"--typ", "at+jwt"},
	} {
		code, r := s.inspect(token, append(args, "--jwks", "jwks.json")...)
		require.Equal(t, exitNotGood, code, want)
		require.Contains(t, strings.Join(r.Problems, "\n"), want)
	}
	for want, token := range map[string]string{
		"never believed":      s.sign(h(`"jku":"https://evil.example"`), claims(nil)),
		"cannot be revoked":   s.sign(good, claims(map[string]any{"iat": nil})),
		"long for a token":    s.sign(good, claims(map[string]any{"exp": hour(24 * 100)})),
		"type is not checked": s.sign(`{"alg":"HS256","kid":"k1","typ":"at+jwt"}`, claims(nil)),
	} {
		code, r := s.inspect(token, "--jwks", "jwks.json")
		require.Zero(t, code, want, r.Problems)
		require.Contains(t, strings.Join(r.Notes, "\n"), want)
	}
}

// Whatever strangers write, there is a verdict.
func TestStrangeTokensAreJudged(t *testing.T) {
	s := newSmith(t, newCLI(t, ""))
	for _, token := range []string{
		s.sign(`{"alg":["HS256"],"kid":{}}`, claims(nil)),
		s.sign(good, claims(map[string]any{"aud": []any{1, nil}, "iss": 7, "exp": 1e300, "scope": []string{"x"}})),
		s.sign(good, claims(map[string]any{"iat": -1e18, "nbf": "x"})),
		s.sign(good, `{}`), s.sign(`{}`, `{}`), "..", ".", "a..b", strings.Repeat("a.", 1000), "\x1b[2J.\x00.\xff",
	} {
		code, r := s.inspect(token, "--jwks", "jwks.json")
		require.Equal(t, exitNotGood, code, "%q", token)
		require.NotEmpty(t, r.Problems)
	}
}

func TestRevokedTokenIsToldByTheStore(t *testing.T) {
	s := newSmith(t, onSQLite(t))
	token := s.sign(good, claims(map[string]any{"iat": time.Now().Add(-time.Minute).Unix(), "auth_time": time.Now().Add(-time.Minute).Unix()}))
	code, _ := s.inspect(token, "--jwks", "jwks.json")
	require.Zero(t, code)
	s.ok("session", "revoke", "--yes", "--subject", "42", "--issuer", "https://id.example.com")
	code, r := s.inspect(token, "--jwks", "jwks.json")
	require.Equal(t, exitNotGood, code)
	require.Contains(t, strings.Join(r.Problems, "\n"), "revoked")
	code, _ = s.inspect(token, "--jwks", "jwks.json", "--offline")
	require.Zero(t, code)
}

func TestKeyFileOfAToken(t *testing.T) {
	c := newCLI(t, "")
	c.ok("keygen", "--alg", "EdDSA", "--out", "k.pem", "--public", "k.pub.pem")
	k, err := auth.ParsePEM(auth.EdDSA, []byte(c.read("k.pem")))
	require.NoError(t, err)
	g, err := issuerOf(t, k).Issue(t.Context(), &auth.Principal{Subject: "42"}, nil)
	require.NoError(t, err)
	token := g.Token.Reveal()
	c.fed(token, "token", "inspect", "--key", "k.pub.pem", "--alg", "EdDSA", "--issuer", "https://id.example.com", "--audience", "api")
	c.refused(exitUsage, token, "token", "inspect", "--key", "k.pub.pem")
	c.refused(exitUsage, token, "token", "inspect", "--key", "k.pub.pem", "--alg", "EdDSA", "--jwks", "k.pub.pem")
	c.refused(exitFailed, token, "token", "inspect", "--key", "none.pem", "--alg", "EdDSA")
	c.refused(exitFailed, token, "token", "inspect", "--key", "k.pub.pem", "--alg", "RS256")
	c.refused(exitUsage, token, "token", "inspect", token)
}

func TestOpaqueTokens(t *testing.T) {
	c := onSQLite(t)
	key := c.secret("", "key", "create", "--prefix", "acme", "--subject", "42")
	_, session, id := signIn(t, c.open(), &auth.Principal{Subject: "42"})
	c.secrets = append(c.secrets, session)

	require.Contains(t, c.fed(session, "token", "inspect"), id)
	require.Contains(t, c.fed(key, "token", "inspect"), "acme")
	a := c.run(key, "token", "inspect", "--offline")
	require.Equal(t, exitNotGood, a.code)
	require.Contains(t, a.out, "UNVERIFIED")
	require.Contains(t, a.out, "the store was not asked")
	for want, text := range map[string]string{
		"checksum does not hold":    key[:len(key)-6] + "000000",
		"no such credential":        auth.TokenForm("rt_").New(),
		"in the form of a UUID":     auth.UUIDForm().New(),
		"of no known form":          "junk",
		"key show would tell of it": id,
	} {
		a := c.run(text, "token", "inspect")
		require.Equal(t, exitNotGood, a.code, want)
		require.Contains(t, a.out, want)
	}

	refresh, err := auth.NewRefresh(c.open(), issuerOf(t, mustKey(t)), nil)
	require.NoError(t, err)
	g, err := refresh.Issue(t.Context(), &auth.Principal{Subject: "42"}, nil)
	require.NoError(t, err)
	a = c.run(g.RefreshToken.Reveal(), "token", "inspect")
	require.Contains(t, a.out, "shows when it is used")
	require.Equal(t, exitNotGood, a.code)
}

// An access token that says nothing by itself is told by the store: whom it is
// for, and what has ended it.
func TestOpaqueAccessTokens(t *testing.T) {
	c := onSQLite(t)
	tokens, err := auth.NewOpaqueTokens(c.open(), "https://api.example.com", nil)
	require.NoError(t, err)
	g, err := tokens.Issue(t.Context(), &auth.Principal{Subject: "42"}, &auth.IssueOptions{ClientID: "web-app"})
	require.NoError(t, err)
	token := g.Token.Reveal()
	c.secrets = append(c.secrets, token)
	said := c.fed(token, "token", "inspect")
	require.Contains(t, said, "web-app")
	require.Contains(t, said, "https://api.example.com")
	c.ok("client", "disable", "web-app", "--unlisted")
	a := c.run(token, "token", "inspect")
	require.Equal(t, exitNotGood, a.code)
	require.Contains(t, a.out, "its client or what opened it has been ended")
	a = c.run(tokens.Form().New(), "token", "inspect")
	require.Equal(t, exitNotGood, a.code)
	require.Contains(t, a.out, "no such credential")
}

func mustKey(t *testing.T) *auth.Key {
	k, err := auth.GenerateKey(auth.ES256)
	require.NoError(t, err)
	return k
}
