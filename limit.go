package auth

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
)

// A LimitKey says by what a limit counts: see [Guard.Limit]. It is made by
// [ByAddress] and its kin, and its methods return changed copies.
type LimitKey struct {
	kind  keyKind
	name  string
	of    func(r *http.Request, p *Principal) string
	cost  func(r *http.Request, p *Principal) int
	rates func(p *Principal) Rate
}

type keyKind byte

const (
	keyAddress keyKind = iota + 1
	keyIdentity
	keyCredential
	keyTier
	keyRoute
	keyFunc
)

// ByAddress counts by the client's address, before anything is authenticated:
// IPv6 by /64, which is what one client has, and all clients whose address is
// not known as one.
func ByAddress() LimitKey { return LimitKey{kind: keyAddress, name: "address"} }

// ByIdentity counts by the caller's issuer, tenant and subject together,
// whatever credentials they use.
func ByIdentity() LimitKey { return LimitKey{kind: keyIdentity, name: "identity"} }

// ByCredential counts by the credential that the request shows.
func ByCredential() LimitKey { return LimitKey{kind: keyCredential, name: "credential"} }

// ByTier counts all callers of a tier together.
func ByTier() LimitKey { return LimitKey{kind: keyTier, name: "tier"} }

// ByRoute counts all callers of a route together, by the pattern that the
// standard mux matched. Other routers leave that empty; see [ByFunc].
func ByRoute() LimitKey { return LimitKey{kind: keyRoute, name: "route"} }

// ByFunc counts by the text that of returns. It runs after authentication; p is
// nil where an optional guard admits nobody in particular. The name is that of
// the limit, see [LimitKey.Name]. It panics on a nil function.
func ByFunc(name string, of func(r *http.Request, p *Principal) string) LimitKey {
	if of == nil {
		panic("auth: ByFunc: nil function")
	}
	return LimitKey{kind: keyFunc, of: of}.Name(name)
}

// Name names the limit in what clients are told: the RateLimit fields and the
// problem of a 429. By default it is what is counted by, such as "identity". It
// panics on what is not 1 to 64 letters, digits, dots, hyphens and underscores.
func (k LimitKey) Name(name string) LimitKey {
	if !isLimitName(name) {
		panic(fmt.Sprintf("auth: LimitKey: name %q is not 1 to 64 letters, digits, dots, hyphens and underscores", name))
	}
	k.name = name
	return k
}

// Cost is what a request costs: 1 by default. It panics on less than 1.
func (k LimitKey) Cost(n int) LimitKey {
	if n < 1 {
		panic(fmt.Sprintf("auth: LimitKey: cost %d is not positive", n))
	}
	return k.CostFunc(func(*http.Request, *Principal) int { return n })
}

// CostFunc is Cost by request. Less than 1 is free. p is nil before
// authentication, and where an optional guard admits nobody in particular.
func (k LimitKey) CostFunc(of func(r *http.Request, p *Principal) int) LimitKey {
	k.cost = of
	return k
}

// Rates applies the rate that of returns for a caller, such as [TierRates].Of,
// where that is not zero, and else the limiter's own. It is asked with every
// request, so rates can change at any time. The limiter must be a
// [RateLimiter].
//
// A caller whose [Principal].Rate is set is charged at that rate, whether Rates
// is called or not; see there.
func (k LimitKey) Rates(of func(p *Principal) Rate) LimitKey {
	k.rates = of
	return k
}

func isLimitName(s string) bool {
	return s != "" && len(s) <= 64 && limitNameChars.hasAll(s)
}

var limitNameChars = charset(alphanumeric + ".-_")

// A limit is a limiter in a guard.
type limit struct {
	LimitKey
	limiter Limiter
}

// Limit returns a guard that also charges each request to l, and answers 429
// with Retry-After where that is too much. Limits by address come before
// authentication, the others after it and before policies, each in the order in
// which they were added; a request that one of them refuses has been charged to
// those before it. An inner guard that shares an outer one's decision charges
// only the limits that were added since.
//
// Where an optional guard admits nobody in particular, ByIdentity, ByCredential
// and ByTier count by address instead.
//
// Limit panics on a nil limiter, a zero key, and a key with Rates and a limiter
// that is no [RateLimiter].
func (g *Guard) Limit(l Limiter, key LimitKey) *Guard {
	switch {
	case isNil(l):
		panic("auth: Limit: nil limiter")
	case key.kind == 0:
		panic("auth: Limit: zero key")
	}
	if _, ok := l.(RateLimiter); !ok && key.rates != nil {
		panic(fmt.Sprintf("auth: Limit: rates, but %T is no RateLimiter", l))
	}
	d := *g
	d.limits = append(d.limits[:len(d.limits):len(d.limits)], &limit{key, l})
	return &d
}

// early reports whether the limit can be charged before anything is read.
func (l *limit) early() bool { return l.kind == keyAddress }

