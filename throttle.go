package auth

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Reserve charges one unit to key before work that may fail, and returns how to
// give it back where the work succeeds, so that failures count and successes do
// not. However many try at once, no more of them get to work than l admits.
//
// The error is a *[Failure] with [ErrRateLimited] and the name, fit for a
// guard, or the limiter's own. The name is told to clients, see
// [LimitKey.Name].
func Reserve(ctx context.Context, l Limiter, name, key string) (giveBack func(context.Context), err error) {
	start := time.Now()
	q, err := l.Allow(ctx, key, 1)
	switch {
	case err != nil:
		return nil, err
	case !q.Allowed:
		return nil, limited(name, q)
	}
	return func(ctx context.Context) {
		if outstanding(start, q) {
			_, _ = l.Allow(context.WithoutCancel(ctx), key, -1)
		}
	}, nil
}

// outstanding reports whether what was charged at start has not come back by
// itself: giving that back would pay for somebody's failure, and who holds
// requests open could collect such payments.
func outstanding(start time.Time, q Quota) bool { return time.Since(start) < q.Reset }

// throttleName is that of [GuardOptions.Throttle].
const throttleName = "failures"

// authenticate runs the authenticator, with the throttle around it.
func (b *base) authenticate(r *http.Request, v *verdict) (*Principal, error) {
	if b.Throttle == nil {
		return authenticate(b.authenticator, r, v.client)
	}
	var buf [64]byte
	key := appendAddress(buf[:0], v.client)
	start := time.Now()
	q, err := chargeKey(r.Context(), b.Throttle, key, 1, Rate{})
	if err != nil {
		return nil, err
	}
	if !q.Allowed {
		return nil, limited(throttleName, q)
	}
	p, err := authenticate(b.authenticator, r, v.client)
	if !isGuess(err) && outstanding(start, q) {
		// That this fails costs the caller one attempt.
		_, _ = chargeKey(context.WithoutCancel(r.Context()), b.Throttle, key, -1, Rate{})
	}
	return p, err
}

// isGuess reports whether err refuses a credential: what throttles count. That
// none was presented, or that an answer could not be found out, is no guess.
func isGuess(err error) bool {
	if err == nil || errors.Is(err, ErrNoCredential) {
		return false
	}
	return failureOf(err).Reason.Status() == http.StatusUnauthorized
}
