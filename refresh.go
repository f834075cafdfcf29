package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Refresh issues an access token together with a refresh token, and trades each
// refresh token, once, for the next pair. The tokens that follow each other are
// a family, with an end of its own. Refresh is a [Verifier], an [Issuer] and a
// [Revoker]; its tokens belong behind [Guard.Exchange] only.
//
// A successor is computed from the presented token and a random nonce that the
// store keeps, so a client whose answer was lost gets the same one again for a
// short while. A token that comes back later than that has been copied, and
// ends its family. Neither what the store holds nor an old token alone gives
// the next token.
type Refresh struct {
	store   Store
	marks   marks
	access  Issuer
	options RefreshOptions
	form    Form
}

// RefreshOptions configure [NewRefresh]. The zero value is ready for
// production.
type RefreshOptions struct {
	// Lifetime is how long a family lasts from the login, whatever its use.
	// Zero is 30 days; the most is 400 days.
	Lifetime time.Duration

	// Grace is how long a spent token still gets the same successor, for
	// answers that are lost and clients with two tabs. Zero is 10 seconds, the
	// most is a minute; negative is none.
	Grace time.Duration

	// OnReuse is told when a family ends because one of its tokens came back;
	// nil for none.
	OnReuse func(ctx context.Context, p *Principal)
}

const refreshPrefix = "rt_"

// NewRefresh returns refresh tokens kept in store, whose access tokens access
// issues. o may be nil.
func NewRefresh(store Store, access Issuer, o *RefreshOptions) (*Refresh, error) {
	f := &Refresh{store: store, access: access, form: TokenForm(refreshPrefix)}
	if o != nil {
		f.options = *o
	}
	var errs []error
	if store == nil {
		errs = append(errs, errors.New("no store"))
	}
	if access == nil {
		errs = append(errs, errors.New("no issuer of access tokens"))
	}
	if f.options.Lifetime == 0 {
		f.options.Lifetime = 30 * 24 * time.Hour
	}
	if l := f.options.Lifetime; l < 0 || l > maxLifetime {
		errs = append(errs, fmt.Errorf("lifetime %v is not within 400 days", l))
	}
	switch g := f.options.Grace; {
	case g == 0:
		f.options.Grace = 10 * time.Second
	case g > time.Minute:
		errs = append(errs, fmt.Errorf("grace %v is more than a minute", g))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("auth: NewRefresh: %w", err)
	}
	f.marks = newMarks(store)
	return f, nil
}

// Kind returns [KindRefresh].
func (f *Refresh) Kind() Kind { return KindRefresh }

// Form returns the text form of the tokens.
func (f *Refresh) Form() Form { return f.form }

// Verify looks a refresh token up. It spends nothing; [Refresh.Issue] does.
func (f *Refresh) Verify(ctx context.Context, credential string) (*Principal, error) {
	if !f.form.Match(credential) {
		return nil, ErrNotMine
	}
	r, err := f.lookup(ctx, DigestOf(KindRefresh, credential))
	if err != nil {
		return nil, err
	}
	p := *r.Principal
	p.presented = NewSecret(credential)
	return &p, nil
}

// lookup returns the record of a token of a family that has not expired.
func (f *Refresh) lookup(ctx context.Context, d Digest) (Record, error) {
	r, err := f.store.Lookup(ctx, d)
	switch {
	case errors.Is(err, ErrNotFound):
		return r, ErrInvalid
	case err != nil:
		return r, err
	case r.Kind != KindRefresh || r.Principal == nil:
		return r, ErrInvalid
	case !time.Now().Before(r.Expires):
		return r, ErrExpired
	}
	return r, nil
}

// Issue begins a family for p or, where p came by a refresh token of this
// Refresh, spends that token for the next pair.
//
// A token that was issued to a client, see [Credential].ClientID, is spent for
// that client alone, which o names: [ErrInvalid] otherwise. So [Guard.Exchange],
// which knows of no clients, takes none of an OAuth 2.0 server that shares the
// store.
func (f *Refresh) Issue(ctx context.Context, p *Principal, o *IssueOptions) (*Grant, error) {
	if p != nil && p.Credential.Kind == KindRefresh {
		if p.presented.IsZero() {
			return nil, errUnpresented
		}
		return f.rotate(ctx, p.presented.Reveal(), o)
	}
	return f.begin(ctx, p, o)
}

