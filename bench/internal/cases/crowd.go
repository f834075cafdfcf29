package cases

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// A crowd is many users of a service who log in at once.
type crowd struct {
	login     http.Handler
	bodies    []string
	loopback  *loopback // where somebody asks who has logged in
	bystander *client
	failures  atomic.Int64
	failure   atomic.Int64 // the status of one
	notes     []string
}

// A makeLogin returns the handler by which those with the logins log in.
type makeLogin func(logins []string, password string) (http.Handler, error)

func newCrowd(make makeLogin, n int) (*crowd, error) {
	const secret = "correct horse battery staple"
	var logins []string
	c := &crowd{}
	for i := range max(1, n) {
		logins = append(logins, fmt.Sprintf("user-%d@example.com", i))
		c.bodies = append(c.bodies, fmt.Sprintf(`{"login":%q,"password":%q}`, logins[i], secret))
	}
	var err error
	if c.login, err = make(logins, secret); err != nil {
		return nil, err
	}
	if got := c.logIn(context.Background(), c.bodies[0]); got != http.StatusOK {
		return nil, fmt.Errorf("a good login is answered %d", got)
	}
	if got := c.logIn(context.Background(), strings.Replace(c.bodies[0], "horse", "house", 1)); got != http.StatusUnauthorized {
		return nil, fmt.Errorf("a wrong password is answered %d", got)
	}
	c.bodies = c.bodies[:n]
	h, authorization, err := guarded(ours(nil, handed))()
	if err != nil {
		return nil, err
	}
	if c.loopback, err = listen(h); err != nil {
		return nil, err
	}
	c.bystander, err = c.loopback.dial(authorization)
	return c, err
}

func oursLogin(logins []string, secret string) (http.Handler, error) {
	store := memstore.New()
	sessions, err := auth.NewSessions(store, nil)
	if err != nil {
		return nil, err
	}
	users, err := password.NewUsers(store, &password.Options{Sessions: []password.SessionRevoker{sessions}})
	if err != nil {
		return nil, err
	}
	hasher, err := password.NewHasher(nil)
	if err != nil {
		return nil, err
	}
	hash, err := hasher.Hash(context.Background(), secret)
	if err != nil {
		return nil, err
	}
	for _, login := range logins {
		if _, err := users.Import(context.Background(), password.User{Login: login, Hash: hash}); err != nil {
			return nil, err
		}
	}
	return auth.NewGuard(users.JSON("login", "password"), nil).Exchange(sessions), nil
}

func handWritten(p peers.Password) makeLogin {
	return func(logins []string, secret string) (http.Handler, error) { return p.Handler(logins, secret), nil }
}

// logIn returns the status with which a login is answered.
func (c *crowd) logIn(ctx context.Context, body string) int {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/login", strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:50000"
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	c.login.ServeHTTP(w, r)
	return w.Code
}

// all has everybody log in again and again while more says so, and returns how
// many logins there were.
func (c *crowd) all(ctx context.Context, more func() bool) int {
	var (
		wg   sync.WaitGroup
		done atomic.Int64
	)
	for _, body := range c.bodies {
		wg.Go(func() {
			for again := true; again; again = more() {
				switch status := c.logIn(ctx, body); {
				case status == http.StatusOK:
					done.Add(1)
				case ctx.Err() == nil && status != http.StatusServiceUnavailable:
					c.failures.Add(1)
					c.failure.Store(int64(status))
				}
			}
		})
	}
	wg.Wait()
	return int(done.Load())
}

func once() bool { return false }

// rate returns the logins in a second where everybody logs in once.
func (c *crowd) rate() (float64, error) {
	start := time.Now()
	return float64(c.all(context.Background(), once)) / time.Since(start).Seconds(), nil
}

// during runs f for a while in which everybody who is not logging in begins to.
func (c *crowd) during(f func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { c.all(ctx, func() bool { return ctx.Err() == nil }) })
	f()
	cancel()
	wg.Wait()
}

const crowdTime = 1200 * time.Millisecond

// memory returns the most memory that the process has at one time, in MiB.
func (c *crowd) memory() (float64, error) {
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return 0, err
	}
	c.during(func() { <-time.After(crowdTime) })
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib float64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return 0, err
	}
	return kib / 1024, nil
}

// tail returns how many milliseconds 99 of 100 other requests take at most. One is
// due every two milliseconds, and waits from then on, whenever it can be sent.
func (c *crowd) tail() (float64, error) {
	const every = 2 * time.Millisecond
	var (
		waits []time.Duration
		err   error
	)
	c.during(func() {
		start := time.Now()
		due := start
		for ; err == nil && time.Since(start) < crowdTime; due = due.Add(every) {
			if wait := time.Until(due); wait > 0 {
				<-time.After(wait)
			}
			err = c.bystander.ask(1)
			waits = append(waits, time.Since(due))
		}
		for end := time.Now(); due.Before(end); due = due.Add(every) {
			waits = append(waits, end.Sub(due)) // at least
		}
	})
	if err != nil {
		return 0, err
	}
	slices.Sort(waits)
	return float64(waits[len(waits)*99/100].Microseconds()) / 1000, nil
}
