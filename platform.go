package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Platform is a partner whose users sign in by what it signs for them: an
// entry of a [PlatformRegistry]. It is data only, so a database row can be one,
// and is not written again once it is in use.
type Platform struct {
	// ID is 1 to 64 ASCII letters, digits, dots, hyphens and underscores. It is
	// part of the URL and the iss of the standard form, and compared exactly.
	ID   string
	Name string // for people

	// Keys are the platform's public keys; several overlap while they roll
	// over. A set that can sign is refused: such are our own, and what they
	// sign must not pass for an assertion.
	Keys KeySet

	// Algorithms are those that the platform may sign with; nil is [RS512]
	// alone. Symmetric ones are refused: with them, this API could sign too.
	Algorithms []Algorithm

	// Audience is what aud must be, as one text: what this API is called. It is
	// required for the standard form. Where it is set, the email form must have
	// it too; where it is not, an assertion with an aud is refused.
	Audience string

	// MaxLife is how far ahead an assertion may expire: 5 minutes by default,
	// at most 24 hours.
	MaxLife time.Duration

	// EmailDomains are the domains that the platform may sign in users of,
	// without regard to case; their subdomains are others. Nil is any, and an
	// empty list none. Where it is not nil, every assertion needs an email.
	EmailDomains []string

	// SubjectClaim is the member that names the user. By default it is "email"
	// in the email form, and "sub" in the standard one.
	SubjectClaim string

	// Scopes are the most that users of the platform are granted. None grants
	// nothing.
	Scopes []string

	// Tier is that of users whose principal has none.
	Tier string

	// SessionLifetime bounds what [Platforms.Issuer] issues; zero is the
	// issuer's own. It has no effect where Exchange is given that one itself.
	SessionLifetime time.Duration

	// Networks is where assertions may be presented from; nil is anywhere, and
	// an empty set nowhere. It does not restrict what they open.
	Networks *Networks

	// Rate bounds the sign-ins of the platform; zero is none. What is refused
	// does not count.
	Rate Rate

	// Suspended refuses every assertion. What the platform has opened goes on;
	// see [Platforms.Suspend].
	Suspended bool
}

const (
	maxPlatformName   = 256
	maxAssertionLife  = 24 * time.Hour
	assertionLife     = 5 * time.Minute // by default
	platformRateLimit = "platform"      // the name of the limit that Platform.Rate is
)

// Validate returns all that is wrong with an entry, as one joined error.
// Assertions of a platform that is not valid are answered 503.
func (p *Platform) Validate() error {
	if p == nil {
		return errors.New("auth: platform is nil")
	}
	var errs []error
	require := func(ok bool, what string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("auth: platform %.64q: "+what, append([]any{p.ID}, args...)...))
		}
	}
	require(isName(p.ID), "id is not 1 to %d letters, digits, dots, hyphens and underscores", maxName)
	require(len(p.Name) <= maxPlatformName, "name is longer than %d bytes", maxPlatformName)
	require(!isNil(p.Keys), "no keys")
	require(isNil(p.Keys) || !canSign(p.Keys), "the keys can sign: a platform's are public")
	require(p.Algorithms == nil || len(p.Algorithms) > 0, "no algorithm")
	for _, a := range p.Algorithms {
		require(a.isAsymmetric(), "algorithm %q is not an asymmetric one", a)
	}
	require(p.MaxLife >= 0 && p.MaxLife <= maxAssertionLife, "MaxLife is negative or more than %v", maxAssertionLife)
	for _, d := range p.EmailDomains {
		require(isDomain(d), "%q is not a domain", d)
	}
	require(!isAssertionRule(p.SubjectClaim), "%q does not name a user", p.SubjectClaim)
	require(p.SessionLifetime >= 0 && p.SessionLifetime <= maxLifetime, "SessionLifetime is negative or more than 400 days")
	if p.Rate != (Rate{}) {
		err := p.Rate.Validate()
		require(err == nil, "%w", err)
	}
	return errors.Join(errs...)
}

func canSign(keys KeySet) bool {
	s, ok := keys.(interface{ Signing() *Key })
	return ok && s.Signing() != nil
}

// accepts reports whether the platform may sign with an algorithm.
func (p *Platform) accepts(a Algorithm) bool {
	if p.Algorithms == nil {
		return a == RS512
	}
	return a.isAsymmetric() && slices.Contains(p.Algorithms, a)
}

// A PlatformRegistry knows the platforms.
//
// Platform returns the entry whose ID is id, which has the form of one but is a
// stranger's text: a name to be compared exactly, never a path or a part of a
// query. Where there is none it returns [ErrNotFound], and the assertion is
// refused; any other error is an outage, answered 503.
//
// It is asked with every assertion and every issue, so that what changes in it
// counts at once; one that asks a database may want to remember for a moment.
// Implementations are safe for concurrent use. The result is shared, and not
// written to by either side.
type PlatformRegistry interface {
	Platform(ctx context.Context, id string) (*Platform, error)
}

// A PlatformList is a [PlatformRegistry] that is written down. It is immutable.
type PlatformList struct {
	byID map[string]*Platform
}

// NewPlatformList returns a registry of the platforms, which may be none. The
// error joins what [Platform.Validate] refuses, and ids that are there twice.
func NewPlatformList(platforms ...*Platform) (*PlatformList, error) {
	l := &PlatformList{make(map[string]*Platform, len(platforms))}
	var errs []error
	for _, p := range platforms {
		if err := p.Validate(); err != nil {
			errs = append(errs, err)
			continue
		}
		if l.byID[p.ID] != nil {
			errs = append(errs, fmt.Errorf("auth: two platforms have the id %q", p.ID))
		}
		own := *p
		l.byID[p.ID] = &own
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return l, nil
}

// Platform implements [PlatformRegistry].
func (l *PlatformList) Platform(_ context.Context, id string) (*Platform, error) {
	if p := l.byID[id]; p != nil {
		return p, nil
	}
	return nil, ErrNotFound
}