// charge charges a request, whose principal p may be nil, and returns the
// refusal where it is too much.
func (l *limit) charge(r *http.Request, v *verdict, p *Principal) error {
	cost := 1
	if l.cost != nil {
		if cost = l.cost(r, p); cost < 1 {
			return nil
		}
	}
	var buf [128]byte
	key, rate := l.key(buf[:0], r, v, p)
	q, err := chargeKey(r.Context(), l.limiter, key, cost, rate)
	if err != nil {
		return err
	}
	if !q.Allowed {
		return limited(l.name, q)
	}
	if v.fields {
		v.quotas = append(v.quotas, namedQuota{l.name, q})
	}
	return nil
}

// key appends what the request is charged to, and returns the rate, which is
// zero for the limiter's own. Each kind of key begins differently, and texts are
// preceded by their length, so that no two keys are the same by accident.
func (l *limit) key(b []byte, r *http.Request, v *verdict, p *Principal) ([]byte, Rate) {
	kind := l.kind
	var rate Rate
	if p != nil {
		if l.rates != nil {
			rate = l.rates(p)
		}
		if (kind == keyIdentity || kind == keyCredential) && p.Rate != (Rate{}) {
			// The quota is the origin's own, and so is the account.
			return appendTexts(append(b, "origin"...), string(p.Origin.Kind), p.Origin.ID), p.Rate
		}
	} else if kind == keyIdentity || kind == keyCredential || kind == keyTier {
		kind = keyAddress
	}
	switch kind {
	case keyIdentity:
		b = appendTexts(append(b, "identity"...), p.Issuer, p.Tenant, p.Subject)
	case keyCredential:
		b = appendTexts(append(b, "credential"...), string(p.Credential.Kind), p.Credential.ID)
	case keyTier:
		b = append(append(b, "tier:"...), p.Tier...)
	case keyRoute:
		b = append(append(b, "route:"...), r.Pattern...)
	case keyFunc:
		b = append(append(append(append(b, "func:"...), l.name...), ':'), l.of(r, p)...)
	default:
		b = appendAddress(b, v.client)
	}
	return b, rate
}

func appendTexts(b []byte, texts ...string) []byte {
	for _, t := range texts {
		b = binary.AppendUvarint(append(b, ':'), uint64(len(t)))
		b = append(b, t...)
	}
	return b
}

// appendAddress appends the key of a client: its IPv4 address, or the /64 that
// its IPv6 address is in.
func appendAddress(b []byte, a netip.Addr) []byte {
	b = append(b, "address:"...)
	switch {
	case !a.IsValid():
		return b
	case a.Unmap().Is4():
		return a.Unmap().AppendTo(b)
	default:
		return netip.PrefixFrom(a.WithZone(""), 64).Masked().AppendTo(b)
	}
}

// AddressKey returns the text by which [ByAddress] counts, for limits that an
// author charges themselves: IPv6 addresses by /64, and one text for all that
// are not valid.
func AddressKey(a netip.Addr) string { return string(appendAddress(nil, a)) }

// chargeKey charges a key, without an allocation where the limiter is our own.
func chargeKey(ctx context.Context, l Limiter, key []byte, cost int, rate Rate) (Quota, error) {
	own := rate == Rate{}
	if m, ok := l.(*MemoryLimiter); ok {
		if own {
			rate = m.rate
		} else if err := rate.Validate(); err != nil {
			return Quota{}, err
		}
		return m.charge(maphash.Bytes(m.seed, key), cost, rate), nil
	}
	if own {
		return l.Allow(ctx, string(key), cost)
	}
	if rl, ok := l.(RateLimiter); ok {
		return rl.AllowRate(ctx, string(key), cost, rate)
	}
	return Quota{}, fmt.Errorf("auth: a principal with a Rate, but %T is no RateLimiter", l)
}

// limited returns the refusal of what a limit did not admit.
func limited(name string, q Quota) *Failure {
	return &Failure{Reason: ErrRateLimited, RetryAfter: max(q.RetryAfter, 1), Limit: name, Quota: q}
}

// TierRates are the rates of tiers, which can be changed while they are in use.
// They are safe for concurrent use; reading takes no lock.
type TierRates struct {
	mu    sync.Mutex // of writers
	rates atomic.Pointer[map[string]Rate]
}

// NewTierRates returns the rates by tier. The error joins what [Rate.Validate]
// refuses.
func NewTierRates(rates map[string]Rate) (*TierRates, error) {
	var errs []error
	for tier, r := range rates {
		if err := r.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("auth: tier %q: %w", tier, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	own := maps.Clone(rates)
	t := &TierRates{}
	t.rates.Store(&own)
	return t, nil
}

// Of returns the rate of p's tier, or zero where none is known.
func (t *TierRates) Of(p *Principal) Rate { return (*t.rates.Load())[p.Tier] }

// Set changes the rate of a tier from now on; the zero Rate removes it. What
// has been charged stays charged.
func (t *TierRates) Set(tier string, r Rate) error {
	if r != (Rate{}) {
		if err := r.Validate(); err != nil {
			return fmt.Errorf("auth: tier %q: %w", tier, err)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	next := maps.Clone(*t.rates.Load())
	if next == nil {
		next = map[string]Rate{}
	}
	if next[tier] = r; r == (Rate{}) {
		delete(next, tier)
	}
	t.rates.Store(&next)
	return nil
}
