package auth_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// remote is a limiter elsewhere, which may be down.
type remote struct {
	*auth.MemoryLimiter
	down error
}

func (r *remote) Allow(ctx context.Context, key string, cost int) (auth.Quota, error) {
	if r.down != nil {
		return auth.Quota{}, r.down
	}
	return r.MemoryLimiter.Allow(ctx, key, cost)
}

func (r *remote) AllowRate(ctx context.Context, key string, cost int, rate auth.Rate) (auth.Quota, error) {
	if r.down != nil {
		return auth.Quota{}, r.down
	}
	return r.MemoryLimiter.AllowRate(ctx, key, cost, rate)
}

// plain is a limiter that knows one rate, and does not tell it.
type plain struct{ auth.Limiter }

// reports notes what it is told.
type reports []error

func (r *reports) add(_ context.Context, err error) { *r = append(*r, err) }

// The three, each over a limiter that is up until the test says otherwise.
func fallbacks(r *remote, told *reports) map[string]auth.Limiter {
	return map[string]auth.Limiter{
		"closed": auth.FailClosed(r, told.add),
		"open":   auth.FailOpen(r, told.add),
		"share":  auth.LocalShare(r, 3, told.add),
	}
}

func TestFallbacksLeaveAnswersAlone(t *testing.T) {
	authtest.At(t, epoch, func(t *testing.T) {
		for name, at := range map[string]auth.Rate{"own": {Limit: 2, Per: time.Minute, Burst: 2}, "other": {Limit: 5, Per: time.Hour}} {
			var told reports
			for kind, l := range fallbacks(&remote{MemoryLimiter: auth.NewLimiter(2, time.Minute)}, &told) {
				bare := auth.NewLimiter(2, time.Minute)
				for _, cost := range []int{0, 1, 1, 1, -1, 1, 3, math.MinInt, 0} {
					key := name + kind
					got, err := l.(auth.VariableLimiter).AllowRate(t.Context(), key, cost, at)
					require.NoError(t, err)
					want, _ := bare.AllowRate(t.Context(), key, cost, at)
					require.Equal(t, want, got)

					want, _ = bare.Allow(t.Context(), "by "+key, cost)
					require.Equal(t, want, charge(t, l, "by "+key, cost))
				}
			}
			require.Empty(t, told)
		}
	})
}

// Every call is reported while the limiter is down; and it counts again with the
// first that it answers.
func TestFallbacksReportOutagesAndEndWithThem(t *testing.T) {
	authtest.At(t, epoch, func(t *testing.T) {
		for name, admits := range map[string]int{"closed": 0, "open": 10, "share": 2} {
			var told reports
			r := &remote{MemoryLimiter: auth.NewLimiter(6, time.Minute)}
			l := fallbacks(r, &told)[name]
			require.Equal(t, 1, charge(t, l, "k", 5).Remaining)

			r.down = errOutage
			passed := 0
			for range 10 {
				q, err := l.Allow(t.Context(), "k", 1)
				if name == "closed" {
					require.ErrorIs(t, err, errOutage)
					require.Zero(t, q)
					continue
				}
				require.NoError(t, err)
				if q.Allowed {
					passed++
				}
			}
			require.Equal(t, admits, passed, name)
			require.Len(t, told, 10)
			require.ErrorIs(t, told[9], errOutage)

			r.down = nil
			require.Equal(t, 0, charge(t, l, "k", 1).Remaining, name)
			require.False(t, charge(t, l, "k", 1).Allowed)
			require.Len(t, told, 10)
		}
	})
}

// Limits that need a VariableLimiter can be told whether they have one.
func TestFallbacksAreRateLimitersWhereTheirsIs(t *testing.T) {
	var told reports
	own := auth.NewLimiter(4, time.Minute)
	for _, wrap := range []func(auth.Limiter, func(context.Context, error)) auth.Limiter{auth.FailClosed, auth.FailOpen} {
		_, ok := wrap(plain{own}, told.add).(auth.VariableLimiter)
		require.False(t, ok)
		l, ok := wrap(own, told.add).(auth.VariableLimiter)
		require.True(t, ok)
		require.Equal(t, own.Rate(), l.Rate())
	}
	require.Equal(t, own.Rate(), auth.LocalShare(own, 2, told.add).Rate())
	byTier := auth.ByTier().WithRates(func(*auth.Principal) auth.Rate { return auth.Rate{} })
	require.NotPanics(t, func() { authtest.Guard(alice()).Limit(auth.FailOpen(own, told.add), byTier) })
	require.Panics(t, func() { authtest.Guard(alice()).Limit(auth.FailOpen(plain{own}, told.add), byTier) })
}

