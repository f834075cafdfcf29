package auth_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/stretchr/testify/require"
)

func TestJWTAccepts(t *testing.T) {
	j := newJWT(t, keySet(t, nil, hmacKey(t)), nil)
	p := accepted(t, j, goodClaims().with("jti", `"id"`).with("scope", `"a  b "`).with("tier", `"gold"`).
		with("tenant", `"acme"`).with("auth_time", "1700000000.1234567").with("extra", `{"x":1}`).token())
	require.Equal(t, jwtIssuer, p.Issuer)
	require.Equal(t, "acme", p.Tenant)
	require.Equal(t, "user", p.Subject)
	require.Equal(t, "gold", p.Tier)
	require.Equal(t, []string{"a", "b"}, p.Scopes)
	require.Equal(t, auth.Origin{Kind: auth.KindJWT, ID: "id", Time: time.UnixMicro(1700000000123456).UTC()}, p.Origin)
	require.Equal(t, "id", p.Credential.ID)
	require.Equal(t, "id", p.Credential.Family, "a token without a family is one of its own")
	require.Equal(t, auth.KindJWT, p.Credential.Kind)
	require.Equal(t, time.Hour, p.Credential.Expires.Sub(p.Credential.Created))
	require.JSONEq(t, `{"x":1}`, string(mustClaims[map[string]json.RawMessage](t, p)["extra"]))
}

func mustClaims[T any](t *testing.T, p *auth.Principal) T {
	c, err := auth.Claims[T](p)
	require.NoError(t, err)
	return c
}

// Checklist rows 1 and 39: any bit changed, anything added or cut off.
func TestJWTRefusesWhatWasChanged(t *testing.T) {
	for _, alg := range []auth.Algorithm{auth.HS256, auth.ES256, auth.EdDSA} {
		j := newJWT(t, keySet(t, generate(t, alg)), nil)
		token := issue(t, j, &auth.Principal{Subject: "user"})
		accepted(t, j, token)
		for i := range len(token) {
			for _, c := range []byte{token[i] ^ 1, token[i] ^ 32, '.', '=', '\n', ' ', 0, 0xff} {
				if c == token[i] {
					continue
				}
				_, err := j.Verify(context.Background(), token[:i]+string([]byte{c})+token[i+1:])
				require.True(t, errors.Is(err, auth.ErrInvalid) || errors.Is(err, auth.ErrNotMine), "%d: %v", i, err)
			}
			for _, changed := range []string{token[:i], token[:i] + token[i+1:], token[:i] + "A" + token[i:], token[:i] + "\r\n" + token[i:]} {
				_, err := j.Verify(context.Background(), changed)
				require.True(t, errors.Is(err, auth.ErrInvalid) || errors.Is(err, auth.ErrNotMine), "%d: %v", i, err)
			}
		}
		for _, changed := range []string{token + "A", token + "=", token + ".", token + "\n", " " + token, token + " ", "Bearer " + token, token + "." + token} {
			_, err := j.Verify(context.Background(), changed)
			require.Error(t, err)
		}
	}
}

// Row 1: nothing of the payload is read before the signature holds.
func TestJWTChecksTheSignatureFirst(t *testing.T) {
	j := newJWT(t, keySet(t, nil, hmacKey(t)), nil)
	other := []byte("another secret of thirty-two byte")
	for _, payload := range []string{goodClaims().String(), goodClaims().with("exp", "1").String(), "junk", ""} {
		_, err := verifyTwice(t, j, signWith(other, plainHeader, payload))
		require.ErrorIs(t, err, auth.ErrInvalid)
		require.ErrorContains(t, err, "signature")
	}
	refused(t, j, goodClaims().with("exp", "1").token(), auth.ErrExpired)
}

