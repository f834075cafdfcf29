package password

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A Throttle bounds guesses at passwords. Each one is charged to some accounts
// before its user is looked up, and given back where it is right or could not
// be judged; where an account is used up, it is refused with
// auth.ErrRateLimited and no work is done. The zero value has the defaults,
// which hold for one process; processes that share their users share limiters.
// Logins under way count until they are judged: let each account have some 20
// for each process.
//
// See "How lock-out works" in the package's documentation.
type Throttle struct {
	// Address counts by the client's address, whatever the login: who tries one
	// password on many users. Nil: 60 a minute.
	Address auth.Limiter

	// Pair counts by login and address together. Nil: 45 a minute.
	Pair auth.Limiter

	// Login counts by login, over all addresses. Addresses that Known remembers
	// have an account each for that login, so that others cannot use up
	// theirs. ChangePassword is counted here, by user. Nil: 90, and one more
	// every minute.
	Login auth.Limiter

	// Known remembers from which addresses a login has succeeded: each success
	// is charged here, and an address is known until all of it has come back.
	// Nil: for 30 to 60 days.
	Known auth.Limiter
}

// withDefaults returns t with limiters of this process where it has none.
func (t Throttle) withDefaults() Throttle {
	if t.Address == nil {
		t.Address = auth.NewLimiter(60, time.Minute)
	}
	if t.Pair == nil {
		t.Pair = auth.NewLimiter(45, time.Minute)
	}
	if t.Login == nil {
		t.Login = auth.NewLimiter(60, time.Hour, auth.Burst(90))
	}
	if t.Known == nil {
		// The second unit renews a first one that is about to come back.
		t.Known = auth.NewLimiter(1, 30*24*time.Hour, auth.Burst(2))
	}
	return t
}

// throttle runs guesses under a Throttle. Nil bounds nothing.
type throttle struct {
	Throttle
	hasher *Hasher

	// turns bounds how many guesses are charged before it is known whether they
	// are right: fewer than any account admits by default, so that those who log
	// in at once from one address wait for one another, and refuse nobody.
	turns chan struct{}
}

const minTurns, maxTurns = 16, 32

func newThrottle(t Throttle, h *Hasher) *throttle {
	return &throttle{t.withDefaults(), h, make(chan struct{}, min(max(minTurns, cap(h.slots)), maxTurns))}
}

// An account is what a guess is charged to.
type account struct {
	limiter auth.Limiter
	key     string
	login   bool // told of where it is used up
	lenient bool // counts what it can, and refuses nobody
}

// A charge is a guess on an account.
type charge struct {
	account
	start time.Time
	quota auth.Quota
}

// by is who guesses at what: a digest stands for the login, since its text is
// not bounded and belongs in no limiter's database.
type by struct {
	login  string
	client netip.Addr // not valid where it is not known
}

func (b by) pair() string { return b.login + ":" + auth.AddressKey(b.client) }

// login runs work, a login whose error tells how it went. It reports whether
// that has used up an account of the login.
func (t *throttle) login(ctx context.Context, b by, work func() error) (spent bool, err error) {
	if t == nil {
		return false, work()
	}
	accounts, err := t.accounts(ctx, b)
	if err != nil {
		return false, err
	}
	if spent, err = t.guess(ctx, accounts, work); err == nil && b.client.IsValid() {
		// That this fails costs nothing before the next attack.
		_, _ = t.Known.Allow(context.WithoutCancel(ctx), "password:known:"+b.pair(), 1)
	}
	return spent, err
}

// change is login for a user who proves an old password once more.
func (t *throttle) change(ctx context.Context, user auth.Digest, work func() error) (spent bool, err error) {
	if t == nil {
		return false, work()
	}
	return t.guess(ctx, []account{{limiter: t.Login, key: "password:change:" + user.String(), login: true}}, work)
}

// accounts returns what a login is charged to.
func (t *throttle) accounts(ctx context.Context, b by) ([]account, error) {
	everywhere := account{limiter: t.Login, key: "password:login:" + b.login, login: true}
	if !b.client.IsValid() {
		return []account{everywhere}, nil
	}
	accounts := []account{
		{limiter: t.Address, key: "password:" + auth.AddressKey(b.client)},
		{limiter: t.Pair, key: "password:pair:" + b.pair()},
	}
	q, err := t.Known.Allow(ctx, "password:known:"+b.pair(), 0)
	switch {
	case err != nil:
		return nil, down(err)
	case q.Reset > 0:
		everywhere.lenient = true
		accounts = append(accounts, account{limiter: t.Login, key: "password:login:" + b.pair(), login: true})
	}
	return append(accounts, everywhere), nil
}

// guess runs work while it is charged to all of the accounts.
func (t *throttle) guess(ctx context.Context, accounts []account, work func() error) (spent bool, err error) {
	release, err := t.hasher.wait(ctx, t.turns)
	if err != nil {
		return false, err
	}
	defer release()
	charges, err := chargeAll(ctx, accounts)
	if err != nil {
		return false, err
	}
	if err = work(); !isGuess(err) {
		giveBack(ctx, charges)
		return false, err
	}
	return slices.ContainsFunc(charges, func(c charge) bool { return c.login && c.quota.Remaining == 0 }), err
}

// chargeAll charges 1 to each of the accounts, or to none where that is too much
// for one of them. The refusal is the one that lasts longest, so that nobody is
// told to come back too early.
func chargeAll(ctx context.Context, accounts []account) ([]charge, error) {
	var (
		charges []charge
		refusal *auth.Failure
	)
	for _, a := range accounts {
		cost := 1
		if refusal != nil {
			cost = 0 // only asks
		}
		start := time.Now()
		q, err := a.limiter.Allow(ctx, a.key, cost)
		switch {
		case err != nil:
			giveBack(ctx, charges)
			return nil, down(err)
		case q.Allowed && cost == 1:
			charges = append(charges, charge{a, start, q})
		case q.Allowed, a.lenient:
		default:
			wait := max(q.RetryAfter, q.Next, 1)
			if refusal == nil || wait > refusal.RetryAfter {
				refusal = &auth.Failure{Reason: auth.ErrRateLimited, RetryAfter: wait, Limit: limitName, Quota: q}
			}
		}
	}
	if refusal != nil {
		giveBack(ctx, charges)
		return nil, refusal
	}
	return charges, nil
}

// down is an outage, whatever a limiter calls it: nothing about who logs in.
func down(err error) error {
	return &auth.Failure{Reason: auth.ErrUnavailable, Err: fmt.Errorf("password: throttle: %w", err)}
}

// limitName is one for all accounts: to clients they are one throttle.
const limitName = "failures"

func giveBack(ctx context.Context, charges []charge) {
	for _, c := range charges {
		// What has come back by itself would pay for somebody's failure.
		if time.Since(c.start) < c.quota.Reset {
			_, _ = c.limiter.Allow(context.WithoutCancel(ctx), c.key, -1)
		}
	}
}

// isGuess reports whether err refuses what was guessed, rather than telling that
// this could not be judged.
func isGuess(err error) bool {
	var reason auth.Reason
	return errors.As(err, &reason) && reason.Status() == http.StatusUnauthorized
}
