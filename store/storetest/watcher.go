package storetest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-077cad0b/auth"
)

const (
	tellsChanges = "Watch calls changed with the digest of every record that is inserted, replaced or taken, soon after that is so"
	tellsTime    = "It calls told with a time t when all that was changed before t has been"
)

var watcherClaims = []claim[opener]{
	{"Watch, each change", tellsChanges, func(t *trial, open opener) {
		a, b := open(t), open(t)
		w := t.watch(a)
		for _, s := range []auth.Store{b, a} { // another handle's, and its own
			d, r := t.inserted(s)
			w.hears(t, d)
			n := next(r)
			t.replace(s, d, n)
			w.hears(t, d)
			t.take(s, d, n)
			w.hears(t, d)
		}
	}},
	{"Watch, hundreds of changes", tellsTime, func(t *trial, open opener) {
		a, b := open(t), open(t)
		w := t.watch(a)
		all := t.many(b, record(), 300)
		w.catchUp(t)
		for d := range all {
			if !w.heard(d) {
				t.Fatalf("told of a time at which %v had changed, but not of that", d)
			}
		}
	}},
	{"Watch, by two", tellsChanges, func(t *trial, open opener) {
		a, b := open(t), open(t)
		v, w := t.watch(a), t.watch(b)
		d, _ := t.inserted(b)
		v.hears(t, d)
		w.hears(t, d)
	}},
	{"Watch, neither touches nor sweeps", "a touch and a sweep are not told", func(t *trial, open opener) {
		a, b := open(t), open(t)
		d, r := t.inserted(b)
		gone := t.expired(b, 1)[0]
		w := t.watch(a)
		w.catchUp(t) // with what still is on its way
		w.forget()
		if toucher, ok := auth.StoreAbility[auth.Toucher](b); ok {
			t.must(toucher.Touch(t.ctx, map[auth.Digest]time.Time{d: r.Seen.Add(time.Hour)}), "Touch")
		}
		if _, ok := auth.StoreAbility[auth.Sweeper](b); ok {
			t.drain(b)
		}
		w.catchUp(t)
		if w.heard(d) || w.heard(gone) {
			t.Fatalf("told of a touch, or of a sweep")
		}
	}},
	{"Watch, at least every second", "first when it has begun to watch, and from then on at least every second while that is known to hold", func(t *trial, open opener) {
		w := t.watch(open(t))
		const more, slack = 3, 3 * time.Second
		begun := w.times()
		t.until(time.Now().Add(more*time.Second + slack))
		if n := w.times() - begun; n < more {
			t.Fatalf("told of the time %d times in %v", n, more*time.Second+slack)
		}
	}},
	{"Watch, this process's clock", "t is of this process's clock, with its monotonic reading.", func(t *trial, open opener) {
		w := t.watch(open(t))
		w.catchUp(t)
		told, now := w.last(), time.Now()
		if told.After(now) || !isMonotonic(told) && isMonotonic(now) {
			t.Fatalf("told of %v, at %v", told, now)
		}
	}},
	{"Watch, one call at a time", "The two functions are called by one goroutine at a time and return at once.", func(t *trial, open opener) {
		a, b := open(t), open(t)
		w := t.watch(a)
		t.many(b, record(), 100)
		w.catchUp(t)
		if w.overlapped.Load() {
			t.Fatalf("two calls at once")
		}
	}},
	{"Watch, context", "Watch returns the context's error when that ends", func(t *trial, open opener) {
		s := open(t)
		past, cancel := context.WithDeadline(t.ctx, time.Now().Add(-time.Second))
		defer cancel()
		err := ability[auth.Watcher](t, s).Watch(past, func(auth.Digest) {}, func(time.Time) {})
		t.ended(err, past, "Watch")
		before := runtime.NumGoroutine()
		w := t.watch(s)
		w.stop(t)
		t.goroutinesEnd(before)
		d, _ := t.inserted(s)
		if w.heard(d) {
			t.Fatalf("told of a change after Watch has returned")
		}
	}},
}

// isMonotonic reports whether a time has a monotonic reading, which times in
// testing/synctest have not.
func isMonotonic(t time.Time) bool { return t != t.Round(0) }

// A watch is a call of Watch that goes on.
type watch struct {
	ctx    context.Context
	cancel context.CancelFunc
	ended  chan struct{} // closed when Watch has returned err
	err    error

	inside     atomic.Int32
	overlapped atomic.Bool

	mu      sync.Mutex
	changed map[auth.Digest]bool
	told    []time.Time
}

// watch begins to watch s, and returns when it has begun.
func (t *trial) watch(s auth.Store) *watch {
	t.Helper()
	w := &watch{ended: make(chan struct{}), changed: map[auth.Digest]bool{}}
	w.ctx, w.cancel = context.WithCancel(t.ctx)
	watcher := ability[auth.Watcher](t, s)
	t.Cleanup(func() { w.stop(t) })
	go func() {
		defer close(w.ended)
		w.err = watcher.Watch(w.ctx, func(d auth.Digest) {
			w.call(func() { w.changed[d] = true })
		}, func(at time.Time) {
			w.call(func() { w.told = append(w.told, at) })
		})
	}()
	w.await(t, func() bool { return len(w.told) > 0 }, "to begin")
	return w
}

// call is what both functions do.
func (w *watch) call(f func()) {
	if w.inside.Add(1) > 1 {
		w.overlapped.Store(true)
	}
	defer w.inside.Add(-1)
	runtime.Gosched()
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// await waits until ok does, which holds the mutex.
func (w *watch) await(t *trial, ok func() bool, what string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; t.pause(time.Millisecond) {
		w.mu.Lock()
		done := ok()
		w.mu.Unlock()
		if done {
			return
		}
		select {
		case <-w.ended:
			t.Fatalf("Watch has returned: %v", w.err)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited 10 seconds for Watch %s", what)
		}
	}
}

// catchUp waits to be told of a time after now.
func (w *watch) catchUp(t *trial) {
	t.Helper()
	at := time.Now()
	w.await(t, func() bool { return len(w.told) > 0 && w.told[len(w.told)-1].After(at) }, "to tell of a later time")
}

// hears wants to be told of d by the time that it has been told of, and forgets
// it.
func (w *watch) hears(t *trial, d auth.Digest) {
	t.Helper()
	w.catchUp(t)
	if !w.heard(d) {
		t.Fatalf("told of a time at which the record had changed, but not of that")
	}
	w.forget()
}

func (w *watch) heard(d auth.Digest) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed[d]
}

func (w *watch) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.changed)
}

func (w *watch) times() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.told)
}

func (w *watch) last() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.told[len(w.told)-1]
}

// stop ends the call, and wants it to return because of that.
func (w *watch) stop(t *trial) {
	t.Helper()
	w.cancel()
	select {
	case <-w.ended:
	case <-time.After(10 * time.Second):
		t.Errorf("Watch goes on after its context has ended")
		return
	}
	if !errors.Is(w.err, context.Canceled) {
		t.Errorf("Watch: got error %v, want %v", w.err, context.Canceled)
	}
}
