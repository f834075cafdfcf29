package cachestore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/cachestore"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// begin is when the clock of a test with [authtest.At] starts.
var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// The bounds of the tests.
const (
	lag    = time.Second
	maxAge = 10 * time.Second
	beat   = 100 * time.Millisecond // how often a wire tells
)

// numbered returns the digest of the i-th credential.
func numbered(i int) auth.Digest {
	return auth.DigestOf(auth.KindSession, fmt.Sprintf("ses_%039d", i))
}

// somebody is whose sessions the tests look up.
var somebody = &auth.Principal{Subject: "somebody"}

// session returns the record of a session of the i-th owner.
func session(i int) auth.Record {
	now := time.Now().UTC().Truncate(time.Microsecond)
	return auth.Record{
		Kind: auth.KindSession, Owner: numbered(-i), Principal: somebody, Revision: auth.NewRevision(),
		Created: now, Expires: now.Add(time.Hour), KeepUntil: now.Add(25 * time.Hour), Seen: now,
	}
}

func mark() auth.Record {
	return auth.Record{Kind: auth.KindMark, Revision: auth.NewRevision(), Created: time.Now().UTC().Truncate(time.Microsecond)}
}

// next returns what may replace r.
func next(r auth.Record) auth.Record {
	r.Revision++
	r.Disabled = !r.Disabled
	return r
}

// A backend is a store that several processes share. It tells its wire what has
// changed, and counts the look-ups. The hooks, which may be nil, run before and
// after each call of the name; their error is returned in its place.
type backend struct {
	*memstore.Store
	wire          *wire
	before, after func(ctx context.Context, op string) error

	mu      sync.Mutex
	lookups int
}

func newBackend() *backend { return &backend{Store: memstore.New(), wire: &wire{}} }

func (b *backend) call(ctx context.Context, op string, f func() error) error {
	if b.before != nil {
		if err := b.before(ctx, op); err != nil {
			return err
		}
	}
	err := f()
	if b.after != nil {
		if lost := b.after(ctx, op); lost != nil {
			return lost
		}
	}
	return err
}

func (b *backend) count() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lookups++
}

// asked returns how many look-ups there were since it was called last.
func (b *backend) asked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.lookups
	b.lookups = 0
	return n
}

func (b *backend) Lookup(ctx context.Context, d auth.Digest) (r auth.Record, err error) {
	b.count()
	err = b.call(ctx, "Lookup", func() error { r, err = b.Store.Lookup(ctx, d); return err })
	return r, err
}

func (b *backend) LookupAll(ctx context.Context, k auth.Kind, ds []auth.Digest, rs []auth.Record) error {
	b.count()
	return b.call(ctx, "LookupAll", func() error { return b.Store.LookupAll(ctx, k, ds, rs) })
}

func (b *backend) Insert(ctx context.Context, d auth.Digest, r auth.Record) error {
	return b.call(ctx, "Insert", func() error {
		return b.wire.tell(d, func() error { return b.Store.Insert(ctx, d, r) })
	})
}

func (b *backend) Replace(ctx context.Context, d auth.Digest, r auth.Record) error {
	return b.call(ctx, "Replace", func() error {
		return b.wire.tell(d, func() error { return b.Store.Replace(ctx, d, r) })
	})
}

func (b *backend) Take(ctx context.Context, d auth.Digest) (r auth.Record, err error) {
	err = b.call(ctx, "Take", func() error {
		return b.wire.tell(d, func() error { r, err = b.Store.Take(ctx, d); return err })
	})
	return r, err
}

func (b *backend) Touch(ctx context.Context, seen map[auth.Digest]time.Time) error {
	return b.call(ctx, "Touch", func() error { return b.Store.Touch(ctx, seen) })
}

// A wire is a watcher that can fall silent and be cut.
type wire struct {
	mu          sync.Mutex
	log         []auth.Digest
	silent, cut bool
}

var errCut = errors.New("the wire is cut")

// tell makes a change and tells of it, in one.
func (w *wire) tell(d auth.Digest, change func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := change()
	if err == nil {
		w.log = append(w.log, d)
	}
	return err
}

// set sets how the wire is from now on. What is told while it is silent comes
// later, and what is told while it is cut never.
func (w *wire) set(silent, cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silent, w.cut = silent, cut
}

// hear returns what was told after the first next of all, and the time up to
// which that is all. A wire that is silent says neither.
func (w *wire) hear(next int) (news []auth.Digest, t time.Time, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.cut:
		return nil, t, errCut
	case w.silent:
		return nil, t, nil
	}
	return w.log[next:len(w.log):len(w.log)], time.Now(), nil
}

func (w *wire) Watch(ctx context.Context, changed func(auth.Digest), told func(time.Time)) error {
	w.mu.Lock()
	next := len(w.log)
	w.mu.Unlock()
	every := time.NewTicker(beat)
	defer every.Stop()
	for {
		news, t, err := w.hear(next)
		if err != nil {
			return err
		}
		for _, d := range news {
			changed(d)
		}
		if next += len(news); !t.IsZero() {
			told(t)
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// newCache returns a cache in front of s with the bounds of the tests, which
// watches w unless that is nil.
func newCache(t testing.TB, s auth.Store, w auth.Watcher) *cachestore.Store {
	t.Helper()
	c, err := cachestore.New(s, &cachestore.Options{MaxLag: lag, MaxAge: maxAge, Watcher: w})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// requirePresent fails unless s has r under d.
func requirePresent(t *testing.T, s auth.Store, d auth.Digest, r auth.Record) {
	t.Helper()
	got, err := s.Lookup(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, r, got)
}

func requireAbsent(t *testing.T, s auth.Store, d auth.Digest) {
	t.Helper()
	_, err := s.Lookup(t.Context(), d)
	require.ErrorIs(t, err, auth.ErrNotFound)
}

// marks looks marks up.
func marks(t *testing.T, s auth.Batcher, digests ...auth.Digest) []auth.Record {
	t.Helper()
	records := make([]auth.Record, len(digests))
	require.NoError(t, s.LookupAll(t.Context(), auth.KindMark, digests, records))
	return records
}

func second[T any](_ T, err error) error { return err }

// after returns once d has passed, or with the context's error.
func after(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
