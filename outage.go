package auth

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// FailClosed returns l with its outages reported: a request that l cannot be
// asked about is refused with 503. Guards do that with any [Limiter], so this
// adds nothing but the report.
//
// FailClosed, [FailOpen] and [LocalShare] have in common:
//
//   - Each call asks l first, so that it counts again as soon as it answers. l
//     must have a timeout of its own.
//   - report is told of every call that l answers with an error. It runs on the
//     request's goroutine and must be quick. They panic on a nil report, so that
//     no outage is silent, and on a nil l.
//   - A request whose context has ended is refused with l's error: clients must
//     not get past a limit by hanging up. That one was cancelled is no outage
//     and not reported.
//   - A rate that is not valid is a mistake of the caller's and no outage.
//   - The limiter that they return is a [VariableLimiter] where l is, which a
//     type assertion shows.
func FailClosed(l Limiter, report func(ctx context.Context, err error)) Limiter {
	return newFallback("FailClosed", l, report, nil)
}

// FailOpen returns l with its outages reported, and everything admitted while
// they last: whoever can bring l down can then guess as often as they like. It
// is for limits that share out what is there, never for a throttle. [LocalShare]
// is nearly as available. See [FailClosed] for the rest.
//
// Such answers report the full burst as remaining.
func FailOpen(l Limiter, report func(ctx context.Context, err error)) Limiter {
	return newFallback("FailOpen", l, report, func(_ context.Context, _ string, _ int, r Rate) (Quota, error) {
		// Nothing is charged, so there is nothing to give back once l is up:
		// Reset is zero.
		return Quota{Allowed: true, Rate: r, Remaining: r.burst()}, nil
	})
}

// LocalShare returns l with its outages reported, and the share of this process
// admitted while they last: with n nodes a unit comes back in n times the time,
// and the nth part of a burst, but no less than 1, may come at once. Together
// the nodes then admit what l would, if callers spread evenly. See [FailClosed]
// for the rest.
//
// The share is counted in memory, by a limiter of 1,048,576 keys, see [MaxKeys].
// What l had counted is not known to it, and a cost above the share of a burst is
// not admitted. What is given back goes to the one that can be asked by then, and
// pays for no more than that has counted itself.
//
// LocalShare panics on nodes outside of 1 to 1,000,000.
func LocalShare(l VariableLimiter, nodes int, report func(ctx context.Context, err error)) VariableLimiter {
	if nodes < 1 || nodes > 1_000_000 {
		panic(fmt.Sprintf("auth: LocalShare: %d nodes are not 1 to 1,000,000", nodes))
	}
	local := NewLimiter(1, time.Second) // asked by AllowRate only
	f := newFallback("LocalShare", l, report, func(ctx context.Context, key string, cost int, r Rate) (Quota, error) {
		return local.AllowRate(ctx, key, cost, r.share(nodes))
	})
	return f.(VariableLimiter)
}

// share returns the nth part of a valid rate. It is valid too, which a unit in
// more than a year is not.
func (r Rate) share(n int) Rate {
	nodes := time.Duration(n)
	return Rate{Limit: 1, Per: min(r.interval(), maxDebt/nodes) * nodes, Burst: max(1, r.burst()/n)}
}

// A fallback is a limiter and what is done while it cannot be asked.
type fallback struct {
	limiter Limiter
	report  func(ctx context.Context, err error)
	instead outageFunc // nil has the error stand
}

// An outageFunc answers in place of a limiter. The rate is zero where it is the
// limiter's own and not known.
type outageFunc func(ctx context.Context, key string, cost int, rate Rate) (Quota, error)

// A rateFallback is a fallback whose limiter is a VariableLimiter.
type rateFallback struct{ fallback }

func newFallback(name string, l Limiter, report func(context.Context, error), instead outageFunc) Limiter {
	switch {
	case isNil(l):
		panic("auth: " + name + ": nil limiter")
	case report == nil:
		panic("auth: " + name + ": nil report")
	}
	f := fallback{l, report, instead}
	if _, ok := l.(VariableLimiter); ok {
		return &rateFallback{f}
	}
	return &f
}

// Allow implements [Limiter].
func (f *fallback) Allow(ctx context.Context, key string, cost int) (Quota, error) {
	q, err := f.limiter.Allow(ctx, key, cost)
	if err == nil || !f.stepsIn(ctx, err) {
		return q, err
	}
	var own Rate
	if l, ok := f.limiter.(VariableLimiter); ok {
		own = l.Rate()
	}
	return f.instead(ctx, key, cost, own)
}

// Rate implements [VariableLimiter].
func (f *rateFallback) Rate() Rate { return f.limiter.(VariableLimiter).Rate() }

// AllowRate implements [VariableLimiter].
func (f *rateFallback) AllowRate(ctx context.Context, key string, cost int, rate Rate) (Quota, error) {
	if err := rate.Validate(); err != nil {
		return Quota{}, err
	}
	q, err := f.limiter.(VariableLimiter).AllowRate(ctx, key, cost, rate)
	if err == nil || !f.stepsIn(ctx, err) {
		return q, err
	}
	return f.instead(ctx, key, cost, rate)
}

// stepsIn reports err, and whether the fallback answers in its place.
func (f *fallback) stepsIn(ctx context.Context, err error) bool {
	if !errors.Is(ctx.Err(), context.Canceled) {
		f.report(ctx, err)
	}
	return f.instead != nil && ctx.Err() == nil
}
