package auth_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// charge charges a key, and fails the test where a limiter is not to fail.
func charge(t testing.TB, l auth.Limiter, key string, cost int) auth.Quota {
	t.Helper()
	q, err := l.Allow(t.Context(), key, cost)
	require.NoError(t, err)
	return q
}

// Row 61: the burst at once, the next when it is said and no nanosecond earlier,
// and then one after the other.
func TestLimiterAdmitsItsRate(t *testing.T) {
	for _, c := range []struct {
		n     int
		per   time.Duration
		burst int
	}{
		{1, time.Second, 1},
		{1, time.Hour, 3},
		{30, time.Minute, 30},
		{7, time.Second, 7}, // not in whole nanoseconds
		{1_000_000, time.Second, 2},
		{10_000, time.Minute, 1},
		{1, 365 * 24 * time.Hour, 1},
		{3, 3 * 366 * 24 * time.Hour, 1},
	} {
		authtest.At(t, epoch, func(t *testing.T) {
			l := auth.NewLimiter(c.n, c.per, auth.Burst(c.burst))
			require.Equal(t, auth.Rate{Limit: c.n, Per: c.per, Burst: c.burst}, l.Rate())
			interval := c.per / time.Duration(c.n)
			for range 3 {
				for i := range c.burst {
					q := charge(t, l, "k", 1)
					require.True(t, q.Allowed, i)
					require.Equal(t, c.burst-1-i, q.Remaining)
				}
				for range 3 {
					q := charge(t, l, "k", 1)
					require.False(t, q.Allowed)
					require.Equal(t, interval, q.RetryAfter)
					authtest.Advance(interval - 1)
					require.Equal(t, time.Duration(1), charge(t, l, "k", 1).RetryAfter)
					authtest.Advance(1)
					require.True(t, charge(t, l, "k", 1).Allowed)
				}
				authtest.Advance(c.per * time.Duration(c.burst) / time.Duration(c.n))
			}
		})
	}
}

func TestLimiterTellsHowKeysStand(t *testing.T) {
	authtest.At(t, epoch, func(t *testing.T) {
		l := auth.NewLimiter(60, time.Minute, auth.Burst(10))
		const s = time.Second
		for i, c := range []struct {
			after time.Duration
			cost  int
			want  auth.Quota
		}{
			{0, 0, auth.Quota{Allowed: true, Remaining: 10}},
			{0, -5, auth.Quota{Allowed: true, Remaining: 10}},
			{0, 1, auth.Quota{Allowed: true, Remaining: 9, Next: s, Reset: s}},
			{0, 8, auth.Quota{Allowed: true, Remaining: 1, Next: s, Reset: 9 * s}},
			{0, 2, auth.Quota{Remaining: 1, Next: s, Reset: 9 * s, RetryAfter: s}}, // all or none
			{s / 4, 2, auth.Quota{Remaining: 1, Next: 3 * s / 4, Reset: 35 * s / 4, RetryAfter: 3 * s / 4}},
			{0, 11, auth.Quota{Remaining: 1, Next: 3 * s / 4, Reset: 35 * s / 4, RetryAfter: 35 * s / 4}}, // never
			{0, 1, auth.Quota{Allowed: true, Next: 3 * s / 4, Reset: 39 * s / 4}},
			{0, 0, auth.Quota{Next: 3 * s / 4, Reset: 39 * s / 4, RetryAfter: 3 * s / 4}},
			{0, -1, auth.Quota{Allowed: true, Remaining: 1, Next: 3 * s / 4, Reset: 35 * s / 4}},
			{0, -100, auth.Quota{Allowed: true, Remaining: 10}},
			{0, 10, auth.Quota{Allowed: true, Next: s, Reset: 10 * s}},
			{10 * s, 0, auth.Quota{Allowed: true, Remaining: 10}},
			{s, 11, auth.Quota{Remaining: 10}},
		} {
			authtest.Advance(c.after)
			c.want.Rate = l.Rate()
			require.Equal(t, c.want, charge(t, l, "k", c.cost), i)
		}
	})
}

