package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed-077cad0b/auth/internal/clock"
)

// Sessions are opaque tokens that stand for a login. Each Issue makes a new
// one; a presented token is never adopted. Sessions is a [Verifier], an
// [Issuer] and a [Revoker].
//
// A session ends by being taken out of the store, so it is gone at its next
// request, and a request that outlives the sign-out cannot bring it back.
type Sessions struct {
	store   Store
	lister  Lister
	marks   marks
	lastUse *lastUse
	clock   *clock.Clock
	options SessionOptions
}

// SessionOptions configure [NewSessions]. The zero value is ready for
// production.
type SessionOptions struct {
	// Lifetime is how long a session lasts from the login, whatever its use.
	// Zero is 24 hours; the most is 400 days.
	Lifetime time.Duration

	// Idle ends a session that is not used for that long; zero for never. Use
	// is noticed to an eighth of it.
	Idle time.Duration

	// Form is the text form; zero is 256 random bits in base64url. See
	// [TokenForm] and [UUIDForm].
	Form Form

	// Limit is how many sessions an owner may have at once; zero for any
	// number. One too many ends the oldest.
	Limit int

	// RefuseNewest refuses the session that is one too many, with
	// [ErrSessionLimit], instead of ending the oldest.
	RefuseNewest bool
}

// remembered is how long the store keeps an expired credential, so that
// ErrExpired can be told from ErrInvalid.
const remembered = 24 * time.Hour

// NewSessions returns sessions kept in store, which must be a [Lister] and,
// where Idle is set, a [Toucher]. o may be nil. Call [Sessions.Close] at the
// end.
func NewSessions(store Store, o *SessionOptions) (*Sessions, error) {
	s := &Sessions{store: store, clock: &clock.Clock{}}
	if o != nil {
		s.options = *o
	}
	var errs []error
	if store == nil {
		errs = append(errs, errors.New("no store"))
	}
	var ok bool
	if s.lister, ok = StoreAbility[Lister](store); !ok && store != nil {
		errs = append(errs, fmt.Errorf("%T is no Lister", store))
	}
	if _, ok := StoreAbility[Toucher](store); !ok && s.options.Idle > 0 {
		errs = append(errs, fmt.Errorf("an idle time, but %T is no Toucher", store))
	}
	if s.options.Lifetime == 0 {
		s.options.Lifetime = 24 * time.Hour
	}
	if l := s.options.Lifetime; l < 0 || l > maxLifetime {
		errs = append(errs, fmt.Errorf("lifetime %v is not within 400 days", l))
	}
	if i := s.options.Idle; i < 0 || i > s.options.Lifetime {
		errs = append(errs, fmt.Errorf("idle time %v is not within the lifetime", i))
	}
	if s.options.Limit < 0 {
		errs = append(errs, fmt.Errorf("limit %d is negative", s.options.Limit))
	}
	if s.options.Form.New == nil && s.options.Form.Match == nil {
		s.options.Form = TokenForm("")
	}
	errs = append(errs, s.options.Form.validate())
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("auth: NewSessions: %w", err)
	}
	s.marks = newMarks(store)
	every := lastUseEvery
	if i := s.options.Idle; i > 0 {
		every = min(every, i/8)
	}
	s.lastUse = newLastUse(store, every)
	return s, nil
}

// Kind returns [KindSession].
func (s *Sessions) Kind() Kind { return KindSession }

// Form returns the text form of the tokens.
func (s *Sessions) Form() Form { return s.options.Form }

// Close writes what is known of the sessions' last use. The sessions themselves
// go on.
func (s *Sessions) Close() error { return s.lastUse.close() }

// Verify looks a token up.
func (s *Sessions) Verify(ctx context.Context, credential string) (*Principal, error) {
	if !s.options.Form.Match(credential) {
		return nil, ErrNotMine
	}
	d := DigestOf(KindSession, credential)
	var r Record
	t, err := s.current(ctx, d, &r)
	if err != nil {
		return nil, err
	}
	if err := s.checkOrigin(ctx, r.Principal); err != nil {
		return nil, err
	}
	s.lastUse.note(d, r.Seen, t)
	return r.Principal, nil
}

// current sets r to the record of a session that is open at t. A record is
// large: it is not handed from one to the other.
func (s *Sessions) current(ctx context.Context, d Digest, r *Record) (t time.Time, err error) {
	for range 2 {
		if *r, err = s.store.Lookup(ctx, d); err != nil {
			if errors.Is(err, ErrNotFound) {
				err = ErrInvalid
			}
			return t, err
		}
		if r.Kind != KindSession || r.Principal == nil {
			return t, ErrInvalid
		}
		if t = time.UnixMicro(s.clock.Now()); s.alive(d, r, t) {
			return t, nil
		}
		// A use that waited to be written may have been while we looked, and
		// be in neither place where we did. One that another process has
		// written, a cache does not know.
		ctx = Uncached(ctx)
	}
	return t, ErrExpired
}

