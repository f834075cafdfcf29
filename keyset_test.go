package auth_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-077cad0b/auth"
	"github.com/stretchr/testify/require"
)

func jwksOf(t *testing.T, keys *auth.Keys) map[string]any {
	w := httptest.NewRecorder()
	keys.JWKS().ServeHTTP(w, httptest.NewRequest("GET", "/.well-known/jwks.json", nil))
	require.Equal(t, 200, w.Code)
	var set map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &set))
	return set
}

// Rows 44 and 45.
func TestNewKeysRefuses(t *testing.T) {
	hs, es := hmacKey(t), generate(t, auth.ES256)
	public, err := auth.ParseJWK(publicJWK(t, es))
	require.NoError(t, err)
	twin, err := generate(t, auth.ES256).WithID(es.ID())
	require.NoError(t, err)
	for want, keys := range map[string][]*auth.Key{
		"no key":               {nil},
		"key 1 is nil":         {es, nil},
		"two keys have the id": {es, twin},
		"symmetric and asymmetric keys in one set": {es, hs},
		"no private part":                          {public},
		"two keys":                                 {es, public},
	} {
		set, err := auth.NewKeys(keys[0], keys[1:]...)
		require.ErrorContains(t, err, want)
		require.Nil(t, set)
	}
	_, err = auth.NewKeys(&auth.Key{})
	require.Error(t, err)
	_, err = auth.NewKeys(nil, public)
	require.NoError(t, err, "a set may only verify")
}

func publicJWK(t *testing.T, k *auth.Key) []byte {
	text, err := json.Marshal(jwksOf(t, keySet(t, k))["keys"].([]any)[0])
	require.NoError(t, err)
	return text
}

// Row 124.
func TestKeysRotate(t *testing.T) {
	old, next := generate(t, auth.ES256), generate(t, auth.EdDSA)
	keys := keySet(t, old)
	j := newJWT(t, keys, nil)
	user := &auth.Principal{Subject: "user"}
	before := issue(t, j, user)
	accepted(t, j, before)

	require.NoError(t, keys.Add(next))
	require.Len(t, jwksOf(t, keys)["keys"], 2, "the next key is published before it signs")
	require.Equal(t, old, keys.Signing())
	require.NoError(t, keys.Rotate(next))
	require.Equal(t, next, keys.Signing())
	after := issue(t, j, user)
	require.Contains(t, decode(t, strings.Split(after, ".")[0]), next.ID())
	accepted(t, j, before)
	accepted(t, j, after)
	unseen := issueWith(t, old, user)

	require.ErrorContains(t, keys.Remove(next.ID()), "rotate first")
	require.ErrorContains(t, keys.Remove("unknown"), "no key")
	require.NoError(t, keys.Remove(old.ID()))
	refused(t, j, before, auth.ErrInvalid) // though it is cached
	refused(t, j, unseen, auth.ErrInvalid)
	accepted(t, j, after)
	require.False(t, keys.Contains(old))

	// A key that comes back verifies again.
	require.NoError(t, keys.Add(old))
	accepted(t, j, before)

	// What is refused changes nothing.
	for _, change := range []func() error{
		func() error { return keys.Rotate(nil) },
		func() error { return keys.Rotate(hmacKey(t)) },
		func() error { return keys.Add(hmacKey(t)) },
		func() error { return keys.Add(old) },
		func() error { return keys.Add(nil) },
	} {
		require.Error(t, change())
		require.Equal(t, next, keys.Signing())
		require.Len(t, jwksOf(t, keys)["keys"], 2)
	}
}

func issueWith(t *testing.T, k *auth.Key, p *auth.Principal) string {
	return issue(t, newJWT(t, keySet(t, k), nil), p)
}

// Row 125.
func TestJWKS(t *testing.T) {
	var all []*auth.Key
	for _, alg := range []auth.Algorithm{auth.RS256, auth.PS384, auth.ES256, auth.ES384, auth.ES512, auth.EdDSA} {
		all = append(all, generate(t, alg))
	}
	keys := keySet(t, all[0], all[1:]...)
	w := httptest.NewRecorder()
	keys.JWKS().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, "application/jwk-set+json", w.Header().Get("Content-Type"))
	require.Equal(t, "public, max-age=300", w.Header().Get("Cache-Control"))
	members := jwksOf(t, keys)["keys"].([]any)
	require.Len(t, members, len(all))
	for i, m := range members {
		k := m.(map[string]any)
		require.Equal(t, string(all[i].Algorithm()), k["alg"])
		require.Equal(t, all[i].ID(), k["kid"])
		require.Equal(t, "sig", k["use"])
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k", "oth"} {
			require.NotContains(t, k, private)
		}
	}

	// What is published is enough to verify.
	parsed, err := auth.ParseJWKS(w.Body.Bytes())
	require.NoError(t, err)
	reader := newJWT(t, keySet(t, nil, parsed...), nil)
	for _, k := range all {
		accepted(t, reader, issueWith(t, k, &auth.Principal{Subject: "user"}))
	}

	require.Empty(t, jwksOf(t, keySet(t, hmacKey(t)))["keys"], "a secret is never published")
	w = httptest.NewRecorder()
	keys.JWKS().ServeHTTP(w, httptest.NewRequest("POST", "/", nil))
	require.Equal(t, 405, w.Code)
	require.Equal(t, "GET, HEAD, OPTIONS", w.Header().Get("Allow"))
	require.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"))
}

func TestKeysPrintNoSecret(t *testing.T) {
	k, err := auth.NewHMACKey("name", auth.HS256, jwtSecret)
	require.NoError(t, err)
	keys := keySet(t, k)
	j := newJWT(t, keys, nil)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{k, *k, keys, []*auth.Key{k}, struct{ k *auth.Key }{k}, j} {
			text := fmt.Sprintf(verb, value)
			require.NotContains(t, text, string(jwtSecret))
			require.NotContains(t, text, fmt.Sprintf("%x", jwtSecret))
			require.NotContains(t, text, fmt.Sprint(jwtSecret)[1:20])
		}
	}
	require.Equal(t, `auth.Key(HS256, "name")`, fmt.Sprint(k))
	text, err := json.Marshal(map[string]any{"key": k})
	require.NoError(t, err)
	require.Equal(t, `{"key":{}}`, string(text))
}

func TestParseJWKS(t *testing.T) {
	es := string(publicJWK(t, generate(t, auth.ES256)))
	for text, ok := range map[string]bool{
		`{"keys":[` + es + `]}`:                  true,
		`{"keys":[]}`:                            true, // NewKeys refuses an empty set
		`{}`:                                     false,
		`{"keys":null}`:                          false,
		`{"keys":{}}`:                            false,
		`{"keys":[` + es + `,{}]}`:               false,
		`{"keys":[` + es + `],"keys":[]}`:        false,
		`{"Keys":[` + es + `]}`:                  false,
		`[` + es + `]`:                           false,
		`{"keys":[{"kty":"oct","k":"AAAA"}]}`:    false,
		`{"keys":[{"kty":"oct","alg":"HS256"}]}`: false,
	} {
		_, err := auth.ParseJWKS([]byte(text))
		require.Equal(t, ok, err == nil, "%s: %v", text, err)
	}
}
