package auth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// throttled returns a guard over an authenticator, from any address.
func throttled(a auth.Authenticator, l auth.Limiter) *auth.Guard {
	return auth.NewGuard(a, &auth.GuardOptions{Throttle: l, InsecureHTTP: true})
}

// What a throttle counts: credentials that are refused, and nothing else.
func TestThrottleCountsGuesses(t *testing.T) {
	for text, counts := range map[string]bool{
		"invalid": true, "expired": true, "revoked": true, "disabled": true, "reused": true, "unknown": true,
		"good": false, "": false, "down": false, "cancelled": false, "malformed": false, "elsewhere": false, "nobody": false,
	} {
		t.Run(text, func(t *testing.T) {
			verifier := known{
				"good": alice(), "best": alice(), "invalid": auth.ErrInvalid, "expired": auth.ErrExpired, "revoked": auth.ErrRevoked,
				"disabled": auth.ErrDisabled, "reused": &auth.Failure{Reason: auth.ErrReused}, "down": errOutage,
				"cancelled": context.Canceled, "malformed": auth.ErrMalformed, "elsewhere": auth.ErrAddress, "nobody": &auth.Principal{},
			}
			h := throttled(auth.Bearer(verifier), auth.NewLimiter(3, time.Hour)).WrapFunc(hello)
			for range 3 {
				require.NotEqual(t, 429, serve(h, asking(text, here)).Code)
			}
			w := serve(h, asking("best", here))
			require.Equal(t, map[bool]int{true: 429, false: 200}[counts], w.Code)
			if counts {
				require.Equal(t, "1200", w.Header().Get("Retry-After"))
				require.Contains(t, w.Body.String(), `"violated-policies":["failures"]`)
				limits, _ := fieldsOf(t, w)
				require.Equal(t, "failures", limits[0].name)
				require.Equal(t, 200, serve(h, asking("best", "127.0.0.2:1")).Code, "others go on")
			}
		})
	}
}

// What follows the credential is no guess: policies, limits, networks, issuers.
func TestThrottleDoesNotCountWhatComesAfter(t *testing.T) {
	l := auth.NewLimiter(1, time.Hour)
	banned := alice()
	banned.Networks = must(auth.NewNetworks())
	g := throttled(auth.Bearer(known{"good": alice(), "banned": banned}), l)
	stale := g.With(func(*http.Request, *auth.Principal) error { return auth.ErrStale })
	failing := issuer(func(*auth.Principal, *auth.IssueOptions) (*auth.Grant, error) { return nil, auth.ErrRevoked })
	for range 5 {
		require.Equal(t, 403, serve(g.With(auth.Tier("gold")).WrapFunc(hello), asking("good", here)).Code)
		require.Equal(t, 401, serve(stale.WrapFunc(hello), asking("good", here)).Code)
		require.Equal(t, 403, serve(g.WrapFunc(hello), asking("banned", here)).Code)
		require.Equal(t, 429, serve(g.Limit(&spy{}, auth.ByIdentity()).WrapFunc(hello), asking("good", here)).Code)
		require.Equal(t, 401, serve(g.Exchange(failing), from("POST", "/", "Authorization", "Bearer good")).Code)
		require.Equal(t, 200, serve(g.Wrap(g.WrapFunc(hello)), asking("good", here)).Code, "one look for both")
	}
	require.Equal(t, 401, serve(g.WrapFunc(hello), asking("wrong", here)).Code)
	require.Equal(t, 429, serve(g.WrapFunc(hello), asking("good", here)).Code)
}