// Costs that no sum can hold are refused, or give back all there is.
func TestLimiterBearsHugeCosts(t *testing.T) {
	authtest.At(t, epoch, func(t *testing.T) {
		for _, l := range []*auth.MemoryLimiter{
			auth.NewLimiter(1, 366*24*time.Hour),
			auth.NewLimiter(1000, time.Millisecond),
			auth.NewLimiter(1000, time.Millisecond, auth.Burst(366*24*3600*1_000_000)),
			auth.NewLimiter(math.MaxInt64/1000, math.MaxInt64, auth.Burst(1)),
		} {
			interval := int(l.Rate().Per) / l.Rate().Limit
			for _, cost := range []int{
				math.MaxInt, math.MaxInt - 1, math.MaxInt / 2, 1 << 53, l.Rate().Burst + 1,
				// The product is beyond one sign, and beyond the other.
				math.MaxInt/interval + 1, math.MaxInt/interval + math.MaxInt/interval/2, 2*(math.MaxInt/interval) + 2,
			} {
				require.False(t, charge(t, l, "k", cost).Allowed, cost)
				require.Equal(t, l.Rate().Burst, charge(t, l, "k", 0).Remaining)
			}
			for _, cost := range []int{math.MinInt, math.MinInt + 1, -math.MaxInt / 2, -l.Rate().Burst} {
				require.True(t, charge(t, l, "k", l.Rate().Burst).Allowed, cost)
				require.False(t, charge(t, l, "k", 1).Allowed)
				require.False(t, charge(t, l, "k", math.MaxInt).Allowed)
				require.Equal(t, l.Rate().Burst, charge(t, l, "k", cost).Remaining)
			}
		}
	})
}

// Nobody is lost in the nanosecond in which a limiter is made, either.
func TestLimiterCountsFromItsBeginning(t *testing.T) {
	authtest.At(t, epoch, func(t *testing.T) {
		l, keys := auth.NewLimiter(1, time.Hour, auth.MaxKeys(1000)), manyKeys(1000)
		require.Equal(t, 1000, pass(t, l, keys))
		for _, k := range keys[:500] {
			require.Equal(t, 1, charge(t, l, k, -1).Remaining)
		}
		require.Zero(t, pass(t, l, keys[500:]))
		require.Equal(t, 500, pass(t, l, keys[:500]))
	})
}

// A key has one account: what was charged at one rate takes its time at another,
// but no longer than that one's burst.
func TestLimiterChargesAtOtherRates(t *testing.T) {
	authtest.At(t, epoch, func(t *testing.T) {
		l := auth.NewLimiter(1, time.Second)
		basic, premium := auth.Rate{Limit: 2, Per: time.Minute}, auth.Rate{Limit: 60, Per: time.Minute}
		at := func(key string, cost int, r auth.Rate) auth.Quota {
			q, err := l.AllowRate(t.Context(), key, cost, r)
			require.NoError(t, err)
			require.Equal(t, r, q.Rate)
			return q
		}
		require.True(t, at("k", 1, basic).Allowed)
		require.Equal(t, 30, at("k", 0, premium).Remaining)
		require.True(t, at("k", 15, premium).Allowed)
		require.False(t, at("k", 1, basic).Allowed)
		require.Equal(t, 15*time.Second, at("k", 1, basic).RetryAfter)
		require.Equal(t, 0, charge(t, l, "k", 0).Remaining)
		require.Equal(t, 15*time.Second, at("k", 1, basic).RetryAfter, "asking at another rate changes nothing")
		require.Equal(t, time.Second, charge(t, l, "k", 1).RetryAfter, "of a smaller burst than is owed")
		require.True(t, at("other", 60, premium).Allowed)

		for _, r := range []auth.Rate{{}, {Limit: -1, Per: time.Second}, {Limit: 1}} {
			q, err := l.AllowRate(t.Context(), "k", 1, r)
			require.Error(t, err)
			require.Zero(t, q)
		}
	})
}

