//go:build !race

package auth_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// Contract 6: two allocations for a request with the principal in its context,
// the copy of the Request and the node, whatever is presented, the observer
// on. The race detector drops pooled buffers at random, so this runs without.
func TestGuardAllocations(t *testing.T) {
	h := newHouse(t)
	var seen auth.Event
	o := &auth.GuardOptions{Observe: func(_ context.Context, e auth.Event) { seen = e }}
	verifiers := []auth.Verifier{h.tokens, h.sessions, h.keys}
	everything := auth.NewGuard(auth.First(auth.Bearer(verifiers...), auth.Header("X-API-Key", h.keys),
		auth.Cookie("__Host-s", h.sessions, nil)), o)
	for _, c := range []struct {
		name  string
		guard *auth.Guard
		bring []string
	}{
		{"fake", auth.NewGuard(auth.Bearer(known{"good": alice("read")}), o), []string{"Authorization", "Bearer good"}},
		{"cached JWT", everything, []string{"Authorization", "Bearer " + open(t, h.tokens, "read")}},
		{"session", everything, []string{"Authorization", "Bearer " + open(t, h.sessions, "read")}},
		{"API key", everything, []string{"X-API-Key", h.key(t, "read")}},
		{"cookie", everything, []string{"Cookie", "a=b; __Host-s=" + open(t, h.sessions, "read")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, w := from("GET", "/", c.bring...), nowhere{http.Header{}}
			guard := c.guard.With(auth.Scope("read"), auth.AnyScope("read", "write"), auth.Fresh(1<<40))
			var p *auth.Principal
			wrapped := guard.WrapFunc(func(_ http.ResponseWriter, r *http.Request) { p, _ = auth.FromContext(r.Context()) })
			typed := guard.Handle(func(_ http.ResponseWriter, _ *http.Request, principal *auth.Principal) { p = principal })
			nested := c.guard.Wrap(wrapped)
			for name, v := range map[string]struct {
				most float64
				run  func()
			}{
				"Wrap":         {2, func() { wrapped.ServeHTTP(w, r) }},
				"Wrap in Wrap": {4, func() { nested.ServeHTTP(w, r) }},
				"Handle":       {0, func() { typed.ServeHTTP(w, r) }},
				"Check":        {0, func() { p, _ = guard.Check(r) }},
			} {
				p = nil
				require.LessOrEqual(t, testing.AllocsPerRun(500, v.run), v.most, name)
				require.Equal(t, "alice", p.Subject)
				require.Equal(t, auth.Admitted, seen.Outcome)
			}
		})
	}
}
