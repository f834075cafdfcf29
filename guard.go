package auth

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// A Guard decides about requests: it authenticates them, asks its policies, and
// answers those it refuses. It is immutable and safe for concurrent use.
//
// Guards derived from one [NewGuard] share a decision: inside one another, the
// inner one runs only the policies, and charges only the limits, that were added
// since. A guard of another NewGuard authenticates anew, and its principal
// replaces the outer one.
type Guard struct {
	base *base

	// Pointers, so that an inner guard can tell which policies an outer one has
	// run, and which limits it has charged.
	policies []*Policy
	limits   []*limit
	networks []*Networks
	optional bool
}

// base is what the guards derived from one NewGuard have in common.
type base struct {
	GuardOptions
	authenticator Authenticator
	schemes       []Scheme
	challenges    []string
	shareable     bool // answers need Cache-Control: private
}

// GuardOptions configure a [Guard]. The zero value is ready for production.
type GuardOptions struct {
	// Realm is named in challenges (RFC 9110 section 11.5); empty for none.
	Realm string

	// Format is the dialect of answers; nil is RFC 9457 problem details and
	// RFC 6749 token responses.
	Format *Format

	// Observe is told every decision, once, when it is made; nil for none. It
	// runs on the request's goroutine and must be quick. An inner guard that
	// shares an outer one's decision tells only its refusals.
	Observe func(ctx context.Context, e Event)

	// TrustedProxies are the reverse proxies in front of the program. What
	// they tell of the client in ForwardedHeader is believed; what others tell
	// is not looked at. Nil trusts none: the client is whoever is at the other
	// end of the connection.
	//
	// The client is the first from the right that is no trusted proxy, or else
	// the left-most. Where what is told of it is no address, such as "unknown",
	// its address is not known. A proxy that tells nothing asks for itself.
	TrustedProxies *Networks

	// ForwardedHeader is the field in which TrustedProxies tell the client's
	// address: "X-Forwarded-For", which is the default, or "Forwarded" (RFC
	// 7239). The other one is not read.
	//
	// They must also tell that the client came over HTTPS: in every value of
	// X-Forwarded-Proto or, with the second one, as the proto of the client.
	// What they pass on of these fields is believed, so they must write them,
	// or append to them, in every request.
	ForwardedHeader string

	// Throttle bounds failed attempts to authenticate by the client's address:
	// every request is charged 1 before its credential is looked at, and it is
	// given back unless that is refused with 401, or panics. Above it, requests are
	// answered 429, so a guard with a throttle is one for logins: the sessions
	// of the same client should go on. Nil bounds none.
	Throttle Limiter

	// RateLimitFields has the answers to admitted requests carry the fields
	// RateLimit and RateLimit-Policy of the IETF's draft, with how the caller
	// stands with each limit of the guard. Answers of 429 always do, with how
	// they stand with the one that refused.
	RateLimitFields bool

	// Exposed is told of a good credential that came over plain HTTP, where
	// others can have read it, and may revoke it. The request is refused all
	// the same, and the answer does not tell. The guard's networks, its limits
	// by address and Throttle hold here, too: what they refuse is not looked
	// at. Nil: nothing is.
	Exposed func(ctx context.Context, p *Principal)

	// InsecureHTTP admits plain HTTP from beyond this host, and leaves out
	// Strict-Transport-Security. Credentials then travel in the clear; the
	// default refuses such requests unread, 403. This host is the loopback
	// addresses at the other end of a connection, not what a proxy tells, nor
	// a Unix socket.
	InsecureHTTP bool
}

// NewGuard returns a guard that admits whom a authenticates. o may be nil. It
// panics on a nil authenticator, a realm with characters that a challenge
// cannot hold, a nil pointer as Throttle, and another ForwardedHeader than the
// two.
func NewGuard(a Authenticator, o *GuardOptions) *Guard {
	if a == nil {
		panic("auth: NewGuard: nil authenticator")
	}
	b := &base{authenticator: a, schemes: schemesOf(a)}
	if o != nil {
		b.GuardOptions = *o
	}
	if !isQuotable(b.Realm) {
		panic("auth: NewGuard: malformed realm")
	}
	if b.Throttle != nil && isNil(b.Throttle) {
		panic("auth: NewGuard: Throttle is a nil pointer")
	}
	switch b.ForwardedHeader {
	case "", xForwardedFor, forwardedField:
	default:
		panic("auth: NewGuard: ForwardedHeader is neither X-Forwarded-For nor Forwarded")
	}
	b.challenges = challenges(b.schemes, b.Realm)
	b.shareable = isShareable(a)
	return &Guard{base: b}
}

