package auth

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"time"
)

// A Limiter counts what is charged to keys, and says when it is too much.
//
// Allow charges cost units to key, all of them or none, and reports how key
// stands. A cost of 0 charges nothing and asks whether 1 would be admitted; a
// negative one gives back what was charged. An error means that the answer
// could not be found out: the request is refused with [ErrUnavailable], unless
// [FailOpen] or [LocalShare] say otherwise.
//
// Implementations fill in every field of [Quota]; only Rate may be left zero. It
// is by Reset that a unit is given back or not: where it is zero, successes
// count as failures.
//
// A limiter's keys are its own: two that share a database keep them apart, by a
// prefix for instance, as two limits of a guard charge the same key. Keys name
// the caller, and are as long and as strange as the names of callers and what
// [ByFunc] returns: hash them before they are stored.
//
// Limiters are safe for concurrent use, and exact under it: of any number of
// calls at once they admit as many as the rate does.
type Limiter interface {
	Allow(ctx context.Context, key string, cost int) (Quota, error)
}

// A VariableLimiter is a [Limiter] that can apply another rate than its own, for
// tiers and quotas of single API keys. A key has one account, whatever the rates
// it is charged at: the time until all has come back, which is never more than a
// burst takes at the rate that is applied. So a rate that is raised counts at
// once, but who had used up the old one has not the new one at once.
type VariableLimiter interface {
	Limiter

	// Rate returns the limiter's own rate.
	Rate() Rate

	// AllowRate is Allow at a rate, which is valid.
	AllowRate(ctx context.Context, key string, cost int, rate Rate) (Quota, error)
}

// A Rate is how much may be charged to a key in how long. It is counted by the
// generic cell rate algorithm: Burst units at once, and one more every
// Per/Limit, which is cut to nanoseconds. That is no less than a microsecond, and
// a burst takes no more than 366 days to come back. The zero Rate means: no rate of
// one's own; use the limiter's.
type Rate struct {
	Limit int           `json:"limit"`
	Per   time.Duration `json:"per"` // in nanoseconds

	// Burst is how much may come at once; zero is Limit.
	Burst int `json:"burst,omitempty"`
}

// Validate returns what is wrong with a rate. The zero Rate is not valid: it
// stands for none.
func (r Rate) Validate() error {
	switch {
	case r.Limit < 1:
		return fmt.Errorf("auth: rate: limit %d is not positive", r.Limit)
	case r.Per <= 0:
		return fmt.Errorf("auth: rate: period %v is not positive", r.Per)
	case r.Per/time.Microsecond < time.Duration(r.Limit):
		return fmt.Errorf("auth: rate: %d in %v is more than one in a microsecond", r.Limit, r.Per)
	case r.Burst < 0:
		return fmt.Errorf("auth: rate: burst %d is negative", r.Burst)
	case float64(r.burst())*float64(r.Per)/float64(r.Limit) > float64(maxDebt):
		return errors.New("auth: rate: a burst takes more than 366 days to come back")
	default:
		return nil
	}
}

// maxDebt bounds how far ahead of the clock an account may be, so that no sum of
// times overflows.
const maxDebt = 366 * 24 * time.Hour

// Quota returns how a key stands for which all of the burst has come back after
// reset: everything but Allowed and RetryAfter, which a [Limiter] that counts as
// Rate says fills in itself. r is valid.
func (r Rate) Quota(reset time.Duration) Quota {
	q, p := Quota{Reset: reset}, r.pace()
	q.fill(&p)
	return q
}

func (r Rate) burst() int { return or(r.Burst, r.Limit) }

// interval is how long one unit takes to come back.
func (r Rate) interval() time.Duration { return r.Per / time.Duration(r.Limit) }

// A Quota is how a key stands with a [Limiter].
type Quota struct {
	// Allowed reports whether the cost was charged; for a cost of 0, whether 1
	// would be. Giving back is always allowed.
	Allowed bool

	Rate      Rate // that was applied; zero where a limiter does not tell
	Remaining int  // what could be charged now, never negative

	// Next is how long until more than Remaining can be charged, and Reset how
	// long until all of the burst can; zero where that is now.
	Next, Reset time.Duration

	// RetryAfter is how long until the refused cost could be charged, if
	// nothing else is meanwhile; for a cost of 0, until 1 could. Zero where it
	// was allowed. A cost above the burst can never be, and has the time of
	// Reset.
	RetryAfter time.Duration
}

