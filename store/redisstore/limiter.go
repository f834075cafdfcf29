package redisstore

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"math"
	"math/bits"
	"strconv"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A Limiter is an [auth.VariableLimiter] that all processes share. Each charge is
// one script and one round trip, by the server's clock, and exact under any
// concurrency. It counts to the nanosecond as [auth.MemoryLimiter] does.
//
// Accounts are kept under a hash of their key, until all has come back: nothing
// needs to be swept, and there is no bound to their number but the server's
// memory. A failover to a replica forgets what had not reached it.
//
// When the server cannot answer, charging fails, and a guard refuses with 503;
// see [auth.FailOpen] and [auth.LocalShare].
type Limiter struct {
	store *Store
	name  string
	rate  auth.Rate
}

var _ auth.VariableLimiter = (*Limiter)(nil)

// Limiter returns a limiter that counts at a rate. Those of the same name, in this
// process or another, share their accounts, and those of different names have none
// in common. A name has 1 to 64 letters, digits and ._:- in it.
func (s *Store) Limiter(name string, rate auth.Rate) (*Limiter, error) {
	if err := errors.Join(checkName("name of a limiter", name), rate.Validate()); err != nil {
		return nil, err
	}
	rate.Burst = cmp.Or(rate.Burst, rate.Limit)
	return &Limiter{s, "l:" + name + ":", rate}, nil
}

// Rate returns the limiter's own rate.
func (l *Limiter) Rate() auth.Rate { return l.rate }

// Allow implements [auth.Limiter].
func (l *Limiter) Allow(ctx context.Context, key string, cost int) (auth.Quota, error) {
	return l.charge(ctx, key, cost, l.rate)
}

// AllowRate implements [auth.VariableLimiter]. It fails, too, where the rate is
// not valid.
func (l *Limiter) AllowRate(ctx context.Context, key string, cost int, rate auth.Rate) (auth.Quota, error) {
	if err := rate.Validate(); err != nil {
		return auth.Quota{}, err
	}
	return l.charge(ctx, key, cost, rate)
}

// charge has the script charge cost to the account of a key, and works out the
// rest from what is owed then.
func (l *Limiter) charge(ctx context.Context, key string, cost int, rate auth.Rate) (auth.Quota, error) {
	if err := ctx.Err(); err != nil {
		return auth.Quota{}, err
	}
	interval := rate.Per / time.Duration(rate.Limit)
	burst := interval * time.Duration(cmp.Or(rate.Burst, rate.Limit))
	what, amount := "charge", units(cost, interval)
	switch {
	case cost == 0:
		what, amount = "ask", interval
	case cost < 0:
		what, amount = "give", units(-cost, interval)
	}
	hash := sha256.Sum256([]byte(key))
	s := l.store
	answer, err := s.run(ctx, chargeScript, s.name(l.name, hash[:16]), what,
		micros(amount), nanos(amount), micros(burst), nanos(burst)).AsIntSlice()
	if err == nil && len(answer) != 3 {
		err = errAnswer
	}
	if err != nil {
		return auth.Quota{}, s.failed(ctx, err)
	}
	debt := time.Duration(answer[1])*time.Microsecond + time.Duration(answer[2])
	q := rate.Quota(debt)
	if q.Allowed = answer[0] == 1; !q.Allowed {
		q.RetryAfter = min(debt, debt+amount-burst)
	}
	return q, nil
}

var errAnswer = errors.New("unexpected answer of a script")

// units is how long n units take to come back, or long enough: debts are far
// less, and no sum with one overflows.
func units(n int, interval time.Duration) time.Duration {
	const most = math.MaxInt64 / 4
	if high, low := bits.Mul64(uint64(n), uint64(interval)); high == 0 && low < most {
		return time.Duration(low)
	}
	return most
}

// The script is told times in two parts: its numbers are exact to 2^53 alone.
func micros(d time.Duration) string { return strconv.FormatInt(int64(d/time.Microsecond), 10) }
func nanos(d time.Duration) string  { return strconv.FormatInt(int64(d%time.Microsecond), 10) }
