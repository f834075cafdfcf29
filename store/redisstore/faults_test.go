package redisstore_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/internal/servertest"
	"github.com/seed-077cad0b/auth/store/redisstore"
)

// A site is a server of HTTP whose guard asks a Redis of the test's own.
type site struct {
	t      *testing.T
	redis  *servertest.Server
	store  *redisstore.Store
	url    string
	tokens []string // of sessions that are open
}

const siteTimeout = 500 * time.Millisecond

func newSite(t *testing.T) *site {
	redis := servertest.StartRedis(t)
	store, err := redisstore.Open(t.Context(), redis.URL(), &redisstore.Options{Timeout: siteTimeout})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	sessions, err := auth.NewSessions(store, nil)
	require.NoError(t, err)
	limit, err := store.Limiter("requests", auth.Rate{Limit: 1_000_000, Per: time.Minute})
	require.NoError(t, err)
	guard := auth.NewGuard(auth.Bearer(sessions), nil).Limit(limit, auth.ByIdentity())
	server := httptest.NewServer(guard.WrapFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	s := &site{t: t, redis: redis, store: store, url: server.URL}
	for i := range 8 {
		grant, err := sessions.Issue(t.Context(), authtest.Principal(fmt.Sprint("user", i)), nil)
		require.NoError(t, err)
		s.tokens = append(s.tokens, grant.Token.Reveal())
	}
	return s
}

// get asks as the i-th user.
func (s *site) get(i int) int {
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url, nil)
	if err != nil {
		return 0
	}
	r.Header.Set("Authorization", "Bearer "+s.tokens[i%len(s.tokens)])
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// comes waits until every user gets a status.
func (s *site) comes(status int) {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		same := 0
		for i := range s.tokens {
			if s.get(i) == status {
				same++
			}
		}
		if same == len(s.tokens) {
			return
		}
		require.True(s.t, time.Now().Before(deadline), "%d of %d get %d", same, len(s.tokens), status)
	}
}

// The server is killed and started under load, and paused: requests are refused
// for the while with a 503, nobody is logged out, and none waits for long.
func TestAnOutageLogsNobodyOut(t *testing.T) {
	s := newSite(t)
	var answers [600]atomic.Int64
	var longest atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	var users sync.WaitGroup
	for i := range s.tokens {
		users.Go(func() {
			for ctx.Err() == nil {
				begin := time.Now()
				answers[s.get(i)].Add(1)
				for took := int64(time.Since(begin)); ; {
					if l := longest.Load(); took <= l || longest.CompareAndSwap(l, took) {
						break
					}
				}
			}
		})
	}
	s.comes(http.StatusOK)
	for range 3 {
		s.redis.Kill()
		s.comes(http.StatusServiceUnavailable)
		s.redis.Start()
		s.comes(http.StatusOK)
	}
	s.redis.Pause()
	s.comes(http.StatusServiceUnavailable)
	s.redis.Resume()
	s.comes(http.StatusOK)
	cancel()
	users.Wait()
	var others []string
	for status := range answers {
		if n := answers[status].Load(); n > 0 && status != http.StatusOK && status != http.StatusServiceUnavailable {
			others = append(others, fmt.Sprint(status, " ", n, " times"))
		}
	}
	require.Empty(t, others)
	require.NotZero(t, answers[http.StatusServiceUnavailable].Load())
	t.Logf("%d answered, %d refused, the longest after %v", answers[http.StatusOK].Load(), answers[http.StatusServiceUnavailable].Load(), time.Duration(longest.Load()))
	// A request asks for the session and is counted, each of which may wait.
	require.Less(t, time.Duration(longest.Load()), 10*siteTimeout)
}

// A connection that is closed under a read costs nobody an answer: it is made
// again, and the read tried once more.
func TestReadsAreTriedAgain(t *testing.T) {
	redis := servertest.StartRedis(t)
	s, err := redisstore.Open(t.Context(), redis.URL(), nil)
	require.NoError(t, err)
	defer s.Close()
	d, operator := number(t, 1), rawAt(t, redis.URL())
	require.NoError(t, s.Insert(t.Context(), d, record(t.Name())))
	done := make(chan struct{})
	failed := make(chan error, 8)
	for range cap(failed) {
		go func() {
			for {
				select {
				case <-done:
					failed <- nil
					return
				default:
				}
				if _, err := s.Lookup(t.Context(), d); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	for range 20 {
		operator.run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		for range 100 { // until it is connected again
			_, err := s.Lookup(t.Context(), d)
			require.NoError(t, err)
		}
	}
	close(done)
	for range cap(failed) {
		require.NoError(t, <-failed)
	}
}
