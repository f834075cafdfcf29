package password

import (
	"context"
	"time"
)

// An EventKind says what happened to an account.
type EventKind string

// What [Options].Notify is told. OWASP ASVS 6.3.7 asks that users hear of all
// but the first and the last four.
const (
	EventRegistered      EventKind = "registered"       // by Register or Import
	EventPasswordChanged EventKind = "password_changed" // by its user
	EventPasswordSet     EventKind = "password_set"     // by an operator
	EventPasswordReset   EventKind = "password_reset"   // with a reset token
	EventResetRequested  EventKind = "reset_requested"
	EventDisabled        EventKind = "disabled"
	EventEnabled         EventKind = "enabled"

	// EventThrottled: so many guesses at the password have failed that more are
	// refused for now, from some addresses or from all but those the user has
	// logged in from. It is told with the last guess that was judged, so at
	// most once a minute by the default [Throttle].
	EventThrottled EventKind = "throttled"

	EventRehashed     EventKind = "rehashed"      // an outdated hash was replaced at a login
	EventRehashFailed EventKind = "rehash_failed" // Err tells why; the login went on

	// EventSessionsRemain: the password has changed, or the user is disabled,
	// but their sessions could not be ended; Err tells why.
	EventSessionsRemain EventKind = "sessions_remain"
)

// An Event is something that happened to an account. It holds no secret.
type Event struct {
	Kind                   EventKind
	Time                   time.Time
	Issuer, Tenant, UserID string
	Login                  string
	Err                    error
}

func (u *Users) tell(ctx context.Context, k EventKind, user User, err error) {
	if u.notify == nil {
		return
	}
	u.notify(ctx, Event{
		Kind:   k,
		Time:   now(),
		Issuer: u.issuer,
		Tenant: user.Tenant,
		UserID: user.ID,
		Login:  user.Login,
		Err:    err,
	})
}

// tellThrottled tells of an account that a guess has used up. Of logins that
// nobody has there is nobody to tell.
func (u *Users) tellThrottled(ctx context.Context, spent bool, user User) {
	if spent && user.ID != "" {
		u.tell(ctx, EventThrottled, user, nil)
	}
}
