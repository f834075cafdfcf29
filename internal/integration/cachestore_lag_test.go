//go:build linux

package integration_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/servertest"
	"github.com/seed-077cad0b/auth/store/cachestore"
	"github.com/seed-077cad0b/auth/store/pglisten"
	"github.com/seed-077cad0b/auth/store/redisstore"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// A told is a kind of backend that tells of changes, for caches to hear.
type told struct {
	name string

	// share makes a server that tests share ready, and own one of the test's own.
	share func(testing.TB) string
	own   func(testing.TB) *servertest.Server

	// prepare makes an empty database ready.
	prepare func(tb testing.TB, url string)

	// open opens a store, and a watcher that reaches the server at another URL. On a
	// server that others use, too, prefix keeps the records apart.
	open func(tb testing.TB, url, watched, prefix string) (auth.Store, auth.Watcher)
}

var backendsThatTell = []told{
	{
		name: "PostgreSQL", share: servertest.PostgreSQL, own: servertest.StartPostgreSQL,
		prepare: func(tb testing.TB, url string) {
			require.NoError(tb, sqlstore.Migrate(tb.Context(), postgres.connect(tb, url), sqlstore.PostgreSQL))
		},
		open: func(tb testing.TB, url, watched, _ string) (auth.Store, auth.Watcher) {
			db := postgres.connect(tb, url)
			return postgres.store(tb, db, sqlstore.Options{Notify: true}), must(pglisten.New(db, watched))
		},
	},
	{
		name: "Redis", share: servertest.Redis, own: servertest.StartRedis,
		prepare: func(testing.TB, string) {},
		open: func(tb testing.TB, url, watched, prefix string) (auth.Store, auth.Watcher) {
			open := func(url string) *redisstore.Store {
				s := must(redisstore.Open(tb.Context(), url, &redisstore.Options{Prefix: prefix}))
				tb.Cleanup(func() { require.NoError(tb, s.Close()) })
				return s
			}
			return open(url), open(watched)
		},
	},
}

// processes returns two caches on one backend, of which the second watches it at
// another URL.
func (b told) processes(tb testing.TB, url, watched string) (here, there *cachestore.Store) {
	tb.Helper()
	prefix := rand.Text()
	open := func(watched string) *cachestore.Store {
		s, w := b.open(tb, url, watched, prefix)
		c := must(cachestore.New(s, &cachestore.Options{MaxLag: cacheLag, Watcher: w}))
		tb.Cleanup(func() { require.NoError(tb, c.Close()) })
		return c
	}
	return open(url), open(watched)
}

const cacheLag = time.Second

// remembered inserts a record here and has there remember it, by an answer that a
// watcher has confirmed where there is one.
func remembered(tb testing.TB, here, there auth.Store) (d auth.Digest) {
	tb.Helper()
	_, _ = rand.Read(d[:])
	r := auth.Record{Kind: auth.KindSession, Revision: auth.NewRevision()}
	require.NoError(tb, here.Insert(tb.Context(), d, r))
	for range 2 {
		require.NoError(tb, second(there.Lookup(tb.Context(), d)))
	}
	return d
}

func second[T any](_ T, err error) error { return err }

// BenchmarkRevocationLag measures how long after a session was ended by one
// process another one still admits it, which remembers it.
func BenchmarkRevocationLag(b *testing.B) {
	for _, backend := range backendsThatTell {
		b.Run(backend.name, func(b *testing.B) {
			url := backend.share(b)
			backend.prepare(b, url)
			here, there := backend.processes(b, url, url)
			confirmed(b, there)
			var lags []time.Duration
			for b.Loop() {
				d := remembered(b, here, there)
				require.NoError(b, second(here.Take(b.Context(), d)))
				taken := time.Now()
				for {
					at := time.Now()
					err := second(there.Lookup(b.Context(), d))
					if errors.Is(err, auth.ErrNotFound) {
						lags = append(lags, at.Sub(taken))
						break
					}
					require.NoError(b, err)
				}
			}
			slices.Sort(lags)
			for _, p := range []int{50, 99} {
				b.ReportMetric(float64(lags[len(lags)*p/100].Microseconds()), fmt.Sprintf("µs-lag-p%d", p))
			}
		})
	}
}

// confirmed waits until the watcher of a cache has confirmed something.
func confirmed(tb testing.TB, c *cachestore.Store) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	for behind := time.Duration(-1); behind < 0 || behind > cacheLag; behind = c.Stats().Behind {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			tb.Fatal("the watcher confirms nothing")
		}
	}
}
