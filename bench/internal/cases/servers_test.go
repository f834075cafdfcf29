//go:build linux

package cases

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/bench/internal/peers"
	"github.com/seed-077cad0b/auth/internal/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }

func TestServersWork(t *testing.T) {
	work := map[string]func(string, int) ([]func(int) error, error){
		"session": ourRedisSessions, "GET": redisGet, "limiter": ourRedisLimiter, "redis_rate": redisRate,
	}
	for _, p := range peers.AllRedisSessions {
		work[p.Name] = func(url string, conns int) ([]func(int) error, error) {
			k, err := p.New(url, conns)
			require.NoError(t, err)
			return lookingUp(k, conns)
		}
	}
	does(t, servertest.Redis, work)
	does(t, servertest.PostgreSQL, map[string]func(string, int) ([]func(int) error, error){
		"session": ourPostgresSessions, "SELECT": postgresSelect,
	})
}

func does(t *testing.T, server func(testing.TB) string, work map[string]func(string, int) ([]func(int) error, error)) {
	for name, workers := range work {
		t.Run(name, func(t *testing.T) {
			url, err := started(server)
			require.NoError(t, err)
			all, err := workers(url, 4)
			require.NoError(t, err)
			require.Len(t, all, 4)
			for _, do := range all {
				require.NoError(t, do(300)) // more than it has of its own
			}
		})
	}
}

// A machine without the server is told how to get it.
func TestServerIsMissing(t *testing.T) {
	_, err := started(func(tb testing.TB) string {
		tb.Helper()
		tb.Fatal("no redis-server on this machine")
		return "unreachable"
	})
	require.EqualError(t, err, "no redis-server on this machine")
}
