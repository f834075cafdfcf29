package storetest

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/seed-077cad0b/auth"
)

const outage = "Errors other than the three below mean that the backend could not answer"

// contextClaims hold what is said of contexts that end, and of backends that are
// gone.
var contextClaims = []claim[opener]{
	{"Context, cancelled", atomically, func(t *trial, open opener) {
		ctx, cancel := context.WithCancel(t.ctx)
		cancel()
		honoured(t, open(t), ctx)
	}},
	{"Context, past its deadline", atomically, func(t *trial, open opener) {
		ctx, cancel := context.WithDeadline(t.ctx, time.Now().Add(-time.Second))
		defer cancel()
		honoured(t, open(t), ctx)
	}},
	{"Context, cancelled meanwhile", atomically, func(t *trial, open opener) {
		s := open(t)
		for i := range 50 {
			d, r := t.inserted(s)
			n := next(r)
			within := time.Duration(i*i) * time.Microsecond
			interrupted := func(f func(context.Context) error) (done bool) {
				ctx, cancel := context.WithTimeout(t.ctx, within)
				defer cancel()
				err := f(ctx)
				if isAnswer(err) {
					t.Fatalf("a call that was cut off after %v: %v", within, err)
				}
				return err == nil
			}
			interrupted(func(ctx context.Context) error { return second(s.Lookup(ctx, d)) })
			if interrupted(func(ctx context.Context) error { return s.Replace(ctx, d, n) }) {
				t.present(s, d, n)
			}
			// A server may go on with what was cut off, at any time: either record
			// is right, and nothing between.
			whole := func(got auth.Record, what string) {
				want := n
				if got.Revision == r.Revision {
					want = r
				}
				same(t, got, want, what)
			}
			got, err := s.Lookup(t.ctx, d)
			t.must(err, "Lookup")
			whole(got, "Lookup after Replace was cut off")
			if interrupted(func(ctx context.Context) error { return second(s.Take(ctx, d)) }) {
				t.absent(s, d)
			}
			if got, err := s.Lookup(t.ctx, d); err == nil {
				whole(got, "Lookup after Take was cut off")
			} else {
				t.is(err, auth.ErrNotFound, "Lookup after Take was cut off")
			}
		}
	}},
	{"Outage, a handle that is closed", outage, func(t *trial, open opener) {
		d, r := t.inserted(open(t))
		var closed auth.Store
		t.scope(func(t *trial) { closed = open(t) })
		ctx, cancel := context.WithTimeout(t.ctx, 10*time.Second)
		defer cancel()
		for name, err := range map[string]error{
			"Lookup":  second(closed.Lookup(ctx, d)),
			"Insert":  closed.Insert(ctx, digest(), record()),
			"Replace": closed.Replace(ctx, d, next(r)),
			"Take":    second(closed.Take(ctx, d)),
		} {
			if isAnswer(err) {
				t.Fatalf("%s through a handle that is closed: %v, which is an answer", name, err)
			}
		}
	}},
	{"Goroutines, none is left", "no goroutine of its own is left after that", func(t *trial, open opener) {
		t.scope(func(t *trial) { t.inserted(open(t)) }) // what starts once stays
		before := runtime.NumGoroutine()
		t.scope(func(t *trial) {
			for range 4 { // so that one of somebody else's that ends meanwhile hides nothing
				s := open(t)
				d, r := t.inserted(s)
				for _, err := range race(8, func(int) error { return second(s.Lookup(t.ctx, d)) }) {
					t.must(err, "Lookup")
				}
				t.take(s, d, r)
			}
		})
		t.goroutinesEnd(before)
	}},
}

// isAnswer reports whether a store has answered with an error.
func isAnswer(err error) bool {
	return errors.Is(err, auth.ErrNotFound) || errors.Is(err, auth.ErrExists) || errors.Is(err, auth.ErrConflict)
}

// honoured wants every method, with a context that has ended, to tell that and
// to change nothing.
func honoured(t *trial, s auth.Store, ended context.Context) {
	t.Helper()
	d, r := t.inserted(s)
	absent := digest()
	for name, err := range map[string]error{
		"Lookup":          second(s.Lookup(ended, d)),
		"Lookup, absent":  second(s.Lookup(ended, absent)),
		"Insert":          s.Insert(ended, absent, record()),
		"Insert, present": s.Insert(ended, d, record()),
		"Replace":         s.Replace(ended, d, next(r)),
		"Replace, stale":  s.Replace(ended, d, r),
		"Replace, absent": s.Replace(ended, absent, r),
		"Take":            second(s.Take(ended, d)),
		"Take, absent":    second(s.Take(ended, absent)),
	} {
		t.ended(err, ended, name)
	}
	t.present(s, d, r)
	t.absent(s, absent)
}

// ended wants the error of a context that has ended.
func (t *trial) ended(err error, ctx context.Context, what string) {
	t.Helper()
	t.is(err, ctx.Err(), what)
	if isAnswer(err) {
		t.Fatalf("%s: %v, which is an answer", what, err)
	}
}
