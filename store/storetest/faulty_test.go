package storetest_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

var errDown = errors.New("down")

// Without a fault it is what it wraps.
func TestFaultyWithoutFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t, "")
		failures := storetest.Failures(t, func(tb testing.TB) auth.Store { return storetest.NewFaulty(b.open(tb)) })
		require.Empty(t, failures)
	})
}

func TestFaultyHasTheAbilitiesOfItsStore(t *testing.T) {
	for name, s := range map[string]auth.Store{
		"all":      newBackend(t, "").open(t),
		"some":     memstore.New(),
		"one":      lister{bare{memstore.New()}, memstore.New()},
		"none":     bare{memstore.New()},
		"unwraps":  unwraps{memstore.New()},
		"twofold":  storetest.NewFaulty(memstore.New()),
		"twofold0": storetest.NewFaulty(bare{memstore.New()}),
	} {
		f := storetest.NewFaulty(s)
		for ability, has := range map[string]func(auth.Store) bool{
			"Lister": has[auth.Lister], "Batcher": has[auth.Batcher], "Toucher": has[auth.Toucher],
			"Sweeper": has[auth.Sweeper], "Walker": has[auth.Walker], "Watcher": has[auth.Watcher],
		} {
			require.Equal(t, has(s), has(f), "%s, %s", name, ability)
		}
	}
}

func has[A any](s auth.Store) bool {
	_, ok := auth.StoreAbility[A](s)
	return ok
}

type lister struct {
	auth.Store
	auth.Lister
}

type unwraps struct{ auth.Store }

func (u unwraps) Unwrap() auth.Store { return u.Store }

// calls are all that a store can be asked.
var calls = map[string]func(ctx context.Context, s auth.Store, d auth.Digest, r auth.Record) error{
	"Lookup": func(ctx context.Context, s auth.Store, d auth.Digest, _ auth.Record) error {
		r, err := s.Lookup(ctx, d)
		return nothingBeside(err, r.Revision != 0)
	},
	"Insert": func(ctx context.Context, s auth.Store, d auth.Digest, r auth.Record) error {
		return s.Insert(ctx, auth.DigestOf("", d.String()), r)
	},
	"Replace": func(ctx context.Context, s auth.Store, d auth.Digest, r auth.Record) error {
		r.Revision++
		return s.Replace(ctx, d, r)
	},
	"Take": func(ctx context.Context, s auth.Store, d auth.Digest, _ auth.Record) error {
		r, err := s.Take(ctx, d)
		return nothingBeside(err, r.Revision != 0)
	},
	"List": func(ctx context.Context, s auth.Store, _ auth.Digest, r auth.Record) error {
		l, _ := auth.StoreAbility[auth.Lister](s)
		return last(l.List(ctx, r.Owner, r.Kind))
	},
	"LookupAll": func(ctx context.Context, s auth.Store, d auth.Digest, r auth.Record) error {
		b, _ := auth.StoreAbility[auth.Batcher](s)
		return b.LookupAll(ctx, r.Kind, []auth.Digest{d}, make([]auth.Record, 1))
	},
	"Touch": func(ctx context.Context, s auth.Store, d auth.Digest, _ auth.Record) error {
		a, _ := auth.StoreAbility[auth.Toucher](s)
		return a.Touch(ctx, map[auth.Digest]time.Time{d: time.Now()})
	},
	"Sweep": func(ctx context.Context, s auth.Store, _ auth.Digest, _ auth.Record) error {
		a, _ := auth.StoreAbility[auth.Sweeper](s)
		_, err := a.Sweep(ctx, 1)
		return err
	},
	"Walk": func(ctx context.Context, s auth.Store, _ auth.Digest, r auth.Record) error {
		w, _ := auth.StoreAbility[auth.Walker](s)
		return last(w.Walk(ctx, r.Kind))
	},
	"Watch": func(ctx context.Context, s auth.Store, _ auth.Digest, _ auth.Record) error {
		w, _ := auth.StoreAbility[auth.Watcher](s)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		err := w.Watch(ctx, func(auth.Digest) {}, func(time.Time) { cancel() })
		if err == context.Canceled {
			return nil
		}
		return err
	},
}

