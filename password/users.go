package password

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/seed-077cad0b/auth"
)

// Options configure [Users]. The zero value is ready for production, without
// reset tokens and with nothing to end when a password changes.
type Options struct {
	// Issuer is the issuer of the users' principals; empty is this API itself.
	// Where JWTs are issued too, name their issuer here, so that all of a
	// user's credentials share one identity and are listed and revoked
	// together.
	Issuer string

	// Hasher computes the hashes. Nil is one of the defaults; parts of one
	// program that hash should share theirs, see [Hasher].
	Hasher *Hasher

	// MinLength is how many code points a new password has at least, 8 to 64.
	// Zero is 15, as NIST SP 800-63B-4 section 3.1.1.2 asks where the password
	// is the only factor; 8 is for those who ask for a second one. It is not
	// asked of passwords that are set already.
	MinLength int

	// Blocklist tells whether a new password, normalised, is known to
	// attackers: common, leaked, or the name of the service. An error means
	// that it could not be told; the password is not set then. Nil blocks
	// none.
	Blocklist func(ctx context.Context, password string) (blocked bool, err error)

	// NormalizeLogin returns the login name in the one form in which it is
	// stored and looked up; an error says that it cannot be one. Applied to its
	// own result it changes nothing. Nil: the function [NormalizeLogin].
	NormalizeLogin func(login string) (string, error)

	// Throttle bounds failed logins, by address and by login, so that guesses
	// are stopped before they cost anything. Nil: the defaults of [Throttle].
	Throttle *Throttle

	// InsecureNoThrottle bounds nothing. It is for those who do so in front of
	// every way to these Users.
	InsecureNoThrottle bool

	// Sessions are ended when a password changes and when a user is disabled:
	// name everything that issues credentials for these users.
	Sessions []SessionRevoker

	// Store keeps reset tokens. Nil: ResetToken and Reset return an error.
	Store auth.Store

	// ResetLifetime is how long a reset token is good, at most 24 hours. Zero:
	// 30 minutes.
	ResetLifetime time.Duration

	// Notify is told what happened to an account; nil for none. It runs on the
	// caller's goroutine, after the fact, and must be quick. Logins and their
	// failures are told by auth.GuardOptions.Observe.
	Notify func(ctx context.Context, e Event)
}

// A SessionRevoker ends the sessions of a user. *auth.Sessions, *auth.Refresh
// and a revocable *auth.JWT do.
type SessionRevoker interface {
	// RevokeOthers ends what was proved by now, except for the session by
	// which p came. It returns auth.ErrRevoked, and ends nothing, where that
	// one has been ended already.
	RevokeOthers(ctx context.Context, p *auth.Principal) error

	// RevokeAll ends what was proved by now of p's issuer, tenant and subject.
	RevokeAll(ctx context.Context, p *auth.Principal) error
}

// Users logs people in with a password, and keeps their passwords. It is
// immutable and safe for concurrent use.
//
// Its errors are an auth.Reason where a login, an old password or a token is
// refused, also for one failure too many (auth.ErrRateLimited, as an
// *auth.Failure with RetryAfter), a [Rule] where a new password is, and
// otherwise mean that the answer could not be found out. Guards make of the
// last a 503, never a 401.
type Users struct {
	store     UserStore
	issuer    string
	hasher    *Hasher
	throttle  *throttle // nil: none
	policy    policy
	normalize func(string) (string, error)
	sessions  []SessionRevoker
	notify    func(context.Context, Event)
	resets    auth.Store // nil: none
	lifetime  time.Duration
}

