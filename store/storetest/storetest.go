// Package storetest holds implementations of the sockets of package auth that
// keep something against their contracts: an [auth.Store] with its abilities, a
// [password.UserStore], an [auth.PlatformRegistry], an [auth.Limiter].
//
// For each sentence of a contract there is a subtest. One that fails prints the
// sentence, and the line of this package that found it broken: read on there, the
// cases are meant to be read. Everything is random, the kinds and owners of
// records as well as their digests, so that a backend may hold other things
// meanwhile. What a run leaves there is some thousand records, which are kept for
// an hour, and a few dozen users.
//
// [Faulty] is for the other side: for testing code that calls a store.
package storetest

import (
	"testing"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

// Run holds a store against every sentence of [auth.Store], and of those of the
// abilities that [auth.StoreAbility] finds on it: [auth.Lister], [auth.Batcher],
// [auth.Toucher], [auth.Sweeper], [auth.Walker] and [auth.Watcher]. One that the
// store does not have is reported in the name of a subtest, such as "Walker, not
// offered".
//
// Each call of open returns a new handle on one backend, as another process
// would have: what is written through one is seen through the others. A store
// that lives in one process alone returns itself each time. What a handle holds
// open is closed by tb.Cleanup, and no goroutine of its own is left after that.
//
// The clock that KeepUntil is judged by is to agree with this machine's to half a
// millisecond. A store that sweeps by itself should do so seldom here, as what is
// swept is counted. With -short, races run fewer rounds.
func Run(t *testing.T, open func(tb testing.TB) auth.Store) {
	run(t, "Store", open, storeClaims)
	s := open(t)
	runAbility[auth.Lister](t, "Lister", s, open, listerClaims)
	runAbility[auth.Batcher](t, "Batcher", s, open, batcherClaims)
	runAbility[auth.Toucher](t, "Toucher", s, open, toucherClaims)
	runAbility[auth.Sweeper](t, "Sweeper", s, open, sweeperClaims)
	runAbility[auth.Walker](t, "Walker", s, open, walkerClaims)
	runAbility[auth.Watcher](t, "Watcher", s, open, watcherClaims)
}

// RunUsers holds a store of users against every sentence of
// [password.UserStore], and of [password.UserWalker] where it is one. Each call of
// open returns a new handle on one backend, see [Run].
func RunUsers(t *testing.T, open func(tb testing.TB) password.UserStore) {
	run(t, "UserStore", open, userClaims)
	name := "UserWalker"
	if !walksUsersAtAll(t, open(t)) {
		notOffered(t, name)
		return
	}
	run(t, name, open, userWalkerClaims)
}

// RunPlatforms holds a registry against every sentence of
// [auth.PlatformRegistry]. open returns one that knows the platforms, none of
// which it is given twice; their ids are random, so it may know others, too.
func RunPlatforms(t *testing.T, open func(tb testing.TB, platforms ...*auth.Platform) auth.PlatformRegistry) {
	run(t, "PlatformRegistry", open, platformClaims)
}

// RunLimiter holds a limiter against every sentence of [auth.Limiter], and of
// [auth.VariableLimiter] where it is one. open returns a limiter that admits rate.
// At the same rate, each call returns a new handle on the same accounts, as
// another process would have; a limiter of one process returns itself.
func RunLimiter(t *testing.T, open func(tb testing.TB, rate auth.Rate) auth.Limiter) {
	run(t, "Limiter", open, limiterClaims)
	name := "VariableLimiter"
	if _, ok := open(t, hourly(1)).(auth.VariableLimiter); !ok {
		notOffered(t, name)
		return
	}
	run(t, name, open, variableClaims)
}
