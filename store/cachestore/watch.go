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
		s.onLost(err)
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
