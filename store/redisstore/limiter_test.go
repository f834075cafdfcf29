package redisstore_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/servertest"
	"github.com/seed-077cad0b/auth/store/redisstore"
)

func limiter(t testing.TB, s *redisstore.Store, name string, rate auth.Rate) *redisstore.Limiter {
	l, err := s.Limiter(name, rate)
	require.NoError(t, err)
	return l
}

// The limiter answers any history as the one in memory does, at rates at which
// what comes back during the test makes no difference.
func TestALimiterIsTheOneInMemory(t *testing.T) {
	const seeds, charges, keys = 4, 400, 3
	rates := []auth.Rate{
		{Limit: 7, Per: 7 * 24 * time.Hour}, {Limit: 3, Per: 11 * time.Hour, Burst: 20}, {Limit: 1, Per: 90 * time.Hour},
		{Limit: 13, Per: 100*time.Hour + 1, Burst: 4},
	}
	everywhere(t, func(t *testing.T, b backend) {
		s := b.open(t)
		for seed := range uint64(seeds) {
			random := rand.New(rand.NewPCG(seed, 0))
			own := rates[random.IntN(2)]
			own.Burst = cmp.Or(own.Burst, own.Limit)
			model := auth.NewLimiter(own.Limit, own.Per, auth.Burst(own.Burst))
			l := limiter(t, s, fmt.Sprint("model", seed), own)
			require.Equal(t, own, l.Rate())
			for i := range charges {
				key, cost, rate := fmt.Sprint("key ", random.IntN(keys)), random.IntN(12)-5, own
				if random.IntN(50) == 0 {
					cost = []int{1 << 62, -1 << 63, 1 << 40, -1 << 40}[random.IntN(4)]
				}
				if random.IntN(2) == 0 {
					rate = rates[random.IntN(len(rates))]
				}
				want, err := model.AllowRate(t.Context(), key, cost, rate)
				require.NoError(t, err)
				got, err := l.AllowRate(t.Context(), key, cost, rate)
				require.NoError(t, err)
				requireSameQuota(t, want, got, "seed %d, charge %d: %d to %s at %v", seed, i, cost, key, rate)
			}
		}
	})
}

// requireSameQuota wants two quotas to be the same but for what comes back
// between them.
func requireSameQuota(t *testing.T, want, got auth.Quota, message string, args ...any) {
	t.Helper()
	message = fmt.Sprintf(message, args...)
	for _, times := range [][2]*time.Duration{{&want.Reset, &got.Reset}, {&want.Next, &got.Next}, {&want.RetryAfter, &got.RetryAfter}} {
		require.InDelta(t, *times[0], *times[1], float64(time.Minute), message)
		require.Equal(t, *times[0] == 0, *times[1] == 0, message)
		*times[0], *times[1] = 0, 0
	}
	require.Equal(t, want, got, message)
}

// A unit that is no whole number of microseconds is counted to the nanosecond.
func TestALimiterCountsToTheNanosecond(t *testing.T) {
	b := backend{servertest.Redis(t), newPrefix()}
	s, r := b.open(t), rawAt(t, b.url)
	rate := auth.Rate{Limit: 7, Per: 1234567891234567}
	interval := rate.Per / 7
	require.NotZero(t, 7*interval%time.Microsecond)
	l := limiter(t, s, "odd", rate)
	for n := range time.Duration(7) {
		q, err := l.Allow(t.Context(), "key", 1)
		require.NoError(t, err)
		require.True(t, q.Allowed)
		past := (n+1)*interval - q.Reset // on the server's clock, which has microseconds
		require.Zero(t, past%time.Microsecond)
		require.Less(t, past.Abs(), time.Minute)
		account, err := r.ask("GET", r.keys(b.prefix)[0]).ToString()
		require.NoError(t, err)
		require.Regexp(t, `^[0-9]{16} [0-9]{1,3}$`, account)
	}
	q, err := l.Allow(t.Context(), "key", 1)
	require.NoError(t, err)
	require.False(t, q.Allowed)
}

// Of any number of charges at once, from two clients, as many are admitted as the
// rate does.
func TestALimiterIsExactUnderConcurrency(t *testing.T) {
	everywhere(t, func(t *testing.T, b backend) {
		const n = 50
		rate := auth.Rate{Limit: n, Per: n * time.Hour}
		limiters := []*redisstore.Limiter{limiter(t, b.open(t), "shared", rate), limiter(t, b.open(t), "shared", rate)}
		var admitted, failed atomic.Int64
		var all sync.WaitGroup
		for i := range 6 * n {
			all.Go(func() {
				q, err := limiters[i%2].Allow(t.Context(), "key", 1)
				if err != nil {
					failed.Add(1)
				}
				if q.Allowed {
					admitted.Add(1)
				}
			})
		}
		all.Wait()
		require.Zero(t, failed.Load())
		require.EqualValues(t, n, admitted.Load())

		// Another name, and another key, have accounts of their own.
		q, err := limiter(t, b.open(t), "other", rate).Allow(t.Context(), "key", n)
		require.NoError(t, err)
		require.True(t, q.Allowed)
		q, err = limiters[0].Allow(t.Context(), "Key", n)
		require.NoError(t, err)
		require.True(t, q.Allowed)
	})
}

