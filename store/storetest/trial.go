package storetest

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A trial is the test of one claim. What it is not told to expect ends the test.
type trial struct {
	testing.TB
	sentence string
	ctx      context.Context
	rounds   int // of races in which chance decides what meets what
}

func newTrial(tb testing.TB, sentence string, rounds int) *trial {
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	tb.Cleanup(cancel)
	return &trial{tb, sentence, ctx, rounds}
}

// Errorf and Fatalf print the sentence that is broken ahead of how it is.

func (t *trial) Errorf(format string, args ...any) {
	t.Helper()
	t.TB.Errorf("%q\n\t"+format, append([]any{t.sentence}, args...)...)
}

func (t *trial) Fatalf(format string, args ...any) {
	t.Helper()
	t.TB.Fatalf("%q\n\t"+format, append([]any{t.sentence}, args...)...)
}

// must wants no error.
func (t *trial) must(err error, what string) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// is wants an error that is, or wraps, another.
func (t *trial) is(err, want error, what string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s: got error %v, want %v", what, err, want)
	}
}

// same wants what came back to be what went in.
func same[V any](t *trial, got, want V, what string) {
	t.Helper()
	if d := diff(want, got); d != "" {
		t.Fatalf("%s: %s", what, d)
	}
}

// equal wants a plain value.
func equal[V comparable](t *trial, got, want V, what string) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// present wants r under d.
func (t *trial) present(s auth.Store, d auth.Digest, r auth.Record) {
	t.Helper()
	got, err := s.Lookup(t.ctx, d)
	t.must(err, "Lookup")
	same(t, got, r, "Lookup")
}

// absent wants nothing under d.
func (t *trial) absent(s auth.Store, d auth.Digest) {
	t.Helper()
	_, err := s.Lookup(t.ctx, d)
	t.is(err, auth.ErrNotFound, "Lookup")
}

// inserted puts a record into s, and returns it and its digest.
func (t *trial) inserted(s auth.Store) (auth.Digest, auth.Record) {
	t.Helper()
	d, r := digest(), record()
	t.insert(s, d, r)
	return d, r
}

func (t *trial) insert(s auth.Store, d auth.Digest, r auth.Record) {
	t.Helper()
	t.must(s.Insert(t.ctx, d, r), "Insert")
}

func (t *trial) replace(s auth.Store, d auth.Digest, r auth.Record) {
	t.Helper()
	t.must(s.Replace(t.ctx, d, r), "Replace")
}

// take takes the record under d, which is r.
func (t *trial) take(s auth.Store, d auth.Digest, r auth.Record) {
	t.Helper()
	got, err := s.Take(t.ctx, d)
	t.must(err, "Take")
	same(t, got, r, "Take")
}

// second drops the first of two results.
func second[A any](_ A, err error) error { return err }

// soon is how far ahead the KeepUntil is of records that are waited for: time
// enough to insert a few.
const soon = 100 * time.Millisecond

// edge is how far clocks may differ that tell the same time: two in one process
// that are slewed, not those of two machines.
const edge = 500 * time.Microsecond

// until waits for a time, and until every clock agrees that it has come.
func (t *trial) until(at time.Time) {
	t.Helper()
	t.pause(time.Until(at.Add(edge)))
}

// pause waits, unless the test has taken too long.
func (t *trial) pause(d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.ctx.Done():
		t.Fatalf("gave up after %v", patience)
	}
}

// turns counts the rounds of what chance decides. A slow store has fewer of them.
func (t *trial) turns(most int) iter.Seq[int] {
	return func(yield func(int) bool) {
		begin := time.Now()
		for i := range min(most, t.rounds) {
			if time.Since(begin) > enough || !yield(i) {
				return
			}
		}
	}
}

// enough is how long is spent on that.
const enough = 20 * time.Second

// race calls f with each of 0 to n-1, all at once, and returns their errors.
func race(n int, f func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// one wants a single nil among the errors of a race, and all others to be lost.
func (t *trial) one(errs []error, lost error) {
	t.Helper()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		t.is(err, lost, "one that lost")
	}
	equal(t, won, 1, "successes")
}

// racers is how many contend at once.
const racers = 64

// scope calls f with a trial whose cleanups have run when scope returns.
func (t *trial) scope(f func(t *trial)) {
	t.Helper()
	tb := &scoped{TB: t.TB}
	defer tb.clean()
	f(&trial{tb, t.sentence, t.ctx, t.rounds})
}

// A scoped test has cleanups of its own.
type scoped struct {
	testing.TB
	cleanups []func()
}

func (s *scoped) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

func (s *scoped) clean() {
	for _, f := range slices.Backward(s.cleanups) {
		f()
	}
}

// goroutinesEnd wants no more than n goroutines, soon.
func (t *trial) goroutinesEnd(n int) {
	t.Helper()
	for range 500 {
		if runtime.NumGoroutine() <= n {
			return
		}
		t.pause(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<16)
	t.Fatalf("%d goroutines too many:\n%s", runtime.NumGoroutine()-n, stacks[:runtime.Stack(stacks, true)])
}
