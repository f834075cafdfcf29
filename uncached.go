package auth

import "context"

type uncachedKey struct{}

// Uncached returns a context for which a store that remembers what it has
// answered, such as a cachestore, asks the store behind it again. What is stale
// for seconds would else decide what lasts: a key that another process has
// disabled a moment ago would open a session for a day.
//
// [Guard.Exchange] proves its request in such a context, and package password
// looks users up in one. Code that calls [Verifier.Verify] itself and then issues
// something does the same; see [Principal.ProvedAt].
func Uncached(ctx context.Context) context.Context {
	return context.WithValue(ctx, uncachedKey{}, true)
}

// IsUncached reports whether ctx comes from [Uncached]. Who writes a store that
// remembers asks it with every look-up.
func IsUncached(ctx context.Context) bool { return ctx.Value(uncachedKey{}) != nil }
