package cachestore_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/cachestore"
)

// Each case takes a record and raises a mark behind the cache's back, which
// remembers the record and that there is no mark, and tells until when both may
// be served: within the lag always, and as a rule that long.
func TestWhatOthersChangeIsSeenWithinTheBound(t *testing.T) {
	d, name := numbered(1), numbered(2)
	for _, c := range []struct {
		name    string
		watched bool
		happens func(w *wire, change func()) // from the time on when all is loaded
		lag     time.Duration                // from the change on
	}{
		{"no watcher", false, func(_ *wire, change func()) {
			change()
		}, lag},
		{"no watcher, later", false, func(_ *wire, change func()) {
			authtest.Advance(lag / 2)
			change()
		}, lag / 2},
		{"told", true, func(_ *wire, change func()) {
			authtest.Advance(5*lag + beat/2)
			change()
		}, beat/2 - 1},
		{"silent from the change on", true, func(w *wire, change func()) {
			authtest.Advance(5 * lag)
			w.set(true, false)
			change()
		}, lag},
		{"silent before the change", true, func(w *wire, change func()) {
			authtest.Advance(5 * lag)
			w.set(true, false)
			authtest.Advance(lag / 2)
			change()
		}, lag / 2},
		{"silent, and told late", true, func(w *wire, change func()) {
			authtest.Advance(5 * lag)
			w.set(true, false)
			change()
			authtest.Advance(lag / 2)
			w.set(false, false)
		}, lag / 2},
		{"cut at the change", true, func(w *wire, change func()) {
			authtest.Advance(5 * lag)
			w.set(false, true)
			change()
		}, lag},
		{"cut at the change, and mended", true, func(w *wire, change func()) {
			authtest.Advance(5*lag + beat/2)
			w.set(false, true)
			authtest.Advance(beat / 2)
			change()
			w.set(false, false)
		}, beat / 2},
		{"beyond the age", true, func(_ *wire, change func()) {
			authtest.Advance(maxAge)
			change()
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			authtest.At(t, begin, func(t *testing.T) {
				b := newBackend()
				var w auth.Watcher
				if c.watched {
					w = b.wire
				}
				cache := newCache(t, b, w)
				authtest.Advance(beat / 4)
				require.NoError(t, b.Store.Insert(t.Context(), d, session(1)))
				require.NoError(t, second(cache.Lookup(t.Context(), d)))
				require.Equal(t, []auth.Record{{}}, marks(t, cache, name))
				authtest.Advance(3 * beat / 4)

				var changed time.Time
				c.happens(b.wire, func() {
					require.NoError(t, second(b.Take(t.Context(), d)))
					require.NoError(t, b.Insert(t.Context(), name, mark()))
					changed = time.Now()
				})
				const step = 3 * time.Millisecond
				var record, absence time.Duration
				for since := time.Since(changed); since <= maxAge+lag; since += step {
					_, err := cache.Lookup(t.Context(), d)
					if err == nil {
						record = since
					}
					if marks(t, cache, name)[0].Kind == "" {
						absence = since
					}
					authtest.Advance(step)
				}
				require.LessOrEqual(t, record, lag)
				require.LessOrEqual(t, absence, lag)
				require.InDelta(t, c.lag, record, float64(beat))
				require.InDelta(t, c.lag, absence, float64(beat))
			})
		})
	}
}

// While the watcher confirms that nothing has changed, answers serve for MaxAge,
// and not longer.
func TestHowLongAnswersServe(t *testing.T) {
	for _, c := range []struct {
		name    string
		watcher func(b *backend) auth.Watcher
		want    time.Duration
	}{
		{"watched", func(b *backend) auth.Watcher { return b.wire }, maxAge},
		{"not watched", func(b *backend) auth.Watcher { return nil }, lag},
		{"by who fails", func(b *backend) auth.Watcher { b.wire.set(false, true); return b.wire }, lag},
		{"by who says nothing", func(b *backend) auth.Watcher { b.wire.set(true, false); return b.wire }, lag},
		{"by who knows the future", func(b *backend) auth.Watcher { return prophet{} }, lag + beat},
	} {
		t.Run(c.name, func(t *testing.T) {
			authtest.At(t, begin, func(t *testing.T) {
				b := newBackend()
				cache := newCache(t, b, c.watcher(b))
				require.NoError(t, b.Insert(t.Context(), numbered(1), session(1)))
				authtest.Advance(beat)
				require.NoError(t, second(cache.Lookup(t.Context(), numbered(1))))
				require.Equal(t, 1, b.asked())
				authtest.Advance(c.want)
				require.NoError(t, second(cache.Lookup(t.Context(), numbered(1))))
				require.Zero(t, b.asked())
				authtest.Advance(1)
				require.NoError(t, second(cache.Lookup(t.Context(), numbered(1))))
				require.Equal(t, 1, b.asked())
			})
		})
	}
}

// A prophet says once, after a while, that it knows all up to the next year.
type prophet struct{}

func (prophet) Watch(ctx context.Context, _ func(auth.Digest), told func(time.Time)) error {
	told(time.Now())
	if err := after(ctx, 2*beat); err != nil {
		return err
	}
	told(time.Now().AddDate(1, 0, 0))
	<-ctx.Done()
	return ctx.Err()
}

// What was remembered before the watcher came back may have changed in between.
func TestWhatIsOlderThanTheWatchIsNotConfirmedByIt(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		b := newBackend()
		c := newCache(t, b, b.wire)
		r := session(1)
		require.NoError(t, b.Insert(t.Context(), numbered(1), r))
		authtest.Advance(2 * beat)
		requirePresent(t, c, numbered(1), r)
		b.wire.set(false, true)
		authtest.Advance(beat)
		require.NoError(t, second(b.Take(t.Context(), numbered(1))))
		b.wire.set(false, false)
		authtest.Advance(lag - beat)
		requirePresent(t, c, numbered(1), r) // within the lag
		require.Less(t, c.Stats().Behind, lag)
		authtest.Advance(1)
		requireAbsent(t, c, numbered(1))
	})
}

func TestTheWatcherIsAskedAgain(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		b := newBackend()
		lost := 0
		b.wire.set(false, true)
		c, err := cachestore.New(b, &cachestore.Options{Watcher: b.wire, OnLost: func(err error) {
			require.ErrorIs(t, err, errCut)
			lost++
		}})
		require.NoError(t, err)
		authtest.Advance(time.Minute)
		require.Negative(t, c.Stats().Behind)
		require.Greater(t, lost, 20, "at least every three seconds")
		require.Less(t, lost, 70, "and not all the time")
		b.wire.set(false, false)
		authtest.Advance(4 * time.Second)
		require.Less(t, c.Stats().Behind, 2*beat)
		before := lost
		b.wire.set(false, true)
		authtest.Advance(beat)
		require.Greater(t, lost, before)
		b.wire.set(false, false)
		authtest.Advance(2 * beat)
		require.Less(t, c.Stats().Behind, 2*beat, "soon, after it has worked")
		c.Close()
		authtest.Advance(time.Minute)
		require.Greater(t, c.Stats().Behind, time.Minute, "nobody watches any more")
	})
}

// The watcher is the store's own where the options name none.
func TestTheStoreMayWatch(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		b := newBackend()
		c := newCache(t, watched{b, b.wire}, nil)
		authtest.Advance(0)
		require.Zero(t, c.Stats().Behind)
	})
}

type watched struct {
	*backend
	auth.Watcher
}