func TestRatesAreValidated(t *testing.T) {
	const year = 366 * 24 * time.Hour
	for want, rates := range map[string][]auth.Rate{
		"": {
			{Limit: 1, Per: time.Microsecond}, {Limit: 1000, Per: time.Millisecond}, {Limit: 1, Per: year},
			{Limit: 1, Per: time.Hour, Burst: 366 * 24}, {Limit: math.MaxInt64 / 1000, Per: math.MaxInt64, Burst: 1},
		},
		"limit 0 is not positive":    {{}, {Per: time.Second, Burst: 4}},
		"limit -3 is not positive":   {{Limit: -3, Per: time.Second}},
		"period 0s is not positive":  {{Limit: 5}},
		"period -1s is not positive": {{Limit: 5, Per: -time.Second}},
		"is more than one in a microsecond": {
			{Limit: 1, Per: 999}, {Limit: 1_000_001, Per: time.Second}, {Limit: math.MaxInt, Per: math.MaxInt64},
		},
		"burst -1 is negative": {{Limit: 1, Per: time.Second, Burst: -1}},
		"takes more than 366 days to come back": {
			{Limit: 1, Per: year + 1000}, {Limit: 1, Per: math.MaxInt64},
			{Limit: 1, Per: time.Hour, Burst: 366*24 + 1}, {Limit: 1, Per: time.Second, Burst: math.MaxInt},
		},
	} {
		for _, r := range rates {
			if want == "" {
				require.NoError(t, r.Validate(), r)
				continue
			}
			require.ErrorContains(t, r.Validate(), want, r)
		}
	}
}

func TestNewLimiterPanicsOnMistakes(t *testing.T) {
	for want, f := range map[string]func(){
		"limit 0 is not positive":        func() { auth.NewLimiter(0, time.Second) },
		"limit -1 is not positive":       func() { auth.NewLimiter(-1, time.Second) },
		"period 0s is not positive":      func() { auth.NewLimiter(1, 0) },
		"burst 0 is not positive":        func() { auth.NewLimiter(1, time.Second, auth.Burst(0)) },
		"burst -1 is negative":           func() { auth.NewLimiter(1, time.Second, auth.Burst(-1)) },
		"MaxKeys(0) is not in 1":         func() { auth.NewLimiter(1, time.Second, auth.MaxKeys(0)) },
		"MaxKeys(268435457) is not in 1": func() { auth.NewLimiter(1, time.Second, auth.MaxKeys(1<<28+1)) },
	} {
		func() {
			defer func() { require.Contains(t, recover(), want) }()
			f()
		}()
	}
}

// x/time/rate counts in floating point, so cases closer than that can tell are
// left out.
func TestLimiterAgreesWithXTimeRate(t *testing.T) {
	compared := 0
	for range 300 {
		authtest.At(t, epoch, func(t *testing.T) {
			n, burst := 1+rand.IntN(100), 1+rand.IntN(50)
			per := time.Duration(1+rand.IntN(1000)) * 10 * time.Millisecond
			l := auth.NewLimiter(n, per, auth.Burst(burst))
			reference := rate.NewLimiter(rate.Every(per/time.Duration(n)), burst)
			for range 100 {
				if rand.IntN(3) > 0 {
					authtest.Advance(rand.N(3 * per / time.Duration(n)))
				}
				if rand.IntN(50) == 0 {
					authtest.Advance(per)
				}
				cost, tokens := 1+rand.IntN(1+burst/3), reference.Tokens()
				if math.Abs(tokens-math.Round(tokens)) < 1e-6 && tokens != float64(burst) {
					continue
				}
				require.Equal(t, int(tokens), charge(t, l, "k", 0).Remaining)
				require.Equal(t, reference.AllowN(time.Now(), cost), charge(t, l, "k", cost).Allowed)
				compared++
			}
		})
	}
	require.Greater(t, compared, 20_000)
}

// debts are a limiter as one would explain it, in numbers of any size: what each
// key owes, in nanoseconds, of which time pays.
type debts map[string]*big.Int

