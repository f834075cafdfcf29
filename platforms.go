package auth

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Platforms sign in the users of partners by assertions: short JSON Web Tokens
// that a partner signs, good for one use. [Platforms.FromHeader] and
// [Platforms.JWTBearer] tell where they sit; docs/platforms.md tells the
// partner's engineers how to make them.
//
// Whatever is wrong with an assertion, an unknown or suspended platform
// included, the answer is one fixed [ErrInvalid]; the cause goes to
// [GuardOptions.Observe] only. An assertion that was refused changes nothing,
// unless it came over plain HTTP and [GuardOptions].OnExposed is told of it: then
// it is used up.
//
// Platforms is safe for concurrent use. That an assertion is used once holds
// across processes that share the store.
type Platforms struct {
	store    Store
	registry PlatformRegistry
	marks    marks
	user     func(ctx context.Context, platform *Platform, a *Assertion) (*Principal, error)
	limiter  VariableLimiter
}

// PlatformOptions configure [NewPlatforms]. The zero value is good.
type PlatformOptions struct {
	// User finds or creates the user that an assertion is about. It is asked
	// last, when all else is proved and before the assertion counts as used.
	// Copies of one assertion that arrive at once may each ask it, though one
	// of them at most signs in, so two calls for one user make one user.
	//
	// What becomes of the principal: its Scopes are narrowed to the platform's,
	// an empty Tier becomes the platform's, Origin and Credential are replaced.
	// Its Rate, if any, is one quota for all users of the platform, as they
	// have one origin. A [Reason] refuses, and those with the status 401 as
	// ErrInvalid; any other error is an outage. No principal, or one without a
	// subject, is an outage too.
	//
	// Platforms may have different people under one email. Look users up by
	// platform and subject together, as the default does: nil yields the
	// subject "PLATFORM:SUBJECT" with all scopes of the platform, which is
	// never the user of another. None of the assertion's claims go with it.
	User func(ctx context.Context, platform *Platform, a *Assertion) (*Principal, error)

	// Issuer is that of the default's principals; empty is this API itself.
	Issuer string

	// Limiter counts by [Platform].Rate; nil is a [MemoryLimiter] of this
	// process.
	Limiter VariableLimiter
}

