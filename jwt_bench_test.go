package auth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/stretchr/testify/require"
)

// The benchmarks of this file stand beside their limit: what the standard
// library alone needs to decode the three parts of the same token and to check
// its signature.

// A benchCase is an algorithm, a key, and the limit of it.
type benchCase struct {
	alg   auth.Algorithm
	key   *auth.Key
	limit func(token string) bool
}

func benchCases(b *testing.B) []benchCase {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	hs, err := auth.NewHMACKey("", auth.HS256, secret)
	require.NoError(b, err)

	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(b, err)
	der, err := x509.MarshalPKCS8PrivateKey(rsaKey)
	require.NoError(b, err)
	rs, err := auth.ParsePEM(auth.RS256, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	require.NoError(b, err)

	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(b, err)
	der, err = x509.MarshalPKCS8PrivateKey(ecKey)
	require.NoError(b, err)
	es, err := auth.ParsePEM(auth.ES256, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	require.NoError(b, err)

	return []benchCase{
		{auth.HS256, hs, func(token string) bool {
			signed, signature := decodeParts(token)
			mac := hmac.New(sha256.New, secret)
			mac.Write([]byte(signed))
			return hmac.Equal(mac.Sum(nil), signature)
		}},
		{auth.RS256, rs, func(token string) bool {
			signed, signature := decodeParts(token)
			sum := sha256.Sum256([]byte(signed))
			return rsa.VerifyPKCS1v15(&rsaKey.PublicKey, crypto.SHA256, sum[:], signature) == nil
		}},
		{auth.ES256, es, func(token string) bool {
			signed, signature := decodeParts(token)
			sum := sha256.Sum256([]byte(signed))
			r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
			return ecdsa.Verify(&ecKey.PublicKey, sum[:], r, s)
		}},
	}
}

// decodeParts decodes all three parts, as the limit has to.
func decodeParts(token string) (signed string, signature []byte) {
	i, j := strings.IndexByte(token, '.'), strings.LastIndexByte(token, '.')
	header, err1 := base64.RawURLEncoding.DecodeString(token[:i])
	payload, err2 := base64.RawURLEncoding.DecodeString(token[i+1 : j])
	signature, err3 := base64.RawURLEncoding.DecodeString(token[j+1:])
	if err1 != nil || err2 != nil || err3 != nil || len(header)+len(payload) == 0 {
		panic("malformed token")
	}
	return token[:j], signature
}

// flip returns another character of the alphabet.
func flip(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

func benchJWT(b *testing.B, key *auth.Key, o *auth.JWTOptions) *auth.JWT {
	keys, err := auth.NewKeys(key)
	require.NoError(b, err)
	j, err := auth.NewJWT("https://issuer.example", "https://api.example", keys, o)
	require.NoError(b, err)
	return j
}

func benchPrincipal() *auth.Principal {
	return &auth.Principal{
		Subject: "user-0123456789",
		Tier:    "premium",
		Scopes:  []string{"data:read", "data:write"},
		Origin:  auth.Origin{Kind: auth.KindPassword, ID: "user-0123456789", Time: time.Now()},
	}
}

func issue(tb testing.TB, j *auth.JWT, p *auth.Principal) string {
	g, err := j.Issue(context.Background(), p, nil)
	require.NoError(tb, err)
	return g.Token.Reveal()
}

// A token that is seen for the first time: verified, and its principal put into
// the context.
func BenchmarkJWTCold(b *testing.B) {
	i := 0
	for _, c := range benchCases(b) {
		j := benchJWT(b, c.key, &auth.JWTOptions{CacheSize: -1})
		token := issue(b, j, benchPrincipal())
		forged := token[:len(token)-10] + flip(token[len(token)-10]) + token[len(token)-9:]
		ctx := context.Background()

		b.Run(string(c.alg)+"/limit", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !c.limit(token) {
					b.Fatal("refused")
				}
			}
		})
		b.Run(string(c.alg)+"/verify", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, err := j.Verify(ctx, token)
				if err != nil || auth.NewContext(ctx, p) == nil {
					b.Fatal(err)
				}
			}
		})
		// Every token new, the cache always too small for it: what remembering
		// costs, and a limit whose tokens are no warmer.
		cached := benchJWT(b, c.key, &auth.JWTOptions{CacheSize: 1 << 10})
		var fresh []string
		next := func() string {
			if fresh == nil {
				p := benchPrincipal()
				for range 20_000 {
					fresh = append(fresh, issue(b, j, p))
				}
			}
			i = (i + 1) % len(fresh)
			return fresh[i]
		}
		b.Run(string(c.alg)+"/fresh-limit", func(b *testing.B) {
			next() // issues them
			b.ReportAllocs()
			for b.Loop() {
				if !c.limit(next()) {
					b.Fatal("refused")
				}
			}
		})
		b.Run(string(c.alg)+"/fresh-verify", func(b *testing.B) {
			next() // issues them
			b.ReportAllocs()
			for b.Loop() {
				p, err := cached.Verify(ctx, next())
				if err != nil || auth.NewContext(ctx, p) == nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(string(c.alg)+"/forged", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := j.Verify(ctx, forged); !errors.Is(err, auth.ErrInvalid) {
					b.Fatal(err)
				}
			}
		})
		b.Run(string(c.alg)+"/forged-cached", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := cached.Verify(ctx, forged); !errors.Is(err, auth.ErrInvalid) {
					b.Fatal(err)
				}
			}
		})
	}
}