// Nothing is charged, so what is told is a whole burst, and that there is nothing
// to give back.
func TestFailOpenTellsTheWholeBurst(t *testing.T) {
	var told reports
	r := &remote{auth.NewLimiter(4, time.Minute, auth.Burst(9)), errOutage}
	l := auth.FailOpen(r, told.add).(auth.VariableLimiter)
	other := auth.Rate{Limit: 5, Per: time.Hour}
	for _, cost := range []int{1, 0, -1, 100} {
		require.Equal(t, auth.Quota{Allowed: true, Rate: r.Rate(), Remaining: 9}, charge(t, l, "k", cost))
		q, err := l.AllowRate(t.Context(), "k", cost, other)
		require.NoError(t, err)
		require.Equal(t, auth.Quota{Allowed: true, Rate: other, Remaining: 5}, q)
		require.Equal(t, auth.Quota{Allowed: true}, charge(t, auth.FailOpen(plain{r}, told.add), "k", cost))
	}
	r.down = nil
	require.Equal(t, 9, charge(t, l, "k", 0).Remaining)
}

// Together the nodes admit what the limiter does: the burst at once, where it
// can be divided, and then its rate.
func TestLocalShareIsTheNthPart(t *testing.T) {
	for _, c := range []struct {
		rate  auth.Rate
		nodes int
		burst int // of each node
		every time.Duration
	}{
		{auth.Rate{Limit: 60, Per: time.Minute}, 1, 60, time.Second},
		{auth.Rate{Limit: 60, Per: time.Minute}, 3, 20, 3 * time.Second},
		{auth.Rate{Limit: 60, Per: time.Minute, Burst: 7}, 3, 2, 3 * time.Second},
		{auth.Rate{Limit: 1, Per: time.Minute}, 10, 1, 10 * time.Minute},
		{auth.Rate{Limit: 1, Per: 366 * 24 * time.Hour}, 1_000_000, 1, 366*24*time.Hour - 366*24*time.Hour%1_000_000},
	} {
		authtest.At(t, epoch, func(t *testing.T) {
			var told reports
			own := &remote{auth.NewLimiter(c.rate.Limit, c.rate.Per, auth.Burst(1)), errOutage}
			l := auth.LocalShare(own, c.nodes, told.add)
			for i := range c.burst {
				q, err := l.AllowRate(t.Context(), "k", 1, c.rate)
				require.NoError(t, err)
				require.True(t, q.Allowed, i)
			}
			for range 3 {
				q, err := l.AllowRate(t.Context(), "k", 1, c.rate)
				require.NoError(t, err)
				require.False(t, q.Allowed)
				require.Equal(t, c.every, q.RetryAfter)
				authtest.Advance(c.every)
				q, _ = l.AllowRate(t.Context(), "k", 1, c.rate)
				require.True(t, q.Allowed)
			}
			// The limiter's own rate has a share too.
			authtest.Advance(c.every * time.Duration(c.burst))
			require.True(t, charge(t, l, "own", 1).Allowed)
			require.Equal(t, c.every, charge(t, l, "own", 0).Reset)
		})
	}
}

// Every rate that is valid has a share that is.
func TestEveryRateHasAShare(t *testing.T) {
	for range 20_000 {
		r := auth.Rate{Limit: int(rand.Uint64() >> (1 + rand.IntN(62))), Per: time.Duration(rand.Uint64() >> (1 + rand.IntN(62)))}
		if rand.IntN(2) == 0 {
			r.Burst = int(rand.Uint64() >> (1 + rand.IntN(62)))
		}
		if r.Validate() != nil {
			continue
		}
		nodes := 1 + rand.IntN(1<<rand.IntN(19))
		l := auth.LocalShare(&remote{auth.NewLimiter(1, time.Second), errOutage}, nodes, func(context.Context, error) {})
		q, err := l.AllowRate(t.Context(), "k", 1, r)
		require.NoError(t, err, "%v, %d nodes", r, nodes)
		require.True(t, q.Allowed)
	}
}