// isShareable reports whether shared caches may keep answers to what a admits.
// They leave those to an Authorization field alone (RFC 9111 section 3.5), but
// not those to other fields, nor to what an authenticator does not tell.
func isShareable(a Authenticator) bool {
	if f, ok := a.(first); ok {
		return slices.ContainsFunc(f, isShareable)
	}
	schemes := schemesOf(a)
	return len(schemes) == 0 || slices.ContainsFunc(schemes, func(s Scheme) bool { return s.Field != "Authorization" })
}

// With returns a guard that also asks the policies, in order, after those that
// g asks. It panics on a nil policy.
func (g *Guard) With(policies ...Policy) *Guard {
	d := *g
	d.policies = slices.Clone(g.policies)
	for _, p := range policies {
		if p == nil {
			panic("auth: With: nil policy")
		}
		d.policies = append(d.policies, &p)
	}
	return &d
}

// From returns a guard that also refuses requests from anywhere but the
// networks, before it reads a credential: 403. The address is that of
// [Guard.ClientAddress]; one that is not known is in no network. An empty set
// admits nobody. It panics on nil.
func (g *Guard) From(n *Networks) *Guard {
	if n == nil {
		panic("auth: From: nil networks")
	}
	d := *g
	d.networks = append(d.networks[:len(d.networks):len(d.networks)], n)
	return &d
}

// Optional returns a guard that admits requests that present nothing, without a
// principal and without asking its policies. A credential that is presented and
// not good is refused all the same.
func (g *Guard) Optional() *Guard {
	d := *g
	d.optional = true
	return &d
}

// Check decides about r and answers nothing. The error, if any, is a *[Failure],
// fit for [Guard.Fail]. From an optional guard the principal may be nil. Limits
// are charged.
func (g *Guard) Check(r *http.Request) (*Principal, error) {
	var v verdict
	if f := g.decide(r, &v); f != nil {
		return nil, f
	}
	return v.principal, nil
}

// Wrap returns a handler that lets h answer the requests that g admits, with the
// principal in the request's context; see [FromContext]. It is a middleware for
// net/http and for routers such as chi.
func (g *Guard) Wrap(h http.Handler) http.Handler {
	if h == nil {
		panic("auth: Wrap: nil handler")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var v verdict
		if !g.admit(w, r, &v) {
			return
		}
		if v.news(g) {
			r = r.WithContext(&decision{Context: r.Context(), principal: v.principal, guard: g, wait: v.wait})
		}
		h.ServeHTTP(w, r)
	})
}

// WrapFunc is Wrap for a function.
func (g *Guard) WrapFunc(f http.HandlerFunc) http.Handler {
	if f == nil {
		panic("auth: WrapFunc: nil handler")
	}
	return g.Wrap(f)
}

// Handle is Wrap for a handler that takes the principal as an argument, without
// a context and its allocations. From an optional guard the principal may be
// nil.
func (g *Guard) Handle(h func(w http.ResponseWriter, r *http.Request, p *Principal)) http.Handler {
	if h == nil {
		panic("auth: Handle: nil handler")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var v verdict
		if g.admit(w, r, &v) {
			h(w, r, v.principal)
		}
	})
}

// A verdict is what a guard finds out about a request while it decides.
type verdict struct {
	// principal is who sent the request. With a refusal it is whom that meets,
	// if anybody, for the observer.
	principal *Principal

	outer  *decision  // the one that is in the request's context already
	client netip.Addr // see Guard.ClientAddress
	https  bool

	// asked and charged are how many of the guard's policies and limits an
	// outer guard has dealt with, and wait is when all limits that were charged
	// will admit the like of the request again.
	asked, charged int
	wait           time.Duration

	fields bool // quotas are to be told
	quotas []namedQuota
}

// news reports whether an inner guard could learn anything from the verdict of
// g that the request's context does not tell already.
func (v *verdict) news(g *Guard) bool {
	if g.follows(v.outer) && v.principal == v.outer.principal {
		return v.asked < len(g.policies) || v.charged < len(g.limits)
	}
	return v.principal != nil || v.outer != nil || len(g.limits) > 0
}

// admit decides about r and answers it where it is refused.
func (g *Guard) admit(w http.ResponseWriter, r *http.Request, v *verdict) bool {
	v.fields = g.base.RateLimitFields
	if f := g.decide(r, v); f != nil {
		g.answer(w, v, f)
		return false
	}
	if g.base.shareable && v.principal != nil {
		w.Header()["Cache-Control"] = cachePrivate
	}
	g.announce(w, v)
	return true
}

// Shared by all answers: header values are replaced, not written to, and the
// capacity leaves no room to append in place.
var (
	cachePrivate    = []string{"private"}
	strictTransport = []string{"max-age=63072000; includeSubDomains"} // RFC 6797; two years
)

