package password

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-077cad0b/auth"
)

// ChangePassword sets a new password for the user p, who proves the old one
// again (OWASP ASVS 6.2.3), and ends their other sessions: those of
// Options.Sessions, except for the one by which p came, and any login under way
// with the old password.
//
// The error is auth.ErrInvalid where old is wrong, auth.ErrDisabled where it is
// right and the user disabled, auth.ErrForbidden where p is no user of these
// Users, auth.ErrRevoked where p's session has been ended meanwhile, and a
// [Rule] where the new password is refused. Where it is anything else, the
// password may have changed all the same; [EventSessionsRemain] tells so.
//
// A credential without a family, such as the password itself or a token that
// no refresh token came with, cannot be told from the others and ends with
// them.
//
// Guesses at the old password are counted by user, apart from their logins, so
// a thief of a session gets no further than one without: auth.ErrRateLimited.
func (u *Users) ChangePassword(ctx context.Context, p *auth.Principal, old, new string) error {
	if p == nil || p.Subject == "" || p.Issuer != u.issuer {
		return auth.ErrForbidden
	}
	others := func(ctx context.Context, s SessionRevoker) error {
		if p.Credential.Family == "" {
			return s.RevokeAll(ctx, p) // there is nothing to tell its own session by
		}
		return s.RevokeOthers(ctx, p)
	}
	user, err := u.change(ctx, p.Subject, func(user *User) error {
		if user.Tenant != p.Tenant {
			return auth.ErrForbidden
		}
		spent, err := u.throttle.change(ctx, p.Owner(), func() error { return u.proveOld(ctx, user, old) })
		u.tellThrottled(ctx, spent, *user)
		if err != nil {
			return err
		}
		hash, err := u.newHash(ctx, *user, new)
		if err != nil {
			return err
		}
		// What can fail goes first: sessions that cannot be ended now leave
		// the old password as it is, rather than a new one and an old thief.
		if err := u.end(ctx, others); err != nil {
			return err
		}
		user.set(hash)
		return nil
	})
	switch {
	case errors.Is(err, errGone):
		return fmt.Errorf("%w: %w", auth.ErrForbidden, err)
	case err != nil:
		return err
	}
	u.tell(ctx, EventPasswordChanged, user, nil)
	return u.endAfter(ctx, user, func(ctx context.Context, s SessionRevoker) error {
		err := others(ctx, s)
		if errors.Is(err, auth.ErrRevoked) {
			// Somebody has ended p's session since: there is none to spare.
			err = s.RevokeAll(ctx, p)
		}
		return err
	})
}

// proveOld returns nil if old is the password of a user who may change it.
func (u *Users) proveOld(ctx context.Context, user *User, old string) error {
	text, err := normalize(old)
	if err != nil || len(text) == 0 || user.Hash == "" {
		return auth.ErrInvalid
	}
	m, _, err := u.hasher.verify(ctx, user.Hash, text, nil)
	if err != nil {
		return err
	}
	return m.refusal(user)
}

// SetPassword sets a new password for the user with that ID without asking for
// the old one, and ends all of their sessions. It is for operators. The error
// is a [Rule] where the password is refused, and auth.ErrNotFound where there
// is no such user. It may be repeated.
func (u *Users) SetPassword(ctx context.Context, id, new string) error {
	user, err := u.change(ctx, id, func(user *User) error {
		hash, err := u.newHash(ctx, *user, new)
		if err == nil {
			user.set(hash)
		}
		return err
	})
	if err != nil {
		return err
	}
	u.tell(ctx, EventPasswordSet, user, nil)
	return u.endAll(ctx, user)
}

// Disable keeps the user with that ID from logging in, ends all of their
// sessions, and suspends their reset tokens. The error is auth.ErrNotFound where
// there is no such user. It may be repeated, which ends the sessions again.
func (u *Users) Disable(ctx context.Context, id string) error {
	user, err := u.change(ctx, id, func(user *User) error {
		user.Disabled = true
		return nil
	})
	if err != nil {
		return err
	}
	u.tell(ctx, EventDisabled, user, nil)
	return u.endAll(ctx, user)
}

// Enable lets the user with that ID log in again. The error is auth.ErrNotFound
// where there is no such user.
func (u *Users) Enable(ctx context.Context, id string) error {
	user, err := u.change(ctx, id, func(user *User) error {
		user.Disabled = false
		return nil
	})
	if err == nil {
		u.tell(ctx, EventEnabled, user, nil)
	}
	return err
}

// newHash returns the hash of a new password that breaks no rule.
func (u *Users) newHash(ctx context.Context, user User, new string) (string, error) {
	if err := u.policy.check(ctx, user.Login, new); err != nil {
		return "", err
	}
	return u.hasher.Hash(ctx, new)
}

// end ends sessions with all revokers, however many of them fail.
func (u *Users) end(ctx context.Context, with func(context.Context, SessionRevoker) error) error {
	var errs []error
	for _, s := range u.sessions {
		errs = append(errs, with(ctx, s))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("password: ending sessions: %w", err)
	}
	return nil
}

// endAfter ends sessions once a user is stored as changed: a login that read
// the user before that, and so proved the old password, was proved before the
// mark that this raises, and dies of it. The caller's going away stops it no
// more.
func (u *Users) endAfter(ctx context.Context, user User, with func(context.Context, SessionRevoker) error) error {
	ctx = context.WithoutCancel(ctx)
	err := u.end(ctx, with)
	if err != nil {
		u.tell(ctx, EventSessionsRemain, user, err)
	}
	return err
}

func (u *Users) endAll(ctx context.Context, user User) error {
	return u.endAfter(ctx, user, u.ending(user))
}

func (u *Users) ending(user User) func(context.Context, SessionRevoker) error {
	p := u.proved(user, now())
	return func(ctx context.Context, s SessionRevoker) error { return s.RevokeAll(ctx, p) }
}
