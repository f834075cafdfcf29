package auth_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/seed-077cad0b/auth"
)

// BenchmarkRefusal is what guards answer strangers with, beside "limit": a bare
// 401 after the same verification.
func BenchmarkRefusal(b *testing.B) {
	key := must(auth.NewHMACKey("", auth.HS256, make([]byte, 32)))
	tokens := must(auth.NewJWT("https://issuer.example", "api", must(auth.NewKeys(key)), &auth.JWTOptions{CacheSize: -1}))
	good := open(b, tokens, "read")
	forged := good[:len(good)-10] + "AAAA" + good[len(good)-6:]
	base := auth.NewGuard(auth.Bearer(tokens), &auth.GuardOptions{InsecureHTTP: true})
	denied := auth.NewLimiter(1, time.Hour)
	_, _ = denied.Allow(b.Context(), "address:192.0.2.1", 1)
	free := auth.NewLimiter(1<<40, 366*24*time.Hour)
	telling := auth.NewGuard(auth.Bearer(tokens), &auth.GuardOptions{InsecureHTTP: true, RateLimitFields: true})
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := tokens.Verify(r.Context(), r.Header["Authorization"][0][len("Bearer "):]); err != nil {
			w.WriteHeader(401)
		}
	})
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for _, c := range []struct {
		name  string
		h     http.Handler
		token string
	}{
		{"limit", bare, forged},
		{"forged", base.Wrap(next), forged},
		{"nothing", base.Wrap(next), ""},
		{"denied", base.Limit(denied, auth.ByAddress()).Wrap(next), good},
		{"optional", base.Optional().Wrap(next), ""},
		{"optional, limited", base.Optional().Limit(free, auth.ByAddress()).Wrap(next), ""},
		{"optional, telling", telling.Optional().Limit(free, auth.ByAddress()).Wrap(next), ""},
	} {
		b.Run(c.name, func(b *testing.B) {
			r, w := asking(c.token, "192.0.2.1:4242"), nowhere{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				c.h.ServeHTTP(w, r)
			}
		})
	}
}
