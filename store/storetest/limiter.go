package storetest

import (
	"crypto/rand"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/seed-077cad0b/auth"
)

type limiterOpener = func(testing.TB, auth.Rate) auth.Limiter

const (
	charges = "Allow charges cost units to key, all of them or none, and reports how key stands."
	fillsIn = "Implementations fill in every field of Quota; only Rate may be left zero."
)

// hourly is a rate at which a unit comes back each hour, so that none does
// during a test.
func hourly(n int) auth.Rate { return auth.Rate{Limit: n, Per: time.Duration(n) * time.Hour} }

// limiterClaims hold each sentence of auth.Limiter and auth.Quota.
var limiterClaims = []claim[limiterOpener]{
	{"Allow, one by one", charges, func(t *trial, open limiterOpener) {
		a := account{open(t, hourly(5)), limiterKey(), hourly(5)}
		for owed := 1; owed <= 5; owed++ {
			t.allowed(a, 1, owed)
		}
		t.refused(a, 1, 5, time.Hour)
		t.refused(a, 1, 5, time.Hour)
		other := a
		other.key = limiterKey()
		t.allowed(other, 5, 5)
	}},
	{"Allow, all or none", charges, func(t *trial, open limiterOpener) {
		a := account{open(t, hourly(5)), limiterKey(), hourly(5)}
		t.allowed(a, 3, 3)
		t.refused(a, 3, 3, time.Hour)
		t.refused(a, 5, 3, 3*time.Hour)
		t.allowed(a, 2, 5)
		t.refused(a, 2, 5, 2*time.Hour)
	}},
	{"Allow, burst", "Burst is how much may come at once; zero is Limit.", func(t *trial, open limiterOpener) {
		for _, burst := range []int{1, 3, 20} {
			rate := hourly(5)
			rate.Burst = burst
			a := account{open(t, rate), limiterKey(), rate}
			t.allowed(a, burst, burst)
			t.refused(a, 1, burst, time.Hour)
		}
	}},
	{"Allow, cost 0", "A cost of 0 charges nothing and asks whether 1 would be admitted", func(t *trial, open limiterOpener) {
		a := account{open(t, hourly(2)), limiterKey(), hourly(2)}
		for owed := range 2 {
			t.allowed(a, 0, owed)
			t.allowed(a, 0, owed)
			t.allowed(a, 1, owed+1)
		}
		t.refused(a, 0, 2, time.Hour)
	}},
	{"Allow, giving back", "a negative one gives back what was charged", func(t *trial, open limiterOpener) {
		a := account{open(t, hourly(3)), limiterKey(), hourly(3)}
		t.allowed(a, -1, 0) // nothing was: there is no credit
		t.allowed(a, 3, 3)
		t.allowed(a, -1, 2)
		t.allowed(a, 1, 3)
		t.allowed(a, -2, 1)
		t.allowed(a, -10, 0)
		t.allowed(a, 3, 3)
		t.refused(a, 1, 3, time.Hour)
		t.allowed(a, math.MinInt, 0)
		t.allowed(a, 3, 3)
	}},
	{"Allow, above the burst", "A cost above the burst can never be, and has the time of Reset.", func(t *trial, open limiterOpener) {
		a := account{open(t, hourly(3)), limiterKey(), hourly(3)}
		for owed := range 4 {
			for _, cost := range []int{4, 1000, math.MaxInt32, math.MaxInt} {
				t.refused(a, cost, owed, time.Duration(owed)*time.Hour)
			}
			if owed < 3 {
				t.allowed(a, 1, owed+1)
			}
		}
	}},
	{"Allow, keys apart", "Keys name the caller, and are as long and as strange as the names of callers", func(t *trial, open limiterOpener) {
		l := open(t, hourly(1))
		start := limiterKey()
		for _, end := range []string{
			"", "\x00", "\x00\x00", "a", "A", " a", "a ", "\u00e4", "a\u0308", "\xff", "\xfe", "\r\n", "{a}", "}{", ":", "*", "'", "\\",
			strings.Repeat("long", 50_000) + "a", strings.Repeat("long", 50_000) + "b",
		} {
			a := account{l, start + end, hourly(1)}
			t.allowed(a, 1, 1)
			t.refused(a, 1, 1, time.Hour)
		}
	}},
	{"Allow, exact", "exact under it: of any number of calls at once they admit as many as the rate does", func(t *trial, open limiterOpener) {
		const n = 40
		handles := [2]auth.Limiter{open(t, hourly(n)), open(t, hourly(n))}
		key := limiterKey()
		quotas := make([]auth.Quota, 6*n)
		for _, err := range race(len(quotas), func(i int) (err error) {
			quotas[i], err = handles[i%2].Allow(t.ctx, key, 1)
			return err
		}) {
			t.must(err, "Allow")
		}
		admitted, left := 0, map[int]bool{}
		for _, q := range quotas {
			if q.Allowed {
				admitted++
				left[q.Remaining] = true
			}
		}
		equal(t, admitted, n, "admitted of many at once")
		equal(t, len(left), n, "different numbers that were left of those")
	}},
	{"Allow, charged and given back", "Limiters are safe for concurrent use, and exact under it", func(t *trial, open limiterOpener) {
		rate := hourly(200)
		handles := [2]auth.Limiter{open(t, rate), open(t, rate)}
		key := limiterKey()
		t.allowed(account{handles[0], key, rate}, 100, 100)
		for _, err := range race(racers, func(i int) error {
			return second(handles[i%2].Allow(t.ctx, key, 1-2*(i/2%2)))
		}) {
			t.must(err, "Allow")
		}
		t.allowed(account{handles[1], key, rate}, 1, 101)
	}},
}

