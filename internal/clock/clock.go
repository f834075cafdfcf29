// Package clock tells the time of the wall clock at half the cost of time.Now.
package clock

import (
	"sync/atomic"
	"time"
)

// A Clock reads the monotonic clock alone, where time.Now reads two, and the
// wall clock again once a second, so that it follows within a second when that
// is set. Until then it may lag behind time.Now, or be ahead, by what the wall
// clock is slewed in a second. The zero Clock is ready. It is safe for concurrent
// use and must not be copied.
type Clock struct {
	read atomic.Pointer[time.Time] // when the wall clock was read last
}

// Now returns the time in microseconds since 1970.
func (c *Clock) Now() int64 {
	if t := c.read.Load(); t != nil {
		if since := time.Since(*t); since >= 0 && since <= time.Second {
			return (t.UnixNano() + int64(since)) / 1000
		}
	}
	t := time.Now()
	c.read.Store(&t)
	return t.UnixMicro()
}
