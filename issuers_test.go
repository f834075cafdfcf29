package auth_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

func TestIssuersPanics(t *testing.T) {
	one := newJWT(t, keySet(t, hmacKey(t)), nil)
	two, err := auth.NewJWT(jwtIssuer, "another audience", keySet(t, hmacKey(t)), nil)
	require.NoError(t, err)
	require.PanicsWithValue(t, "auth: Issuers: no issuer", func() { auth.Issuers() })
	require.PanicsWithValue(t, "auth: Issuers: nil JWT", func() { auth.Issuers(one, nil) })
	require.PanicsWithValue(t, `auth: Issuers: two of "https://issuer.example"`, func() { auth.Issuers(one, two) })
}

// Row 8: the iss chooses, and decides nothing: each issuer's tokens hold by its
// own keys alone.
func TestIssuersChoose(t *testing.T) {
	var jwts []*auth.JWT
	names := []string{"https://a.example", "https://a.example/", "https://b.example", "ä\"\\"}
	for _, name := range names {
		j, err := auth.NewJWT(name, jwtAudience, keySet(t, generate(t, auth.HS256)), nil)
		require.NoError(t, err)
		jwts = append(jwts, j)
	}
	v := auth.Issuers(jwts...)
	for i, j := range jwts {
		token := issue(t, j, alice())
		require.Same(t, good(t, j, token), good(t, v, token))
		for _, other := range names {
			c := goodClaims().with("iss", fmt.Sprintf("%q", other))
			bad(t, v, signWith(nil, plainHeader, c.String()))
		}
		mixed := strings.Split(issue(t, jwts[(i+1)%len(jwts)], alice()), ".")
		parts := strings.Split(token, ".")
		bad(t, v, parts[0]+"."+parts[1]+"."+mixed[2])
		bad(t, v, parts[0]+"."+mixed[1]+"."+parts[2])
	}

	// Another issuer, none, and what is not mine.
	key := generate(t, auth.HS256)
	foreign, err := auth.NewJWT("https://c.example", jwtAudience, keySet(t, key), nil)
	require.NoError(t, err)
	_, err = v.Verify(t.Context(), issue(t, foreign, alice()))
	require.ErrorIs(t, err, auth.ErrInvalid)
	require.ErrorContains(t, err, "iss is another")
	for _, payload := range []string{"", "{}", "[]", "<xml>", `{"iss":null}`, `{"iss":""}`, `{"iss":["https://a.example"]}`, `{"ISS":"https://a.example"}`, `{"x":{"iss":"https://a.example"}}`, `{"iss":"https://a.example`} {
		bad(t, v, sign(plainHeader, payload))
	}
	_, err = v.Verify(t.Context(), "a.!.c")
	require.ErrorIs(t, err, auth.ErrInvalid)
	require.ErrorContains(t, err, "payload is not", "and is not taken for the one before it")
	_, err = v.Verify(t.Context(), "a."+b64(`{"iss":"https://c.example"}`)+"."+strings.Repeat("c", 16<<10))
	require.ErrorIs(t, err, auth.ErrInvalid)
	require.ErrorContains(t, err, "longer than allowed", "before it is read")
	for _, text := range []string{"", "text", "a.b", "a.b.c.d"} {
		_, err := v.Verify(t.Context(), text)
		require.Equal(t, auth.ErrNotMine, err, text)
	}

	// Two of them in one token, the first of which is known: the verifier that
	// is chosen refuses it, as it does by itself.
	own := newJWT(t, keySet(t, hmacKey(t)), nil)
	twice := strings.Replace(goodClaims().String(), "{", `{"iss":"`+jwtIssuer+`",`, 1)
	bad(t, auth.Issuers(own, jwts[0]), sign(plainHeader, twice))
	good(t, auth.Issuers(jwts[0], own), goodClaims().token())
}

// It is a verifier like any other: it has a form and a kind, stands beside
// others in a source, and not beside one of its own form.
func TestIssuersInASource(t *testing.T) {
	h := newHouse(t)
	other, err := auth.NewJWT("https://other.example", jwtAudience, keySet(t, hmacKey(t)), nil)
	require.NoError(t, err)
	v := auth.Issuers(h.tokens, other)
	source := auth.Bearer(v, h.sessions)
	require.Equal(t, []auth.Kind{auth.KindJWT, auth.KindSession}, source.Schemes()[0].Kinds)
	guard := auth.NewGuard(source, nil)
	for _, token := range []string{open(t, h.tokens), open(t, h.sessions)} {
		require.Equal(t, 200, serve(guard.WrapFunc(hello), from("GET", "/x", "Authorization", "Bearer "+token)).Code)
	}
	require.Panics(t, func() { auth.Bearer(v, h.tokens) })
}

// What an issuer's verifier remembers is found without reading the token again, and
// is judged by that verifier, at every use.
func TestIssuersRemember(t *testing.T) {
	key := hmacKey(t) // the same of both, so that headers tell nothing
	keys := keySet(t, key)
	jwtOf := func(issuer string) *auth.JWT {
		j, err := auth.NewJWT(issuer, "https://api.example", keys, nil)
		require.NoError(t, err)
		return j
	}
	a, b := jwtOf("https://a.example"), jwtOf("https://b.example")
	v := auth.Issuers(a, b)
	for range 3 {
		for _, j := range []*auth.JWT{a, b} {
			token := issue(t, j, benchPrincipal())
			first, err := v.Verify(t.Context(), token)
			require.NoError(t, err)
			again, err := v.Verify(t.Context(), token)
			require.NoError(t, err)
			require.Same(t, first, again)
			require.Same(t, first, good(t, j, token), "its verifier remembers the same")
			require.Contains(t, string(first.Claims), map[*auth.JWT]string{a: `"https://a.example"`, b: `"https://b.example"`}[j])
		}
	}
	token := issue(t, b, benchPrincipal())
	_, err := v.Verify(t.Context(), token)
	require.NoError(t, err)
	require.NoError(t, keys.Rotate(generate(t, auth.HS256)))
	require.NoError(t, keys.Remove(key.ID()))
	_, err = v.Verify(t.Context(), token)
	require.ErrorIs(t, err, auth.ErrInvalid, "its key has gone")
}