// Rows 2 and 3.
func TestJWTTakesTheAlgorithmFromTheKey(t *testing.T) {
	j := newJWT(t, keySet(t, nil, hmacKey(t)), nil)
	payload := goodClaims().String()
	for _, alg := range []string{
		"none", "None", "NONE", "nOnE", "", " none", "HS384", "HS512", "hs256", "Hs256", "HS256 ", "RS256", "ES256", "PS256", "EdDSA", "HMAC", "SHA256", "dir",
	} {
		for _, kid := range []string{`,"kid":"k1"`, ""} {
			header := fmt.Sprintf(`{"alg":%q,"typ":"JWT"%s}`, alg, kid)
			refused(t, j, sign(header, payload), auth.ErrInvalid)
			unsigned := b64(header) + "." + b64(payload)
			refused(t, j, unsigned+".", auth.ErrNotMine)
			refused(t, j, unsigned+".AA", auth.ErrInvalid)
		}
	}
	for _, header := range []string{`{"typ":"JWT"}`, `{"alg":null}`, `{"alg":["HS256"]}`, `{"Alg":"HS256"}`, `{"alg":"HS256","alg":"none"}`, `[]`, `null`, `"HS256"`} {
		refused(t, j, sign(header, payload), auth.ErrInvalid)
	}

	// The public key as the secret, in every form.
	private := generate(t, auth.RS256)
	public, err := json.Marshal(jwksOf(t, keySet(t, private))["keys"].([]any)[0])
	require.NoError(t, err)
	k, err := auth.ParseJWK(public)
	require.NoError(t, err)
	rs := newJWT(t, keySet(t, nil, k), nil)
	for _, form := range [][]byte{public, append(public, '\n')} {
		for _, alg := range []string{"HS256", "HS384", "HS512", "RS256"} {
			for _, kid := range []string{"", `,"kid":"` + k.ID() + `"`} {
				refused(t, rs, signWith(form, `{"alg":"`+alg+`"`+kid+`}`, payload), auth.ErrInvalid)
			}
		}
	}
}

// Rows 4 and 5.
func TestJWTUsesNoKeyOfTheToken(t *testing.T) {
	keys := &countingKeys{Keys: keySet(t, nil, hmacKey(t))}
	j := newJWT(t, keys, nil)
	theirs := []byte("a secret that the attacker brings")
	payload := goodClaims().String()
	jwk := `{"kty":"oct","alg":"HS256","kid":"k1","k":"` + base64.RawURLEncoding.EncodeToString(theirs) + `"}`
	for _, members := range []string{
		`"jwk":` + jwk, `"jku":"http://127.0.0.1:1/jwks"`, `"x5u":"http://127.0.0.1:1/x5u"`, `"x5c":["AAAA"]`, `"jwk":` + jwk + `,"kid":"k1"`,
	} {
		refused(t, j, signWith(theirs, `{"alg":"HS256",`+members+`}`, payload), auth.ErrInvalid)
	}
	// Such members do not hurt a good token.
	accepted(t, j, sign(`{"alg":"HS256","jku":"http://127.0.0.1:1/jwks"}`, payload))

	for _, kid := range []string{
		"", "K1", "k1 ", "k1\x00", "../../../../dev/null", "/dev/null", "k1' OR '1'='1", "k1;id", "$(id)", "http://127.0.0.1:1/key", "file:///etc/passwd", strings.Repeat("k", 5000), "\u212a1",
	} {
		text, err := json.Marshal(kid)
		require.NoError(t, err)
		refused(t, j, sign(`{"alg":"HS256","kid":`+string(text)+`}`, payload), auth.ErrInvalid)
		refused(t, j, signWith(nil, `{"alg":"HS256","kid":`+string(text)+`}`, payload), auth.ErrInvalid)
	}
	require.NotContains(t, keys.asked, "", "a kid that is empty is not one that is absent")
}

// countingKeys remembers what was asked for by name.
type countingKeys struct {
	*auth.Keys
	asked []string
}

func (k *countingKeys) Lookup(ctx context.Context, kid string, alg auth.Algorithm) ([]*auth.Key, error) {
	if kid != "" {
		k.asked = append(k.asked, kid)
	}
	return k.Keys.Lookup(ctx, kid, alg)
}