// What is given back while the limiter is down pays for what was charged
// meanwhile, and for nothing else.
func TestLocalShareIsGivenBackWhatItCharged(t *testing.T) {
	authtest.At(t, epoch, func(t *testing.T) {
		var told reports
		r := &remote{MemoryLimiter: auth.NewLimiter(6, time.Minute)}
		l := auth.LocalShare(r, 3, told.add)
		charge(t, l, "k", 6)
		r.down = errOutage
		for _, back := range []int{-6, math.MinInt} {
			charge(t, l, "k", back)
			require.Equal(t, 2, charge(t, l, "k", 0).Remaining)
			require.False(t, charge(t, l, "k", 3).Allowed)
		}
		require.True(t, charge(t, l, "k", 2).Allowed)
		require.False(t, charge(t, l, "k", 1).Allowed)
		charge(t, l, "k", -1)
		require.True(t, charge(t, l, "k", 1).Allowed)
		require.False(t, charge(t, l, "k", 1).Allowed)
		r.down = nil
		require.False(t, charge(t, l, "k", 1).Allowed)
	})
}

// Hanging up is no way past a limit, and no outage; a limiter that takes all the
// time there is, is down, but the request is over.
func TestFallbacksAdmitNoRequestThatIsOver(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	for _, c := range []struct {
		ctx     context.Context
		reports int
	}{{cancelled, 0}, {late, 2}} {
		var told reports
		for name, l := range fallbacks(&remote{auth.NewLimiter(6, time.Minute), c.ctx.Err()}, &told) {
			told = nil
			q, err := l.Allow(c.ctx, "k", 1)
			require.ErrorIs(t, err, c.ctx.Err(), name)
			require.Zero(t, q)
			q, err = l.(auth.VariableLimiter).AllowRate(c.ctx, "k", 1, auth.Rate{Limit: 1, Per: time.Hour})
			require.ErrorIs(t, err, c.ctx.Err(), name)
			require.Zero(t, q)
			require.Len(t, told, c.reports, name)
		}
	}

	// The limiter's own deadline is an outage.
	var told reports
	l := auth.FailOpen(&remote{auth.NewLimiter(6, time.Minute), context.DeadlineExceeded}, told.add)
	require.True(t, charge(t, l, "k", 1).Allowed)
	require.Len(t, told, 1)
}

func TestFallbacksRefuseRatesThatAreNotValid(t *testing.T) {
	for _, down := range []error{nil, errOutage} {
		var told reports
		for name, l := range fallbacks(&remote{auth.NewLimiter(6, time.Minute), down}, &told) {
			_, err := l.(auth.VariableLimiter).AllowRate(t.Context(), "k", 1, auth.Rate{Limit: 1})
			require.ErrorContains(t, err, "period", name)
		}
		require.Empty(t, told)
	}
}

func TestFallbacksPanicOnMistakes(t *testing.T) {
	l, report := auth.NewLimiter(1, time.Second), func(context.Context, error) {}
	var none *auth.MemoryLimiter
	for want, f := range map[string]func(){
		"FailClosed: nil limiter":   func() { auth.FailClosed(nil, report) },
		"FailOpen: nil limiter":     func() { auth.FailOpen(none, report) },
		"LocalShare: nil limiter":   func() { auth.LocalShare(nil, 2, report) },
		"FailClosed: nil report":    func() { auth.FailClosed(l, nil) },
		"FailOpen: nil report":      func() { auth.FailOpen(l, nil) },
		"LocalShare: nil report":    func() { auth.LocalShare(l, 2, nil) },
		"LocalShare: 0 nodes":       func() { auth.LocalShare(l, 0, report) },
		"LocalShare: -1 nodes":      func() { auth.LocalShare(l, -1, report) },
		"LocalShare: 1000001 nodes": func() { auth.LocalShare(l, 1_000_001, report) },
	} {
		func() {
			defer func() { require.Contains(t, recover(), want) }()
			f()
		}()
	}
}

// What guards do with each: 503 by themselves and with FailClosed, and the
// handler's answer with the others.
func TestGuardsInAnOutageOfALimiter(t *testing.T) {
	var told reports
	r := &remote{auth.NewLimiter(6, time.Minute), errOutage}
	all := fallbacks(r, &told)
	all["bare"] = r
	for name, status := range map[string]int{"bare": 503, "closed": 503, "open": 200, "share": 200} {
		limited := authtest.Guard(alice()).Limit(all[name], auth.ByIdentity())
		w := serve(limited.WrapFunc(hello), from("GET", "/"))
		require.Equal(t, status, w.Code, name)
		require.Equal(t, status == 503, w.Header().Get("Retry-After") != "", name)
	}
	require.Len(t, told, 3)
	for _, err := range told {
		require.ErrorIs(t, err, errOutage)
	}
}
