package password

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/time/rate"

	"github.com/seed-077cad0b/auth"
)

// HashOptions configure a [Hasher]. The zero value is ready for production.
type HashOptions struct {
	// Params is the cost of new hashes; each zero field is OWASP's. Hashes of
	// another cost are verified as well, and made anew at the next login.
	Params Params

	// Peppers are keys outside of the store, without which its hashes are of
	// no use to a thief (NIST SP 800-63B-4 section 3.1.1.2). The first one goes
	// into new hashes; all of them verify. None: no pepper.
	Peppers []Pepper

	// Concurrency is how many hashes are computed at once; the rest wait. It
	// bounds the memory, which is Params.Memory for each. Zero: as many
	// as leave one processor of GOMAXPROCS to other requests, which wait for
	// tenths of a second while a flood of logins keeps all of them busy, and at
	// least one. A hash takes Params.Threads processors.
	Concurrency int

	// PerSecond is how many hashes may be begun in a second, and at once after
	// a while without any; the rest wait. Concurrency alone lets a flood of
	// logins keep all of its processors busy for as long as it lasts; this
	// leaves the remainder to the program's other work. Zero: no bound.
	PerSecond int

	// MaxWait is how long a hash may wait for its turn, at most its context's
	// time. Zero: 5 seconds.
	MaxWait time.Duration

	// InsecureParams admits Params below what OWASP calls the minimum. It is
	// for tests that hash a lot.
	InsecureParams bool
}

// A Hasher turns passwords into the form in which they are stored, and
// verifies them against it. It computes at most [HashOptions].Concurrency
// hashes at once, so one Hasher should serve a whole program. It is immutable
// and safe for concurrent use.
type Hasher struct {
	params  Params
	peppers []Pepper
	slots   chan struct{}
	budget  *rate.Limiter // nil: none
	spender chan struct{}
	maxWait time.Duration

	// dummy is what a password is compared with where there is nothing to
	// compare it with, so that this takes the same time. Its key is random: no
	// password is known to match, and whether one does is not looked at.
	dummy *argon2idHash

	observe func(running int) // for tests; nil else
}

