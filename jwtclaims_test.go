package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/stretchr/testify/require"
)

// Claims and the forms of them that are refused, by the rows of the checklist.
func TestJWTRefusesClaims(t *testing.T) {
	j := newJWT(t, keySet(t, nil, hmacKey(t)), nil)
	now := time.Now().Unix()
	future := fmt.Sprint(now + 3600)
	notDates := []string{
		"null", `"` + future + `"`, "true", "[]", "{}", "[" + future + "]", "-1", "-0.000001", "1e19", "9223372036854775808", "9223372036854775807", "18446744073709551616",
		"1e308", "1e309", "1e400", "1e999999999999999999999", "253402300800", "-" + future, future + "000", // rows 6 and 102
	}
	for claim, values := range map[string][]string{
		"exp":       append(notDates, "", "0", "1", "-0", "1e-400", fmt.Sprint(now-3600)), // row 6
		"nbf":       append(notDates, fmt.Sprint(now+3600)),
		"iat":       append(notDates, fmt.Sprint(now+86400)), // row 101
		"auth_time": append(notDates, fmt.Sprint(now+86400)),
		"aud": { // row 7
			"", "null", `""`, "[]", "{}", "1", "true", `"https://api.example/"`, `"https://API.example"`, `"http://api.example"`, `" https://api.example"`,
			`"https://api.example https://b"`, `"https://api.exampl"`, `["https://api.example",1]`, `["https://api.example",null]`, `[["https://api.example"]]`,
			`{"https://api.example":1}`, `["https://b"]`, `"https://api.example\u0000"`, `"https://issuer.example"`,
		},
		"iss": { // row 8
			"", "null", `""`, "[]", "1", `["https://issuer.example"]`, `"https://issuer.example/"`, `"https://ISSUER.example"`, `"http://issuer.example"`,
			`"https://issuer.example\u0000"`, `" https://issuer.example"`, `"https://issuer.exampl"`, `"https://api.example"`,
		},
		"sub":             {"", "null", `""`, "1", "[]", `["user"]`, "{}"}, // row 50
		"jti":             {"null", "1", "[]"},
		"scope":           {"null", "1", `["a"]`, "{}"}, // row 51
		"scp":             {"null", "1", "{}", `[1]`, `[""]`, `["a",null]`},
		"scopes":          {"null", "1", `"a"`, "{}", `[1]`, `[""]`},
		"tenant":          {"null", "1", "[]"},
		"tier":            {"null", "1", "[]"},
		"fam":             {"null", "1"},
		"idp":             {"null", "1"},
		"origin":          {"null", "1"},
		"origin_time":     {"null", `"1"`},
		"origin_networks": {"null", "1", "[]", `["10.0.0.0/8"]`, `"x"`, `"10.0.0.1/8"`, `"10.0.0.0/8,"`, `"10.0.0.0/8 10.1.0.0/16"`},
		"origin_rate": {
			"null", "1", "{}", `""`, `"0/0/0"`, `"1/1000000000"`, `"1/1000000000/0 "`, `"1/1000000000/0/0"`, `" 1/1000000000/0"`, `"01/1000000000/0"`,
			`"+1/1000000000/0"`, `"-1/1000000000/0"`, `"1/1000000000/-1"`, `"1/1s/0"`, `"1/99999999999999999999/0"`, `"1/1000000000/9223372036854775807"`,
		},
		"cnf": {"null", "1", `"jkt"`, "[]"},
	} {
		for _, value := range values {
			_, err := verifyTwice(t, j, goodClaims().with(claim, value).token())
			require.True(t, errors.Is(err, auth.ErrInvalid) || errors.Is(err, auth.ErrExpired), "%s: %s: %v", claim, value, err)
		}
	}
}

