package oauth

import (
	"context"
	"errors"
	"time"

	"github.com/seed-077cad0b/auth"
)

// The kinds of what this package keeps.
const (
	KindAuthorizationCode auth.Kind = "authorization_code"
	KindDeviceCode        auth.Kind = "device_code"
	KindUserCode          auth.Kind = "user_code"
	KindPushedRequest     auth.Kind = "pushed_request"
	KindConsent           auth.Kind = "consent"
)

// spentMargin is how long what has been used up is remembered beyond its end, for
// processes whose clocks are behind.
const spentMargin = 10 * time.Minute

// now is in UTC and in the microseconds that every database has.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// spend replaces the record of a code or its like, which has been redeemed for g,
// by its spent form. Nobody has seen g yet, so who comes second leaves nothing
// behind. Where the store's answer is lost, the code may be spent: then the next
// attempt ends the family, which has given nothing to anybody.
func (s *Server) spend(ctx context.Context, d auth.Digest, r auth.Record, g *auth.Grant) error {
	r.Revision++
	r.Disabled = true
	err := s.config.Store.Replace(ctx, d, r)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, auth.ErrConflict):
		err = s.endReused(ctx, r.Principal)
	case errors.Is(err, auth.ErrNotFound):
		err = auth.ErrExpired // meanwhile
	}
	return errors.Join(err, s.discard(ctx, g))
}

// endReused ends the family of what has come a second time, and refuses it.
func (s *Server) endReused(ctx context.Context, p *auth.Principal) error {
	if err := s.refresh.Revoke(ctx, p); err != nil {
		return err
	}
	return auth.ErrReused
}

// discard removes what g has put into the store, even where the client has gone.
func (s *Server) discard(ctx context.Context, g *auth.Grant) error {
	var errs [2]error
	if !g.RefreshToken.IsZero() {
		errs[0] = s.remove(ctx, auth.DigestOf(auth.KindRefresh, g.RefreshToken.Reveal()))
	}
	if g.Principal.Credential.Kind == auth.KindAccessToken {
		errs[1] = s.remove(ctx, auth.DigestOf(auth.KindAccessToken, g.Token.Reveal()))
	}
	return errors.Join(errs[:]...)
}

// remove removes a record that leads nowhere, even where the client has gone. That
// it is gone already is as good.
func (s *Server) remove(ctx context.Context, d auth.Digest) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeWithin)
	defer cancel()
	if _, err := s.config.Store.Take(ctx, d); err != nil && !errors.Is(err, auth.ErrNotFound) {
		return err
	}
	return nil
}

const removeWithin = 5 * time.Second
