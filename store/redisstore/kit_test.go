package redisstore_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/servertest"
	"github.com/seed-077cad0b/auth/store/redisstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// backends are what every test of the store runs over.
var backends = []struct {
	name string
	url  func(tb testing.TB) string
}{
	{"server", servertest.Redis},
	{"cluster", func(tb testing.TB) string {
		nodes := servertest.RedisCluster(tb)
		return "redis://" + nodes[0] + "?addr=" + strings.Join(nodes[1:], "&addr=")
	}},
}

// everywhere runs a test over every backend, where open opens another handle on
// the same data.
func everywhere(t *testing.T, test func(t *testing.T, open func(tb testing.TB) *redisstore.Store)) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) { test(t, opener(b.url(t), prefix())) })
	}
}

func opener(url, prefix string) func(tb testing.TB) *redisstore.Store {
	return func(tb testing.TB) *redisstore.Store {
		s, err := redisstore.Open(tb.Context(), url, &redisstore.Options{Prefix: prefix})
		require.NoError(tb, err)
		tb.Cleanup(s.Close)
		return s
	}
}

// prefix returns a prefix that no other test has.
func prefix() string { return "test-" + strings.ToLower(rand.Text()) + ":" }

func TestStore(t *testing.T) {
	everywhere(t, func(t *testing.T, open func(tb testing.TB) *redisstore.Store) {
		storetest.Run(t, func(tb testing.TB) auth.Store { return open(tb) })
	})
}

func TestLimiter(t *testing.T) {
	everywhere(t, func(t *testing.T, open func(tb testing.TB) *redisstore.Store) {
		storetest.RunLimiter(t, func(tb testing.TB, rate auth.Rate) auth.Limiter {
			l, err := open(tb).Limiter("requests", rate)
			require.NoError(tb, err)
			return l
		})
	})
}