// NewHasher returns a Hasher. o may be nil. The error joins all that is wrong
// with o.
func NewHasher(o *HashOptions) (*Hasher, error) {
	if o == nil {
		o = &HashOptions{}
	}
	h := &Hasher{params: o.Params.orDefault(), maxWait: o.MaxWait}
	var errs []error
	if err := h.params.check(o.InsecureParams); err != nil {
		errs = append(errs, err)
	}
	peppers, err := clonePeppers(o.Peppers)
	if err != nil {
		errs = append(errs, err)
	}
	h.peppers = peppers
	slots := o.Concurrency
	switch {
	case slots == 0:
		// Where every processor hashes, the runtime hardly ever looks at what has
		// come from the network: it does when nobody else is ready to run.
		slots = max(1, (runtime.GOMAXPROCS(0)-1)/int(h.params.Threads))
	case slots < 0 || slots > maxConcurrency:
		errs = append(errs, fmt.Errorf("password: HashOptions.Concurrency %d: not in 1 to %d", slots, maxConcurrency))
	}
	switch {
	case o.PerSecond > 0:
		h.budget = rate.NewLimiter(rate.Limit(o.PerSecond), o.PerSecond)
		h.spender = make(chan struct{}, 1)
	case o.PerSecond < 0:
		errs = append(errs, errors.New("password: HashOptions.PerSecond is negative"))
	}
	switch {
	case h.maxWait == 0:
		h.maxWait = 5 * time.Second
	case h.maxWait < 0:
		errs = append(errs, errors.New("password: HashOptions.MaxWait is negative"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	h.slots = make(chan struct{}, slots)
	h.dummy = h.fresh()
	h.dummy.key = random(keyLen)
	return h, nil
}

const maxConcurrency = 1024

// Hash returns the form in which the password is to be stored: Argon2id as a
// PHC string, with a salt of its own.
//
// It returns [ErrTooLong] and [ErrNotText] for what [Users] would refuse at any
// policy, and auth.ErrUnavailable, as an *auth.Failure with RetryAfter, where
// its turn did not come in time.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	text, err := normalize(password)
	if err != nil {
		return "", err
	}
	release, err := h.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	return h.hash(text), nil
}

// A Match is what [Hasher.Verify] finds out.
type Match struct {
	// OK: the password is the one that was hashed.
	OK bool

	// Outdated: the stored form is not what Hash would make today, by its
	// algorithm, its cost or its pepper. After a login it should be made anew,
	// which [Users] does. It is false unless OK.
	Outdated bool
}

// Verify compares a password with its stored form, in constant time: one that
// [Hasher.Hash] made, or one of these, for those who migrate:
//
//	$2a$…, $2b$…, $2y$…                                bcrypt
//	$scrypt$ln=17,r=8,p=1$salt$hash                    scrypt, PHC
//	$pbkdf2-sha256$600000$salt$hash, $pbkdf2-sha512$…  PBKDF2, passlib
//	pbkdf2_sha256$600000$salt$hash, pbkdf2_sha512$…    PBKDF2, Django
//
// A stored form that is malformed, of another algorithm, or of a cost beyond
// bounds is [ErrUnusable], before any work. A password that is too long, or of
// more than 72 bytes where the stored form is bcrypt's, is no match; nothing is
// ever truncated. Waiting is as with Hash.
func (h *Hasher) Verify(ctx context.Context, stored, password string) (Match, error) {
	text, err := normalize(password)
	if err != nil {
		return Match{}, nil
	}
	m, _, err := h.verify(ctx, stored, text, nil)
	return m, err
}

// verify compares a normalised password with its stored form. Where they match,
// the form is outdated and renew says yes, it returns a fresh one too, computed
// in the same turn.
func (h *Hasher) verify(ctx context.Context, stored string, text []byte, renew func() bool) (m Match, fresh string, err error) {
	form, err := parse(stored)
	if err != nil {
		return Match{}, "", err
	}
	if a, ok := form.(*argon2idHash); ok && a.pepperID != "" {
		if a.pepper = h.pepper(a.pepperID); a.pepper == nil {
			return Match{}, "", fmt.Errorf("%w: pepper %q is not among HashOptions.Peppers", ErrUnusable, a.pepperID)
		}
	}
	release, err := h.acquire(ctx)
	if err != nil {
		return Match{}, "", err
	}
	defer release()
	if !form.takes(text) {
		// Refused at once, this would tell that the account exists.
		h.dummy.matches(text)
		return Match{}, "", nil
	}
	if m.OK = form.matches(text); m.OK {
		m.Outdated = !h.current(form)
	}
	if m.Outdated && renew != nil && renew() {
		fresh = h.hash(text)
	}
	return m, fresh, nil
}

// waste does the work of a verification for nothing.
func (h *Hasher) waste(ctx context.Context, text []byte) error {
	release, err := h.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	h.dummy.matches(text)
	return nil
}

// fresh returns a stored form without its key, with a salt of its own.
func (h *Hasher) fresh() *argon2idHash {
	a := &argon2idHash{params: h.params, salt: random(saltLen)}
	if len(h.peppers) > 0 {
		a.pepperID, a.pepper = h.peppers[0].ID, h.peppers[0].Key
	}
	return a
}

func (h *Hasher) hash(text []byte) string {
	a := h.fresh()
	a.key = a.derive(text, keyLen)
	return a.String()
}

// current reports whether form is what hash makes today.
func (h *Hasher) current(form storedForm) bool {
	a, ok := form.(*argon2idHash)
	if !ok || a.params != h.params || len(a.salt) != saltLen || len(a.key) != keyLen {
		return false
	}
	if len(h.peppers) == 0 {
		return a.pepperID == ""
	}
	return a.pepperID == h.peppers[0].ID
}

func (h *Hasher) pepper(id string) []byte {
	for _, p := range h.peppers {
		if p.ID == id {
			return p.Key
		}
	}
	return nil
}

// acquire waits for its turn to compute a hash.
func (h *Hasher) acquire(ctx context.Context) (release func(), err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, h.maxWait, errBusy)
	defer cancel()
	release, err = h.wait(ctx, h.slots)
	if err != nil {
		return nil, err
	}
	if err := h.spend(ctx); err != nil {
		release()
		return nil, err
	}
	if h.observe != nil {
		h.observe(len(h.slots))
	}
	return release, nil
}

// spend waits until there is a hash left in the budget. One waits at a time: of
// several who go before their time, the budget would lose some.
func (h *Hasher) spend(ctx context.Context) error {
	if h.budget == nil {
		return nil
	}
	done, err := h.wait(ctx, h.spender)
	if err != nil {
		return err
	}
	defer done()
	if h.budget.Wait(ctx) == nil {
		return nil
	}
	if ctx.Err() != nil {
		return h.busy(context.Cause(ctx))
	}
	return h.busy(errBusy) // there is not enough time left
}

// wait waits for one of some places, first come, first served.
func (h *Hasher) wait(ctx context.Context, places chan struct{}) (release func(), err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, h.maxWait, errBusy)
	defer cancel()
	if ctx.Err() != nil {
		return nil, h.busy(context.Cause(ctx))
	}
	select {
	case places <- struct{}{}: // full while anybody waits, so nobody is overtaken
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, h.busy(context.Cause(ctx))
	}
}

var errBusy = errors.New("password: too many passwords are being hashed")

func (h *Hasher) busy(cause error) error {
	return &auth.Failure{Reason: auth.ErrUnavailable, RetryAfter: h.maxWait, Err: cause}
}
