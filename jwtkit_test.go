package auth_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/stretchr/testify/require"
)

const (
	jwtIssuer   = "https://issuer.example"
	jwtAudience = "https://api.example"
)

var jwtSecret = []byte("0123456789abcdef0123456789abcdef")

// hmacKey is a key of the secret, with an id that tokens may name.
func hmacKey(t testing.TB) *auth.Key {
	k, err := auth.NewHMACKey("k1", auth.HS256, jwtSecret)
	require.NoError(t, err)
	return k
}

func keySet(t testing.TB, signing *auth.Key, others ...*auth.Key) *auth.Keys {
	keys, err := auth.NewKeys(signing, others...)
	require.NoError(t, err)
	return keys
}

func newJWT(t testing.TB, keys auth.KeySet, o *auth.JWTOptions) *auth.JWT {
	j, err := auth.NewJWT(jwtIssuer, jwtAudience, keys, o)
	require.NoError(t, err)
	return j
}

func generate(t testing.TB, alg auth.Algorithm) *auth.Key {
	k, err := auth.GenerateKey(alg)
	require.NoError(t, err)
	return k
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// sign signs any header and payload, whatever they are, with the secret.
func sign(header, payload string) string { return signWith(jwtSecret, header, payload) }

func signWith(secret []byte, header, payload string) string {
	signed := b64(header) + "." + b64(payload)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

const plainHeader = `{"alg":"HS256","typ":"JWT","kid":"k1"}`

// claims are the members of a payload, as their JSON text.
type claims map[string]string

// goodClaims are those of a token that is accepted.
func goodClaims() claims {
	now := time.Now().Unix()
	return claims{
		"iss": `"` + jwtIssuer + `"`,
		"aud": `"` + jwtAudience + `"`,
		"sub": `"user"`,
		"exp": fmt.Sprint(now + 3600),
		"iat": fmt.Sprint(now),
	}
}

// with returns the claims with one changed, or removed if value is empty.
func (c claims) with(name, value string) claims {
	c = maps.Clone(c)
	if value == "" {
		delete(c, name)
	} else {
		c[name] = value
	}
	return c
}

func (c claims) String() string {
	var members []string
	for _, name := range slices.Sorted(maps.Keys(c)) {
		members = append(members, fmt.Sprintf("%q:%s", name, c[name]))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (c claims) token() string { return sign(plainHeader, c.String()) }

// verify verifies twice, so that the cache has its say, and says the same.
func verifyTwice(t testing.TB, j *auth.JWT, token string) (*auth.Principal, error) {
	first, err := j.Verify(context.Background(), token)
	second, again := j.Verify(context.Background(), token)
	require.Equal(t, err == nil, again == nil)
	require.Equal(t, first, second)
	require.Equal(t, err == nil, first != nil)
	return first, err
}

func accepted(t testing.TB, j *auth.JWT, token string) *auth.Principal {
	t.Helper()
	p, err := verifyTwice(t, j, token)
	require.NoError(t, err)
	return p
}

func refused(t testing.TB, j *auth.JWT, token string, want error) {
	t.Helper()
	_, err := verifyTwice(t, j, token)
	require.ErrorIs(t, err, want)
}

func decode(t testing.TB, part string) string {
	text, err := base64.RawURLEncoding.DecodeString(part)
	require.NoError(t, err)
	return string(text)
}
