package cachestore

import (
	"math"
	"sync/atomic"
	"time"
)

// A bound decides how long an answer may serve. Say that its look-up began at L.
// It serves at t if
//
//	t-L ≤ lag, or
//	t-L ≤ maxAge, and t-B ≤ lag, and L ≥ S
//
// where all that was changed between S and B has been told and dropped: S is
// when the watcher began to watch, and B its last word. What another process
// changes at c is so served until c+lag at most. An answer from before c serves
// by the first line until L+lag, which is earlier. By the second c, being later
// than S, would have been told, unless it is later than B; and then t ≤ B+lag is
// earlier again. It takes no more than a clock, whatever becomes of the watcher.
//
// Times are nanoseconds of the monotonic clock since base.
type bound struct {
	base        time.Time
	lag, maxAge int64

	// A watch that begins sets since before until, and readers read them the
	// other way round: a new until never meets an old since.
	since, until atomic.Int64

	// The wall clock, by which records leave: what to add to the monotonic one,
	// and when that was read.
	skew, read atomic.Int64
}

// never is long before base, and still can be subtracted from.
const never = math.MinInt64 / 2

func (b *bound) init(o *Options) {
	b.base = time.Now()
	b.lag, b.maxAge = int64(o.MaxLag), int64(o.MaxAge)
	b.until.Store(never)
	b.read.Store(never)
}

// A moment is what a look-up judges answers by. It is taken before the look-up
// goes to the table: what was told by then has left that.
type moment struct {
	now, since, until int64
	bound             *bound
}

func (b *bound) moment() moment {
	until := b.until.Load()
	return moment{until: until, since: b.since.Load(), now: b.now(), bound: b}
}

// serves reports whether the answer of e, be it a record or that there is none,
// may still be given.
func (m *moment) serves(e *entry) bool {
	age := m.now - e.loaded
	switch {
	case age <= m.bound.lag:
	case age <= m.bound.maxAge && m.now-m.until <= m.bound.lag && e.loaded >= m.since:
	default:
		return false
	}
	return e.keep == forever || m.bound.wall(m.now) < e.keep
}

func (b *bound) now() int64 { return int64(time.Since(b.base)) }

// wall returns the time in microseconds since 1970. The wall clock is read once
// a second, and followed within one when it is set.
func (b *bound) wall(now int64) int64 {
	if now-b.read.Load() > int64(time.Second) {
		t := time.Now()
		b.skew.Store(t.UnixNano() - int64(t.Sub(b.base)))
		b.read.Store(now)
	}
	return (now + b.skew.Load()) / 1000
}

// begin returns a function that takes the words of a watcher which begins to
// watch.
func (b *bound) begin() func(t time.Time) {
	begun := false
	return func(t time.Time) {
		told := min(int64(t.Sub(b.base)), b.now()) // nobody knows the future
		if !begun {
			begun = true
			b.since.Store(told)
		}
		b.until.Store(told)
	}
}
