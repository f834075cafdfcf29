package auth_test

import (
	"context"
	"errors"
	"iter"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// begin is when the clock of a test with [authtest.At] starts.
var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// newStore returns the store that the tests of the root package run on.
func newStore(testing.TB) *memstore.Store { return memstore.New() }

// must returns v, for calls that a test does not expect to fail.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A tap is a store whose every call can be watched, stopped and spoiled, and
// whose records can be dumped.
type tap struct {
	*memstore.Store

	// before runs ahead of each call; its error is returned in place of the
	// call. lost runs after each call; its error is returned in place
	// of the answer, as when a connection breaks in between. Both may be nil.
	before, lost func(op string) error

	mu      sync.Mutex
	digests map[auth.Digest]bool
	calls   []string
}

func newTap(t testing.TB) *tap {
	return &tap{Store: newStore(t), digests: map[auth.Digest]bool{}}
}

// call makes the call named op, as the hooks allow.
func (s *tap) call(op string, f func() error) error {
	s.mu.Lock()
	s.calls = append(s.calls, op)
	s.mu.Unlock()
	if s.before != nil {
		if err := s.before(op); err != nil {
			return err
		}
	}
	err := f()
	if s.lost != nil {
		if lost := s.lost(op); lost != nil {
			return lost
		}
	}
	return err
}

func (s *tap) Lookup(ctx context.Context, d auth.Digest) (r auth.Record, err error) {
	err = s.call("Lookup", func() error { r, err = s.Store.Lookup(ctx, d); return err })
	return r, err
}

func (s *tap) Insert(ctx context.Context, d auth.Digest, r auth.Record) error {
	return s.call("Insert", func() error {
		s.mu.Lock()
		s.digests[d] = true
		s.mu.Unlock()
		return s.Store.Insert(ctx, d, r)
	})
}

func (s *tap) Replace(ctx context.Context, d auth.Digest, r auth.Record) error {
	return s.call("Replace", func() error { return s.Store.Replace(ctx, d, r) })
}

func (s *tap) Take(ctx context.Context, d auth.Digest) (r auth.Record, err error) {
	err = s.call("Take", func() error { r, err = s.Store.Take(ctx, d); return err })
	return r, err
}

func (s *tap) LookupAll(ctx context.Context, k auth.Kind, ds []auth.Digest, rs []auth.Record) error {
	return s.call("LookupAll", func() error { return s.Store.LookupAll(ctx, k, ds, rs) })
}

func (s *tap) Touch(ctx context.Context, seen map[auth.Digest]time.Time) error {
	return s.call("Touch", func() error { return s.Store.Touch(ctx, seen) })
}

func (s *tap) List(ctx context.Context, owner auth.Digest, k auth.Kind) iter.Seq2[auth.Entry, error] {
	return func(yield func(auth.Entry, error) bool) {
		more := true
		err := s.call("List", func() error {
			for e, err := range s.Store.List(ctx, owner, k) {
				if err != nil {
					return err
				}
				if more = yield(e, nil); !more {
					break
				}
			}
			return nil
		})
		if err != nil && more {
			yield(auth.Entry{}, err)
		}
	}
}

// once returns a hook that runs f at the first call named op.
func once(op string, f func()) func(string) error {
	done := false
	return func(o string) error {
		if o == op && !done {
			done = true
			f()
		}
		return nil
	}
}

// count returns how many calls were made since the last count, all of them or
// those named.
func (s *tap) count(ops ...string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.calls {
		for _, op := range ops {
			if c == op {
				n++
			}
		}
	}
	if len(ops) == 0 {
		n = len(s.calls)
	}
	s.calls = nil
	return n
}

// dump returns the records of the kinds, or of all kinds.
func (s *tap) dump(kinds ...auth.Kind) map[auth.Digest]auth.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[auth.Digest]auth.Record{}
	for d := range s.digests {
		r, err := s.Store.Lookup(context.Background(), d)
		if err == nil {
			all[d] = r
		}
	}
	maps.DeleteFunc(all, func(_ auth.Digest, r auth.Record) bool {
		for _, k := range kinds {
			if r.Kind == k {
				return false
			}
		}
		return len(kinds) > 0
	})
	return all
}

// A bareStore has no abilities.
type bareStore struct{ auth.Store }

// A listerStore has no ability but to list.
type listerStore struct {
	auth.Store
	auth.Lister
}

// requireOutage requires an error that a guard answers with 503: not a Reason,
// and none of the errors that have a meaning for a store.
func requireOutage(t testing.TB, err error) {
	t.Helper()
	var reason auth.Reason
	require.Error(t, err)
	require.False(t, errors.As(err, &reason), "%v is a refusal", err)
	require.NotErrorIs(t, err, auth.ErrNotMine)
}

// listed returns the sessions of p.
func listed(t testing.TB, s *auth.Sessions, p *auth.Principal) []auth.Session {
	t.Helper()
	var all []auth.Session
	for v, err := range s.List(t.Context(), p) {
		require.NoError(t, err)
		all = append(all, v)
	}
	return all
}

// verify returns what v says of a grant's token.
func verify(v auth.Verifier, g *auth.Grant) error {
	_, err := v.Verify(context.Background(), g.Token.Reveal())
	return err
}
