package auth

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"
)

// lastUse writes when credentials were last used: off the request path, in
// bulk, and each at most once in a while.
type lastUse struct {
	toucher Toucher
	every   time.Duration

	mu       sync.Mutex
	pending  map[Digest]time.Time
	flushing map[Digest]time.Time
	timer    *time.Timer
	idle     sync.Cond // signalled when flushing ends
	closed   bool
}

const (
	lastUseEvery = time.Minute
	lastUseDelay = time.Second // how long a use waits for others to be written with
	lastUseLimit = 1 << 16     // uses waiting; further ones are left to the next request
	lastUseWrite = 10 * time.Second
)

// newLastUse returns nil where the store cannot tell: uses are then not
// written.
func newLastUse(s Store, every time.Duration) *lastUse {
	t, ok := StoreAbility[Toucher](s)
	if !ok {
		return nil
	}
	l := &lastUse{toucher: t, every: every, pending: map[Digest]time.Time{}}
	l.idle.L = &l.mu
	return l
}

// note takes down that d was used at t, having been seen last at seen.
func (l *lastUse) note(d Digest, seen, t time.Time) {
	if l == nil || t.Sub(seen) < l.every {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, waiting := l.pending[d]
	_, written := l.flushing[d]
	if waiting || written || l.closed || len(l.pending) >= lastUseLimit {
		return
	}
	l.pending[d] = instant(t)
	if l.timer == nil {
		l.timer = time.AfterFunc(lastUseDelay, func() { _ = l.flush() })
	}
}

// seen returns the later of t and what waits to be written for d.
func (l *lastUse) seen(d Digest, t time.Time) time.Time {
	if l == nil {
		return t
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range []map[Digest]time.Time{l.pending, l.flushing} {
		if w := m[d]; w.After(t) {
			t = w
		}
	}
	return t
}

// flush writes what waits. What cannot be written waits on.
func (l *lastUse) flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.flushing != nil {
		l.idle.Wait()
	}
	l.timer = nil
	if len(l.pending) == 0 {
		return nil
	}
	l.flushing, l.pending = l.pending, map[Digest]time.Time{}

	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), lastUseWrite)
	err := l.toucher.Touch(ctx, l.flushing)
	cancel()
	l.mu.Lock()

	if err != nil {
		maps.Copy(l.pending, l.flushing)
		if !l.closed && l.timer == nil {
			l.timer = time.AfterFunc(l.every, func() { _ = l.flush() })
		}
	}
	l.flushing = nil
	l.idle.Broadcast()
	return err
}

// close writes what waits and takes nothing more.
func (l *lastUse) close() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	l.closed = true
	if l.timer != nil {
		l.timer.Stop()
	}
	l.mu.Unlock()
	if err := l.flush(); err != nil {
		return errors.Join(errors.New("auth: last use not written"), err)
	}
	return nil
}
