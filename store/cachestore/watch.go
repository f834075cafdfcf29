package cachestore

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/seed-077cad0b/auth"
)

const (
	firstPause = 50 * time.Millisecond
	lastPause  = 2 * time.Second
)

// watch has w watch until ctx ends, and again where it has ended before that.
func (s *Store) watch(ctx context.Context, w auth.Watcher) {
	defer close(s.stopped)
	pause := firstPause
	for {
		heard, confirm := false, s.bound.begin()
		err := w.Watch(ctx, s.drop, func(t time.Time) {
			heard = true
			confirm(t)
		})
		if ctx.Err() != nil {
			return
		}
		if s.onLost != nil {
			s.onLost(err)
		}
		if heard {
			pause = firstPause
		}
		// Some more or less: what all lost at once they do not ask for at once.
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-ctx.Done():
			return
		}
		pause = min(2*pause, lastPause)
	}
}

// Stats tell how a [Store] is doing, for metrics.
type Stats struct {
	// Records and Marks are how many answers are held, among them such as no
	// longer serve and have not made room yet.
	Records, Marks int

	// Loads is how many look-ups the cache has made in the store behind it.
	Loads uint64

	// Behind is how long ago the time is up to which the watcher has told of
	// all changes; negative where there was none yet, or is no watcher. Beyond
	// Options.Lag, answers serve for that only.
	Behind time.Duration
}

// Stats returns the current figures. It does not count what is answered without
// the store: that would cost more than such an answer may.
func (s *Store) Stats() Stats {
	var st Stats
	var records, marks uint64
	st.Records, records = s.records.figures()
	st.Marks, marks = s.marks.figures()
	st.Loads = records + marks
	st.Behind = -1
	if until := s.bound.until.Load(); until != never {
		st.Behind = time.Duration(s.bound.now() - until)
	}
	return st
}

func (c *cache) figures() (held int, loads uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.table.held, c.loads
}

// A touching is what a Store unwraps to where the store behind it is a Toucher.
// It is one, too, and tells the cache: a record whose Seen stays behind would be
// touched again at each request.
type touching struct {
	auth.Store
	toucher auth.Toucher
	cache   *Store
}

// Unwrap returns the store behind the cache.
func (t touching) Unwrap() auth.Store { return t.Store }

// Touch moves the Seen of many records forward.
func (t touching) Touch(ctx context.Context, seen map[auth.Digest]time.Time) error {
	if err := t.toucher.Touch(ctx, seen); err != nil {
		return err
	}
	for d, at := range seen {
		t.cache.records.touch(d, time.UnixMicro(at.UnixMicro()).UTC())
	}
	return nil
}
