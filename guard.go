package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// A Guard decides about requests: it authenticates them, asks its policies, and
// answers those it refuses. It is immutable and safe for concurrent use.
//
// Guards derived from one [NewGuard] by With and Optional share a decision:
// inside one another, the inner one runs only the policies that were added
// since. A guard of another NewGuard authenticates anew, and its principal
// replaces the outer one.
type Guard struct {
	base *base

	// Pointers, so that an inner guard can tell which policies an outer one has
	// run.
	policies []*Policy
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

	// InsecureHTTP admits plain HTTP from beyond this host. Credentials then
	// travel in the clear; the default refuses such requests unread, 403.
	InsecureHTTP bool
}

// An Outcome is how a guard decided.
type Outcome string

// The outcomes.
const (
	Admitted    Outcome = "admitted"
	Anonymous   Outcome = "anonymous"   // nothing was presented to an optional guard
	Refused     Outcome = "refused"     // the Reason tells why
	Unavailable Outcome = "unavailable" // the answer could not be found out
)

// An Event is a guard's decision. It holds no secret.
type Event struct {
	// Method, Pattern and Address tell of the request: Pattern is the one that
	// the standard mux matched, Address the other end of the connection.
	Method  string
	Pattern string
	Address netip.Addr

	Outcome Outcome
	Reason  Reason // empty where admitted

	// Kind and CredentialID are the credential's; CredentialID is public. They
	// are empty where none was recognised.
	Kind         Kind
	CredentialID string

	Issuer, Tenant, Subject string // who; empty where not known

	// IssuedKind and IssuedID are what an Exchange issued.
	IssuedKind Kind
	IssuedID   string

	Duration time.Duration // of the decision, without the handler
	Err      error         // the cause of a refusal or an outage
}

// NewGuard returns a guard that admits whom a authenticates. o may be nil. It
// panics on a nil authenticator and a realm with characters that a challenge
// cannot hold.
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

// Optional returns a guard that admits requests that present nothing, without a
// principal and without asking its policies. A credential that is presented and
// not good is refused all the same.
func (g *Guard) Optional() *Guard {
	d := *g
	d.optional = true
	return &d
}

// Check decides about r and answers nothing. The error, if any, is a *[Failure],
// fit for [Guard.Fail]. From an optional guard the principal may be nil.
func (g *Guard) Check(r *http.Request) (*Principal, error) {
	p, _, f := g.decide(r)
	if f != nil {
		return nil, f
	}
	return p, nil
}

// Wrap returns a handler that lets h answer the requests that g admits, with the
// principal in the request's context; see [FromContext]. It is a middleware for
// net/http and for routers such as chi.
func (g *Guard) Wrap(h http.Handler) http.Handler {
	if h == nil {
		panic("auth: Wrap: nil handler")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, outer, ok := g.admit(w, r)
		if !ok {
			return
		}
		if p != nil || outer != nil {
			r = r.WithContext(&decision{Context: r.Context(), principal: p, guard: g})
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
		if p, _, ok := g.admit(w, r); ok {
			h(w, r, p)
		}
	})
}

// admit decides about r and answers it where it is refused.
func (g *Guard) admit(w http.ResponseWriter, r *http.Request) (p *Principal, outer *decision, ok bool) {
	p, outer, f := g.decide(r)
	if f != nil {
		g.answer(w, f)
		return nil, nil, false
	}
	if g.base.shareable && p != nil {
		w.Header()["Cache-Control"] = cachePrivate
	}
	return p, outer, true
}

// Shared by all answers: header values are replaced, not written to, and the
// capacity leaves no room to append in place.
var cachePrivate = []string{"private"}

// Fail answers r with err in the guard's format: a [Failure] or [Reason] with
// its own status, anything else with 503. The text that clients see is fixed.
func (g *Guard) Fail(w http.ResponseWriter, r *http.Request, err error) {
	p, _ := FromContext(r.Context())
	g.answer(w, g.failure(err, p))
}

// decide makes the decision and tells the observer. outer is the decision that
// is in the request's context already.
func (g *Guard) decide(r *http.Request) (p *Principal, outer *decision, f *Failure) {
	if g.base.Observe == nil {
		return g.judge(r)
	}
	start := time.Now()
	p, outer, f = g.judge(r)
	if f != nil || !g.shares(outer) {
		g.observe(r, start, p, nil, f)
	}
	if f != nil {
		p = nil
	}
	return p, outer, f
}