// Row 26: guesses end long before the hundredth, by all entries together, while
// open sessions go on; an address is one whatever credential it shows, and IPv6
// one by /64.
func TestThrottleStopsGuesses(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		sessions := newLedger()
		keys := auth.JSONField("api_key", kinded{known{"right": alice()}, auth.KindAPIKey})
		login := throttled(keys, auth.NewLimiter(30, time.Minute))
		exchange := login.Exchange(sessions)
		attempt := func(key, address string) int {
			r := sending("POST", "/", `{"api_key":"`+key+`"}`, "Content-Type", "application/json")
			r.RemoteAddr = address
			return serve(exchange, r).Code
		}
		for range 50 {
			require.Equal(t, 200, attempt("right", "192.0.2.1:1"), "successes are free")
		}
		for _, c := range []struct{ first, second, other string }{
			{"192.0.2.1:1", "[::ffff:192.0.2.1]:9", "192.0.2.2:1"},
			{"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8:0:1::1]:1"},
			{"@", "", "192.0.2.3:1"},
		} {
			for range 30 {
				require.Equal(t, 401, attempt("wrong", c.first))
			}
			require.Equal(t, 429, attempt("wrong", c.first))
			require.Equal(t, 429, attempt("right", c.second), "nothing is told, good or not")
			require.Equal(t, 200, attempt("right", c.other))
		}
		open := auth.NewGuard(auth.Bearer(sessions), &auth.GuardOptions{InsecureHTTP: true})
		require.Equal(t, 200, serve(open.WrapFunc(hello), asking("token-1", "192.0.2.1:1")).Code)

		authtest.Advance(2 * time.Second)
		require.Equal(t, 200, attempt("right", "192.0.2.1:1"), "nobody is kept out for ever")
		require.Equal(t, 401, attempt("wrong", "192.0.2.1:1"))
		require.Equal(t, 429, attempt("right", "192.0.2.1:1"))
	})
}

// Of any number of guesses at once no more are looked at than the throttle
// admits; when they turn out well, the next may come.
func TestThrottleReservesBeforeTheWork(t *testing.T) {
	const n = 20
	synctest.Test(t, func(t *testing.T) {
		var working atomic.Int64
		answer := make(chan error)
		slow := authenticator(func(*http.Request) (*auth.Principal, error) {
			working.Add(1)
			return alice(), <-answer
		})
		h := throttled(slow, auth.NewLimiter(n, time.Hour)).WrapFunc(hello)
		codes := make(chan int, 10*n)
		guess := func() {
			for range 6 * n {
				go func() { codes <- serve(h, asking("guess", here)).Code }()
			}
			synctest.Wait()
		}
		guess()
		require.EqualValues(t, n, working.Load())
		for range 5 * n {
			require.Equal(t, 429, <-codes)
		}
		for range n {
			answer <- nil
			require.Equal(t, 200, <-codes)
		}
		working.Store(0)
		guess()
		require.EqualValues(t, n, working.Load())
		for range n {
			answer <- auth.ErrInvalid
		}
		for range 6 * n {
			require.NotEqual(t, 200, <-codes)
		}
		require.Equal(t, 429, serve(h, asking("guess", here)).Code)
	})
}

// The same over connections: no more than the limit are ever looked at.
func TestThrottleIsExactUnderConcurrency(t *testing.T) {
	const n = 20
	var looked atomic.Int64
	wrong := authenticator(func(*http.Request) (*auth.Principal, error) {
		looked.Add(1)
		return nil, auth.ErrInvalid
	})
	server := httptest.NewServer(throttled(wrong, auth.NewLimiter(n, time.Hour)).WrapFunc(hello))
	defer server.Close()
	var wg sync.WaitGroup
	for range 6 * n {
		r := to(t, "GET", server.URL)
		wg.Go(func() {
			if answer, err := server.Client().Do(r); err != nil {
				t.Error(err)
			} else {
				_ = answer.Body.Close()
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, n, looked.Load())
}

// An authenticator that panics has not said that the credential is good.
func TestThrottleCountsPanics(t *testing.T) {
	broken := authenticator(func(*http.Request) (*auth.Principal, error) { panic("broken") })
	h := throttled(broken, auth.NewLimiter(1, time.Hour)).WrapFunc(hello)
	require.Panics(t, func() { serve(h, asking("x", here)) })
	require.Equal(t, 429, serve(h, asking("x", here)).Code)
}

// A limiter may serve as throttle and by address: they are two accounts.
func TestThrottleHasAnAccountOfItsOwn(t *testing.T) {
	l := auth.NewLimiter(2, time.Hour)
	h := throttled(auth.Bearer(known{"a": alice()}), l).Limit(l, auth.ByAddress()).WrapFunc(hello)
	require.Equal(t, 401, serve(h, asking("wrong", here)).Code)
	require.Equal(t, 200, serve(h, asking("a", here)).Code)
	w := serve(h, asking("a", here))
	require.Contains(t, w.Body.String(), `["address"]`)
}

// A wait that a limit before it asks for is not cut short by the throttle.
func TestThrottleWaitsForLimitsBeforeIt(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		l := auth.NewLimiter(1, time.Minute)
		h := throttled(auth.Bearer(known{}), auth.NewLimiter(1, time.Second)).Limit(l, auth.ByAddress()).WrapFunc(hello)
		require.Equal(t, 401, serve(h, asking("wrong", here)).Code)
		authtest.Advance(time.Minute)
		require.Equal(t, 401, serve(h, asking("wrong", here)).Code)
	})
	throttle := &spy{}
	h := throttled(auth.Bearer(known{}), throttle).Limit(auth.NewLimiter(1, time.Minute), auth.ByAddress()).WrapFunc(hello)
	w := serve(h, asking("wrong", here))
	require.Equal(t, 429, w.Code)
	require.Equal(t, "60", w.Header().Get("Retry-After"))
}

func TestReserve(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		ctx := t.Context()
		l := auth.NewLimiter(2, time.Minute)
		giveBack := must(auth.Reserve(ctx, l, "logins", "alice"))
		_ = must(auth.Reserve(ctx, l, "logins", "alice"))
		_, err := auth.Reserve(ctx, l, "logins", "alice")
		var f *auth.Failure
		require.ErrorAs(t, err, &f)
		require.Equal(t, auth.ErrRateLimited, f.Reason)
		require.Equal(t, "logins", f.Limit)
		require.Equal(t, 30*time.Second, f.RetryAfter)
		require.Equal(t, auth.Rate{Limit: 2, Per: time.Minute, Burst: 2}, f.Quota.Rate)
		_ = must(auth.Reserve(ctx, l, "logins", "bob"))

		giveBack(ctx)
		_ = must(auth.Reserve(ctx, l, "logins", "alice"))
		_, err = auth.Reserve(ctx, l, "logins", "alice")
		require.ErrorIs(t, err, auth.ErrRateLimited)
	})
}