func nothingBeside(err error, something bool) error {
	if err != nil && something {
		return errors.New("an answer beside the error")
	}
	return err
}

func last(all func(func(auth.Entry, error) bool)) (err error) {
	for _, err = range all {
	}
	return err
}

func TestFaultyFails(t *testing.T) {
	for op, call := range calls {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := storetest.NewFaulty(newBackend(t, "").open(t))
				d, r := auth.DigestOf("", op), auth.Record{Kind: "kind", Owner: auth.DigestOf("", "owner"), Revision: 1}
				require.NoError(t, f.Insert(t.Context(), d, r))

				f.Before = storetest.On(op, storetest.Fail(errDown))
				require.Equal(t, errDown, call(t.Context(), f, d, r))
				got, err := f.Lookup(t.Context(), d)
				if op != "Lookup" {
					require.NoError(t, err, "the call was made")
					require.Equal(t, r, got)
				}

				f.Before = storetest.On(op, storetest.Delay(time.Minute))
				begin := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				require.Equal(t, context.DeadlineExceeded, call(ctx, f, d, r))
				require.Equal(t, time.Second, time.Since(begin))

				ctx, cancel = context.WithCancel(t.Context())
				f.Before = storetest.On(op, storetest.Cancel(cancel))
				if op != "Watch" { // which its context ends anyhow
					require.ErrorIs(t, call(ctx, f, d, r), context.Canceled)
				}

				f.Before, f.After = nil, storetest.On(op, storetest.Fail(errDown))
				require.Equal(t, errDown, call(t.Context(), f, d, r))
				f.After = nil
				begin = time.Now()
				f.Before = storetest.On(op, storetest.Delay(time.Minute))
				switch op {
				case "Take", "Replace", "Insert": // it was made, and the answer lost
					require.Error(t, call(t.Context(), f, d, r))
				default:
					require.NoError(t, call(t.Context(), f, d, r))
				}
				require.Equal(t, time.Minute, time.Since(begin))
				require.Contains(t, f.Calls(), op)
			})
		})
	}
}

func TestFaultsAtOneOfTheCalls(t *testing.T) {
	f := storetest.NewFaulty(memstore.New())
	lookup := func() error { _, err := f.Lookup(t.Context(), auth.Digest{}); return err }
	f.Before = storetest.Nth(1, storetest.Fail(errDown))
	require.Equal(t, []error{auth.ErrNotFound, errDown, auth.ErrNotFound}, []error{lookup(), lookup(), lookup()})
	f.Before = storetest.On("Lookup", storetest.Nth(0, storetest.Fail(errDown)))
	_, err := f.Take(t.Context(), auth.Digest{})
	require.Equal(t, auth.ErrNotFound, err)
	require.Equal(t, []error{errDown, auth.ErrNotFound}, []error{lookup(), lookup()})
	require.Equal(t, []string{"Lookup", "Lookup", "Lookup", "Take", "Lookup", "Lookup"}, f.Calls())
}

// A loop that breaks is not told of an answer that was lost.
func TestFaultyLoopBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := storetest.NewFaulty(newBackend(t, "").open(t))
		r := auth.Record{Kind: "kind", Owner: auth.DigestOf("", "owner")}
		for _, text := range []string{"a", "b", "c"} {
			require.NoError(t, f.Insert(t.Context(), auth.DigestOf("", text), r))
		}
		f.After = storetest.Fail(errDown)
		l, _ := auth.StoreAbility[auth.Lister](f)
		rounds := 0
		for _, err := range l.List(t.Context(), r.Owner, r.Kind) {
			require.NoError(t, err)
			if rounds++; rounds == 2 {
				break
			}
		}
		require.Equal(t, 2, rounds)
	})
}

func TestFaultsAtNoMethodPanic(t *testing.T) {
	require.Panics(t, func() { storetest.On("LookUp", storetest.Fail(errDown)) })
	for i := range reflect.TypeFor[auth.Store]().NumMethod() {
		require.NotPanics(t, func() { storetest.On(reflect.TypeFor[auth.Store]().Method(i).Name, storetest.Fail(errDown)) })
	}
}
