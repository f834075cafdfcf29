//go:build !race

package auth_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// Limits cost a request nothing that a collector sees: a guarded one has the two
// allocations that it has without, and as long as fields are not asked for there
// are none.
func TestLimitAllocations(t *testing.T) {
	owner := caller("4f6c1b52-3a55-4f0e-9d0e-d1b6f0a3c9d4", "gold", "s", 0)
	owner.Issuer, owner.Tenant = "https://issuer.example", "tenant"
	quota := caller("bob", "gold", "s", 0)
	quota.Rate = auth.Rate{Limit: 1e6, Per: time.Second}
	tiers := must(auth.NewTierRates(map[string]auth.Rate{"gold": {Limit: 1e6, Per: time.Second}}))
	l := auth.NewLimiter(1e6, time.Second)
	guard := anywhere(known{"owner": owner, "quota": quota}).
		Limit(l, auth.ByAddress()).
		Limit(l, auth.ByIdentity().WithRates(tiers.Of)).
		Limit(l, auth.ByCredential()).
		Limit(l, auth.ByTier().WithCost(2)).
		Limit(l, auth.ByRoute())
	var p *auth.Principal
	wrapped := guard.WrapFunc(func(_ http.ResponseWriter, r *http.Request) { p, _ = auth.FromContext(r.Context()) })
	typed := guard.Handle(func(_ http.ResponseWriter, _ *http.Request, principal *auth.Principal) { p = principal })
	for _, c := range []struct{ token, address string }{
		{"owner", "192.0.2.1:4242"}, {"owner", "[2001:db8::1]:4242"}, {"quota", "[::ffff:192.0.2.1]:4242"},
	} {
		r, w := asking(c.token, c.address), nowhere{http.Header{}}
		for name, v := range map[string]struct {
			most float64
			run  func()
		}{
			"Wrap":   {2, func() { wrapped.ServeHTTP(w, r) }},
			"Handle": {0, func() { typed.ServeHTTP(w, r) }},
			"Check":  {0, func() { p, _ = guard.Check(r) }},
		} {
			p = nil
			require.LessOrEqual(t, testing.AllocsPerRun(500, v.run), v.most, "%s %s", name, c.address)
			require.NotNil(t, p)
		}
		require.Empty(t, w.header["Ratelimit"])
	}
	nested := guard.Wrap(guard.Wrap(wrapped))
	r, w := asking("owner", here), nowhere{http.Header{}}
	require.LessOrEqual(t, testing.AllocsPerRun(500, func() { nested.ServeHTTP(w, r) }), 2.0, "inner guards that add nothing")
}
