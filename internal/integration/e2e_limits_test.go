//go:build linux

package integration_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

// TestLimitsAreShared has two servers count together, where the store can.
func TestLimitsAreShared(t *testing.T) {
	const most, sent = 20, 100
	for _, s := range stores {
		if s.limiter == nil {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s, s.open(t))
			c := w.openSession(w.a)
			limiters := s.limiter(t)
			rate := auth.Rate{Limit: most, Per: 24 * time.Hour}
			for _, server := range []*server{w.a, w.b} {
				limited := auth.NewGuard(auth.Bearer(server.sessions), nil).Limit(limiters(t, rate), auth.ByIdentity())
				server.mux.Handle("GET /limited", limited.WrapFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(http.StatusNoContent)
				}))
			}
			answers := w.atOnce(sent, func(s *server) (answer, error) { return s.ask("GET", "/limited", c, nil) })
			require.Equal(t, map[int]int{http.StatusNoContent: most, http.StatusTooManyRequests: sent - most}, count(answers))
		})
	}
}

// TestGuessesAreCountedTogether has somebody guess at a password on two servers.
func TestGuessesAreCountedTogether(t *testing.T) {
	const most, sent = 30, 60
	for _, s := range stores {
		if s.limiter == nil {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s, s.open(t))
			limiters := s.limiter(t)
			for _, server := range []*server{w.a, w.b} {
				users := must(password.NewUsers(usersOf(server.store), &password.Options{
					Hasher:   hasher(),
					Throttle: &password.Throttle{Address: limiters(t, auth.Rate{Limit: most, Per: 24 * time.Hour})},
				}))
				server.mux.Handle("POST /guess", auth.NewGuard(users.JSON("login", "password"), nil).Exchange(server.sessions))
			}
			wrong := map[string]string{"login": w.login, "password": "not this one"}
			answers := w.atOnce(sent, func(s *server) (answer, error) { return s.ask("POST", "/guess", credential{}, wrong) })
			require.Equal(t, map[int]int{http.StatusUnauthorized: most, http.StatusTooManyRequests: sent - most}, count(answers))
			for _, s := range []*server{w.a, w.b} {
				s.do(http.StatusTooManyRequests, "POST", "/guess", credential{}, w.passwordLogin())
			}
		})
	}
}