// NewUsers returns the users of a store. o may be nil. The error joins all that
// is wrong.
func NewUsers(store UserStore, o *Options) (*Users, error) {
	if o == nil {
		o = &Options{}
	}
	u := &Users{
		store:     store,
		issuer:    o.Issuer,
		hasher:    o.Hasher,
		policy:    policy{o.MinLength, o.Blocklist},
		normalize: o.NormalizeLogin,
		notify:    o.Notify,
		resets:    o.Store,
		lifetime:  o.ResetLifetime,
	}
	var errs []error
	if store == nil {
		errs = append(errs, errors.New("password: NewUsers: nil store"))
	}
	switch {
	case u.policy.minLength == 0:
		u.policy.minLength = 15
	case u.policy.minLength < 8 || u.policy.minLength > 64:
		errs = append(errs, fmt.Errorf("password: Options.MinLength %d: not in 8 to 64", o.MinLength))
	}
	switch {
	case u.lifetime == 0:
		u.lifetime = 30 * time.Minute
	case u.lifetime < time.Second || u.lifetime > 24*time.Hour:
		errs = append(errs, fmt.Errorf("password: Options.ResetLifetime %v: not in a second to a day", o.ResetLifetime))
	}
	for i, s := range o.Sessions {
		if s == nil {
			errs = append(errs, fmt.Errorf("password: Options.Sessions[%d] is nil", i))
		}
		u.sessions = append(u.sessions, s)
	}
	if u.normalize == nil {
		u.normalize = NormalizeLogin
	}
	if u.hasher == nil {
		h, err := NewHasher(nil)
		if err != nil {
			errs = append(errs, err)
		}
		u.hasher = h
	}
	if o.Throttle != nil && o.InsecureNoThrottle {
		errs = append(errs, errors.New("password: Options has both a Throttle and InsecureNoThrottle"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if !o.InsecureNoThrottle {
		var t Throttle
		if o.Throttle != nil {
			t = *o.Throttle
		}
		u.throttle = newThrottle(t, u.hasher)
	}
	return u, nil
}

// Verify is VerifyFrom for code that does not know the client's address.
// Failures are counted by the login alone, so strangers can keep the user from
// logging in this way for as long as they go on.
func (u *Users) Verify(ctx context.Context, login, password string) (*auth.Principal, error) {
	return u.VerifyFrom(ctx, netip.Addr{}, login, password)
}

// VerifyFrom logs a user in, for code that has the password from elsewhere than
// an HTTP request, such as a gRPC call from the address client; one that is not
// valid is not known. The error is auth.ErrInvalid for an unknown login and a
// wrong password alike, after the same work; auth.ErrDisabled for a disabled
// user with the right password; auth.ErrRateLimited after too many failures,
// whatever the password, see [Throttle]; and otherwise an outage, such as
// auth.ErrUnavailable while too many passwords are being hashed.
//
// A hash that is outdated is replaced by a fresh one. That failing fails no
// login, see [EventRehashFailed].
//
// The work is the same where all hashes are current. A hash of another
// algorithm or cost takes its own time until its user's first login.
func (u *Users) VerifyFrom(ctx context.Context, client netip.Addr, login, password string) (*auth.Principal, error) {
	// Before the look-up: what is revoked from here on stays revoked.
	start := now()
	name, malformed := u.normalize(login)
	if malformed != nil {
		name = login // no user has it, but it counts
	}
	var user User
	spent, err := u.throttle.login(ctx, by{u.loginDigest(name), client}, func() (err error) {
		text, untext := normalize(password)
		if malformed != nil || untext != nil || len(text) == 0 {
			return auth.ErrInvalid // no account has such a login, or password
		}
		if user, err = u.find(ctx, name); err != nil {
			return err
		}
		return u.prove(ctx, &user, text)
	})
	u.tellThrottled(ctx, spent, user)
	if err != nil {
		return nil, err
	}
	return u.proved(user, start), nil
}

// loginDigest stands for a login of this issuer, bounded and unreadable.
func (u *Users) loginDigest(name string) string {
	return (&auth.Principal{Issuer: u.issuer, Subject: name}).Owner().String()
}

// find returns the user with that login, or the zero User for nobody.
func (u *Users) find(ctx context.Context, name string) (User, error) {
	user, err := u.store.UserByLogin(auth.Uncached(ctx), name)
	switch {
	case errors.Is(err, auth.ErrNotFound):
		return User{}, nil
	case err != nil:
		return User{}, fmt.Errorf("password: looking up a user: %w", err)
	case user.Login != name:
		return User{}, nil // a store that folds case would let one user be another
	default:
		return user, nil
	}
}

// prove returns nil if text is the password of user, which may be the zero
// User for nobody. An outdated hash is renewed, in user too.
func (u *Users) prove(ctx context.Context, user *User, text []byte) error {
	if user.ID == "" || user.Hash == "" {
		if err := u.hasher.waste(ctx, text); err != nil {
			return err
		}
		return auth.ErrInvalid
	}
	m, fresh, err := u.hasher.verify(ctx, user.Hash, text, func() bool { return !user.Disabled })
	if err == nil {
		err = m.refusal(user)
	}
	if err == nil && fresh != "" {
		u.renew(ctx, user, fresh)
	}
	return err
}

// refusal returns why a user whose password was compared is refused, if they
// are: that they are disabled is told to who knows the password alone.
func (m Match) refusal(user *User) error {
	switch {
	case !m.OK:
		return auth.ErrInvalid
	case user.Disabled:
		return auth.ErrDisabled
	default:
		return nil
	}
}

// renew stores a fresh hash of the password that user has just proved.
func (u *Users) renew(ctx context.Context, user *User, fresh string) {
	next := *user
	next.Hash = fresh
	next.Revision++
	switch err := u.store.ReplaceUser(ctx, next); {
	case err == nil:
		*user = next
		u.tell(ctx, EventRehashed, next, nil)
	case errors.Is(err, auth.ErrConflict), errors.Is(err, auth.ErrNotFound):
		// Somebody else has changed the user, whose say counts. There will be
		// another login.
	default:
		u.tell(ctx, EventRehashFailed, next, err)
	}
}

// Principal returns the principal that user's logins yield, as far as it is
// known without one: whom to give an API key, or whose sessions to list.
func (u *Users) Principal(user User) *auth.Principal {
	return &auth.Principal{
		Issuer:  u.issuer,
		Tenant:  user.Tenant,
		Subject: user.ID,
		Tier:    user.Tier,
		Scopes:  user.Scopes,
		Claims:  user.Claims,
	}
}

// proved returns whom a proof at t proves.
func (u *Users) proved(user User, t time.Time) *auth.Principal {
	p := u.Principal(user)
	p.Origin = auth.Origin{Kind: auth.KindPassword, ID: user.ID, Time: t}
	p.Credential = auth.Credential{Kind: auth.KindPassword, ID: user.ID, Created: user.Changed}
	return p
}

// now is in the microseconds that every database has, in UTC.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