// A MemoryLimiter is a [VariableLimiter] of this process. Its memory is bounded,
// see [MaxKeys], and nothing of it runs in the background. Charging takes no
// allocation.
//
// Keys are told apart by a hash of 64 bits, with a seed of the limiter's own.
type MemoryLimiter struct {
	pace     // its own
	seed     maphash.Seed
	start    time.Time
	accounts accounts
}

// A LimiterOption changes what [NewLimiter] makes: [Burst], [MaxKeys].
type LimiterOption func(*limiterOptions)

type limiterOptions struct {
	burst   int
	maxKeys int
}

// Burst is how many units may be charged to a key at once: as many as the limit
// by default. A burst of 1 spaces requests evenly.
func Burst(n int) LimiterOption { return func(o *limiterOptions) { o.burst = n } }

// MaxKeys is how many keys are remembered at least, as long as anything is
// charged to them: 1,048,576 by default. Memory is taken as they come, and is
// less than 40 bytes for each of n. Of more keys than that, those with the least
// debt are forgotten: strangers who come by once cannot make the limiter forget
// who is at the limit, unless that is 1.
func MaxKeys(n int) LimiterOption { return func(o *limiterOptions) { o.maxKeys = n } }

// NewLimiter returns a limiter that admits n units per key in the time per. Like
// http.ServeMux.Handle, it takes literals and panics on a rate that
// [Rate.Validate] refuses, a Burst below 1 and MaxKeys outside of 1 to
// 268,435,456.
func NewLimiter(n int, per time.Duration, options ...LimiterOption) *MemoryLimiter {
	o := limiterOptions{burst: n, maxKeys: 1 << 20}
	for _, option := range options {
		option(&o)
	}
	rate := Rate{Limit: n, Per: per, Burst: o.burst}
	if err := rate.Validate(); err != nil {
		panic("auth: NewLimiter: " + err.Error())
	}
	if o.burst < 1 {
		panic(fmt.Sprintf("auth: NewLimiter: burst %d is not positive", o.burst))
	}
	if o.maxKeys < 1 || o.maxKeys > 1<<28 {
		panic(fmt.Sprintf("auth: NewLimiter: MaxKeys(%d) is not in 1 to 268,435,456", o.maxKeys))
	}
	return &MemoryLimiter{
		pace:     rate.pace(),
		seed:     maphash.MakeSeed(),
		start:    time.Now().Add(-1), // so that no time is zero
		accounts: newAccounts(o.maxKeys),
	}
}

// Rate returns the limiter's own rate.
func (l *MemoryLimiter) Rate() Rate { return l.rate }

// Allow implements [Limiter]. The error is always nil.
func (l *MemoryLimiter) Allow(_ context.Context, key string, cost int) (q Quota, _ error) {
	l.chargeAt(&q, maphash.String(l.seed, key), cost, &l.pace)
	return q, nil
}

// AllowRate implements [VariableLimiter]. The error tells that the rate is not
// valid.
func (l *MemoryLimiter) AllowRate(_ context.Context, key string, cost int, rate Rate) (q Quota, err error) {
	if err = rate.Validate(); err == nil {
		l.charge(&q, maphash.String(l.seed, key), cost, rate)
	}
	return q, err
}

// charge charges cost to the key with that hash, at a rate that is valid.
func (l *MemoryLimiter) charge(q *Quota, hash uint64, cost int, rate Rate) {
	p := rate.pace()
	l.chargeAt(q, hash, cost, &p)
}

// chargeAt charges cost to the key with that hash. A Quota is filled in where it
// is wanted: copying it takes as long as charging.
func (l *MemoryLimiter) chargeAt(q *Quota, hash uint64, cost int, p *pace) {
	q.Reset, q.RetryAfter, q.Allowed = l.accounts.charge(hash, cost, p.interval, p.burst, time.Since(l.start))
	q.fill(p)
}

// A pace is a valid rate with what follows from it, which takes a division.
type pace struct {
	rate     Rate
	interval time.Duration // how long one unit takes to come back
	burst    time.Duration // and all of them
}

func (r Rate) pace() pace {
	interval := r.interval()
	return pace{r, interval, interval * time.Duration(r.burst())}
}

// fill sets all that follows from the rate and from Reset.
func (q *Quota) fill(p *pace) {
	q.Rate = p.rate
	switch free := p.burst - q.Reset; {
	case free < p.interval:
		q.Remaining, q.Next = 0, p.interval-free
	case q.Reset == 0:
		q.Remaining, q.Next = p.rate.burst(), 0
	default:
		n := free / p.interval
		q.Remaining, q.Next = int(n), p.interval-(free-n*p.interval)
	}
}
