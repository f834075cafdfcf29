package cases

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/bench/internal/peers"
)

func TestLogins(t *testing.T) {
	logins := map[string]makeLogin{"auth": oursLogin}
	for _, p := range peers.Passwords[:2] {
		logins[p.Name] = handWritten(p)
	}
	for name, login := range logins {
		t.Run(name, func(t *testing.T) {
			c, err := newCrowd(login, 4)
			require.NoError(t, err)
			defer c.loopback.Close()
			for body, want := range map[string]int{
				c.bodies[3]: http.StatusOK,
				strings.Replace(c.bodies[3], "staple", "stable", 1): http.StatusUnauthorized,
				strings.Replace(c.bodies[3], "user-3", "user-9", 1): http.StatusUnauthorized,
			} {
				require.Equal(t, want, c.logIn(context.Background(), body), body)
			}
			require.Equal(t, 4, c.all(context.Background(), once))
			require.Zero(t, c.failures.Load())
		})
	}
}

func TestCrowdIsMeasured(t *testing.T) {
	c, err := newCrowd(oursLogin, 2)
	require.NoError(t, err)
	defer c.loopback.Close()
	for name, measured := range map[string]func(*crowd) (float64, error){"rate": (*crowd).rate, "memory": (*crowd).memory, "tail": (*crowd).tail} {
		value, err := measured(c)
		require.NoError(t, err, name)
		require.Positive(t, value, name)
	}
	c.bodies[0] = `{"login":"nobody@example.com","password":"a wrong one, at that"}`
	c.all(context.Background(), once)
	require.EqualValues(t, 1, c.failures.Load(), "what fails is not timed")
	require.EqualValues(t, http.StatusUnauthorized, c.failure.Load())
}