// Tokens that have been seen before, with the principal put into the request's
// context, beside a look-up by text in a map and the same.
func BenchmarkJWTRepeated(b *testing.B) {
	secret := make([]byte, 32)
	key, err := auth.NewHMACKey("", auth.HS256, secret)
	require.NoError(b, err)
	ctx := context.Background()
	for _, n := range []int{1, 65536, 1_000_000} {
		if n > 1e5 && testing.Short() {
			continue
		}
		j := benchJWT(b, key, &auth.JWTOptions{CacheSize: n})
		tokens := make([]string, n)
		limit := make(map[string]*auth.Principal, n)
		var mu sync.RWMutex
		p := benchPrincipal()
		for i := range tokens {
			tokens[i] = issue(b, j, p)
			verified, err := j.Verify(ctx, tokens[i])
			require.NoError(b, err)
			limit[strings.Clone(tokens[i])] = verified
		}
		i := 0
		next := func() string {
			i += 7919
			return tokens[i%n]
		}
		r := httptest.NewRequest("GET", "/", nil)
		b.Run(fmt.Sprintf("%d/limit", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mu.RLock()
				p := limit[next()]
				mu.RUnlock()
				if p == nil {
					b.Fatal()
				}
				handled = r.WithContext(auth.NewContext(ctx, p))
			}
		})
		b.Run(fmt.Sprintf("%d/verify", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, err := j.Verify(ctx, next())
				if err != nil {
					b.Fatal(err)
				}
				handled = r.WithContext(auth.NewContext(ctx, p))
			}
		})
	}
	for name, o := range map[string]*auth.JWTOptions{
		"digests":    {CacheDigests: true},
		"revocation": {Revocation: memstore.New()},
	} {
		j := benchJWT(b, key, o)
		token := issue(b, j, benchPrincipal())
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := j.Verify(ctx, token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("parallel", func(b *testing.B) {
		j := benchJWT(b, key, nil)
		token := issue(b, j, benchPrincipal())
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := j.Verify(ctx, token); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkJWTIssue(b *testing.B) {
	for _, c := range benchCases(b) {
		j, p := benchJWT(b, c.key, nil), benchPrincipal()
		b.Run(string(c.alg), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := j.Issue(context.Background(), p, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// handled keeps a request on the heap, as a handler would.
var handled *http.Request
