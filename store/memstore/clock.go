package memstore

import (
	"sync/atomic"
	"time"
)

// A clock tells the time of the wall clock at half the cost of time.Now, which
// reads a second clock for the monotonic time. It reads the monotonic one
// alone, and the wall clock again once a second, so that it follows within a
// second when that is set.
type clock struct {
	read atomic.Pointer[time.Time] // when the wall clock was read last
}

func (c *clock) set() time.Time {
	t := time.Now()
	c.read.Store(&t)
	return t
}

// now returns the time in microseconds since 1970.
func (c *clock) now() int64 {
	t := *c.read.Load()
	since := time.Since(t)
	if since < 0 || since > time.Second {
		return c.set().UnixMicro()
	}
	return (t.UnixNano() + int64(since)) / 1000
}

// past reports whether what is kept until keep is gone by now.
func (c *clock) past(keep int64) bool { return keep != never && c.now() >= keep }
