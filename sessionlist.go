package auth

import (
	"context"
	"errors"
	"iter"
	"time"
)

// A Session is what a user needs to recognise one of their sessions.
type Session struct {
	ID      string // public
	Device  Device
	Created time.Time
	Seen    time.Time // last use, exact to a minute
	Expires time.Time
}

// List lists the open sessions of p's identity, in no particular order.
func (s *Sessions) List(ctx context.Context, p *Principal) iter.Seq2[Session, error] {
	return func(yield func(Session, error) bool) {
		for e, err := range s.entries(ctx, p.Owner(), time.Now()) {
			if err != nil {
				yield(Session{}, err)
				return
			}
			v := Session{
				ID:      e.Digest.String(),
				Created: e.Record.Created,
				Seen:    s.lastUse.seen(e.Digest, e.Record.Seen),
				Expires: e.Record.Expires,
			}
			if !yield(v, unmarshalData(e.Record.Data, &v.Device)) {
				return
			}
		}
	}
}

// entries yields the owner's sessions that are open at t.
func (s *Sessions) entries(ctx context.Context, owner Digest, t time.Time) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for e, err := range s.lister.List(ctx, owner, KindSession) {
			switch {
			case err != nil:
			case !s.alive(e.Digest, &e.Record, t):
				continue
			default:
				if err = s.checkOrigin(ctx, e.Record.Principal); errors.Is(err, ErrRevoked) {
					continue
				}
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Revoke ends the session by which p came, also where it has been renewed
// meanwhile. It returns [ErrNotMine] where that was no session.
func (s *Sessions) Revoke(ctx context.Context, p *Principal) error {
	d, err := s.digest(p)
	if err != nil {
		return err
	}
	if _, err = s.store.Take(ctx, d); errors.Is(err, ErrNotFound) {
		return s.endFamily(ctx, p)
	}
	return err
}

// End ends the session with the public id, if it is one of p's identity;
// otherwise it returns [ErrNotFound], so that an id from a request is harmless.
func (s *Sessions) End(ctx context.Context, p *Principal, id string) error {
	d, err := ParseDigest(id)
	if err != nil {
		return ErrNotFound
	}
	r, err := s.store.Lookup(ctx, d)
	switch {
	case err != nil:
		return err
	case r.Kind != KindSession || r.Owner != p.Owner():
		return ErrNotFound
	}
	return remove(ctx, s.store, d)
}

// RevokeAll ends every session of p's identity, one that is being opened
// included. With a shared store, it also ends refresh families and, where they
// are revocable, tokens of that identity.
func (s *Sessions) RevokeAll(ctx context.Context, p *Principal) error {
	return s.revokeOwner(ctx, p, nil)
}

// RevokeOthers is RevokeAll, except for the session by which p came and what
// shares its family. It returns [ErrRevoked] where those have been ended
// meanwhile, by RevokeAll or RevokeOthers, and then ends nothing.
func (s *Sessions) RevokeOthers(ctx context.Context, p *Principal) error {
	return s.revokeOwner(ctx, p, p)
}

func (s *Sessions) revokeOwner(ctx context.Context, p, spared *Principal) error {
	if err := s.marks.raise(ctx, ownerMark(p), markTime(p), spared); err != nil {
		return err
	}
	return s.endWhere(ctx, p, func(family string) bool {
		return spared == nil || spared.Credential.Family == "" || family != spared.Credential.Family
	})
}

// discard ends a session that is not handed out after all.
func (s *Sessions) discard(ctx context.Context, g *Grant) error {
	return undo(ctx, s.store, DigestOf(KindSession, g.Token.Reveal()))
}

// endFamily ends the sessions of p's family: what one was renewed to, and what
// a refresh family opened, whose mark has been raised.
func (s *Sessions) endFamily(ctx context.Context, p *Principal) error {
	return s.endWhere(ctx, p, func(family string) bool { return family == p.Credential.Family })
}

func (s *Sessions) endWhere(ctx context.Context, p *Principal, dead func(family string) bool) error {
	var errs []error
	for e, err := range s.lister.List(ctx, p.Owner(), KindSession) {
		switch {
		case err != nil:
			errs = append(errs, err)
		case dead(e.Record.Principal.Credential.Family):
			errs = append(errs, remove(ctx, s.store, e.Digest))
		}
	}
	return errors.Join(errs...)
}

// digest returns the digest of the session by which p came.
func (s *Sessions) digest(p *Principal) (Digest, error) {
	if p == nil || p.Credential.Kind != KindSession {
		return Digest{}, ErrNotMine
	}
	return ParseDigest(p.Credential.ID)
}
