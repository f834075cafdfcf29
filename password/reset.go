package password

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/seed-077cad0b/auth"
)

// KindReset is the kind of a reset token's record.
const KindReset auth.Kind = "password_reset"

// resetForm is the text form of reset tokens. They are good in a URL.
var resetForm = auth.TokenForm("reset_")

// keepReset is how long the store remembers a token after its end, so that
// "expired" can be told from "unknown".
const keepReset = 24 * time.Hour

var errNoResets = errors.New("password: Options.Store is nil, so there are no reset tokens")

// A ResetRequest is what [Users.ResetToken] returns.
type ResetRequest struct {
	// Token is what Reset takes, once. It is zero where nobody is to get one.
	Token auth.Secret

	// User is whose it is, zero with a zero Token. Send the token to an
	// address of theirs, such as User.Login, never to the text that was typed
	// into the form: that one may only look like it.
	User User

	Expires time.Time
}

// ResetToken makes a token with which the user with that login can set a new
// password once, within Options.ResetLifetime. Setting a password by any way
// ends it.
//
// For a login that nobody has, and for a disabled user, the Token is zero and
// the error nil. The caller answers the same in both cases, and says "if there
// is an account, mail is on its way". To take the same time as well, answer
// first and let a worker call ResetToken and send the mail. Nothing here counts
// how often that is asked for: have auth.Guard.Limit do it, by address, since
// each time is a mail to somebody.
//
// An error is an outage.
func (u *Users) ResetToken(ctx context.Context, login string) (ResetRequest, error) {
	if u.resets == nil {
		return ResetRequest{}, errNoResets
	}
	token := auth.NewSecret(resetForm.New())
	digest := auth.DigestOf(KindReset, token.Reveal())
	name, err := u.normalize(login)
	if err != nil {
		return ResetRequest{}, nil
	}
	user, err := u.store.UserByLogin(auth.Uncached(ctx), name)
	switch {
	case errors.Is(err, auth.ErrNotFound), err == nil && (user.Login != name || user.Disabled):
		// As many round trips as for somebody.
		if _, err := u.resets.Lookup(ctx, digest); err != nil && !errors.Is(err, auth.ErrNotFound) {
			return ResetRequest{}, fmt.Errorf("password: storing a reset token: %w", err)
		}
		return ResetRequest{}, nil
	case err != nil:
		return ResetRequest{}, fmt.Errorf("password: looking up a user: %w", err)
	}
	t := now()
	p := u.proved(user, t)
	r := auth.Record{
		Kind:      KindReset,
		Owner:     p.Owner(),
		Principal: p,
		Revision:  auth.NewRevision(),
		Created:   t,
		Expires:   t.Add(u.lifetime),
		KeepUntil: t.Add(u.lifetime + keepReset),
		Data:      bound(user),
	}
	if err := u.resets.Insert(ctx, digest, r); err != nil {
		return ResetRequest{}, fmt.Errorf("password: storing a reset token: %w", err)
	}
	u.tell(ctx, EventResetRequested, user, nil)
	return ResetRequest{Token: token, User: user, Expires: r.Expires}, nil
}

// bound is what a reset token is bound to: the password that it replaces.
func bound(user User) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(user.Changed.UnixMicro()))
}

// Reset sets a new password with a token of ResetToken and ends all sessions of
// its user. The token is good once; of several that come at once, one gets
// through.
//
// The error is a [Rule] where the new password is refused, which leaves the
// token good for another try; auth.ErrInvalid for a token that is unknown or
// used up, auth.ErrExpired for one that is too old, auth.ErrRevoked for one
// made before the password last changed, and auth.ErrDisabled where the user
// is. Before an outage is told, nothing is used up that can be helped.
func (u *Users) Reset(ctx context.Context, token, new string) error {
	if u.resets == nil {
		return errNoResets
	}
	if !resetForm.Match(token) {
		return auth.ErrInvalid
	}
	digest := auth.DigestOf(KindReset, token)
	r, err := u.resets.Lookup(ctx, digest)
	if err != nil {
		return resetError(err)
	}
	if err := u.good(r); err != nil {
		return err
	}
	var hash string
	taken := false
	user, err := u.change(ctx, r.Principal.Subject, func(user *User) error {
		switch {
		case user.Tenant != r.Principal.Tenant:
			return auth.ErrInvalid
		case string(bound(*user)) != string(r.Data):
			return auth.ErrRevoked
		case user.Disabled:
			return auth.ErrDisabled
		}
		if taken { // somebody changed something else of the user meanwhile
			user.set(hash)
			return nil
		}
		// First all that may fail, the token after it.
		var err error
		if hash, err = u.newHash(ctx, *user, new); err != nil {
			return err
		}
		if err = u.end(ctx, u.ending(*user)); err != nil {
			return err
		}
		if r, err = u.resets.Take(ctx, digest); err != nil {
			return resetError(err)
		}
		if err = u.good(r); err != nil {
			return err
		}
		taken = true
		user.set(hash)
		return nil
	})
	switch {
	case errors.Is(err, errGone):
		return fmt.Errorf("%w: %w", auth.ErrInvalid, err)
	case err != nil:
		return err
	}
	u.tell(ctx, EventPasswordReset, user, nil)
	return u.endAll(ctx, user)
}

// good judges a token's record by itself.
func (u *Users) good(r auth.Record) error {
	switch {
	case r.Kind != KindReset || r.Principal == nil || r.Principal.Issuer != u.issuer || r.Disabled:
		return auth.ErrInvalid
	case !now().Before(r.Expires):
		return auth.ErrExpired
	default:
		return nil
	}
}

func resetError(err error) error {
	if errors.Is(err, auth.ErrNotFound) {
		return auth.ErrInvalid
	}
	return fmt.Errorf("password: reading a reset token: %w", err)
}
