package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"hash"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/examples/internal/demotest"
)

// forge signs claims as a tester does who knows the secret, with none of the
// library.
func forge(t *testing.T, header string, claims any, with func() hash.Hash, secret []byte) string {
	payload, err := json.Marshal(claims)
	require.NoError(t, err)
	signed := encode([]byte(header)) + "." + encode(payload)
	mac := hmac.New(with, secret)
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func decode(t *testing.T, text string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(text)
	require.NoError(t, err)
	return b
}

// parts returns the header and the claims of a token.
func parts(t *testing.T, token string) (header string, claims map[string]any) {
	part := strings.Split(token, ".")
	require.Len(t, part, 3)
	d := json.NewDecoder(strings.NewReader(string(decode(t, part[1]))))
	d.UseNumber() // as they are written
	require.NoError(t, d.Decode(&claims))
	return string(decode(t, part[0])), claims
}

const plain = `{"alg":"HS256","typ":"JWT"}`

func TestIssuedTokens(t *testing.T) {
	p := demotest.Start(t)
	before := time.Now().Unix()
	header, claims := parts(t, login(t, p))
	var h map[string]string
	require.NoError(t, json.Unmarshal([]byte(header), &h))
	delete(h, "kid")
	require.Equal(t, map[string]string{"alg": "HS256", "typ": "JWT"}, h)

	seconds := func(name string) int64 {
		n, err := claims[name].(json.Number).Int64()
		require.NoError(t, err, "whole seconds")
		return n
	}
	require.GreaterOrEqual(t, seconds("iat"), before)
	require.Equal(t, int64(24*60*60), seconds("exp")-seconds("iat"))
}

func TestForgedTokens(t *testing.T) {
	p := demotest.Start(t)
	secret := decode(t, p.Values["jwt_secret"])
	require.GreaterOrEqual(t, len(secret), 32)
	token := login(t, p)
	header, issued := parts(t, token)

	type change map[string]any // a nil takes the claim out
	changed := func(c change) map[string]any {
		claims := maps.Clone(issued)
		for name, value := range c {
			if claims[name] = value; value == nil {
				delete(claims, name)
			}
		}
		return claims
	}
	now := time.Now().Unix()

	for name, c := range map[string]change{
		"as issued":                {},
		"another jti":              {"jti": "mine"},
		"an empty jti":             {"jti": ""},
		"without jti":              {"jti": nil},
		"an iat of now":            {"iat": now},
		"an iat with fractions":    {"iat": float64(now) - 0.5},
		"an iat of long ago":       {"iat": 0},
		"without iat":              {"iat": nil},
		"without iat and jti":      {"iat": nil, "jti": nil},
		"aud as an array":          {"aud": []any{issued["aud"]}},
		"aud as an array of two":   {"aud": []any{"somebody-else", issued["aud"]}},
		"an exp of far away":       {"exp": now + 10*365*86400},
		"an nbf of now":            {"nbf": now},
		"a claim of another party": {"https://example.com/x": []any{1, nil, "x"}},
	} {
		t.Run("good: "+name, func(t *testing.T) {
			for _, header := range []string{plain, header, `{"typ":"jwt","alg":"HS256"}`, `{"alg":"HS256"}`} {
				forged := forge(t, header, changed(c), sha256.New, secret)
				for range 2 { // the second time, it is known
					p.Do(t, "GET", dataPath, "", "Authorization: Bearer "+forged).Require(t, http.StatusOK, byToken)
				}
			}
		})
	}

	other := bytes.Clone(secret)
	other[0] ^= 1
	bad := map[string]string{
		"another secret":    forge(t, plain, issued, sha256.New, other),
		"no secret":         forge(t, plain, issued, sha256.New, nil),
		"HS512":             forge(t, `{"alg":"HS512","typ":"JWT"}`, issued, sha512.New, secret),
		"HS512 as HS256":    forge(t, plain, issued, sha512.New, secret),
		"an unknown kid":    forge(t, `{"alg":"HS256","typ":"JWT","kid":"x"}`, issued, sha256.New, secret),
		"another typ":       forge(t, `{"alg":"HS256","typ":"at+jwt"}`, issued, sha256.New, secret),
		"a critical header": forge(t, `{"alg":"HS256","typ":"JWT","crit":["b64"],"b64":true}`, issued, sha256.New, secret),
		"two algs":          forge(t, `{"alg":"none","alg":"HS256","typ":"JWT"}`, issued, sha256.New, secret),
		"alg none":          encode([]byte(`{"alg":"none"}`)) + "." + strings.Split(token, ".")[1] + ".",
		"no signature":      token[:strings.LastIndex(token, ".")+1],
		"cut off":           token[:len(token)-1],
		"longer":            token + "A",
		"a fourth part":     token + ".e30",
	}
	for name, c := range map[string]change{
		"expired":             {"exp": now - 1},
		"expired long ago":    {"exp": 0},
		"without exp":         {"exp": nil},
		"exp as a text":       {"exp": "9999999999"},
		"not yet":             {"nbf": now + 3600},
		"another issuer":      {"iss": "somebody-else"},
		"without issuer":      {"iss": nil},
		"another audience":    {"aud": "somebody-else"},
		"other audiences":     {"aud": []any{"a", "b"}},
		"no audience":         {"aud": []any{}},
		"without audience":    {"aud": nil},
		"audience as a part":  {"aud": issued["aud"].(string)[1:]},
		"without subject":     {"sub": nil},
		"an empty subject":    {"sub": ""},
		"a subject of number": {"sub": 1001},
		"a list of nothing":   {"aud": []any{nil}},
	} {
		bad[name] = forge(t, plain, changed(c), sha256.New, secret)
	}
	for name, forged := range bad {
		t.Run("bad: "+name, func(t *testing.T) {
			require.Equal(t, http.StatusUnauthorized, p.Do(t, "GET", dataPath, "", "Authorization: Bearer "+forged).Status)
		})
	}

	t.Run("without the scope", func(t *testing.T) {
		forged := forge(t, plain, changed(change{"scope": "data:write"}), sha256.New, secret)
		require.Equal(t, http.StatusForbidden, p.Do(t, "GET", dataPath, "", "Authorization: Bearer "+forged).Status)
	})
}
