package auth

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"github.com/seed-077cad0b/auth/internal/body"
	"github.com/seed-077cad0b/auth/internal/jws"
	"github.com/seed-077cad0b/auth/internal/strictjson"
)

// FromHeader returns an authenticator for assertions of the email form that a
// header field holds, and nothing else, for a route whose pattern has the
// platform's id as a wildcard:
//
//	mux.Handle("POST /authenticate/{platform}",
//		auth.NewGuard(platforms.FromHeader("Token", "platform"), nil).Exchange(platforms.Issuer(sessions)))
//
// The payload is {"email": TEXT, "expire": NUMBER}, expire in seconds since
// 1970. An assertion is used up when it is admitted, so it is for an Exchange
// behind one guard, not for two guards around one handler; what happens
// afterwards, such as a policy that refuses or an outage of the issuer, does
// not bring it back.
//
// It panics on a malformed name of a field or wildcard.
func (p *Platforms) FromHeader(field, wildcard string) Authenticator {
	canonical := mustField("FromHeader", field)
	if wildcard == "" {
		panic("auth: FromHeader: empty name of a wildcard")
	}
	return &assertionSource{
		platforms: p,
		form:      emailForm,
		scheme:    Scheme{Name: assertionScheme, In: InHeader, Field: canonical, Kinds: []Kind{KindPlatform}},
		find: func(r *http.Request) (id, text string, err error) {
			text, err = soleField(r, canonical)
			if errors.Is(err, ErrMalformed) {
				err = errTwoAssertions
			}
			return r.PathValue(wildcard), text, err
		},
	}
}

// JWTBearer returns an authenticator for assertions as an authorization grant
// of RFC 7523 section 2.1: a form with grant_type and assertion in the body.
// The payload must have iss, which is the platform's ID, sub, aud, which is one
// text, exp and jti; an email counts where it has one. A platform without an
// Audience is refused here. Forms of another grant_type present nothing.
// Assertions are used up as with [Platforms.FromHeader].
//
// Refusals are those of this package, in the guard's format; the error codes of
// RFC 6749 section 5.2 are an authorization server's.
func (p *Platforms) JWTBearer() Authenticator {
	return &assertionSource{
		platforms: p,
		form:      standardForm,
		scheme:    Scheme{Name: assertionScheme, In: InBody, Field: "assertion", Kinds: []Kind{KindPlatform}},
		find: func(r *http.Request) (id, text string, err error) {
			values, err := body.Form(r, "grant_type", "assertion")
			switch {
			case err != nil:
				return "", "", ofBody(err)
			case values[0] != grantJWTBearer || values[1] == "":
				return "", "", ErrNoCredential
			}
			return claimedIssuer(values[1]), values[1], nil
		},
	}
}