// checkOrigin returns ErrRevoked where the platform or the API key that opened
// the session has ended: what they open ends with them.
func (s *Sessions) checkOrigin(ctx context.Context, p *Principal) error {
	if p.Origin.ID == "" || p.Origin.Kind == KindPassword {
		return nil
	}
	return s.marks.check(ctx, p, originMark(p.Origin))
}

// alive reports whether the session is within its lifetime and idle time.
func (s *Sessions) alive(d Digest, r *Record, t time.Time) bool {
	if !t.Before(r.Expires) {
		return false
	}
	idle := s.options.Idle
	return idle == 0 || t.Sub(r.Seen) < idle || t.Sub(s.lastUse.seen(d, r.Seen)) < idle
}

// Issue opens a session for p.
func (s *Sessions) Issue(ctx context.Context, p *Principal, o *IssueOptions) (*Grant, error) {
	created := now()
	return s.open(ctx, p, o, Credential{
		Kind:    KindSession,
		Created: created,
		Expires: instant(created.Add(o.lifetime(s.options.Lifetime))),
	})
}

// open inserts a session with the credential's kind, times and, where it has
// one, family.
func (s *Sessions) open(ctx context.Context, p *Principal, o *IssueOptions, c Credential) (*Grant, error) {
	token := s.options.Form.New()
	d := DigestOf(KindSession, token)
	c.ID = d.String()
	if c.Family == "" {
		c.Family = c.ID
	}
	if p != nil && p.Credential.Kind == KindRefresh {
		c.Family = p.Credential.Family
	}
	p, err := p.derive(o, c)
	if err != nil {
		return nil, err
	}
	r := Record{
		Kind:      KindSession,
		Owner:     p.Owner(),
		Principal: p,
		Revision:  NewRevision(),
		Created:   c.Created,
		Expires:   c.Expires,
		KeepUntil: c.Expires.Add(remembered),
		Seen:      c.Created,
	}
	if o != nil {
		if r.Data, err = json.Marshal(o.Device); err != nil {
			return nil, err
		}
	}
	if err := s.store.Insert(ctx, d, r); err != nil {
		return nil, err
	}
	// Inserted first and checked afterwards: whoever ends all sessions raises
	// the mark first and lists afterwards, so one of us sees the other.
	err = s.marks.checkNow(ctx, p, namesOf(p)...)
	if err == nil {
		err = s.enforceLimit(ctx, d, r)
	}
	if err != nil {
		return nil, errors.Join(err, undo(ctx, s.store, d))
	}
	return &Grant{Token: NewSecret(token), Principal: p}, nil
}

// enforceLimit counts the owner's sessions, the one just inserted among them,
// and ends those that are too many.
func (s *Sessions) enforceLimit(ctx context.Context, inserted Digest, r Record) error {
	if s.options.Limit == 0 {
		return nil
	}
	var open []Entry
	for e, err := range s.entries(ctx, r.Owner, r.Created) {
		if err != nil {
			return err
		}
		open = append(open, e)
	}
	surplus := len(open) - s.options.Limit
	if surplus <= 0 {
		return nil
	}
	// Everybody counts in the same order, so concurrent logins agree on who
	// stays.
	slices.SortFunc(open, func(a, b Entry) int {
		if c := a.Record.Created.Compare(b.Record.Created); c != 0 {
			return c
		}
		return slices.Compare(a.Digest[:], b.Digest[:])
	})
	gone := open[:surplus]
	if s.options.RefuseNewest {
		gone = open[s.options.Limit:]
	}
	var err error
	for _, e := range gone {
		if e.Digest == inserted {
			err = ErrSessionLimit
			continue // the caller ends it
		}
		if err := remove(ctx, s.store, e.Digest); err != nil {
			return err
		}
	}
	return err
}

// Renew gives the session by which p came a new token, for a change of
// privilege: the old token is dead, what the new one proves is p, and the end
// stays where it was. It returns [ErrRevoked] where the session has ended
// meanwhile.
func (s *Sessions) Renew(ctx context.Context, p *Principal) (*Grant, error) {
	old, err := s.digest(p)
	if err != nil {
		return nil, err
	}
	var r Record
	if _, err := s.current(ctx, old, &r); errors.Is(err, ErrInvalid) {
		return nil, ErrRevoked
	} else if err != nil {
		return nil, err
	}
	var device Device
	if err := unmarshalData(r.Data, &device); err != nil {
		return nil, err
	}
	unlimited := *s
	unlimited.options.Limit = 0 // the new one takes the place of the old
	g, err := unlimited.open(ctx, p, &IssueOptions{Device: device, Confirmation: p.Credential.Confirmation}, Credential{
		Kind:    KindSession,
		Family:  r.Principal.Credential.Family,
		Created: now(),
		Expires: r.Expires,
	})
	if err != nil {
		return nil, err
	}
	if _, err := s.store.Take(ctx, old); err != nil {
		if errors.Is(err, ErrNotFound) {
			err = ErrRevoked
		}
		return nil, errors.Join(err, s.discard(ctx, g))
	}
	return g, nil
}