// Row 9: no case is folded.
func TestJWTComparesNamesExactly(t *testing.T) {
	j := newJWT(t, keySet(t, nil, hmacKey(t)), nil)
	for claim, others := range map[string][]string{
		"exp": {"EXP", "Exp", "exp ", "e\u200bxp"},
		"iss": {"ISS", "i\u017f\u017f", "Iss"},
		"aud": {"AUD", "Aud"},
		"sub": {"SUB", "\u017fub", "Sub"},
	} {
		for _, other := range others {
			good := goodClaims()
			refused(t, j, good.with(claim, "").with(other, good[claim]).token(), auth.ErrInvalid)
		}
	}
	p := accepted(t, j, goodClaims().with("SCOPE", `"admin"`).with("Scope", `"admin"`).with("TIER", `"gold"`).token())
	require.Empty(t, p.Scopes)
	require.Empty(t, p.Tier)
	require.NotPanics(t, func() {
		accepted(t, j, sign(plainHeader, strings.Replace(goodClaims().String(), `"exp"`, `"\u0065xp"`, 1)))
	})
}

// Row 104.
func TestJWTDatesOfEveryForm(t *testing.T) {
	j := newJWT(t, keySet(t, nil, hmacKey(t)), nil)
	for text, want := range map[string]int64{"4e9": 4e9, "4000000000.5": 4e9, "0.4E+10": 4e9, "40000000000e-1": 4e9, "253402300799": 253402300799, "253402300799.999999": 253402300799} {
		p := accepted(t, j, goodClaims().with("exp", text).token())
		require.Equal(t, want, p.Credential.Expires.Unix(), text)
	}
	accepted(t, j, goodClaims().with("aud", `["https://b","https://api.example"]`).token())
	accepted(t, j, goodClaims().with("aud", `"https:\/\/api.example"`).with("iat", "").with("nbf", "0").token())
}

// Row 51: names are split at blanks alone and not looked into.
func TestJWTScopes(t *testing.T) {
	j := newJWT(t, keySet(t, nil, hmacKey(t)), nil)
	for _, c := range []struct {
		claim, value string
		want         []string
	}{
		{"scope", `""`, nil},
		{"scope", `"   "`, nil},
		{"scope", `"read:all"`, []string{"read:all"}},
		{"scope", `" a  b\tc ad"`, []string{"a", "b\tc", "ad"}},
		{"scp", `"a b"`, []string{"a", "b"}},
		{"scp", `["a b","c"]`, []string{"a b", "c"}},
		{"scopes", `["a","b"]`, []string{"a", "b"}},
		{"scopes", `[]`, nil},
	} {
		require.Equal(t, c.want, accepted(t, j, goodClaims().with(c.claim, c.value).token()).Scopes, c.value)
	}
	p := accepted(t, j, goodClaims().with("scope", `"a"`).with("scp", `["b"]`).with("scopes", `["c"]`).token())
	require.Equal(t, []string{"a"}, p.Scopes)
	require.Equal(t, []string{"b"}, accepted(t, j, goodClaims().with("scp", `["b"]`).with("scopes", `["c"]`).token()).Scopes)
}

// A bound token is never without a confirmation (RFC 7800).
func TestJWTConfirmation(t *testing.T) {
	j := newJWT(t, keySet(t, nil, hmacKey(t)), nil)
	for value, want := range map[string]string{
		`{"jkt":"abc"}`: "jkt:abc", `{"x5t#S256":"abc"}`: "x5t#S256:abc",
		`{}`: "unsupported", `{"jkt":""}`: "unsupported", `{"jkt":1}`: "unsupported", `{"jwk":{}}`: "unsupported", `{"kid":"a"}`: "unsupported", `{"jkt":"a","x5t#S256":"b"}`: "unsupported", `{"JKT":"a"}`: "unsupported",
	} {
		require.Equal(t, want, accepted(t, j, goodClaims().with("cnf", value).token()).Credential.Confirmation, value)
	}
	require.Empty(t, accepted(t, j, goodClaims().token()).Credential.Confirmation)
}