// judge makes the decision. With a refusal comes the principal whom it meets,
// if one is known: for the observer only.
func (g *Guard) judge(r *http.Request) (p *Principal, outer *decision, f *Failure) {
	if f := g.exposed(r); f != nil {
		return nil, nil, f
	}
	outer = decisionIn(r.Context())
	ran := 0
	if g.shares(outer) {
		p, ran = outer.principal, commonPrefix(outer.guard.policies, g.policies)
	} else {
		var err error
		p, err = g.base.authenticator.Authenticate(r)
		switch {
		case err != nil && g.optional && errors.Is(err, ErrNoCredential):
			return nil, outer, nil
		case err != nil:
			return nil, outer, g.failure(err, nil)
		case p == nil || p.Subject == "":
			return nil, outer, g.failure(errNoSubject, nil)
		}
	}
	for _, policy := range g.policies[ran:] {
		if err := (*policy)(r, p); err != nil {
			return p, outer, g.failure(err, p)
		}
	}
	return p, outer, nil
}

// exposed refuses a request that others on the way can read.
func (g *Guard) exposed(r *http.Request) *Failure {
	if g.base.InsecureHTTP || private(r) {
		return nil
	}
	return g.failure(ErrInsecure, nil)
}

// shares reports whether the outer decision is one that g shares.
func (g *Guard) shares(outer *decision) bool {
	return outer != nil && outer.guard != nil && outer.guard.base == g.base && outer.principal != nil
}

func commonPrefix(a, b []*Policy) int {
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
	if f.Reason == ErrUnavailable && f.RetryAfter == 0 {
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

// retryAfter is what clients are told to wait out an outage.
const retryAfter = 5 * time.Second

func (g *Guard) observe(r *http.Request, start time.Time, p *Principal, issued *Grant, f *Failure) {
	if g.base.Observe == nil {
		return
	}
	e := Event{
		Method:   r.Method,
		Pattern:  r.Pattern,
		Address:  peer(r),
		Outcome:  Admitted,
		Duration: time.Since(start),
	}
	switch {
	case f != nil:
		e.Outcome, e.Reason, e.Err = Refused, f.Reason, f.Err
		if f.Reason == ErrUnavailable {
			e.Outcome = Unavailable
		}
	case p == nil:
		e.Outcome = Anonymous
	}
	if p != nil {
		e.Kind, e.CredentialID = p.Credential.Kind, p.Credential.ID
		e.Issuer, e.Tenant, e.Subject = p.Issuer, p.Tenant, p.Subject
	}
	if issued != nil && issued.Principal != nil {
		e.IssuedKind, e.IssuedID = issued.Principal.Credential.Kind, issued.Principal.Credential.ID
	}
	g.base.Observe(r.Context(), e)
}

// LogTo returns an observer that writes decisions to l: refusals as warnings,
// outages as errors, the rest as debugging.
func LogTo(l *slog.Logger) func(ctx context.Context, e Event) {
	return func(ctx context.Context, e Event) {
		level := slog.LevelDebug
		switch e.Outcome {
		case Refused:
			level = slog.LevelWarn
		case Unavailable:
			level = slog.LevelError
		}
		if !l.Enabled(ctx, level) {
			return
		}
		attrs := []slog.Attr{slog.Duration("duration", e.Duration)}
		for _, a := range []struct{ key, value string }{
			{"method", e.Method},
			{"pattern", e.Pattern},
			{"reason", string(e.Reason)},
			{"kind", string(e.Kind)},
			{"credential", e.CredentialID},
			{"issuer", e.Issuer},
			{"tenant", e.Tenant},
			{"subject", e.Subject},
			{"issued_kind", string(e.IssuedKind)},
			{"issued", e.IssuedID},
		} {
			if a.value != "" {
				attrs = append(attrs, slog.String(a.key, a.value))
			}
		}
		if e.Address.IsValid() {
			attrs = append(attrs, slog.String("address", e.Address.String()))
		}
		if e.Err != nil && e.Err != error(e.Reason) {
			attrs = append(attrs, slog.Any("error", e.Err))
		}
		l.LogAttrs(ctx, level, "auth "+string(e.Outcome), attrs...)
	}
}
