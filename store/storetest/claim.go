package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A claim is one sentence of a contract, with a check that fails where the
// sentence does not hold. O is the type of the function that opens what is
// tested.
type claim[O any] struct {
	name     string // of the subtest
	sentence string
	check    func(t *T, open O)
}

// An opener opens a handle on the store that is tested.
type opener = func(testing.TB) auth.Store

// run holds what open opens against the claims.
func run[O any](t *testing.T, name string, open O, claims []claim[O]) {
	t.Run(name, func(t *testing.T) {
		for _, c := range claims {
			t.Run(c.name, func(t *testing.T) { c.hold(t, open) })
		}
	})
}

// runAbility holds an ability against its claims if s has it.
func runAbility[A any](t *testing.T, name string, s auth.Store, open opener, claims []claim[opener]) {
	if _, ok := auth.StoreAbility[A](s); !ok {
		notOffered(t, name)
		return
	}
	run(t, name, open, claims)
}

// notOffered reports, in the list of tests, what is not there.
func notOffered(t *testing.T, name string) {
	t.Run(name+", not offered", func(t *testing.T) { t.Log("nothing to hold it against") })
}

// hold makes the check.
func (c claim[O]) hold(tb testing.TB, open O) {
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	c.check(&T{TB: tb, sentence: c.sentence, ctx: ctx}, open)
}

// patience is how long a case may take before its calls are cancelled: so much
// that none which answers at all is.
const patience = 2 * time.Minute

// A T is the test of one claim.
type T struct {
	testing.TB
	sentence string
	ctx      context.Context
}

// Errorf and Fatalf print the sentence that is broken ahead of how.

func (t *T) Errorf(format string, args ...any) {
	t.Helper()
	t.TB.Errorf("%s\n\t"+format, append([]any{t.sentence}, args...)...)
}

func (t *T) Fatalf(format string, args ...any) {
	t.Helper()
	t.TB.Fatalf("%s\n\t"+format, append([]any{t.sentence}, args...)...)
}
