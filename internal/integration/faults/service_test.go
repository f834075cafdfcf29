//go:build linux

package faults

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// A service is a process of an API over HTTP: with a handle on the store, and all
// else, of its own.
type service struct {
	url      string
	client   *http.Client
	sessions *auth.Sessions
	keys     *auth.APIKeys

	mu     sync.Mutex
	causes map[string]int // of outages
}

// newService starts one whose requests may take as long as within.
func newService(t *testing.T, s *site, within time.Duration) *service {
	t.Helper()
	v := &service{causes: map[string]int{}}
	store := s.open(t)
	v.sessions = must(auth.NewSessions(store, nil))
	v.keys = must(auth.NewAPIKeys(store, "acme", nil))
	opts := &auth.GuardOptions{Observe: v.observe}
	guard := auth.NewGuard(auth.Bearer(v.sessions), opts)
	mux := http.NewServeMux()
	mux.Handle("GET /data", guard.WrapFunc(func(http.ResponseWriter, *http.Request) {}))
	mux.Handle("POST /login", auth.NewGuard(auth.Header("X-API-Key", v.keys), opts).Exchange(v.sessions))
	mux.Handle("POST /sign-out", guard.SignOut(v.sessions))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), within)
		defer cancel()
		mux.ServeHTTP(w, r.WithContext(ctx))
	}))
	v.url, v.client = server.URL, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	t.Cleanup(func() {
		server.Close()
		v.client.CloseIdleConnections()
		if err := errors.Join(v.sessions.Close(), v.keys.Close()); err != nil {
			t.Log("uses that could not be written:", err)
		}
		t.Log("causes of outages:", v.causes)
	})
	return v
}

func (v *service) observe(_ context.Context, e auth.Event) {
	if e.Outcome == auth.Unavailable {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.causes[e.Err.Error()]++
	}
}

// ask makes a request and returns the status, or 0 where ctx ended first, and the
// token of the answer.
func (v *service) ask(ctx context.Context, method, path, field, value string) (status int, token string) {
	r := must(http.NewRequestWithContext(ctx, method, v.url+path, nil))
	r.Header.Set(field, value)
	answer, err := v.client.Do(r)
	if err != nil {
		return 0, ""
	}
	defer answer.Body.Close()
	var body struct {
		Token string `json:"access_token"`
	}
	_ = json.NewDecoder(answer.Body).Decode(&body)
	return answer.StatusCode, body.Token
}

func (v *service) get(ctx context.Context, token string) int {
	status, _ := v.ask(ctx, "GET", "/data", "Authorization", "Bearer "+token)
	return status
}

func (v *service) login(ctx context.Context, key string) (int, string) {
	return v.ask(ctx, "POST", "/login", "X-API-Key", key)
}

func (v *service) signOut(ctx context.Context, token string) int {
	status, _ := v.ask(ctx, "POST", "/sign-out", "Authorization", "Bearer "+token)
	return status
}

// Traffic is what clients do to services over one backend, and what they may be
// answered: that there is an outage at any time, and else the truth.
type traffic struct {
	*testing.T
	services        []*service
	key, live, dead string

	mu      sync.Mutex
	open    []string // sessions of which nobody has signed out
	answers map[int]int
	longest time.Duration // that a service took to recover
}

func newTraffic(t *testing.T, services ...*service) *traffic {
	t.Helper()
	ctx, first := t.Context(), services[0]
	w := &traffic{T: t, services: services, answers: map[int]int{}}
	who := (&auth.Principal{Subject: "alice"}).ProvedAt(time.Now())
	live, dead := must(first.sessions.Issue(ctx, who, nil)), must(first.sessions.Issue(ctx, who, nil))
	require.NoError(t, first.sessions.Revoke(ctx, dead.Principal))
	w.live, w.dead = live.Token.Reveal(), dead.Token.Reveal()
	w.key = must(first.keys.Create(ctx, who, nil)).Token.Reveal()
	return w
}

// expect notes an answer, and reports whether it is the one that is wanted.
func (w *traffic) expect(what string, want, got int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[got]++
	if got != want && got != http.StatusServiceUnavailable {
		w.Errorf("%s was answered %d, and may be %d or 503", what, got, want)
	}
	return got == want
}

// outages returns how many requests have been answered that there is one.
func (w *traffic) outages() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.answers[http.StatusServiceUnavailable]
}

// flow makes requests, several at a time, until the function that it returns is
// called.
func (w *traffic) flow() (stop func()) {
	done := make(chan struct{})
	var clients sync.WaitGroup
	for i := range 6 {
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					if w.Failed() {
						return
					}
					w.visit(w.services[i%len(w.services)], w.services[(i+1)%len(w.services)])
				}
			}
		})
	}
	return func() { close(done); clients.Wait() }
}

// visit is what one client does, at two processes: what one is told, the other
// knows.
func (w *traffic) visit(here, there *service) {
	ctx := context.Background()
	w.expect("a living session", 200, here.get(ctx, w.live))
	w.expect("a session that has ended", 401, there.get(ctx, w.dead))
	status, token := here.login(ctx, w.key)
	if !w.expect("a login", 200, status) {
		pause(ctx, 5*time.Millisecond)
		return
	}
	w.expect("a new session", 200, there.get(ctx, token))
	if token[0] < 'I' { // these stay
		w.mu.Lock()
		defer w.mu.Unlock()
		w.open = append(w.open, token)
		return
	}
	if w.expect("a sign-out", 204, there.signOut(ctx, token)) {
		w.expect("a session after its sign-out", 401, here.get(ctx, token))
		w.expect("a session after its sign-out", 401, there.get(ctx, token))
	}
}

// recover waits until services answer again, and finds all as it is to be.
func (w *traffic) recover() {
	w.Helper()
	ctx, start := w.Context(), time.Now()
	for _, v := range w.services {
		for status := 0; status != 200; status = v.get(ctx, w.live) {
			if status != 0 && status != 503 {
				w.Fatalf("on the way to recovery: %d", status)
			}
			pause(ctx, 5*time.Millisecond)
		}
	}
	w.longest = max(w.longest, time.Since(start))
	for _, v := range w.services {
		// Every connection of the pool has had its turn after so many at once.
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() { v.get(ctx, w.live) })
		}
		all.Wait()
		for range 50 {
			require.Equal(w, 200, v.get(ctx, w.live), "the pool is well")
			require.Equal(w, 401, v.get(ctx, w.dead))
		}
	}
	w.mu.Lock()
	open := w.open
	w.open = nil
	w.mu.Unlock()
	for i, token := range open {
		require.Equal(w, 200, w.services[i%len(w.services)].get(ctx, token), "an acknowledged login is lost")
	}
}
