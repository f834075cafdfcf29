package main

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/examples/internal/demotest"
)

// requireTooMany requires the one answer to what is too much, with a time to
// come back that is at most that of the limit's interval, rounded up.
func requireTooMany(t *testing.T, a demotest.Answer, seconds int) {
	t.Helper()
	a.Require(t, http.StatusTooManyRequests,
		`{"success":false,"error":"rate_limit_exceeded","message":"Too many requests. Try again later."}`)
	after, err := strconv.Atoi(a.Header.Get("Retry-After"))
	require.NoError(t, err, "Retry-After in whole seconds")
	require.GreaterOrEqual(t, after, 1)
	require.LessOrEqual(t, after, seconds)
}

func TestTiers(t *testing.T) {
	for name, c := range map[string]struct {
		key, tier string
		calls     int // a minute
	}{
		"basic":   {"basic_api_key", "basic", 10},
		"premium": {"api_key", "premium", 100},
	} {
		t.Run(name, func(t *testing.T) {
			p := demotest.Start(t)
			key := p.Values[c.key]
			fields := []string{bearer(login(t, p, key, c.tier).Token), bearer(login(t, p, key, c.tier).Token)}
			calls := 0
			for {
				a := p.Do(t, "POST", transact, query, fields[calls%2])
				if a.Status == http.StatusTooManyRequests {
					requireTooMany(t, a, 60/c.calls+1)
					break
				}
				require.Equal(t, http.StatusOK, a.Status, a.Body)
				calls++
				require.LessOrEqual(t, calls, c.calls+c.calls/2, "both sessions count together")
			}
			require.GreaterOrEqual(t, calls, c.calls)

			// What is refused for other reasons than too many calls is told as ever,
			// and the user may ask about the session and open others.
			p.Do(t, "GET", status, "", fields[0]).Require(t, http.StatusOK, `{"authenticated":true,…}`)
			login(t, p, key, c.tier)
			p.Do(t, "POST", transact, query).Require(t, http.StatusUnauthorized, `{…"error":"missing_authorization"…}`)
		})
	}
}

// One user's calls are not another's.
func TestLimitsAreEachUsersOwn(t *testing.T) {
	p := demotest.Start(t)
	basic := bearer(login(t, p, p.Values["basic_api_key"], "basic").Token)
	premium := bearer(login(t, p, p.Values["api_key"], "premium").Token)
	last := 0
	for range 20 {
		last = p.Do(t, "POST", transact, query, basic).Status
	}
	require.Equal(t, http.StatusTooManyRequests, last)
	require.Equal(t, http.StatusOK, p.Do(t, "POST", transact, query, premium).Status)
}

// Guesses are stopped, those of an office that mistypes are not, and who has a
// session is not disturbed.
func TestThrottle(t *testing.T) {
	p := demotest.Start(t)
	s := login(t, p, p.Values["api_key"], "premium")
	guess := func(i int) demotest.Answer {
		return p.Do(t, "POST", authenticate, fmt.Sprintf(`{"api_key":"qc_%d"}`, i),
			fmt.Sprintf("X-Forwarded-For: 192.0.2.%d", i), fmt.Sprintf("Forwarded: for=192.0.2.%d", i))
	}
	for i := range 30 {
		guess(i).Require(t, http.StatusUnauthorized, `{"success":false,"error":"invalid_api_key","message":"…"}`)
		login(t, p, p.Values["basic_api_key"], "basic")                   // successes do not count
		require.Equal(t, 400, p.Do(t, "POST", authenticate, `{}`).Status) // nor does what is no guess
	}
	refused := 0
	for i := 30; refused == 0; i++ {
		// As many again come back within the minute: the hundredth is too many.
		require.Less(t, i, 50)
		if a := guess(i); a.Status != http.StatusUnauthorized {
			requireTooMany(t, a, 2)
			refused = i
		}
	}
	p.Do(t, "GET", status, "", bearer(s.Token)).Require(t, http.StatusOK, `{"authenticated":true,…}`)
	p.Do(t, "POST", transact, query, bearer(s.Token)).Require(t, http.StatusOK, `{…"success":true…}`)

	// Bad sessions are not throttled: they are not worth guessing.
	for range 50 {
		require.Equal(t, http.StatusUnauthorized, p.Do(t, "GET", status, "", bearer("x")).Status)
	}
	p.Do(t, "GET", status, "", bearer(s.Token)).Require(t, http.StatusOK, `{"authenticated":true,…}`)
}
