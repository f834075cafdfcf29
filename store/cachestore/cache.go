package cachestore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A cache is a table and the look-ups that will fill it.
type cache struct {
	bound  *bound
	fetch  fetch
	absent bool // remember that there is no record, too

	mu     sync.Mutex // for what follows; the table is read without it
	table  table
	flying map[auth.Digest]*flight
	loads  uint64
}

// A fetch sets records[i] to what the backend has under digests[i], or to the
// zero Record.
type fetch func(ctx context.Context, digests []auth.Digest, records []auth.Record) error

// A flight is a look-up under way in the backend. Everybody who wants the same
// waits for it, until there is nobody left who does. As long as it is in
// cache.flying under a digest, that has not changed since the look-up began, for
// all we know, and the answer may be remembered.
type flight struct {
	digests []auth.Digest
	began   int64
	cancel  context.CancelFunc
	waiting int // guarded by cache.mu

	done    chan struct{} // closed when the following is set
	records []auth.Record
	err     error
}

var errAborted = errors.New("cachestore: a look-up did not return")

func (c *cache) init(size int, b *bound, f fetch, absent bool) {
	c.bound, c.fetch, c.absent = b, f, absent
	c.table = newTable(size)
	c.flying = make(map[auth.Digest]*flight)
}

// answer sets r to the record that is remembered under d, or to the zero Record
// where it is remembered that there is none.
func (c *cache) answer(m *moment, d *auth.Digest, r *auth.Record) bool {
	e := c.table.find(d)
	if e == nil || !m.serves(e) {
		return false
	}
	if !e.asked.Load() {
		e.asked.Store(true)
	}
	if e.record == nil {
		*r = auth.Record{}
	} else {
		*r = *e.record
	}
	return true
}

// drop forgets what is under d, and has what is being looked up under it not
// remembered.
func (c *cache) drop(d auth.Digest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flying, d)
	c.table.remove(&d)
}

// touch moves the Seen of what is remembered under d forward.
func (c *cache) touch(d auth.Digest, seen time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flying, d) // which may come back with the earlier time
	e := c.table.find(&d)
	if e == nil || e.record == nil || !seen.After(e.record.Seen) {
		return
	}
	r := *e.record
	r.Seen = seen
	c.table.put(newEntry(d, e.loaded, &r), c.bound.moment())
}

// load sets records[i] to what the backend has under digests[i].
func (c *cache) load(ctx context.Context, digests []auth.Digest, records []auth.Record) error {
	flights := c.board(ctx, digests)
	for i, f := range flights {
		select {
		case <-f.done:
		case <-ctx.Done():
			c.leave(flights[i:])
			return ctx.Err()
		}
	}
	for i, f := range flights {
		if f.err != nil {
			return f.err
		}
		records[i] = f.record(digests[i])
	}
	return nil
}

// board returns the flight of each digest, and starts one for those that have
// none.
func (c *cache) board(ctx context.Context, digests []auth.Digest) []*flight {
	c.mu.Lock()
	defer c.mu.Unlock()
	flights := make([]*flight, len(digests))
	var own *flight
	for i, d := range digests {
		f := c.flying[d]
		if f == nil {
			if own == nil {
				own = &flight{done: make(chan struct{}), began: c.bound.now(), err: errAborted}
			}
			own.digests = append(own.digests, d)
			c.flying[d], f = own, own
		}
		f.waiting++
		flights[i] = f
	}
	if own != nil {
		c.loads++
		own.records = make([]auth.Record, len(own.digests))
		ctx, own.cancel = context.WithCancel(context.WithoutCancel(ctx))
		go c.fly(ctx, own)
	}
	return flights
}

// leave is for who waits no longer.
func (c *cache) leave(flights []*flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range flights {
		if f.waiting--; f.waiting == 0 {
			c.forget(f)
			f.cancel()
		}
	}
}

// fly makes a look-up, and remembers what came of it unless that has changed
// meanwhile.
func (c *cache) fly(ctx context.Context, f *flight) {
	defer f.cancel()
	defer close(f.done)
	defer func() {
		if p := recover(); p != nil {
			f.err = fmt.Errorf("cachestore: a look-up panicked: %v", p)
		}
		c.land(f)
	}()
	f.err = c.fetch(ctx, f.digests, f.records)
}

func (c *cache) land(f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.bound.moment()
	for i, d := range f.digests {
		if f.err != nil || c.flying[d] != f {
			continue
		}
		r := &f.records[i]
		if c.absent && r.Kind == "" {
			r = nil
		}
		c.table.put(newEntry(d, f.began, r), m)
	}
	c.forget(f)
}

// forget takes a flight off, so that nobody boards it any more. The lock is held.
func (c *cache) forget(f *flight) {
	for _, d := range f.digests {
		if c.flying[d] == f {
			delete(c.flying, d)
		}
	}
}

// record returns what the flight has brought for d, one of its digests.
func (f *flight) record(d auth.Digest) auth.Record {
	for i := range f.digests {
		if f.digests[i] == d {
			return f.records[i]
		}
	}
	return auth.Record{}
}
