package auth

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Reserve charges one unit to key before work that may fail, and returns how to
// give it back where the work succeeds, so that failures count and successes do
// not. However many try at once, no more of them fail than l admits. Work that
// neither fails nor succeeds, but panics, counts.
//
// giveBack is called once at most. It does nothing once the unit has come back
// by itself, and a limiter that is down then costs the caller that unit.
//
// The error is a *[Failure], fit for a guard: [ErrRateLimited] with the name, or
// [ErrUnavailable] where l cannot be asked. The name is told to clients, see
// [LimitKey.WithName].
func Reserve(ctx context.Context, l Limiter, name, key string) (giveBack func(context.Context), err error) {
	return reserve(ctx, l, name, key, Rate{})
}

// reserve is Reserve at a rate; zero is the limiter's own.
func reserve(ctx context.Context, l Limiter, name, key string, rate Rate) (giveBack func(context.Context), err error) {
	start := time.Now()
	var q Quota
	if err := charge(ctx, &q, l, name, []byte(key), 1, rate); err != nil {
		return nil, err
	}
	return func(ctx context.Context) {
		// Giving back what has come back by itself would pay for somebody's
		// failure, and who holds requests open could collect such payments.
		if time.Since(start) < q.Reset {
			_ = chargeKey(context.WithoutCancel(ctx), &q, l, []byte(key), -1, rate)
		}
	}, nil
}

// throttleName is that of [GuardOptions.Throttle].
const throttleName = "failures"

// authenticate runs the authenticator, with the throttle around it.
func (b *base) authenticate(r *http.Request, v *verdict) (p *Principal, err error) {
	if b.Throttle == nil {
		p, v.source, err = authenticate(b.authenticator, r, v.client)
		return p, err
	}
	giveBack, err := Reserve(r.Context(), b.Throttle, throttleName, throttleName+":"+AddressKey(v.client))
	if err != nil {
		return nil, err
	}
	p, v.source, err = authenticate(b.authenticator, r, v.client)
	if !isGuess(err) {
		giveBack(r.Context())
	}
	return p, err
}

// isGuess reports whether err refuses a credential: what throttles count. That
// none was presented, or that an answer could not be found out, is no guess.
func isGuess(err error) bool {
	if err == nil || errors.Is(err, ErrNoCredential) {
		return false
	}
	r, _ := reasonOf(err)
	return r.Status() == http.StatusUnauthorized
}
