package auth

import (
	"context"
	"net/http"
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
	answers       answers
}

// GuardOptions configure a [Guard]. The zero value is ready for production.
//
// Answers over HTTPS carry Strict-Transport-Security for two years, subdomains
// included (RFC 6797), unless the application has set that field before the
// guard runs.
type GuardOptions struct {
	// Realm is named in challenges (RFC 9110 section 11.5); empty for none.
	Realm string

	// Resource, if not nil, has the challenges for OAuth 2.0 tokens tell where
	// the API's metadata is (RFC 9728 section 5.1), from which clients learn who
	// issues the tokens.
	Resource *Resource

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
	// The client is the rightmost address that is not a trusted proxy, or else
	// the leftmost. Where what is told of it is no address, such as "unknown",
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
	// every request is charged 1 before its credential is looked at, and that
	// is given back unless the credential is refused with 401, or the
	// authenticator panics. Above it, requests are answered 429, so a guard with
	// a throttle is one for logins: the sessions of the same client should go
	// on. Requests under way count until they are judged, so allow more than may
	// come at once from one address, and set http.Server.ReadTimeout. Nil bounds
	// none.
	Throttle Limiter

	// RateLimitFields has the answers to admitted requests carry the fields
	// RateLimit and RateLimit-Policy of the IETF's draft, with how the caller
	// stands with each limit of the guard. Answers of 429 always do, with how
	// they stand with the one that refused.
	RateLimitFields bool

	// OnExposed is told of a good credential that came over plain HTTP, where
	// others can have read it, and may revoke it. The request is refused all
	// the same, and the answer does not tell. The guard's networks, its limits
	// by address and Throttle hold here, too: what they refuse is not looked
	// at. A credential that is good for one use is used up. Nil: nothing is
	// looked at.
	OnExposed func(ctx context.Context, p *Principal)

	// InsecureHTTP admits plain HTTP from beyond this host, and leaves out
	// Strict-Transport-Security. Credentials then travel in the clear; the
	// default refuses such requests, 403, unread unless OnExposed is set. This
	// host is the loopback addresses at the other end of a connection, not what
	// a proxy tells, nor a Unix socket.
	//
	// A proxy on this host looks like this host: name it in TrustedProxies, or
	// the plain HTTP that it passes on is admitted.
	InsecureHTTP bool
}

// NewGuard returns a guard that admits whom a authenticates. o may be nil. It
// panics on a nil authenticator, a realm with characters that a challenge
// cannot hold, a Resource that NewResource has not made, a nil pointer as
// Throttle, and a ForwardedHeader other than those two.
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
	if b.Resource != nil && b.Resource.url == "" {
		panic("auth: NewGuard: Resource is not of NewResource")
	}
	if b.Throttle != nil && isNil(b.Throttle) {
		panic("auth: NewGuard: Throttle is a nil pointer")
	}
	switch b.ForwardedHeader {
	case "", xForwardedFor, forwardedField:
	default:
		panic("auth: NewGuard: ForwardedHeader is neither X-Forwarded-For nor Forwarded")
	}
	b.challenges = challenges(b.schemes, b.Realm, b.Resource)
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
	if err := g.decide(r, &v); err != nil {
		return nil, g.refusal(&v, err)
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

// admit decides about r and answers it where it is refused.
func (g *Guard) admit(w http.ResponseWriter, r *http.Request, v *verdict) bool {
	if err := g.decide(r, v); err != nil {
		g.refuse(w, v, err)
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
	if v.https && !g.base.InsecureHTTP {
		if _, own := h["Strict-Transport-Security"]; !own {
			h["Strict-Transport-Security"] = strictTransport
		}
	}
	if v.told != nil || len(v.quotas) > 0 {
		v.writeQuotas(h)
	}
}

// Fail answers r with err in the guard's format: a [Failure] or [Reason] with
// its own status, anything else with 503. The text that clients see is fixed.
func (g *Guard) Fail(w http.ResponseWriter, r *http.Request, err error) {
	p, _ := FromContext(r.Context())
	g.answer(w, &verdict{https: g.base.clientOf(r).https}, g.failure(err, p))
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
	f.Scheme = *g.base.scheme(p)
	return f
}

// scheme returns what p may have come by, or else the first of the schemes, or nil
// where there is none. p may be nil.
func (b *base) scheme(p *Principal) *Scheme {
	if len(b.schemes) == 0 {
		return nil
	}
	if p != nil {
		for i := range b.schemes {
			if s := &b.schemes[i]; s.fits(p) {
				return s
			}
		}
	}
	return &b.schemes[0]
}

// retryAfter is what clients are told to wait out an outage, or a limit that
// does not tell.
const retryAfter = 5 * time.Second
