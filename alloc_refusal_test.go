//go:build !race

package auth_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// Who is refused costs no allocation beyond that of finding out, and who is counted
// no more than the fields that are asked for: the value of one, with its slice. The
// verifier of the forged token takes none here.
func TestRefusalAllocations(t *testing.T) {
	callers := known{"good": alice("read")}
	base := auth.NewGuard(auth.First(auth.Bearer(callers), auth.Header("X-API-Key", callers)), &auth.GuardOptions{InsecureHTTP: true})
	telling := auth.NewGuard(auth.Bearer(callers), &auth.GuardOptions{InsecureHTTP: true, RateLimitFields: true})
	spent, free := auth.NewLimiter(1, time.Minute), auth.NewLimiter(1<<40, 366*24*time.Hour)
	_, _ = spent.Allow(t.Context(), "address:127.0.0.1", 1)
	elsewhere := base.From(must(auth.ParseNetworks("192.0.2.0/24")))
	for _, c := range []struct {
		name   string
		guard  *auth.Guard
		token  string
		status int
		most   float64
	}{
		{"forged", base, "forged", 401, 1},
		{"no credential", base, "", 401, 1},
		{"from elsewhere", elsewhere, "good", 403, 1},
		{"a policy", base.With(auth.Tier("gold")), "good", 403, 1},
		{"too often", base.Limit(spent, auth.ByAddress()), "good", 429, 4},
		{"counted", base.Optional().Limit(free, auth.ByAddress()), "", 0, 2},
		{"counted, telling", telling.Optional().Limit(free, auth.ByAddress()), "", 0, 4},
	} {
		h := c.guard.WrapFunc(func(http.ResponseWriter, *http.Request) {})
		r, w := asking(c.token, here), &statused{nowhere: nowhere{http.Header{}}}
		require.LessOrEqual(t, testing.AllocsPerRun(500, func() { h.ServeHTTP(w, r) }), c.most, c.name)
		require.Equal(t, c.status, w.status, c.name)
	}
}

// statused is nowhere, but for the status.
type statused struct {
	nowhere
	status int
}

func (s *statused) WriteHeader(status int) { s.status = status }
