// Package fresh asks, through a context, for what a store holds now and not for
// what a cache in front of it remembers: to decide what outlasts the request,
// such as whether a session may be opened. What is stale for seconds would else
// be believed for as long as the session lasts.
package fresh

import "context"

type key struct{}

// Context returns a context in which caches are passed over.
func Context(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, true) }

// Wanted reports whether ctx comes from Context.
func Wanted(ctx context.Context) bool { return ctx.Value(key{}) != nil }
