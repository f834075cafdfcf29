package storetest

import (
	"testing"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A claim is one sentence of a contract, with a check that fails where the
// sentence does not hold. O is the type of the function that opens what is
// tested.
type claim[O any] struct {
	name     string // of the subtest
	sentence string // as the contract has it
	check    func(t *trial, open O)
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

// ability returns an ability that the store has.
func ability[A any](t *trial, s auth.Store) A {
	t.Helper()
	a, ok := auth.StoreAbility[A](s)
	if !ok {
		t.Fatalf("only some handles have it")
	}
	return a
}

// notOffered reports, in the list of tests, what is not there.
func notOffered(t *testing.T, name string) {
	t.Run(name+", not offered", func(t *testing.T) { t.Log("nothing to hold") })
}

// patience is how long a case may take before its calls are cancelled: so much
// that none is which answers at all.
const patience = 2 * time.Minute

// hold makes the check.
func (c claim[O]) hold(t *testing.T, open O) {
	rounds := 1000
	if testing.Short() {
		rounds = 50
	}
	c.check(newTrial(t, c.sentence, rounds), open)
}
