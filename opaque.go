package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// OpaqueTokens are access tokens (RFC 6749 section 1.4) that say nothing by
// themselves: what they stand for is in the store. OpaqueTokens is a [Verifier],
// an [Issuer] and a [Revoker], and safe for concurrent use.
//
// Unlike [Sessions] they answer to marks at every use, as revocable JWTs do, so
// that the end of a refresh token's family, of a client or of all that an
// identity has proved ends them. A use costs a look-up of the token and one of
// its marks.
type OpaqueTokens struct {
	store     Store
	marks     marks
	audiences []string
	lifetime  time.Duration
	form      Form
}

// OpaqueTokenOptions configure [NewOpaqueTokens]. The zero value is ready for
// production.
type OpaqueTokenOptions struct {
	// Lifetime is that of issued tokens. Zero is 1 hour, the most is 400 days.
	Lifetime time.Duration

	// Audiences are other names of this API that a token may be for, beside the
	// audience of NewOpaqueTokens: that is the one of issued tokens.
	Audiences []string
}

const opaquePrefix = "at_"

// NewOpaqueTokens returns opaque access tokens kept in store. Verify admits those
// that are for audience, which is compared exactly. o may be nil. The error joins
// all that is wrong.
func NewOpaqueTokens(store Store, audience string, o *OpaqueTokenOptions) (*OpaqueTokens, error) {
	if o == nil {
		o = &OpaqueTokenOptions{}
	}
	t := &OpaqueTokens{
		store:     store,
		audiences: append([]string{audience}, o.Audiences...),
		lifetime:  or(o.Lifetime, time.Hour),
		form:      TokenForm(opaquePrefix),
	}
	var errs []error
	if isNil(store) {
		errs = append(errs, errors.New("no store"))
	}
	if slices.Contains(t.audiences, "") {
		errs = append(errs, errors.New("audience is empty"))
	}
	if t.lifetime < 0 || t.lifetime > maxLifetime {
		errs = append(errs, fmt.Errorf("lifetime %v is not within 400 days", t.lifetime))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("auth: NewOpaqueTokens: %w", err)
	}
	t.marks = newMarks(store)
	return t, nil
}

// Kind returns [KindAccessToken].
func (t *OpaqueTokens) Kind() Kind { return KindAccessToken }

// Form returns the text form of the tokens.
func (t *OpaqueTokens) Form() Form { return t.form }

// Verify looks a token up.
func (t *OpaqueTokens) Verify(ctx context.Context, credential string) (*Principal, error) {
	if !t.form.Match(credential) {
		return nil, ErrNotMine
	}
	r, err := t.store.Lookup(ctx, DigestOf(KindAccessToken, credential))
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, ErrInvalid
	case err != nil:
		return nil, err
	case r.Kind != KindAccessToken || r.Principal == nil:
		return nil, ErrInvalid
	case !time.Now().Before(r.Expires):
		return nil, ErrExpired
	case !t.isFor(r.Principal.Credential.Audience):
		return nil, errOpaqueAudience
	}
	if err := t.marks.check(ctx, r.Principal, namesOf(r.Principal)...); err != nil {
		return nil, err
	}
	return r.Principal, nil
}

var errOpaqueAudience = fmt.Errorf("%w: token is for another audience", ErrInvalid)

func (t *OpaqueTokens) isFor(audience []string) bool {
	for _, a := range audience {
		if slices.Contains(t.audiences, a) {
			return true
		}
	}
	return false
}

// Issue makes a token for p. It belongs to the family that o or p's credential
// has, and else to one of its own.
func (t *OpaqueTokens) Issue(ctx context.Context, p *Principal, o *IssueOptions) (*Grant, error) {
	if p == nil {
		return nil, errNoSubject
	}
	token := t.form.New()
	digest := DigestOf(KindAccessToken, token)
	created := now()
	c := Credential{
		ID:      digest.String(),
		Kind:    KindAccessToken,
		Family:  or(o.family(p.Credential.Family), digest.String()),
		Created: created,
		Expires: instant(created.Add(o.lifetime(t.lifetime))),
	}
	p, err := p.derive(o, c)
	if err != nil {
		return nil, err
	}
	if p.Credential.Audience == nil {
		p.Credential.Audience = t.audiences[:1:1]
	}
	r := Record{
		Kind:      KindAccessToken,
		Owner:     p.Owner(),
		Principal: p,
		Revision:  NewRevision(),
		Created:   c.Created,
		Expires:   c.Expires,
		KeepUntil: c.Expires.Add(remembered),
	}
	if err := t.store.Insert(ctx, digest, r); err != nil {
		return nil, err
	}
	// Inserted first and checked afterwards, as in Sessions.
	if err := t.marks.checkNow(ctx, p, namesOf(p)...); err != nil {
		return nil, errors.Join(err, undo(ctx, t.store, digest))
	}
	return &Grant{Token: NewSecret(token), Principal: p}, nil
}

// Revoke ends the token that p showed, at once. It returns [ErrNotMine] where p
// showed none.
func (t *OpaqueTokens) Revoke(ctx context.Context, p *Principal) error {
	if p == nil || p.Credential.Kind != KindAccessToken {
		return ErrNotMine
	}
	d, err := ParseDigest(p.Credential.ID)
	if err != nil {
		return ErrNotMine
	}
	return remove(ctx, t.store, d)
}

// RevokeAll ends all that p's identity has proved until now: every token, and
// every credential that answers to marks in the same store.
func (t *OpaqueTokens) RevokeAll(ctx context.Context, p *Principal) error {
	return t.marks.raise(ctx, ownerMark(p), markTime(p), nil)
}

// RevokeOthers is [OpaqueTokens.RevokeAll] but for the family of p. It returns
// [ErrRevoked] where that has been ended meanwhile, and then ends nothing.
func (t *OpaqueTokens) RevokeOthers(ctx context.Context, p *Principal) error {
	return t.marks.raise(ctx, ownerMark(p), markTime(p), p)
}

// discard removes a token that a Refresh does not hand out. Its family's end it
// knows by the mark.
func (t *OpaqueTokens) discard(ctx context.Context, g *Grant) error {
	return undo(ctx, t.store, DigestOf(KindAccessToken, g.Token.Reveal()))
}

func (t *OpaqueTokens) endFamily(context.Context, *Principal) error { return nil }