func (n debts) advance(d time.Duration) {
	for _, owed := range n {
		if owed.Sub(owed, big.NewInt(int64(d))); owed.Sign() < 0 {
			owed.SetInt64(0)
		}
	}
}

func (n debts) allow(key string, cost int, r auth.Rate) auth.Quota {
	units, interval := r.Burst, big.NewInt(int64(r.Per)/int64(r.Limit))
	if units == 0 {
		units = r.Limit
	}
	burst := new(big.Int).Mul(interval, big.NewInt(int64(units)))
	owed := n[key]
	if owed == nil {
		owed = new(big.Int)
		n[key] = owed
	}
	if owed.Cmp(burst) > 0 { // at another rate
		if cost == 0 {
			owed = new(big.Int)
		}
		owed.Set(burst)
	}
	q := auth.Quota{Allowed: true, Rate: r}
	asked := cost
	if cost == 0 {
		asked = 1
	}
	after := new(big.Int).Add(owed, new(big.Int).Mul(interval, big.NewInt(int64(asked))))
	switch {
	case after.Sign() < 0:
		owed.SetInt64(0)
	case cost > 0 && after.Cmp(burst) <= 0, cost < 0:
		owed.Set(after)
	case after.Cmp(burst) > 0:
		q.Allowed = false
		wait := new(big.Int).Sub(after, burst)
		if wait.Cmp(owed) > 0 {
			wait = owed
		}
		q.RetryAfter = time.Duration(wait.Int64())
	}
	q.Reset = time.Duration(owed.Int64())
	// Count, rather than divide, what is left and when there is one more.
	level := new(big.Int).Set(owed)
	for level.Add(level, interval); level.Cmp(burst) <= 0; level.Add(level, interval) {
		q.Remaining++
	}
	if q.Remaining < units {
		q.Next = time.Duration(level.Sub(level, burst).Int64())
	}
	return q
}

// rerun charges a limiter of many keys and the naive one alike, by what bytes
// tell: the key, the rate, the cost, and how much later.
func rerun(t *testing.T, history []byte) {
	rates := []auth.Rate{
		{Limit: 3, Per: time.Minute, Burst: 5},
		{Limit: 7, Per: time.Second},
		{Limit: 1, Per: 30 * time.Second, Burst: 2},
		{Limit: 1000, Per: time.Millisecond, Burst: 40},
	}
	costs := []int{1, 1, 1, 2, 3, 5, 8, 0, 0, -1, -1, -2, -40, 40, math.MaxInt, math.MinInt}
	delays := []time.Duration{
		0, 0, 0, 0, 1, 999, time.Microsecond, time.Millisecond, time.Second / 7, time.Second,
		10 * time.Second, 20*time.Second - 1, 20 * time.Second, 20*time.Second + 1, time.Minute, time.Hour,
	}
	authtest.At(t, epoch, func(t *testing.T) {
		// Small, so that it makes room all the time; no more keys than it is for.
		l, model := auth.NewLimiter(1, time.Second, auth.MaxKeys(64)), debts{}
		for len(history) >= 3 {
			key, how, what := history[0], history[1], history[2]
			history = history[3:]
			if d := delays[how>>4]; d > 0 {
				authtest.Advance(d)
				model.advance(d)
			}
			name, r, cost := strconv.Itoa(int(key%64)), rates[how%4], costs[what%16]
			got, err := l.AllowRate(t.Context(), name, cost, r)
			require.NoError(t, err)
			require.Equal(t, model.allow(name, cost, r), got, "%d of %s at %v", cost, name, r)
		}
	})
}

func TestLimiterIsTheNaiveOne(t *testing.T) {
	for range 200 {
		history := make([]byte, 3*300)
		for i := range history {
			history[i] = byte(rand.Uint32())
		}
		if rand.IntN(2) == 0 { // little time passes, so that many keys owe
			for i := 1; i < len(history); i += 3 {
				history[i] &= 0x73
			}
		}
		rerun(t, history)
	}
}
