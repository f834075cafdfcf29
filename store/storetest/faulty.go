package storetest

import (
	"context"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A Faulty is a store whose calls go wrong, for testing what calls a store. To
// see what becomes of an operation whose every call fails, run it once as it is,
// count its [Faulty.Calls], and run it once for each with [Nth]:
//
//	store.Before = storetest.Nth(i, storetest.Fail(err)) // no answer
//	store.After = storetest.Nth(i, storetest.Fail(err))  // it is done, and the answer is lost
//
// A Faulty has those abilities that its store has: they are found by
// [auth.StoreAbility], and their calls go wrong as others do. It is safe for
// concurrent use, but for its fields: set them while no call is under way.
type Faulty struct {
	// Before goes ahead of each call, and After behind it; nil is no fault. The
	// error of Before is returned in place of the call, which is not made, and
	// that of After in place of the answer.
	Before, After Fault

	store auth.Store
	rest  auth.Store // the abilities, each in a store of its own

	mu    sync.Mutex
	calls []string
}

// A Fault is what goes wrong at a call: it may wait, cancel a context, look, and
// return an error. op is the name of the method, such as "Lookup". List and Walk
// are called when their sequence is ranged over, and end when that does.
type Fault func(ctx context.Context, op string) error

// Fail is a fault that returns err.
func Fail(err error) Fault { return func(context.Context, string) error { return err } }

// Delay is a fault that waits for d, or until the context ends, whose error it
// returns then.
func Delay(d time.Duration) Fault {
	return func(ctx context.Context, _ string) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Cancel is a fault that calls cancel and goes on, as where the caller leaves in
// the middle.
func Cancel(cancel context.CancelFunc) Fault {
	return func(context.Context, string) error {
		cancel()
		return nil
	}
}

// Nth is f at the n-th of the calls that it is asked about, counted from 0, and no
// fault at others.
func Nth(n int, f Fault) Fault {
	var asked atomic.Int64
	return func(ctx context.Context, op string) error {
		if asked.Add(1)-1 != int64(n) {
			return nil
		}
		return f(ctx, op)
	}
}

// methods are those of a store and of its abilities.
var methods = []string{
	"Lookup", "Insert", "Replace", "Take", "List", "LookupAll", "Touch", "Sweep", "Walk", "Watch",
}

// On is f at calls of one method, and no fault at others. On(op, Nth(0, f)) is f
// at the first. It panics where no method of a store is called op: a fault that
// never comes about proves nothing.
func On(op string, f Fault) Fault {
	if !slices.Contains(methods, op) {
		panic("storetest: On: no method of a store is called " + op)
	}
	return func(ctx context.Context, called string) error {
		if called != op {
			return nil
		}
		return f(ctx, op)
	}
}

// NewFaulty returns a store that does what s does, as long as it has no fault.
func NewFaulty(s auth.Store) *Faulty {
	f := &Faulty{store: s}
	if a, ok := auth.StoreAbility[auth.Lister](s); ok {
		f.rest = faultyLister{link{f, f.rest}, a}
	}
	if a, ok := auth.StoreAbility[auth.Batcher](s); ok {
		f.rest = faultyBatcher{link{f, f.rest}, a}
	}
	if a, ok := auth.StoreAbility[auth.Toucher](s); ok {
		f.rest = faultyToucher{link{f, f.rest}, a}
	}
	if a, ok := auth.StoreAbility[auth.Sweeper](s); ok {
		f.rest = faultySweeper{link{f, f.rest}, a}
	}
	if a, ok := auth.StoreAbility[auth.Walker](s); ok {
		f.rest = faultyWalker{link{f, f.rest}, a}
	}
	if a, ok := auth.StoreAbility[auth.Watcher](s); ok {
		f.rest = faultyWatcher{link{f, f.rest}, a}
	}
	return f
}

// Calls returns the names of the methods that were called, in order.
func (f *Faulty) Calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// Unwrap returns what [auth.StoreAbility] finds the abilities on: never the store
// itself, whose calls would not go wrong.
func (f *Faulty) Unwrap() auth.Store { return f.rest }

// Lookup implements [auth.Store].
func (f *Faulty) Lookup(ctx context.Context, d auth.Digest) (auth.Record, error) {
	return answer(ctx, f, "Lookup", func() (auth.Record, error) { return f.store.Lookup(ctx, d) })
}

// Insert implements [auth.Store].
func (f *Faulty) Insert(ctx context.Context, d auth.Digest, r auth.Record) error {
	return f.call(ctx, "Insert", func() error { return f.store.Insert(ctx, d, r) })
}

// Replace implements [auth.Store].
func (f *Faulty) Replace(ctx context.Context, d auth.Digest, r auth.Record) error {
	return f.call(ctx, "Replace", func() error { return f.store.Replace(ctx, d, r) })
}

// Take implements [auth.Store].
func (f *Faulty) Take(ctx context.Context, d auth.Digest) (auth.Record, error) {
	return answer(ctx, f, "Take", func() (auth.Record, error) { return f.store.Take(ctx, d) })
}

// call makes a call, as far as the faults let it.
func (f *Faulty) call(ctx context.Context, op string, make func() error) error {
	f.mu.Lock()
	f.calls = append(f.calls, op)
	f.mu.Unlock()
	if f.Before != nil {
		if err := f.Before(ctx, op); err != nil {
			return err
		}
	}
	err := make()
	if f.After != nil {
		if lost := f.After(ctx, op); lost != nil {
			return lost
		}
	}
	return err
}

// answer makes a call that has an answer, of which nothing is left if it fails.
func answer[A any](ctx context.Context, f *Faulty, op string, make func() (A, error)) (A, error) {
	var a A
	err := f.call(ctx, op, func() (err error) {
		a, err = make()
		return err
	})
	if err != nil {
		var none A
		return none, err
	}
	return a, nil
}

// sequence makes the call that a loop over all is.
func (f *Faulty) sequence(ctx context.Context, op string, all sequence) sequence {
	return func(yield func(auth.Entry, error) bool) {
		more := true
		err := f.call(ctx, op, func() error {
			for e, err := range all {
				if err != nil {
					return err
				}
				if more = yield(e, nil); !more {
					return nil
				}
			}
			return nil
		})
		if err != nil && more {
			yield(auth.Entry{}, err)
		}
	}
}

// A link is a store in a chain of which each has one ability of the faulty one.
// So it has those that its store has, and no others.
type link struct {
	*Faulty
	next auth.Store
}

func (l link) Unwrap() auth.Store { return l.next }

type (
	faultyLister struct {
		link
		lister auth.Lister
	}
	faultyBatcher struct {
		link
		batcher auth.Batcher
	}
	faultyToucher struct {
		link
		toucher auth.Toucher
	}
	faultySweeper struct {
		link
		sweeper auth.Sweeper
	}
	faultyWalker struct {
		link
		walker auth.Walker
	}
	faultyWatcher struct {
		link
		watcher auth.Watcher
	}
)

func (f faultyLister) List(ctx context.Context, owner auth.Digest, k auth.Kind) iter.Seq2[auth.Entry, error] {
	return f.sequence(ctx, "List", f.lister.List(ctx, owner, k))
}

func (f faultyBatcher) LookupAll(ctx context.Context, k auth.Kind, digests []auth.Digest, records []auth.Record) error {
	return f.call(ctx, "LookupAll", func() error { return f.batcher.LookupAll(ctx, k, digests, records) })
}

func (f faultyToucher) Touch(ctx context.Context, seen map[auth.Digest]time.Time) error {
	return f.call(ctx, "Touch", func() error { return f.toucher.Touch(ctx, seen) })
}

func (f faultySweeper) Sweep(ctx context.Context, limit int) (int, error) {
	return answer(ctx, f.Faulty, "Sweep", func() (int, error) { return f.sweeper.Sweep(ctx, limit) })
}

func (f faultyWalker) Walk(ctx context.Context, k auth.Kind) iter.Seq2[auth.Entry, error] {
	return f.sequence(ctx, "Walk", f.walker.Walk(ctx, k))
}

func (f faultyWatcher) Watch(ctx context.Context, changed func(auth.Digest), told func(time.Time)) error {
	return f.call(ctx, "Watch", func() error { return f.watcher.Watch(ctx, changed, told) })
}