// variableClaims hold each sentence of auth.VariableLimiter.
var variableClaims = []claim[limiterOpener]{
	{"Rate", "Rate returns the limiter's own rate.", func(t *trial, open limiterOpener) {
		for _, rate := range []auth.Rate{hourly(7), {Limit: 7, Per: time.Hour, Burst: 3}} {
			got := open(t, rate).(auth.VariableLimiter).Rate()
			if got.Burst == 0 || rate.Burst == 0 && got.Burst == got.Limit {
				got.Burst = rate.Burst
			}
			equal(t, got, rate, "Rate")
		}
	}},
	{"AllowRate, its rate", "AllowRate is Allow at a rate, which is valid.", func(t *trial, open limiterOpener) {
		l := open(t, hourly(2)).(auth.VariableLimiter)
		for _, n := range []int{1, 5, 1000} {
			a := account{fixed{l, hourly(n)}, limiterKey(), hourly(n)}
			t.allowed(a, 0, 0)
			t.allowed(a, n, n)
			t.refused(a, 1, n, time.Hour)
			t.allowed(a, -1, n-1)
		}
	}},
	{"AllowRate, one account", "A key has one account, whatever the rates it is charged at", func(t *trial, open limiterOpener) {
		l := open(t, hourly(4)).(auth.VariableLimiter)
		own, more := account{l, limiterKey(), hourly(4)}, hourly(6)
		raised := account{fixed{l, more}, own.key, more}
		t.allowed(own, 3, 3)
		t.allowed(raised, 0, 3)
		t.allowed(raised, 2, 5)
		t.allowed(raised, -2, 3)
		t.allowed(own, 1, 4)
		t.refused(own, 1, 4, time.Hour)
	}},
	{"AllowRate, never more than a burst", "the time until all has come back, which is never more than a burst takes at the rate that is applied", func(t *trial, open limiterOpener) {
		l := open(t, hourly(10)).(auth.VariableLimiter)
		own := account{l, limiterKey(), hourly(10)}
		t.allowed(own, 10, 10)
		t.refused(account{fixed{l, hourly(3)}, own.key, hourly(3)}, 1, 3, time.Hour)
	}},
	{"AllowRate, raised", "So a rate that is raised counts at once, but who had used up the old one has not the new one at once.", func(t *trial, open limiterOpener) {
		l := open(t, hourly(4)).(auth.VariableLimiter)
		own := account{l, limiterKey(), hourly(4)}
		t.allowed(own, 4, 4)
		fast := auth.Rate{Limit: 8, Per: 4 * time.Hour} // the same burst of time, in halves
		q, err := l.AllowRate(t.ctx, own.key, 1, fast)
		t.must(err, "AllowRate")
		equal(t, q.Allowed, false, "allowed at once")
		t.about(q.RetryAfter, 30*time.Minute, "RetryAfter")
	}},
}

// An account is a key of a limiter which admits rate.
type account struct {
	limiter auth.Limiter
	key     string
	rate    auth.Rate
}

// fixed is a limiter at another rate than its own.
type fixed struct {
	auth.VariableLimiter
	rate auth.Rate
}

func limiterKey() string { return "kit " + rand.Text() }

// allowed charges cost, and wants that to be admitted and owed to be owed then.
func (t *trial) allowed(a account, cost, owed int) {
	t.Helper()
	q := t.charge(a, cost)
	equal(t, q.Allowed, true, "allowed")
	equal(t, q.RetryAfter, 0, "RetryAfter")
	t.stands(a, q, owed)
}

// refused charges cost, and wants that to be refused for a time and owed to be
// owed as before.
func (t *trial) refused(a account, cost, owed int, retryAfter time.Duration) {
	t.Helper()
	q := t.charge(a, cost)
	equal(t, q.Allowed, false, "allowed")
	t.about(q.RetryAfter, retryAfter, "RetryAfter")
	t.stands(a, q, owed)
}

func (t *trial) charge(a account, cost int) (q auth.Quota) {
	t.Helper()
	var err error
	if f, ok := a.limiter.(fixed); ok {
		q, err = f.AllowRate(t.ctx, a.key, cost, f.rate)
	} else {
		q, err = a.limiter.Allow(t.ctx, a.key, cost)
	}
	t.must(err, "Allow")
	return q
}

// stands wants a quota that says, in all of its fields, that owed is owed.
func (t *trial) stands(a account, q auth.Quota, owed int) {
	t.Helper()
	burst := a.rate.Burst
	if burst == 0 {
		burst = a.rate.Limit
	}
	interval := a.rate.Per / time.Duration(a.rate.Limit)
	t.about(q.Reset, time.Duration(owed)*interval, "Reset")
	equal(t, q.Remaining, burst-owed, "Remaining")
	want := a.rate.Quota(q.Reset)
	equal(t, q.Remaining, want.Remaining, "Remaining, for that Reset")
	if off := (q.Next - want.Next).Abs(); off > time.Millisecond {
		t.Fatalf("Next: got %v, want %v for a Reset of %v", q.Next, want.Next, q.Reset)
	}
	if q.Rate != (auth.Rate{}) {
		equal(t, q.Rate.Limit, a.rate.Limit, "Rate.Limit")
		equal(t, q.Rate.Per, a.rate.Per, "Rate.Per")
	}
}

// about wants a time that began to pass in this test.
func (t *trial) about(got, want time.Duration, what string) {
	t.Helper()
	if got > want || got < want-patience || got < 0 {
		t.Fatalf("%s: got %v, want %v or a moment less", what, got, want)
	}
}
