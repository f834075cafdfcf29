package auth

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// TierRates are the rates of tiers, which can be changed while they are in use.
// They are safe for concurrent use; reading takes no lock. The zero TierRates
// knows of none.
type TierRates struct {
	mu    sync.Mutex // of writers
	rates atomic.Pointer[map[string]Rate]
}

// NewTierRates returns the rates by tier. The error joins what [Rate.Validate]
// refuses.
func NewTierRates(rates map[string]Rate) (*TierRates, error) {
	var errs []error
	for _, tier := range slices.Sorted(maps.Keys(rates)) {
		errs = append(errs, validTierRate(tier, rates[tier]))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	own := maps.Clone(rates)
	t := &TierRates{}
	t.rates.Store(&own)
	return t, nil
}

func validTierRate(tier string, r Rate) error {
	if err := r.Validate(); err != nil {
		return fmt.Errorf("auth: tier %q: %w", tier, err)
	}
	return nil
}

// Of returns the rate of p's tier, or zero where none is known. It is what
// [LimitKey.WithRates] takes.
func (t *TierRates) Of(p *Principal) Rate { return t.all()[p.Tier] }

func (t *TierRates) all() map[string]Rate {
	if rates := t.rates.Load(); rates != nil {
		return *rates
	}
	return nil
}

// Set changes the rate of a tier from the next request on; the zero Rate
// removes it. What has been charged stays charged.
func (t *TierRates) Set(tier string, r Rate) error {
	if r != (Rate{}) {
		if err := validTierRate(tier, r); err != nil {
			return err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	next := map[string]Rate{}
	maps.Copy(next, t.all())
	if next[tier] = r; r == (Rate{}) {
		delete(next, tier)
	}
	t.rates.Store(&next)
	return nil
}