// announce writes the fields that refused and admitted requests are both
// answered with. A Strict-Transport-Security of the application's own stays.
func (g *Guard) announce(w http.ResponseWriter, v *verdict) {
	h := w.Header()
	if _, own := h["Strict-Transport-Security"]; v.https && !own && !g.base.InsecureHTTP {
		h["Strict-Transport-Security"] = strictTransport
	}
	if len(v.quotas) > 0 {
		writeQuotas(h, v.quotas)
	}
}

// Fail answers r with err in the guard's format: a [Failure] or [Reason] with
// its own status, anything else with 503. The text that clients see is fixed.
func (g *Guard) Fail(w http.ResponseWriter, r *http.Request, err error) {
	p, _ := FromContext(r.Context())
	g.answer(w, &verdict{https: g.base.clientOf(r).https}, g.failure(err, p))
}

// decide makes the decision and tells the observer.
func (g *Guard) decide(r *http.Request, v *verdict) *Failure {
	if g.base.Observe == nil {
		if f := g.enter(r, v); f != nil {
			return f
		}
		return g.judge(r, v)
	}
	start := time.Now()
	f := g.enter(r, v)
	if f == nil {
		f = g.judge(r, v)
	}
	if f != nil || !g.shares(v.outer) {
		g.observe(r, start, v, nil, f)
	}
	return f
}

// enter decides what can be decided before anything is read: whether others can
// read the request, and where it comes from.
func (g *Guard) enter(r *http.Request, v *verdict) *Failure {
	c := g.base.clientOf(r)
	v.client, v.https = c.address, c.https
	if !c.secure && !g.base.InsecureHTTP {
		g.exposed(r, v)
		return g.failure(ErrInsecure, nil)
	}
	if !g.reaches(c.address) {
		return g.failure(ErrAddress, nil)
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

// exposed tells [GuardOptions.Exposed] of a good credential that came over plain
// HTTP. Guesses at it are limited as ever. The answer is to be the same whatever
// is found, so of the verdict only the principal is kept, for the observer.
func (g *Guard) exposed(r *http.Request, v *verdict) {
	if g.base.Exposed == nil || !g.reaches(v.client) {
		return
	}
	own := *v
	if g.charge(r, &own, true) != nil {
		return
	}
	p, err := g.base.authenticate(r, &own)
	if err == nil && p != nil && p.Subject != "" {
		g.base.Exposed(r.Context(), p)
		v.principal = p
	}
}

// judge decides about a request that has been let in.
func (g *Guard) judge(r *http.Request, v *verdict) *Failure {
	err := g.consider(r, v)
	if err == nil {
		return nil
	}
	f := g.failure(err, v.principal)
	if f.Reason == ErrRateLimited {
		f.RetryAfter = max(f.RetryAfter, v.wait)
	}
	return f
}

func (g *Guard) consider(r *http.Request, v *verdict) error {
	v.outer = decisionIn(r.Context())
	if g.follows(v.outer) {
		v.charged = commonPrefix(v.outer.guard.limits, g.limits)
		v.wait = v.outer.wait
	}
	if g.shares(v.outer) {
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
		case err != nil && g.optional && errors.Is(err, ErrNoCredential):
			return nil
		case err != nil:
			return err
		case p == nil || p.Subject == "":
			return errNoSubject
		}
		v.principal = p
		v.charged = 0 // limits by caller have met nobody in particular, if any
	}
	if n := v.principal.Networks; n != nil && !n.Contains(v.client) {
		return ErrAddress
	}
	return nil
}

// charge charges the limits that no outer guard has, those that come early or
// the others.
func (g *Guard) charge(r *http.Request, v *verdict, early bool) error {
	for _, l := range g.limits[v.charged:] {
		if l.early() != early {
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

// failure completes a refusal with what the route accepts. p is whom it meets,
// if anybody.
func (g *Guard) failure(err error, p *Principal) *Failure {
	f := failureOf(err)
	f.Schemes = g.base.schemes
	if (f.Reason == ErrUnavailable || f.Reason == ErrRateLimited) && f.RetryAfter <= 0 {
		f.RetryAfter = retryAfter
	}
	if f.Scheme.Name != "" || len(f.Schemes) == 0 {
		return f
	}
	f.Scheme = f.Schemes[0]
	if p != nil {
		for _, s := range f.Schemes {
			if slices.Contains(s.Kinds, p.Credential.Kind) {
				f.Scheme = s
				break
			}
		}
	}
	return f
}

// retryAfter is what clients are told to wait out an outage, or a limit that
// does not tell.
const retryAfter = 5 * time.Second