// Row 10, and b64, zip and cty.
func TestJWTRefusesExtensions(t *testing.T) {
	j := newJWT(t, keySet(t, nil, hmacKey(t)), nil)
	for _, member := range []string{
		`"crit":["exp"],"exp":1`, `"crit":[]`, `"crit":null`, `"crit":"exp"`, `"crit":["b64"],"b64":true`, `"b64":false`, `"b64":true`, `"zip":"DEF"`, `"cty":"JWT"`,
	} {
		refused(t, j, sign(`{"alg":"HS256","kid":"k1",`+member+`}`, goodClaims().String()), auth.ErrInvalid)
	}
}

// Row 41.
func TestJWTRefusesSloppyJSON(t *testing.T) {
	j := newJWT(t, keySet(t, nil, hmacKey(t)), nil)
	good := goodClaims().String()
	inside := func(more string) string { return good[:len(good)-1] + more + "}" }
	for _, payload := range []string{
		"", "null", "[]", `""`, "1", "{}", good + good, good + "x", good + "\x00", "\xef\xbb\xbf" + good, good[:len(good)-1],
		inside(`,"sub":"admin"`), inside(`,"\u0073ub":"admin"`), inside(`,"x":{"a":1,"a":1}`), inside(`,"x":"\ud800"`), inside(",\"x\":\"\xff\""), inside(`,"x":01`), inside(`,`),
		inside(`,"x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000)), // row 47
		utf16(good),
	} {
		refused(t, j, sign(plainHeader, payload), auth.ErrInvalid)
	}
	for _, header := range []string{plainHeader + "{}", "\xef\xbb\xbf" + plainHeader, utf16(plainHeader), `{"alg":"HS256","x":"\ud800"}`, `{"alg":"HS256",}`} {
		refused(t, j, sign(header, good), auth.ErrInvalid)
	}
	accepted(t, j, sign(plainHeader, " "+strings.ReplaceAll(good, ",", "\n,\t")+"\r\n"))
}

func utf16(s string) string {
	var b strings.Builder
	for _, c := range s {
		b.WriteRune(c)
		b.WriteByte(0)
	}
	return b.String()
}

// Rows 40 and 47: what is no compact JWS, and what is too long.
func TestJWTForm(t *testing.T) {
	j := newJWT(t, keySet(t, nil, hmacKey(t)), nil)
	token := goodClaims().token()
	form := j.Form()
	require.True(t, form.Match(token))
	require.True(t, form.Match(form.New()))
	require.NotEqual(t, form.New(), form.New())
	require.Equal(t, auth.KindJWT, j.Kind())
	for _, text := range []string{"", "a", "a.b", "..", "a..", token + ".a.b", `{"payload":"a","signatures":[]}`, auth.TokenForm("s_").New(), auth.UUIDForm().New(), strings.Repeat("x", 1<<20)} {
		require.False(t, form.Match(text), "%.30q", text)
		refused(t, j, text, auth.ErrNotMine)
	}
	refused(t, j, "a.b.c", auth.ErrInvalid)
	refused(t, j, form.New(), auth.ErrInvalid)

	long := goodClaims().with("x", `"`+strings.Repeat("x", 16<<10)+`"`).token()
	refused(t, j, long, auth.ErrInvalid)
	accepted(t, newJWT(t, keySet(t, nil, hmacKey(t)), &auth.JWTOptions{MaxLength: 64 << 10}), long)
	accepted(t, newJWT(t, keySet(t, nil, hmacKey(t)), &auth.JWTOptions{MaxLength: len(token)}), token)
	refused(t, newJWT(t, keySet(t, nil, hmacKey(t)), &auth.JWTOptions{MaxLength: len(token) - 1}), token, auth.ErrInvalid)
}

// Rows 42 and 43.
func TestJWTType(t *testing.T) {
	payload := goodClaims().String()
	header := func(typ string) string { return `{"alg":"HS256"` + typ + `}` }
	for option, types := range map[string]map[string]bool{
		"": {
			"": true, `,"typ":"JWT"`: true, `,"typ":"jwt"`: true, `,"typ":"application/jwt"`: true, `,"typ":"APPLICATION/JWT"`: true,
			`,"typ":"at+jwt"`: false, `,"typ":"dpop+jwt"`: false, `,"typ":"logout+jwt"`: false, `,"typ":""`: false, `,"typ":null`: false, `,"typ":"JWT "`: false, `,"typ":"JOSE"`: false,
		},
		"at+jwt": {
			`,"typ":"at+jwt"`: true, `,"typ":"AT+JWT"`: true, `,"typ":"application/at+jwt"`: true,
			"": false, `,"typ":"JWT"`: false, `,"typ":"application/jwt"`: false, `,"typ":"text/at+jwt"`: false, `,"typ":"at+jwt;a=b"`: false,
		},
	} {
		j := newJWT(t, keySet(t, hmacKey(t)), &auth.JWTOptions{Type: option})
		for typ, ok := range types {
			_, err := verifyTwice(t, j, sign(header(typ), payload))
			require.Equal(t, ok, err == nil, "%q: %s: %v", option, typ, err)
		}
		accepted(t, j, issue(t, j, &auth.Principal{Subject: "user"}))
	}
}

// Rows 6, 101 and 103: the edges of time, with and without the cache.
func TestJWTTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, leeway := range []time.Duration{-1, 0, time.Minute, time.Second} {
			actual := map[time.Duration]time.Duration{-1: 0, 0: 30 * time.Second}[leeway]
			if leeway > 0 {
				actual = leeway
			}
			j := newJWT(t, keySet(t, nil, hmacKey(t)), &auth.JWTOptions{Leeway: leeway})
			start := time.Now()
			exp := goodClaims().with("exp", fmt.Sprint(start.Add(time.Hour).Unix())).token()
			nbf := goodClaims().with("nbf", fmt.Sprint(start.Add(2*time.Minute).Unix())).token()
			iat := goodClaims().with("iat", fmt.Sprint(start.Add(2*time.Minute).Unix())).token()
			refused(t, j, nbf, auth.ErrInvalid)
			authtest.Advance(2*time.Minute - actual - time.Microsecond)
			refused(t, j, nbf, auth.ErrInvalid)
			refused(t, j, iat, auth.ErrInvalid)
			authtest.Advance(time.Microsecond)
			accepted(t, j, nbf)
			accepted(t, j, iat)
			accepted(t, j, exp)
			authtest.Advance(time.Hour + actual - time.Since(start) - time.Microsecond)
			accepted(t, j, exp)
			authtest.Advance(time.Microsecond)
			refused(t, j, exp, auth.ErrExpired)
		}
	})
}

// Row 101.
func TestJWTMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJWT(t, keySet(t, nil, hmacKey(t)), &auth.JWTOptions{MaxAge: 10 * time.Minute, Leeway: -1})
		token := goodClaims().token()
		refused(t, j, goodClaims().with("iat", "").token(), auth.ErrInvalid)
		authtest.Advance(10*time.Minute - time.Microsecond)
		accepted(t, j, token)
		authtest.Advance(time.Microsecond)
		refused(t, j, token, auth.ErrExpired)
	})
}

// Row 11: what cannot be found out is neither admitted nor refused for good.
func TestJWTOutages(t *testing.T) {
	down := errors.New("down")
	j := newJWT(t, brokenKeys{err: down}, nil)
	_, err := verifyTwice(t, j, goodClaims().token())
	require.ErrorIs(t, err, down)
	var reason auth.Reason
	require.False(t, errors.As(err, &reason))
	require.False(t, errors.Is(err, auth.ErrNotMine))
}

type brokenKeys struct{ err error }

func (b brokenKeys) Lookup(context.Context, string, auth.Algorithm) ([]*auth.Key, error) {
	return nil, b.err
}
func (b brokenKeys) Contains(*auth.Key) bool { return true }

// A key set that answers with keys of another algorithm changes nothing, nor
// does one with more keys than are tried.
func TestJWTDistrustsTheKeySet(t *testing.T) {
	es := generate(t, auth.ES256)
	token := goodClaims().token()
	refused(t, newJWT(t, fixedKeys{es}, nil), token, auth.ErrInvalid)
	accepted(t, newJWT(t, fixedKeys{es, hmacKey(t)}, nil), token)
	refused(t, newJWT(t, fixedKeys{es, es, es, es, es, es, es, es, hmacKey(t)}, nil), token, auth.ErrInvalid)
}

type fixedKeys []*auth.Key

func (k fixedKeys) Lookup(context.Context, string, auth.Algorithm) ([]*auth.Key, error) {
	return k, nil
}
func (k fixedKeys) Contains(*auth.Key) bool { return true }

// No error says what it was given.
func TestJWTErrorsQuoteNothing(t *testing.T) {
	j := newJWT(t, keySet(t, nil, hmacKey(t)), nil)
	for _, token := range []string{
		sign(`{"alg":"canary","kid":"canary","typ":"canary"}`, `{"canary":1}`), sign(`{"alg":"HS256","kid":"canary"}`, ""), sign(plainHeader, `{"iss":"canary"`),
		goodClaims().with("iss", `"canary"`).token(), goodClaims().with("aud", `"canary"`).token(), goodClaims().with("exp", `"canary"`).token(), "canary.canary.canary",
	} {
		_, err := verifyTwice(t, j, token)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "canary")
	}
}

func TestNewJWTValidates(t *testing.T) {
	keys := keySet(t, hmacKey(t))
	var none *auth.Keys
	for want, build := range map[string]func() (*auth.JWT, error){
		"issuer is empty":   func() (*auth.JWT, error) { return auth.NewJWT("", "a", keys, nil) },
		"audience is empty": func() (*auth.JWT, error) { return auth.NewJWT("i", "", keys, nil) },
		"key set is nil":    func() (*auth.JWT, error) { return auth.NewJWT("i", "a", nil, nil) },
		"Lifetime":          func() (*auth.JWT, error) { return auth.NewJWT("i", "a", none, &auth.JWTOptions{Lifetime: -1}) },
		"Lifetime is": func() (*auth.JWT, error) {
			return auth.NewJWT("i", "a", keys, &auth.JWTOptions{Lifetime: 401 * 24 * time.Hour})
		},
		"a second": func() (*auth.JWT, error) {
			return auth.NewJWT("i", "a", keys, &auth.JWTOptions{Lifetime: time.Millisecond})
		},
		"Leeway": func() (*auth.JWT, error) {
			return auth.NewJWT("i", "a", keys, &auth.JWTOptions{Leeway: time.Minute + 1})
		},
		"MaxAge":    func() (*auth.JWT, error) { return auth.NewJWT("i", "a", keys, &auth.JWTOptions{MaxAge: -1}) },
		"MaxLength": func() (*auth.JWT, error) { return auth.NewJWT("i", "a", keys, &auth.JWTOptions{MaxLength: 64<<10 + 1}) },
		"CacheSize": func() (*auth.JWT, error) { return auth.NewJWT("i", "a", keys, &auth.JWTOptions{CacheSize: 1 << 40}) },
		"Type":      func() (*auth.JWT, error) { return auth.NewJWT("i", "a", keys, &auth.JWTOptions{Type: "application/"}) },
	} {
		j, err := build()
		require.Nil(t, j)
		require.ErrorContains(t, err, want)
	}
	_, err := auth.NewJWT("", "", none, &auth.JWTOptions{Leeway: time.Hour})
	for _, want := range []string{"issuer", "audience", "key set", "Leeway"} {
		require.ErrorContains(t, err, want, "all that is wrong at once")
	}
}
