package storetest

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

// Failures runs the whole kit over a store and returns what each claim that does
// not hold has printed, by its name. Where chance decides, it takes few rounds.
func Failures(t *testing.T, open func(testing.TB) auth.Store) map[string]string {
	s := open(t)
	failures := failuresOf(t, open, storeClaims)
	for _, f := range []map[string]string{
		offered[auth.Lister](t, s, open, listerClaims),
		offered[auth.Batcher](t, s, open, batcherClaims),
		offered[auth.Toucher](t, s, open, toucherClaims),
		offered[auth.Sweeper](t, s, open, sweeperClaims),
		offered[auth.Walker](t, s, open, walkerClaims),
		offered[auth.Watcher](t, s, open, watcherClaims),
	} {
		for name, text := range f {
			failures[name] = text
		}
	}
	return failures
}

func offered[A any](t *testing.T, s auth.Store, open opener, claims []claim[opener]) map[string]string {
	if _, ok := auth.StoreAbility[A](s); !ok {
		return nil
	}
	return failuresOf(t, open, claims)
}

// UserFailures, PlatformFailures and LimiterFailures are the same for the others.
func UserFailures(t *testing.T, open func(testing.TB) password.UserStore) map[string]string {
	return failuresOf(t, open, append(userClaims, userWalkerClaims...))
}

func PlatformFailures(t *testing.T, open func(testing.TB, ...*auth.Platform) auth.PlatformRegistry) map[string]string {
	return failuresOf(t, open, platformClaims)
}

func LimiterFailures(t *testing.T, open func(testing.TB, auth.Rate) auth.Limiter) map[string]string {
	failures := failuresOf(t, open, limiterClaims)
	for name, text := range failuresOf(t, open, variableClaims) {
		failures[name] = text
	}
	return failures
}

func failuresOf[O any](t *testing.T, open O, claims []claim[O]) map[string]string {
	failures := map[string]string{}
	for _, c := range claims {
		r := &recorder{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer r.end()
			c.check(newTrial(r, c.sentence, 20), open)
		}()
		<-done
		if r.Failed() {
			failures[c.name] = r.text.String()
		}
	}
	return failures
}

// Sentences returns the sentences that the claims hold.
func Sentences() []string {
	var all []string
	add := func(claims []claim[opener]) {
		for _, c := range claims {
			all = append(all, c.sentence)
		}
	}
	add(storeClaims)
	add(listerClaims)
	add(batcherClaims)
	add(toucherClaims)
	add(sweeperClaims)
	add(walkerClaims)
	add(watcherClaims)
	for _, c := range append(userClaims, userWalkerClaims...) {
		all = append(all, c.sentence)
	}
	for _, c := range platformClaims {
		all = append(all, c.sentence)
	}
	for _, c := range append(limiterClaims, variableClaims...) {
		all = append(all, c.sentence)
	}
	return all
}

// A recorder is a test that fails to itself alone.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	text     strings.Builder
	failed   bool
	cleanups []func()
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
	fmt.Fprintf(&r.text, format+"\n", args...)
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

// end runs the cleanups, and makes a panic a failure.
func (r *recorder) end() {
	if p := recover(); p != nil {
		r.Errorf("panic: %v", p)
	}
	for len(r.cleanups) > 0 {
		f := r.cleanups[len(r.cleanups)-1]
		r.cleanups = r.cleanups[:len(r.cleanups)-1]
		f()
	}
}
