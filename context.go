package auth

import (
	"context"
	"time"
)

// FromContext returns the principal that a guard, or [NewContext], put into
// ctx. It reports false where there is none: the caller is not authenticated.
func FromContext(ctx context.Context) (*Principal, bool) {
	if n := decisionIn(ctx); n != nil && n.principal != nil {
		return n.principal, true
	}
	return nil, false
}

// NewContext returns a context that carries p, for code that authenticates
// outside of net/http: gRPC interceptors, queue consumers. Guards do not
// believe it; they authenticate the request themselves.
func NewContext(ctx context.Context, p *Principal) context.Context {
	return &decision{Context: ctx, principal: p}
}

// A decision is a context node of its own, so that a guarded request costs one
// allocation here. It remembers the guard that vouched: guards of the same
// origin share a decision, others do not trust it.
type decision struct {
	context.Context
	principal *Principal
	guard     *Guard
	wait      time.Duration // see verdict
}

type decisionKey struct{}

func (d *decision) Value(key any) any {
	if key == (decisionKey{}) {
		return d
	}
	return d.Context.Value(key)
}

func decisionIn(ctx context.Context) *decision {
	d, _ := ctx.Value(decisionKey{}).(*decision)
	return d
}
