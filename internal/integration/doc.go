// Package integration runs the library against real servers: the kit of
// store/storetest over every store, and logins, exchanges, revocations, rotations
// and replays from end to end, through two HTTP servers that share one backend.
//
// The servers are started by internal/servertest. `make matrix` prints the kit's
// cases by store.
package integration
