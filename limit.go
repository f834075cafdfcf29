package auth

import (
	"context"
	"fmt"
	"hash/maphash"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// A LimitKey says by what a limit counts: see [Guard.Limit]. It is made by
// [ByAddress] and its kin, and its methods return changed copies. The zero
// LimitKey counts by nothing, and Limit panics on it.
type LimitKey struct {
	kind  keyKind
	name  string
	of    func(r *http.Request, p *Principal) string
	cost  func(r *http.Request, p *Principal) int
	rates func(p *Principal) Rate
}

// A keyKind is how the accounts of a limit begin, and its name where it is given
// no other.
type keyKind string

const (
	keyAddress    keyKind = "address"
	keyIdentity   keyKind = "identity"
	keyCredential keyKind = "credential"
	keyTier       keyKind = "tier"
	keyRoute      keyKind = "route"
	keyFunc       keyKind = "func"
)

// ByAddress counts by the client's address, before anything is authenticated:
// IPv6 by /64, which is what one client has. Clients whose address is not known
// share one account. Behind a proxy that is not in [GuardOptions.TrustedProxies]
// everybody has the proxy's address.
func ByAddress() LimitKey { return LimitKey{kind: keyAddress} }

// ByIdentity counts by the caller's issuer, tenant and subject together,
// whatever credentials they use.
func ByIdentity() LimitKey { return LimitKey{kind: keyIdentity} }

// ByCredential counts by the credential that the request shows, or by identity
// where that has no id. A caller who can open new sessions gets a fresh
// allowance with each: limit the opening, too, or count by identity.
func ByCredential() LimitKey { return LimitKey{kind: keyCredential} }

// ByTier counts all callers of a tier together. For a rate for each caller by
// their tier, see [LimitKey.WithRates].
func ByTier() LimitKey { return LimitKey{kind: keyTier} }

// ByRoute counts all callers of a route together, by the pattern that the
// standard mux matched. Outside http.ServeMux the pattern is empty, so that all
// routes share one account; see [ByFunc].
func ByRoute() LimitKey { return LimitKey{kind: keyRoute} }

// ByFunc counts by the text that of returns. It runs after authentication; p is
// nil where an optional guard admits nobody in particular. The name is that of
// the limit, see [LimitKey.WithName]. It panics on a nil function.
func ByFunc(name string, of func(r *http.Request, p *Principal) string) LimitKey {
	if of == nil {
		panic("auth: ByFunc: nil function")
	}
	return LimitKey{kind: keyFunc, of: of}.WithName(name)
}

// WithName names the limit in what clients are told: the RateLimit fields and the
// problem of a 429. By default it is what is counted by, such as "identity";
// two limits of a route by the same want names of their own. It panics on what
// is not 1 to 64 letters, digits, dots, hyphens and underscores.
func (k LimitKey) WithName(name string) LimitKey {
	if !isName(name) {
		panic(fmt.Sprintf("auth: LimitKey: name %q is not 1 to 64 letters, digits, dots, hyphens and underscores", name))
	}
	k.name = name
	return k
}

// WithCost sets what a request costs: 1 by default. More than the burst is never
// admitted. It panics on less than 1.
func (k LimitKey) WithCost(n int) LimitKey {
	if n < 1 {
		panic(fmt.Sprintf("auth: LimitKey: cost %d is not positive", n))
	}
	return k.WithCostFunc(func(*http.Request, *Principal) int { return n })
}

// WithCostFunc is WithCost by request. Less than 1 is free. p is nil with
// [ByAddress], which comes before authentication, and where an optional guard
// admits nobody in particular.
func (k LimitKey) WithCostFunc(of func(r *http.Request, p *Principal) int) LimitKey {
	k.cost = of
	return k
}

// WithRates applies the rate that of returns for a caller, such as
// [TierRates].Of, where that is not zero, and else the limiter's own. It is
// asked with every request, so rates can change at any time; p is never nil. The
// limiter must be a [VariableLimiter], and the key none by address, where
// callers are not known yet.
//
// A caller whose [Principal].Rate is set is charged at that rate, whether
// WithRates is called or not; see there.
func (k LimitKey) WithRates(of func(p *Principal) Rate) LimitKey {
	k.rates = of
	return k
}

// A limit is a limiter in a guard.
type limit struct {
	LimitKey
	limiter Limiter
	early   bool // it is charged before anything is read

	// policy is what clients are told of the limiter's own rate, where it has told
	// that.
	rated  Rate
	policy string
}

// Limit returns a guard that also charges each request to l, and answers 429
// with Retry-After where that is too much. Limits by address come before
// authentication, the others after it and before policies, each in the order in
// which they were added; a request that one of them refuses has been charged to
// those before it. Retry-After is when all of those admit it again. An inner
// guard charges only the limits that were added since an outer one of the same
// NewGuard.
//
// Guards given the same limiter and key share accounts.
//
// Where an optional guard admits nobody in particular, ByIdentity, ByCredential
// and ByTier count by address instead.
//
// A limiter that cannot be asked is an outage, 503, and so is one that is no
// [VariableLimiter] where a caller has a rate of their own.
//
// Limit panics on a nil limiter, a zero key, and a key with Rates that is one by
// address or whose limiter is no [VariableLimiter].
func (g *Guard) Limit(l Limiter, key LimitKey) *Guard {
	switch {
	case isNil(l):
		panic("auth: Limit: nil limiter")
	case key.kind == "":
		panic("auth: Limit: zero key")
	case key.rates != nil && key.kind == keyAddress:
		panic("auth: Limit: rates of callers by address, before they are known")
	}
	if _, ok := l.(VariableLimiter); !ok && key.rates != nil {
		panic(fmt.Sprintf("auth: Limit: rates, but %T is no VariableLimiter", l))
	}
	key.name = or(key.name, string(key.kind))
	added := &limit{LimitKey: key, limiter: l, early: key.kind == keyAddress}
	if v, ok := l.(VariableLimiter); ok {
		added.rated = v.Rate()
		added.policy = added.policyAt(added.rated)
	}
	d := *g
	d.limits = append(d.limits[:len(d.limits):len(d.limits)], added)
	return &d
}

// charge charges a request and returns the refusal where it is too much.
func (l *limit) charge(r *http.Request, v *verdict) error {
	p := v.principal
	if l.early {
		p = nil // as it is without an outer guard
	}
	cost := 1
	if l.cost != nil {
		if cost = l.cost(r, p); cost < 1 {
			return nil
		}
	}
	v.keep()
	var buf [128]byte
	err := chargeKey(r.Context(), &v.quota, l.limiter, l.key(buf[:0], r, v, p), cost, l.rate(p))
	switch {
	case err != nil:
		return downed(err)
	case !v.quota.Allowed:
		v.over = l
		return ErrRateLimited
	}
	v.wait = max(v.wait, v.quota.wait(cost))
	if v.fields {
		v.tell(l)
	}
	return nil
}

// wait is how long it takes until cost can be charged.
func (q *Quota) wait(cost int) time.Duration {
	missing := cost - q.Remaining
	if missing <= 0 || q.Rate.Limit < 1 {
		return 0
	}
	return q.Next + units(missing-1, q.Rate.interval())
}

// rate returns the rate that p is charged at, or zero for the limiter's own.
func (l *limit) rate(p *Principal) Rate {
	switch {
	case p == nil:
		return Rate{}
	case l.ownRate(p):
		return p.Rate
	case l.rates != nil:
		return l.rates(p)
	default:
		return Rate{}
	}
}

// ownRate reports whether p is charged at a rate of its own.
func (l *limit) ownRate(p *Principal) bool {
	return p.Rate != Rate{} && (l.kind == keyIdentity || l.kind == keyCredential)
}

// key appends the account that the request is charged to. What others have
// chosen the text of is preceded by its length, so that no two accounts are the
// same by accident; all of it is text, as distributed limiters may want it.
func (l *limit) key(b []byte, r *http.Request, v *verdict, p *Principal) []byte {
	if l.early {
		return appendAddress(append(b, "address:"...), v.client)
	}
	b = append(append(b, l.kind...), ':')
	switch {
	case l.kind == keyRoute:
		return append(b, r.Pattern...)
	case l.kind == keyFunc:
		return append(append(append(b, l.name...), ':'), l.of(r, p)...)
	case p == nil:
		return appendAddress(append(b, "address:"...), v.client)
	case l.kind == keyTier:
		return appendTexts(b, p.Tier)
	case l.ownRate(p) && p.Origin.ID != "":
		return appendTexts(append(b, "origin:"...), string(p.Origin.Kind), p.Origin.ID)
	case l.kind == keyCredential && p.Credential.ID != "":
		return appendTexts(b, string(p.Credential.Kind), p.Credential.ID)
	default:
		return appendTexts(b, p.Issuer, p.Tenant, p.Subject)
	}
}

func appendTexts(b []byte, texts ...string) []byte {
	for _, t := range texts {
		b = strconv.AppendInt(b, int64(len(t)), 10)
		b = append(append(append(b, ':'), t...), ':')
	}
	return b
}

// appendAddress appends the account of a client: its IPv4 address, or the /64
// that its IPv6 address is in, or nothing where that is not known.
func appendAddress(b []byte, a netip.Addr) []byte {
	switch a = a.Unmap(); {
	case !a.IsValid():
		return b
	case a.Is4():
		return a.AppendTo(b)
	default:
		return netip.PrefixFrom(a.WithZone(""), 64).Masked().AppendTo(b)
	}
}

// AddressKey returns the text by which [ByAddress] counts, for limits that an
// author charges themselves: IPv6 addresses by /64, and one text for all that
// are not valid.
func AddressKey(a netip.Addr) string { return string(appendAddress([]byte("address:"), a)) }

// charge charges a key and sets q to how it stands. The error is the *Failure
// that says why not: that it is too much, or that this could not be found out.
func charge(ctx context.Context, q *Quota, l Limiter, name string, key []byte, cost int, rate Rate) error {
	err := chargeKey(ctx, q, l, key, cost, rate)
	switch {
	case err != nil:
		return downed(err)
	case !q.Allowed:
		return exceeded(name, q)
	default:
		return nil
	}
}

// downed is the failure of a limiter that cannot be asked, whatever it calls it.
func downed(err error) *Failure { return &Failure{Reason: ErrUnavailable, Err: err} }

// exceeded is the failure of who has used up a quota.
func exceeded(name string, q *Quota) *Failure {
	return &Failure{Reason: ErrRateLimited, RetryAfter: q.retryAfter(), Limit: name, Quota: *q}
}

// retryAfter is when who has been refused may come again.
func (q *Quota) retryAfter() time.Duration { return max(q.RetryAfter, q.Next, 1) }

// chargeKey charges a key, without an allocation where the limiter is our own.
// A Quota is filled in where it is wanted: copying it takes as long as charging.
func chargeKey(ctx context.Context, q *Quota, l Limiter, key []byte, cost int, rate Rate) (err error) {
	own := rate == Rate{}
	if m, ok := l.(*MemoryLimiter); ok {
		hash := maphash.Bytes(m.seed, key)
		if own {
			m.chargeAt(q, hash, cost, &m.pace)
		} else if err = rate.Validate(); err == nil {
			m.charge(q, hash, cost, rate)
		}
		return err
	}
	if own {
		*q, err = l.Allow(ctx, string(key), cost)
		return err
	}
	if rl, ok := l.(VariableLimiter); ok {
		*q, err = rl.AllowRate(ctx, string(key), cost, rate)
		return err
	}
	return fmt.Errorf("auth: a principal with a Rate, but %T is no VariableLimiter", l)
}