// What has come back is charged again: at ten in a second somebody who asks all
// the time gets ten in each.
func TestALimitComesBack(t *testing.T) {
	s := backend{servertest.Redis(t), newPrefix()}.open(t)
	l := limiter(t, s, "fast", auth.Rate{Limit: 10, Per: time.Second, Burst: 1})
	begin, admitted := time.Now(), 0
	for time.Since(begin) < time.Second {
		q, err := l.Allow(t.Context(), "key", 1)
		require.NoError(t, err)
		if q.Allowed {
			admitted++
		} else {
			require.Positive(t, q.RetryAfter)
			require.LessOrEqual(t, q.RetryAfter, 100*time.Millisecond)
		}
	}
	most := 1 + int(time.Since(begin)/(100*time.Millisecond))
	require.LessOrEqual(t, admitted, most)
	require.GreaterOrEqual(t, admitted, 2)
}

// Keys are as strange as the names of callers, and neither they nor how long they
// are is to be seen in the database.
func TestKeysOfALimiterAreHashed(t *testing.T) {
	b := backend{servertest.Redis(t), newPrefix()}
	l, r := limiter(t, b.open(t), "strange", auth.Rate{Limit: 1, Per: time.Hour}), rawAt(t, b.url)
	keys := []string{"", "*", "{a}", "{b}", "a\x00b", "a\r\nDEL x", strings.Repeat("long", 1<<16), "\xff\xfe"}
	for _, key := range keys {
		for _, allowed := range []bool{true, false} {
			q, err := l.Allow(t.Context(), key, 1)
			require.NoError(t, err)
			require.Equal(t, allowed, q.Allowed, "%q", key)
		}
	}
	accounts := r.keys(b.prefix)
	require.Len(t, accounts, len(keys))
	for _, a := range accounts {
		require.Regexp(t, "^"+b.prefix+"l:strange:[A-Za-z0-9_-]{22}$", a)
		left, ends := r.ttl(a)
		require.True(t, ends)
		require.LessOrEqual(t, left, time.Hour+time.Second)
	}
}

func TestLimitersRefuseWhatIsNotValid(t *testing.T) {
	s := backend{servertest.Redis(t), newPrefix()}.open(t)
	good := auth.Rate{Limit: 1, Per: time.Second}
	for _, c := range []struct {
		name string
		rate auth.Rate
		want string
	}{
		{"", good, "1 to 64 characters"},
		{strings.Repeat("n", 65), good, "1 to 64 characters"},
		{"a{b}", good, "only letters"},
		{"a*", good, "only letters"},
		{"a\x00", good, "only letters"},
		{"name", auth.Rate{}, "limit 0 is not positive"},
		{"?", auth.Rate{}, "limit 0 is not positive"},
	} {
		_, err := s.Limiter(c.name, c.rate)
		require.ErrorContains(t, err, c.want)
	}
	require.Equal(t, auth.Rate{Limit: 1, Per: time.Second, Burst: 1}, limiter(t, s, "name", good).Rate())
	_, err := limiter(t, s, "name", good).AllowRate(t.Context(), "key", 1, auth.Rate{Limit: -1})
	require.ErrorContains(t, err, "limit -1")
}

// A limiter that cannot be reached refuses with 503, unless the author has said
// otherwise.
func TestALimiterThatIsDown(t *testing.T) {
	redis := servertest.StartRedis(t)
	s, err := redisstore.Open(t.Context(), redis.URL(), &redisstore.Options{Timeout: siteTimeout})
	require.NoError(t, err)
	defer s.Close()
	l := limiter(t, s, "requests", auth.Rate{Limit: 4, Per: time.Hour})
	redis.Kill()
	_, err = l.Allow(t.Context(), "key", 1)
	require.Error(t, err)
	report := func(_ context.Context, err error) { require.Error(t, err) }
	q, err := auth.FailOpen(l, report).Allow(t.Context(), "key", 1)
	require.NoError(t, err)
	require.True(t, q.Allowed)
	shared := auth.LocalShare(l, 2, report)
	for i := range 3 {
		q, err := shared.Allow(t.Context(), "key", 1)
		require.NoError(t, err)
		require.Equal(t, i < 2, q.Allowed)
	}
	_, err = auth.FailClosed(l, report).Allow(t.Context(), "key", 1)
	require.Error(t, err)
	var reason auth.Reason
	require.NotErrorAs(t, err, &reason)
	redis.Start()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		_, err := l.Allow(t.Context(), "key", 1)
		assert.NoError(c, err)
	}, 10*time.Second, 10*time.Millisecond)
}