// What narrows is believed of everybody who may say who somebody is, so that the
// networks of an API key hold where its tokens are only verified. What may widen,
// a rate, is believed of ourselves.
func TestJWTNetworksAndRate(t *testing.T) {
	token := goodClaims().with("origin_networks", `"192.0.2.0/24"`).with("origin_rate", `"5/60000000000/0"`).token()
	foreign := accepted(t, newJWT(t, keySet(t, nil, hmacKey(t)), nil), token)
	require.Equal(t, "192.0.2.0/24", foreign.Networks.String())
	require.Zero(t, foreign.Rate)
	own := accepted(t, newJWT(t, keySet(t, hmacKey(t)), nil), token)
	require.Equal(t, "192.0.2.0/24", own.Networks.String())
	require.Equal(t, auth.Rate{Limit: 5, Per: time.Minute}, own.Rate)

	nobody := accepted(t, newJWT(t, keySet(t, nil, hmacKey(t)), nil), goodClaims().with("origin_networks", `""`).token())
	require.NotNil(t, nobody.Networks)
	require.Empty(t, nobody.Networks.Prefixes())
	require.Nil(t, accepted(t, newJWT(t, keySet(t, hmacKey(t)), nil), goodClaims().token()).Networks)

	// Claims of an author's own cannot say so.
	j := newJWT(t, keySet(t, hmacKey(t)), nil)
	p := &auth.Principal{Subject: "user", Claims: json.RawMessage(`{"origin_networks":"0.0.0.0/0","origin_rate":"1/1/0"}`)}
	g, err := j.Issue(context.Background(), p, nil)
	require.NoError(t, err)
	require.Nil(t, g.Principal.Networks)
	require.Zero(t, g.Principal.Rate)
	require.NotContains(t, string(g.Principal.Claims), "origin_rate")
}

// Row 50, and where a principal comes from.
func TestJWTIdentityAndOrigin(t *testing.T) {
	foreign := newJWT(t, keySet(t, nil, hmacKey(t)), nil)
	own := newJWT(t, keySet(t, hmacKey(t)), nil)
	iat := time.Unix(time.Now().Unix(), 0).UTC()
	at := time.Unix(1700000000, 500000000).UTC()

	// Who may not sign cannot say who else issued the identity.
	token := goodClaims().with("idp", `"https://idp.example"`).token()
	require.Equal(t, jwtIssuer, accepted(t, foreign, token).Issuer)
	require.Equal(t, "https://idp.example", accepted(t, own, token).Issuer)
	require.Empty(t, accepted(t, own, goodClaims().with("idp", `""`).token()).Issuer)

	unknown := auth.Origin{Time: iat}
	for _, c := range []struct {
		claims claims
		want   auth.Origin
		own    bool // its own tokens may say that
	}{
		{claims{}, unknown, true},
		{claims{"auth_time": "1700000000.5", "jti": `"j"`}, auth.Origin{Kind: auth.KindJWT, ID: "j", Time: at}, true},
		{claims{"auth_time": "1700000000.5", "origin": `"password:a:b"`}, auth.Origin{Kind: auth.KindPassword, ID: "a:b", Time: at}, true},
		{claims{"origin_time": "1700000000.5", "origin": `":x"`}, auth.Origin{ID: "x", Time: at}, true},
		{claims{"origin": `"password:a"`}, unknown, false},
		{claims{"origin": `"password:a"`, "origin_time": "1"}, unknown, false},
		{claims{"origin": `":"`, "auth_time": "1"}, unknown, false},
		{claims{"origin": `"https"`, "auth_time": "1"}, unknown, false},
		{claims{"origin_time": "1"}, unknown, false},
	} {
		all := goodClaims().with("iat", fmt.Sprint(iat.Unix()))
		for name, value := range c.claims {
			all = all.with(name, value)
		}
		require.Equal(t, c.want, accepted(t, foreign, all.token()).Origin, all)
		if c.own {
			require.Equal(t, c.want, accepted(t, own, all.token()).Origin, all)
		} else {
			refused(t, own, all.token(), auth.ErrInvalid)
		}
	}
	require.Equal(t, auth.Origin{Time: time.Unix(0, 0).UTC()}, accepted(t, foreign, goodClaims().with("iat", "").token()).Origin)

	// Without a jti the id is one all the same, and another for another token.
	one, two := accepted(t, foreign, goodClaims().with("n", "1").token()), accepted(t, foreign, goodClaims().with("n", "2").token())
	require.NotEmpty(t, one.Credential.ID)
	require.NotEqual(t, one.Credential.ID, two.Credential.ID)
}
