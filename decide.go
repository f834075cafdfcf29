package auth

import (
	"errors"
	"net/http"
	"net/netip"
	"time"
)

// A verdict is what a guard finds out about a request while it decides.
type verdict struct {
	// principal is who sent the request. With a refusal it is whom that meets,
	// if anybody, for the observer.
	principal *Principal

	exposed bool // principal was found over plain HTTP, which the answer does not tell

	// With a refusal: the scheme of the source that refused a credential, or the
	// limit that refused the request. Else nil.
	source *Scheme
	over   *limit

	outer  *decision  // the one that is in the request's context already
	client netip.Addr // see Guard.ClientAddress
	https  bool

	// asked and charged are how many of the guard's policies and limits an
	// outer guard has dealt with, and wait is when all limits that were charged
	// will admit the like of the request again.
	asked, charged int
	wait           time.Duration

	quota  Quota  // how the request stands with the limit that was charged last
	fields bool   // quotas are to be told: that one, if it is of the limit told,
	told   *limit // and others before it
	quotas []standing
}

// news reports whether an inner guard could learn anything from the verdict of
// g that the request's context does not tell already.
func (v *verdict) news(g *Guard) bool {
	if g.follows(v.outer) && v.principal == v.outer.principal {
		return v.asked < len(g.policies) || v.charged < len(g.limits)
	}
	return v.principal != nil || v.outer != nil || len(g.limits) > 0
}

// decide makes the decision and tells the observer.
func (g *Guard) decide(r *http.Request, v *verdict) error {
	start := g.begin()
	err := g.enter(r, v)
	if err == nil {
		err = g.judge(r, v)
	}
	if g.base.Observe != nil && (err != nil || !g.shares(v.outer)) {
		g.observe(r, start, v, nil, g.refusal(v, err))
	}
	return err
}

// begin returns the time for an observer, if there is one.
func (g *Guard) begin() (start time.Time) {
	if g.base.Observe != nil {
		start = time.Now()
	}
	return start
}

// enter decides what can be decided before anything is read: whether others can
// read the request, and where it comes from.
func (g *Guard) enter(r *http.Request, v *verdict) error {
	c := g.base.clientOf(r)
	v.client, v.https, v.fields = c.address, c.https, g.base.RateLimitFields
	if !c.secure && !g.base.InsecureHTTP {
		g.exposed(r, v)
		return ErrInsecure
	}
	if !g.reaches(c.address) {
		return ErrAddress
	}
	return nil
}

// reaches reports whether an address is in all of the guard's networks.
func (g *Guard) reaches(a netip.Addr) bool {
	for _, n := range g.networks {
		if !n.Contains(a) {
			return false
		}
	}
	return true
}

// exposed tells [GuardOptions.OnExposed] of a good credential that came over plain
// HTTP. Guesses at it are limited as ever. The answer is to be the same whatever
// is found, so of the verdict only the principal is kept, for the observer.
func (g *Guard) exposed(r *http.Request, v *verdict) {
	if g.base.OnExposed == nil || !g.reaches(v.client) {
		return
	}
	own := *v
	if g.charge(r, &own, true) != nil {
		return
	}
	p, err := g.base.authenticate(r, &own)
	if err == nil && p != nil && p.Subject != "" {
		g.base.OnExposed(r.Context(), p)
		v.principal, v.exposed = p, true
	}
}

// judge decides about a request that has been let in.
func (g *Guard) judge(r *http.Request, v *verdict) error {
	v.outer = decisionIn(r.Context())
	if g.follows(v.outer) {
		v.charged = commonPrefix(v.outer.guard.limits, g.limits)
		v.wait = v.outer.wait
	}
	// What is issued needs a decision of its own: the outer one may have gone by
	// what a cache remembers.
	if g.shares(v.outer) && !IsUncached(r.Context()) {
		v.principal = v.outer.principal
		v.asked = commonPrefix(v.outer.guard.policies, g.policies)
	}
	if err := g.charge(r, v, true); err != nil {
		return err
	}
	if err := g.identify(r, v); err != nil {
		return err
	}
	if err := g.charge(r, v, false); err != nil {
		return err
	}
	if v.principal == nil {
		return nil
	}
	for _, policy := range g.policies[v.asked:] {
		if err := (*policy)(r, v.principal); err != nil {
			return err
		}
	}
	return nil
}

// identify finds out who sent the request, where no outer guard has, and whether
// they may from where they are.
func (g *Guard) identify(r *http.Request, v *verdict) error {
	if v.principal == nil {
		p, err := g.base.authenticate(r, v)
		switch {
		case g.optional && isAbsence(err):
			return nil
		case err != nil:
			return err
		case p == nil || p.Subject == "":
			return errNoSubject
		}
		v.principal = p
		if !g.shares(v.outer) {
			v.charged = 0 // limits by caller have met nobody in particular, if any
		}
	}
	if n := v.principal.Networks; n != nil && !n.Contains(v.client) {
		return ErrAddress
	}
	return nil
}

// isAbsence reports whether err says that nothing was presented. Most who come to
// an optional guard have nothing, and then it is the plain reason.
func isAbsence(err error) bool {
	if r, ok := err.(Reason); ok {
		return r == ErrNoCredential
	}
	return errors.Is(err, ErrNoCredential)
}

// charge charges the limits that no outer guard has, those that come early or
// the others.
func (g *Guard) charge(r *http.Request, v *verdict, early bool) error {
	for _, l := range g.limits[v.charged:] {
		if l.early != early {
			continue
		}
		if err := l.charge(r, v); err != nil {
			return err
		}
	}
	return nil
}

// follows reports whether g comes from the same NewGuard as the outer decision.
func (g *Guard) follows(outer *decision) bool {
	return outer != nil && outer.guard != nil && outer.guard.base == g.base
}

// shares reports whether the outer decision is one that g shares: nobody in
// particular vouches for nothing.
func (g *Guard) shares(outer *decision) bool {
	return g.follows(outer) && outer.principal != nil
}

// commonPrefix returns how many of b an outer guard with a has dealt with.
func commonPrefix[T any](a, b []*T) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
