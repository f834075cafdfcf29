// Package cachestore keeps what a store has answered in the memory of the
// process, for a bounded while, so that most requests cost no round trip.
//
// What this process changes is seen at once. What another one changes (a
// sign-out, a key that is disabled, a mark that ends many) is seen late, by no
// more than the lag:
//
//	watcher                              the lag is at most
//	confirms at least each second        Options.MaxLag; as a rule a notification's way, milliseconds
//	silent, cut off or coming back       Options.MaxLag
//	none                                 Options.MaxLag
//	does not hear of that process        Options.MaxAge
//
// A watcher, see [auth.Watcher], does not make the cache right, as it is right by
// the clock alone. It makes it quicker to notice and lets it serve longer: for
// Options.MaxAge in place of Options.MaxLag.
//
// What outlasts a request is never decided by what the cache remembers.
// [auth.Guard.Exchange] looks past it, logins with a password do, and so does
// whatever looks at marks to issue a credential, or changes a record: a key that
// has been disabled a moment ago opens no session, however late a request that
// shows it is refused. Who verifies a credential and issues another in code of
// their own verifies it in an [auth.Uncached] context; the principal that a guard
// has admitted is up to the lag old.
//
// While the store is down, what the cache may still serve it serves, at most for
// the lag; all else is an outage.
package cachestore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A Store remembers what the store behind it has answered. It is an [auth.Store]
// and an [auth.Batcher]; the other abilities are those of the store behind it.
// Use [New], and [Store.Close] at the end; a Store must not be copied. It is safe
// for concurrent use.
//
// It remembers the records that are looked up, and of marks also that there is
// none. Strangers, whose credentials the store does not know, leave nothing in
// it. Concurrent look-ups of one digest that it does not remember are one look-up
// in the store behind it, which ends early only when all of them have gone.
type Store struct {
	backend auth.Store
	batcher auth.Batcher // of the backend, or nil
	below   auth.Store
	bound   bound
	records cache
	marks   cache
	onLost  func(error)

	stop    context.CancelFunc
	stopped chan struct{}
}

var (
	_ auth.Store   = (*Store)(nil)
	_ auth.Batcher = (*Store)(nil)
)

// Options configure [New]. The zero value is ready for production.
type Options struct {
	// Size is how many records are remembered at most, and four times as many
	// names of marks. Zero is 65,536. A record takes some 300 bytes beside its
	// Principal and its Data, a name that has no mark 100.
	Size int

	// MaxLag is how late a change may be seen that another process has made, at
	// most; while the machine sleeps, no time passes. Zero is 5 seconds, the
	// most is a minute.
	MaxLag time.Duration

	// MaxAge is how long an answer may serve while a watcher confirms that
	// nothing has changed. It bounds what no watcher tells: the use of a
	// credential elsewhere, and the changes of a process that does not notify.
	// Zero is a minute; the most is an hour, and the least MaxLag.
	MaxAge time.Duration

	// Watcher tells of changes, and every process that changes the store must
	// have them told: a sqlstore by its Options.Notify. Nil is the store's own
	// ability, if it has that; without any, answers serve for MaxLag.
	Watcher auth.Watcher

	// OnLost is told why the watcher has ended each time it has, and before it
	// is asked to watch again. It returns at once. Nil logs it by slog.Default().
	OnLost func(err error)
}

const (
	defaultSize    = 1 << 16
	maxSize        = 1 << 24
	marksPerRecord = 4 // a signed token looks at four names
	defaultLag     = 5 * time.Second
	maxLag         = time.Minute
	defaultMaxAge  = time.Minute
	maxMaxAge      = time.Hour
)

// New returns a cache in front of s. o may be nil.
func New(s auth.Store, o *Options) (*Store, error) {
	var p Options
	if o != nil {
		p = *o
	}
	if err := p.complete(s); err != nil {
		return nil, fmt.Errorf("cachestore: New: %w", err)
	}
	c := &Store{backend: s, below: s, onLost: p.OnLost, stopped: make(chan struct{})}
	c.batcher, _ = auth.StoreAbility[auth.Batcher](s)
	if t, ok := auth.StoreAbility[auth.Toucher](s); ok {
		c.below = touching{s, t, c}
	}
	c.bound.init(&p)
	c.records.init(p.Size, &c.bound, c.fetchRecord, false)
	c.marks.init(marksPerRecord*p.Size, &c.bound, c.fetchMarks, true)

	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	if p.Watcher == nil {
		close(c.stopped)
	} else {
		go c.watch(ctx, p.Watcher)
	}
	return c, nil
}