// NewPlatforms returns the platforms of a registry. What has been used, and who
// is suspended, is kept in store. o may be nil.
func NewPlatforms(store Store, registry PlatformRegistry, o *PlatformOptions) (*Platforms, error) {
	if o == nil {
		o = &PlatformOptions{}
	}
	var errs []error
	if isNil(store) {
		errs = append(errs, errors.New("no store"))
	}
	if isNil(registry) {
		errs = append(errs, errors.New("no registry"))
	}
	if o.Limiter != nil && isNil(o.Limiter) {
		errs = append(errs, errors.New("Limiter is a nil pointer"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("auth: NewPlatforms: %w", err)
	}
	p := &Platforms{store: store, registry: registry, marks: newMarks(store), user: o.User, limiter: o.Limiter}
	if p.user == nil {
		p.user = userOf(o.Issuer)
	}
	if p.limiter == nil {
		p.limiter = NewLimiter(1, time.Minute) // its own rate is never applied
	}
	return p, nil
}

// userOf is the default of PlatformOptions.User. Ids of platforms have no colon,
// so no two platforms share a subject.
func userOf(issuer string) func(context.Context, *Platform, *Assertion) (*Principal, error) {
	return func(_ context.Context, platform *Platform, a *Assertion) (*Principal, error) {
		return &Principal{Issuer: issuer, Subject: platform.ID + ":" + a.Subject, Scopes: platform.Scopes}, nil
	}
}

var (
	errNoPlatform = fmt.Errorf("%w: no such platform", ErrInvalid)
	errSuspended  = fmt.Errorf("%w: platform is suspended", ErrInvalid)
	errElsewhere  = fmt.Errorf("%w: platform does not call from this address", ErrInvalid)
	errUsed       = fmt.Errorf("%w: assertion", ErrReused)
)

// entry returns the platform of that id, unless its entry says that it is
// suspended.
func (p *Platforms) entry(ctx context.Context, id string) (*Platform, error) {
	if !isName(id) {
		return nil, errNoPlatform
	}
	platform, err := p.registry.Platform(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, errNoPlatform
	case err != nil:
		return nil, fmt.Errorf("auth: looking up a platform: %w", err)
	}
	if err := platform.Validate(); err != nil {
		return nil, err
	}
	switch {
	case platform.ID != id:
		return nil, errNoPlatform // such as one that differs in case
	case platform.Suspended:
		return nil, errSuspended
	}
	return platform, nil
}

// suspension is the name of a record: while it is there, the platform signs
// nobody in.
func suspension(id string) Digest { return nameDigest("platform", "suspended", id) }

// checkSuspension returns errSuspended where Suspend has switched the platform
// off.
func (p *Platforms) checkSuspension(ctx context.Context, id string) error {
	return p.absent(ctx, suspension(id), errSuspended)
}

// absent returns refusal where the store has a record under d.
func (p *Platforms) absent(ctx context.Context, d Digest, refusal error) error {
	switch _, err := p.store.Lookup(ctx, d); {
	case err == nil:
		return refusal
	case errors.Is(err, ErrNotFound):
		return nil
	default:
		return err
	}
}

// Suspend refuses the platform's assertions from now on and ends what they have
// opened, in all processes that share the store: sessions at their next
// request, refresh tokens when they are next used, JWTs where
// [JWTOptions].Revocation is set. API keys that its users made are roots of their
// own and go on. The platform need not be in the registry. Where Suspend
// fails, some of that may have come about; call it again.
func (p *Platforms) Suspend(ctx context.Context, id string) error {
	if !isName(id) {
		return errPlatformID
	}
	// Recorded first: who signs in between the two is reached by the mark.
	err := p.store.Insert(ctx, suspension(id), Record{
		Kind:     KindPlatform,
		Revision: NewRevision(),
		Created:  now(),
		Disabled: true,
	})
	if err != nil && !errors.Is(err, ErrExists) {
		return err
	}
	return p.marks.raise(ctx, originMark(Origin{Kind: KindPlatform, ID: id}), now(), nil)
}

// Resume lets a platform sign in again that Suspend has switched off. What it
// had opened stays ended. An entry whose Suspended is set stays refused.
func (p *Platforms) Resume(ctx context.Context, id string) error {
	if !isName(id) {
		return errPlatformID
	}
	return remove(ctx, p.store, suspension(id))
}

var errPlatformID = errors.New("auth: malformed id of a platform")

// Issuer returns an issuer that has i issue no more than the registry allows:
// the lifetime is at most the platform's SessionLifetime, the scopes are among
// its Scopes, and platforms that are suspended or gone are refused. The registry
// is looked up at each issue: a [Refresh] whose access issuer is this one bounds
// each session and asks again at each refresh, and where i is a Refresh, the
// lifetime is that of the family.
// Principals that come from no platform are i's alone. Refusals of i that are
// answered 401 become [ErrInvalid], as those of assertions are. Where i is a
// [CookieSource], [Guard.Exchange] sets its cookie.
//
// It panics on a nil issuer.
func (p *Platforms) Issuer(i Issuer) Issuer {
	if isNil(i) {
		panic("auth: Platforms.Issuer: nil issuer")
	}
	return platformIssuer{i, p}
}

type platformIssuer struct {
	issuer    Issuer
	platforms *Platforms
}

func (i platformIssuer) Issue(ctx context.Context, p *Principal, o *IssueOptions) (*Grant, error) {
	if p == nil || p.Origin.Kind != KindPlatform {
		return i.issuer.Issue(ctx, p, o)
	}
	narrowed, err := i.narrow(ctx, p, o)
	if err != nil {
		return nil, alike(err)
	}
	g, err := i.issuer.Issue(ctx, p, narrowed)
	if err != nil {
		return nil, alike(err) // such as the mark of a suspension just now
	}
	return g, nil
}

// narrow returns what o asks for, as far as the registry allows it.
func (i platformIssuer) narrow(ctx context.Context, p *Principal, o *IssueOptions) (*IssueOptions, error) {
	platform, err := i.platforms.entry(ctx, p.Origin.ID)
	if err != nil {
		return nil, err
	}
	if err := i.platforms.checkSuspension(ctx, platform.ID); err != nil {
		return nil, err
	}
	var narrowed IssueOptions
	if o != nil {
		narrowed = *o
	}
	if most := platform.SessionLifetime; most > 0 {
		narrowed.Lifetime = narrowed.lifetime(most)
	}
	if narrowed.Scopes == nil {
		narrowed.Scopes = p.Scopes
	}
	narrowed.Scopes = common(narrowed.Scopes, platform.Scopes)
	return &narrowed, nil
}

// discard and endFamily pass on what Refresh asks of credentials at rest.
func (i platformIssuer) discard(ctx context.Context, g *Grant) error {
	if a, ok := i.issuer.(atRest); ok {
		return a.discard(ctx, g)
	}
	return nil
}

func (i platformIssuer) endFamily(ctx context.Context, p *Principal) error {
	if a, ok := i.issuer.(atRest); ok {
		return a.endFamily(ctx, p)
	}
	return nil
}