// Whoever holds requests open until what they reserved has come back by itself
// collects no payments for guesses that they make then.
func TestReserveIsNotPaidTwice(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		ctx := t.Context()
		l := auth.NewLimiter(5, time.Minute)
		var held []func(context.Context)
		for range 5 {
			held = append(held, must(auth.Reserve(ctx, l, "logins", "key")))
		}
		authtest.Advance(time.Minute)
		for range 5 {
			_ = must(auth.Reserve(ctx, l, "logins", "key")) // five that fail
		}
		for _, giveBack := range held {
			giveBack(ctx)
		}
		_, err := auth.Reserve(ctx, l, "logins", "key")
		require.ErrorIs(t, err, auth.ErrRateLimited)
	})
}

// Who hangs up has made no guess, and what they reserved is given back.
func TestReservationsOfWhoHangsUpAreGivenBack(t *testing.T) {
	l := &slowLimiter{MemoryLimiter: auth.NewLimiter(1, time.Hour)}
	a := authenticator(func(r *http.Request) (*auth.Principal, error) { return nil, r.Context().Err() })
	h := throttled(a, l).WrapFunc(hello)
	for range 3 {
		ctx, hangUp := context.WithCancel(t.Context())
		l.then = hangUp
		require.Equal(t, 503, serve(h, asking("a", here).WithContext(ctx)).Code)
		require.Error(t, ctx.Err())
	}
	require.Equal(t, 3, l.givenBack)
}

// A slowLimiter is a distributed one, which heeds contexts. It runs then after
// each charge.
type slowLimiter struct {
	*auth.MemoryLimiter
	then      func()
	givenBack int
	err       error
}

func (l *slowLimiter) Allow(ctx context.Context, key string, cost int) (auth.Quota, error) {
	if err := errors.Join(ctx.Err(), l.err); err != nil {
		return auth.Quota{}, err
	}
	q, err := l.MemoryLimiter.Allow(ctx, key, cost)
	if cost > 0 {
		l.then()
	} else {
		l.givenBack++
	}
	return q, err
}

// That a reservation cannot be given back costs the caller one attempt, and
// nobody the answer.
func TestReservationThatCannotBeGivenBack(t *testing.T) {
	l := &slowLimiter{MemoryLimiter: auth.NewLimiter(1, time.Hour)}
	l.then = func() { l.err = errOutage }
	h := throttled(auth.Bearer(known{"a": alice()}), l).WrapFunc(hello)
	require.Equal(t, 200, serve(h, asking("a", here)).Code)
	l.err = nil
	require.Equal(t, 429, serve(h, asking("a", here)).Code)
}