const (
	assertionScheme = "Assertion" // in challenges
	grantJWTBearer  = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

// claimedIssuer returns the iss of an assertion that nothing is proved of: a
// name to look a platform up by, as a kid is. Whether it is the platform's, prove
// judges.
func claimedIssuer(text string) (iss string) {
	token, ok := jws.Split(text)
	if !ok || len(text) > maxAssertion {
		return ""
	}
	payload, err := jws.AppendDecode(nil, token.Payload)
	if err != nil {
		return ""
	}
	err = strictjson.Object(payload, func(name, value []byte) error {
		if string(name) == "iss" {
			iss, _ = strictjson.String(value)
		}
		return nil
	})
	if err != nil {
		return ""
	}
	return iss
}

// An assertionSource finds assertions at one place of a request.
type assertionSource struct {
	platforms *Platforms
	form      assertionForm
	scheme    Scheme
	find      func(r *http.Request) (id, text string, err error)
}

// Schemes returns the one scheme of the source.
func (s *assertionSource) Schemes() []Scheme { return []Scheme{s.scheme} }

// Authenticate is AuthenticateClient for whoever is at the other end of the
// connection.
func (s *assertionSource) Authenticate(r *http.Request) (*Principal, error) {
	return s.AuthenticateClient(r, peer(r))
}

// AuthenticateClient finds an assertion and signs in whom it is about.
func (s *assertionSource) AuthenticateClient(r *http.Request, client netip.Addr) (*Principal, error) {
	start := now() // before anything is proved, so that what ends meanwhile stays ended
	id, text, err := s.find(r)
	if err == error(ErrNoCredential) {
		return nil, err
	}
	if err != nil {
		return nil, s.refuse(err)
	}
	p, err := s.signIn(r.Context(), id, text, client, start)
	if err != nil {
		return nil, s.refuse(err)
	}
	return p, nil
}

// signIn judges an assertion and uses it up. Nothing is written before the last
// step.
func (s *assertionSource) signIn(ctx context.Context, id, text string, client netip.Addr, start time.Time) (*Principal, error) {
	platform, err := s.platforms.entry(ctx, id)
	if err != nil {
		return nil, err
	}
	if platform.Networks != nil && !platform.Networks.Contains(client) {
		return nil, errElsewhere
	}
	a, name, err := s.form.prove(ctx, platform, text, start)
	if err != nil {
		return nil, err
	}
	if err := s.platforms.mayUse(ctx, platform, name); err != nil {
		return nil, err
	}
	giveBack, err := s.platforms.reserve(ctx, platform)
	if err != nil {
		return nil, err
	}
	u, err := s.platforms.user(ctx, platform, a)
	if err == nil && (u == nil || u.Subject == "") {
		err = errNoSubject
	}
	if err == nil {
		err = s.platforms.use(ctx, name, a)
	}
	if err != nil {
		giveBack(ctx) // else one who is refused could use up the quota of all
		return nil, err
	}
	return platform.principal(u, a, start), nil
}

// mayUse refuses an assertion that has been used, so that a replay asks for no
// user. What two requests find out at the same time, use decides.
func (p *Platforms) mayUse(ctx context.Context, platform *Platform, name Digest) error {
	if err := p.checkSuspension(ctx, platform.ID); err != nil {
		return err
	}
	return p.absent(ctx, name, errUsed)
}

// reserve charges a sign-in to the platform's rate.
func (p *Platforms) reserve(ctx context.Context, platform *Platform) (giveBack func(context.Context), err error) {
	if platform.Rate == (Rate{}) {
		return func(context.Context) {}, nil
	}
	return reserve(ctx, p.limiter, platformRateLimit, "platform:"+platform.ID, platform.Rate)
}

// usedMargin is how long the use of an assertion is remembered beyond its end,
// for processes whose clocks are behind.
const usedMargin = 10 * time.Minute

// use marks an assertion as used: of all who try, in all processes, one
// succeeds. Where the store's answer is lost, the assertion may be used up with
// nobody signed in.
func (p *Platforms) use(ctx context.Context, name Digest, a *Assertion) error {
	t := now()
	if !t.Before(a.Expires) {
		return errExpired // meanwhile; the mark might not be kept
	}
	err := p.store.Insert(ctx, name, Record{
		Kind:      KindPlatform,
		Revision:  NewRevision(),
		Created:   t,
		Expires:   a.Expires,
		KeepUntil: a.Expires.Add(usedMargin),
	})
	if errors.Is(err, ErrExists) {
		return errUsed
	}
	return err
}

// principal returns u as one whom the platform signed in, proved at start.
func (p *Platform) principal(u *Principal, a *Assertion, start time.Time) *Principal {
	c := *u
	c.presented = Secret{}
	c.Scopes = common(u.Scopes, p.Scopes)
	c.Tier = or(u.Tier, p.Tier)
	c.Origin = Origin{Kind: KindPlatform, ID: p.ID, Time: start}
	c.Credential = Credential{ID: a.ID, Kind: KindPlatform, Expires: a.Expires}
	return &c
}

// refuse stamps a refusal with the source's scheme.
func (s *assertionSource) refuse(err error) error {
	f := failureOf(alike(err))
	f.Scheme = s.scheme
	return f
}

// alike makes one refusal of all that are answered 401. That something was
// presented must not be forgotten on the way: no other source may look.
func alike(err error) error {
	switch {
	case errors.Is(err, ErrNoCredential):
		return &Failure{Reason: ErrInvalid, Err: errors.New(err.Error())}
	case failureOf(err).Status() == http.StatusUnauthorized:
		return &Failure{Reason: ErrInvalid, Err: err}
	}
	return err
}

var errTwoAssertions = refusal("two header fields")
