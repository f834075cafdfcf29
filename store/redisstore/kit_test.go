package redisstore_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/servertest"
	"github.com/seed-077cad0b/auth/password"
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

// A backend is a server or a cluster, with a prefix of the test's own.
type backend struct{ url, prefix string }

// everywhere runs a test over every backend.
func everywhere(t *testing.T, test func(t *testing.T, b backend)) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			test(t, backend{b.url(t), newPrefix()})
		})
	}
}

func newPrefix() string { return "test-" + strings.ToLower(rand.Text()) + ":" }

// open opens another handle on the same data.
func (b backend) open(tb testing.TB) *redisstore.Store {
	tb.Helper()
	s, err := redisstore.Open(tb.Context(), b.url, &redisstore.Options{Prefix: b.prefix})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

// What the kit leaves goes by itself, and no server is asked for KEYS.
func TestStore(t *testing.T) {
	everywhere(t, func(t *testing.T, b backend) {
		r := rawAt(t, b.url)
		forbidden := r.forbidden()
		storetest.Run(t, func(tb testing.TB) auth.Store { return b.open(tb) })
		records, lists, _ := requireBounded(t, r, b.prefix)
		require.Greater(t, records, 100)
		require.Greater(t, lists, 20)
		require.ElementsMatch(t, forbidden, r.forbidden())
	})
}

func TestLimiter(t *testing.T) {
	everywhere(t, func(t *testing.T, b backend) {
		storetest.RunLimiter(t, func(tb testing.TB, rate auth.Rate) auth.Limiter {
			l, err := b.open(tb).Limiter("requests", rate)
			require.NoError(tb, err)
			return l
		})
		_, _, accounts := requireBounded(t, rawAt(t, b.url), b.prefix)
		require.NotZero(t, accounts)
	})
}

func TestPlatformsInRecords(t *testing.T) {
	everywhere(t, func(t *testing.T, b backend) {
		storetest.RunPlatforms(t, func(tb testing.TB, platforms ...*auth.Platform) auth.PlatformRegistry {
			registry, err := auth.NewPlatformRecords(b.open(tb))
			require.NoError(tb, err)
			for _, p := range platforms {
				require.NoError(tb, registry.Insert(tb.Context(), p))
			}
			return registry
		})
	})
}

func TestUsersInRecords(t *testing.T) {
	everywhere(t, func(t *testing.T, b backend) {
		storetest.RunUsers(t, func(tb testing.TB) password.UserStore {
			users, err := password.NewUserRecords(b.open(tb))
			require.NoError(tb, err)
			return users
		})
	})
}
