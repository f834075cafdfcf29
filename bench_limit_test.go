package auth_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/seed-077cad0b/auth"
)

// BenchmarkLimit is what limits add to a guarded request, beside the guard
// without and the limiter by itself, with many accounts.
func BenchmarkLimit(b *testing.B) {
	const callers = 10_000
	p := caller("alice", "gold", "s", 0)
	base := auth.NewGuard(auth.Bearer(known{"a": p}), &auth.GuardOptions{InsecureHTTP: true})
	telling := auth.NewGuard(auth.Bearer(known{"a": p}), &auth.GuardOptions{InsecureHTTP: true, RateLimitFields: true})
	tiers := must(auth.NewTierRates(map[string]auth.Rate{"gold": {Limit: 1 << 40, Per: 366 * 24 * time.Hour}}))
	newLimiter := func() *auth.MemoryLimiter {
		l := auth.NewLimiter(1<<40, 366*24*time.Hour)
		for i := range callers {
			_, _ = l.Allow(context.Background(), fmt.Sprint("address:192.0.2.", i), 1)
		}
		return l
	}
	handler := func(http.ResponseWriter, *http.Request, *auth.Principal) {}
	for _, c := range []struct {
		name  string
		guard *auth.Guard
	}{
		{"none", base},
		{"address", base.Limit(newLimiter(), auth.ByAddress())},
		{"identity", base.Limit(newLimiter(), auth.ByIdentity())},
		{"tier rates", base.Limit(newLimiter(), auth.ByIdentity().WithRates(tiers.Of))},
		{"both", base.Limit(newLimiter(), auth.ByAddress()).Limit(newLimiter(), auth.ByIdentity())},
		{"both, telling", telling.Limit(newLimiter(), auth.ByAddress()).Limit(newLimiter(), auth.ByIdentity())},
	} {
		r := asking("a", "192.0.2.1:4242")
		run := func(name string, h http.Handler) {
			b.Run(c.name+name, func(b *testing.B) {
				b.ReportAllocs()
				w := nowhere{http.Header{}}
				for b.Loop() {
					clear(w.header)
					h.ServeHTTP(w, r)
				}
			})
		}
		run("/handle", c.guard.Handle(handler))
		run("/wrap", c.guard.WrapFunc(func(http.ResponseWriter, *http.Request) {}))
	}
	b.Run("limiter", func(b *testing.B) {
		l, ctx := newLimiter(), context.Background()
		for b.Loop() {
			_, _ = l.Allow(ctx, "address:192.0.2.1", 1)
		}
	})
}