var errUnpresented = errors.New("auth: a refresh token's principal that did not come from Refresh.Verify")

func (f *Refresh) begin(ctx context.Context, p *Principal, o *IssueOptions) (*Grant, error) {
	created := now()
	first, err := p.derive(o, Credential{
		Kind:    KindRefresh,
		Family:  o.family(NewFamily()),
		Created: created,
		Expires: instant(created.Add(o.lifetime(f.options.Lifetime))),
	})
	if err != nil {
		return nil, err
	}
	if !isFamily(first.Credential.Family) {
		return nil, errFamily
	}
	token := f.form.New()
	first, err = f.insert(ctx, token, first)
	if err != nil {
		return nil, err
	}
	g, err := f.grant(ctx, token, first, o)
	if err != nil {
		return nil, errors.Join(err, f.remove(ctx, token))
	}
	return g, nil
}

var errBeyond = fmt.Errorf("%w: refresh token is of another client, key or audience", ErrInvalid)

// covers reports whether what o asks for is within what the credential is bound
// to. A client must be named, as its token goes to none but itself; a key that is
// not named stays that of all that follows.
func (c *Credential) covers(o *IssueOptions) bool {
	if o == nil {
		o = &IssueOptions{}
	}
	for _, a := range o.Audience {
		if c.Audience != nil && !slices.Contains(c.Audience, a) {
			return false
		}
	}
	client := c.ClientID == "" || o.ClientID == c.ClientID
	key := c.Confirmation == "" || o.Confirmation == "" || o.Confirmation == c.Confirmation
	return client && key
}

// insert adds the record of token for p's family, unless that has ended.
func (f *Refresh) insert(ctx context.Context, token string, p *Principal) (*Principal, error) {
	d := DigestOf(KindRefresh, token)
	q := *p
	q.presented = Secret{}
	q.Credential.ID, q.Credential.Created = d.String(), now()
	r := Record{
		Kind:      KindRefresh,
		Owner:     q.Owner(),
		Principal: &q,
		Revision:  NewRevision(),
		Created:   q.Credential.Created,
		Expires:   q.Credential.Expires,
		KeepUntil: q.Credential.Expires.Add(remembered),
	}
	if err := f.store.Insert(ctx, d, r); err != nil {
		return nil, err
	}
	if err := f.marks.checkNow(ctx, &q, namesOf(&q)...); err != nil {
		return nil, errors.Join(err, f.remove(ctx, token))
	}
	return &q, nil
}

// remove removes the record of a token that is not handed out.
func (f *Refresh) remove(ctx context.Context, token string) error {
	return undo(ctx, f.store, DigestOf(KindRefresh, token))
}

// grant adds an access token to a refresh token.
func (f *Refresh) grant(ctx context.Context, token string, p *Principal, o *IssueOptions) (*Grant, error) {
	var narrowed IssueOptions
	if o != nil {
		narrowed = *o
	}
	if narrowed.Audience == nil {
		narrowed.Audience = p.Credential.Audience
	}
	narrowed.Confirmation = or(narrowed.Confirmation, p.Credential.Confirmation)
	narrowed.Lifetime = narrowed.lifetime(time.Until(p.Credential.Expires))
	if narrowed.Lifetime <= 0 {
		return nil, ErrExpired // meanwhile; zero would mean the issuer's own
	}
	g, err := f.access.Issue(ctx, p, &narrowed)
	if err != nil {
		return nil, err
	}
	pair := *g
	pair.RefreshToken = NewSecret(token)
	pair.RefreshExpires = p.Credential.Expires
	return &pair, nil
}

