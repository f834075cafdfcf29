//go:build linux

package integration_test

import (
	"cmp"
	"crypto/rand"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/servertest"
	"github.com/seed-077cad0b/auth/store/cachestore"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/redisstore"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// An opener opens a handle on one backend, each time another one, as another
// process has. It is closed when the test ends.
type opener func(tb testing.TB) auth.Store

// A store is a kind of backend. To open it is to make a new one, with nothing in
// it that is in the way.
type store struct {
	name   string
	open   func(tb testing.TB) opener
	within time.Duration // how late one handle may see what another has changed

	// limiter opens limiters that share their accounts; nil where the store has
	// none.
	limiter func(tb testing.TB) func(tb testing.TB, rate auth.Rate) auth.Limiter
}

// stores are all there are, and each of them behind a cache.
var stores = withCaches(slices.Concat(
	[]store{{name: "memstore", open: inMemory, limiter: memoryLimiters}},
	inSQL(engines),
	[]store{
		{name: "Redis", open: inRedis(servertest.Redis), limiter: redisLimiters(servertest.Redis)},
		{name: "Redis Cluster", open: inRedis(clusterURL), limiter: redisLimiters(clusterURL)},
	},
))

// inMemory is of one process: every handle is the same.
func inMemory(testing.TB) opener {
	s := memstore.New()
	return func(testing.TB) auth.Store { return s }
}

func memoryLimiters(testing.TB) func(testing.TB, auth.Rate) auth.Limiter {
	var mu sync.Mutex
	limiters := map[auth.Rate]auth.Limiter{}
	return func(_ testing.TB, rate auth.Rate) auth.Limiter {
		mu.Lock()
		defer mu.Unlock()
		if limiters[rate] == nil {
			limiters[rate] = auth.NewLimiter(rate.Limit, rate.Per, auth.Burst(cmp.Or(rate.Burst, rate.Limit)))
		}
		return limiters[rate]
	}
}

func inSQL(engines []engine) []store {
	var all []store
	for _, e := range engines {
		all = append(all, store{name: e.name, open: func(tb testing.TB) opener {
			name := e.migrated(tb)
			return func(tb testing.TB) auth.Store {
				return e.store(tb, e.connect(tb, name), sqlstore.Options{})
			}
		}})
	}
	return all
}

func inRedis(server func(testing.TB) string) func(testing.TB) opener {
	return func(tb testing.TB) opener {
		url, prefix := server(tb), rand.Text()+":"
		return func(tb testing.TB) auth.Store {
			tb.Helper()
			s, err := redisstore.Open(tb.Context(), url, &redisstore.Options{Prefix: prefix})
			require.NoError(tb, err)
			tb.Cleanup(func() { require.NoError(tb, s.Close()) })
			return s
		}
	}
}

func redisLimiters(server func(testing.TB) string) func(testing.TB) func(testing.TB, auth.Rate) auth.Limiter {
	return func(tb testing.TB) func(testing.TB, auth.Rate) auth.Limiter {
		open, name := inRedis(server)(tb), rand.Text()
		return func(tb testing.TB, rate auth.Rate) auth.Limiter {
			return must(open(tb).(*redisstore.Store).Limiter(name, rate))
		}
	}
}

func clusterURL(tb testing.TB) string {
	nodes := servertest.RedisCluster(tb)
	return "redis://" + nodes[0] + "?addr=" + strings.Join(nodes[1:], "&addr=")
}

// lag is that of the caches here. A store without a watcher is asked anew each
// time that it passes.
const lag = 50 * time.Millisecond

// withCaches adds to each store the same behind a cache.
func withCaches(plain []store) []store {
	all := slices.Clone(plain)
	for _, s := range plain {
		open := s.open
		all = append(all, store{
			name: s.name + ", cached",
			open: func(tb testing.TB) opener {
				behind := open(tb)
				return func(tb testing.TB) auth.Store {
					tb.Helper()
					c, err := cachestore.New(behind(tb), &cachestore.Options{MaxLag: lag})
					require.NoError(tb, err)
					tb.Cleanup(func() { require.NoError(tb, c.Close()) })
					return c
				}
			},
			within: lag + patience,
		})
	}
	return all
}

// patience is for a machine that has other things to do.
const patience = 5 * time.Second