// complete fills in what is zero and judges the rest.
func (o *Options) complete(s auth.Store) error {
	var errs []error
	if s == nil {
		errs = append(errs, errors.New("no store"))
	}
	if o.Size == 0 {
		o.Size = defaultSize
	}
	if o.Size < 0 || o.Size > maxSize {
		errs = append(errs, fmt.Errorf("a Size of %d is not within %d", o.Size, maxSize))
	}
	if o.MaxLag == 0 {
		o.MaxLag = defaultLag
	}
	if o.MaxLag < 0 || o.MaxLag > maxLag {
		errs = append(errs, fmt.Errorf("a MaxLag of %v is not within a minute", o.MaxLag))
	}
	switch {
	case o.MaxAge == 0:
		o.MaxAge = defaultMaxAge // no MaxLag is more
	case o.MaxAge < o.MaxLag || o.MaxAge > maxMaxAge:
		errs = append(errs, fmt.Errorf("a MaxAge of %v is less than MaxLag or more than an hour", o.MaxAge))
	}
	if o.Watcher == nil {
		o.Watcher, _ = auth.StoreAbility[auth.Watcher](s)
	}
	if o.OnLost == nil {
		o.OnLost = func(err error) { slog.Warn("auth: a cache has lost its watcher", slog.Any("error", err)) }
	}
	return errors.Join(errs...)
}

// Close ends the watching. The Store goes on, with answers that serve for MaxLag.
// The store behind it stays open. The error is always nil.
func (s *Store) Close() error {
	s.stop()
	<-s.stopped
	return nil
}

// Unwrap returns the store behind s, for the abilities that s leaves to it.
func (s *Store) Unwrap() auth.Store { return s.below }

// Lookup returns the record under d, or [auth.ErrNotFound]. Where s remembers
// the record it takes no lock and allocates nothing.
func (s *Store) Lookup(ctx context.Context, d auth.Digest) (r auth.Record, err error) {
	if err := ctx.Err(); err != nil {
		return auth.Record{}, err
	}
	if auth.IsUncached(ctx) {
		s.records.drop(d)
	} else if m := s.bound.moment(); s.records.answer(&m, &d, &r) {
		return r, nil
	}
	return s.load(ctx, d)
}

// load looks d up in the store behind s.
func (s *Store) load(ctx context.Context, d auth.Digest) (auth.Record, error) {
	var r [1]auth.Record
	err := s.records.load(ctx, []auth.Digest{d}, r[:])
	return r[0], err
}

// fetchRecord is how records are looked up, which is one by one.
func (s *Store) fetchRecord(ctx context.Context, digests []auth.Digest, records []auth.Record) (err error) {
	records[0], err = s.backend.Lookup(ctx, digests[0])
	return err
}

// Insert adds r under d, as the store behind s does.
func (s *Store) Insert(ctx context.Context, d auth.Digest, r auth.Record) error {
	defer s.drop(d)
	return s.backend.Insert(ctx, d, r)
}

// Replace changes the record under d to r, as the store behind s does.
func (s *Store) Replace(ctx context.Context, d auth.Digest, r auth.Record) error {
	defer s.drop(d)
	return s.backend.Replace(ctx, d, r)
}

// Take removes the record under d and returns it, as the store behind s does.
// Whatever it returns, s has forgotten the record.
func (s *Store) Take(ctx context.Context, d auth.Digest) (auth.Record, error) {
	defer s.drop(d)
	return s.backend.Take(ctx, d)
}

// drop forgets what is under d. What is being looked up at the time will not be
// remembered.
func (s *Store) drop(d auth.Digest) {
	s.records.drop(d)
	s.marks.drop(d)
}