// rotate spends a token. The next pair is made first and the presented token
// replaced by its spent form afterwards, so a failure burns nothing. Who loses
// that race answers with the winner's successor.
func (f *Refresh) rotate(ctx context.Context, token string, o *IssueOptions) (*Grant, error) {
	d := DigestOf(KindRefresh, token)
	r, err := f.lookup(ctx, d)
	if err != nil {
		return nil, err
	}
	if !r.Principal.Credential.covers(o) {
		return nil, errBeyond
	}
	if _, ok := spentForm(r); ok {
		return f.again(ctx, token, r, o)
	}
	s := spent{nonce: [nonceLen]byte(random(nonceLen)), at: now()}
	next := successor(token, s.nonce)
	p, err := f.insert(ctx, next, r.Principal)
	if err != nil {
		return nil, err
	}
	g, err := f.grant(ctx, next, p, o)
	if err != nil {
		return nil, errors.Join(err, f.remove(ctx, next))
	}
	r.Revision++
	r.Data = s.marshal()
	err = f.store.Replace(ctx, d, r)
	if err == nil {
		return g, nil
	}
	var left error // of the access token
	if a, ok := f.access.(atRest); ok {
		left = a.discard(ctx, g)
	}
	switch {
	case errors.Is(err, ErrConflict):
		if err := errors.Join(left, f.remove(ctx, next)); err != nil {
			return nil, err
		}
		if r, err = f.lookup(ctx, d); err != nil {
			return nil, err
		}
		return f.again(ctx, token, r, o)
	case errors.Is(err, ErrNotFound):
		return nil, errors.Join(ErrRevoked, left, f.remove(ctx, next))
	default:
		// Whether the token is spent now is not known, so its successor must
		// stay.
		return nil, errors.Join(err, left)
	}
}

// Access tokens that are at rest do not look at marks; they are ended one by
// one. [Sessions] are such, also where they are embedded in an issuer.
type atRest interface {
	discard(ctx context.Context, g *Grant) error
	endFamily(ctx context.Context, p *Principal) error
}

// again answers a token that has been spent: with the same successor within the
// grace, and with the end of the family after it.
func (f *Refresh) again(ctx context.Context, token string, r Record, o *IssueOptions) (*Grant, error) {
	s, ok := spentForm(r)
	if !ok {
		return nil, errors.New("auth: a refresh token's record that is neither live nor spent")
	}
	if time.Since(s.at) > f.options.Grace {
		if err := f.Revoke(ctx, r.Principal); err != nil {
			return nil, err
		}
		if f.options.OnReuse != nil {
			f.options.OnReuse(ctx, r.Principal)
		}
		return nil, ErrReused
	}
	next := successor(token, s.nonce)
	n, err := f.lookup(ctx, DigestOf(KindRefresh, next))
	if err != nil {
		return nil, err
	}
	if err := f.marks.checkNow(ctx, n.Principal, namesOf(n.Principal)...); err != nil {
		return nil, err
	}
	return f.grant(ctx, next, n.Principal, o)
}

// Revoke ends the family of p, which came by one of its refresh or access
// tokens. It returns [ErrNotMine] where p has no such family.
func (f *Refresh) Revoke(ctx context.Context, p *Principal) error {
	if p == nil || !isFamily(p.Credential.Family) {
		return ErrNotMine
	}
	if err := f.marks.raise(ctx, familyMark(p.Credential.Family), markTime(p), nil); err != nil {
		return err
	}
	if a, ok := f.access.(atRest); ok {
		return a.endFamily(ctx, p)
	}
	return nil
}

// RevokeAll ends every family of p's identity. Access tokens end with them
// where they are revocable; sessions end through [Sessions.RevokeAll].
func (f *Refresh) RevokeAll(ctx context.Context, p *Principal) error {
	return f.marks.raise(ctx, ownerMark(p), markTime(p), nil)
}

// RevokeOthers is RevokeAll, except for the family of p. It returns
// [ErrRevoked] where that has been ended meanwhile, and then ends nothing.
func (f *Refresh) RevokeOthers(ctx context.Context, p *Principal) error {
	return f.marks.raise(ctx, ownerMark(p), markTime(p), p)
}

// WithAccess returns f with access tokens of another issuer, for one whose
// access tokens differ from one client to the next. It panics on nil.
func (f *Refresh) WithAccess(access Issuer) *Refresh {
	if isNil(access) {
		panic("auth: WithAccess: nil issuer")
	}
	c := *f
	c.access = access
	return &c
}
