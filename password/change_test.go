package password_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/password"
)

// Row 54: a change asks for the old password and ends the other sessions. A
// login within the same second lives.
func TestChangePassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.register(t)
		mine, err := w.open(t, good)
		require.NoError(t, err)
		theirs, err := w.open(t, good)
		require.NoError(t, err)
		authtest.Advance(time.Microsecond)

		require.NoError(t, w.ChangePassword(t.Context(), mine.Principal, good, other))
		authtest.Advance(time.Microsecond)
		fresh, err := w.open(t, other)
		require.NoError(t, err)
		require.True(t, w.alive(t, mine), "the session that asked")
		require.False(t, w.alive(t, theirs), "the others")
		require.True(t, w.alive(t, fresh), "a login right afterwards")
		_, err = w.open(t, good)
		require.Equal(t, auth.ErrInvalid, err)
		require.Equal(t, []password.EventKind{password.EventRegistered, password.EventPasswordChanged}, w.events.kinds())
	})
}

func TestChangePasswordRefuses(t *testing.T) {
	w := newWorld(t, func(o *password.Options) { o.Issuer = "https://api.example" })
	user := w.register(t)
	g, err := w.open(t, good)
	require.NoError(t, err)
	session := g.Principal
	as := func(edit func(*auth.Principal)) *auth.Principal {
		p := *session
		edit(&p)
		return &p
	}
	bare, err := w.Import(t.Context(), password.User{Login: "nopassword@example.com"})
	require.NoError(t, err)
	before := w.stored(t)
	for _, c := range []struct {
		name     string
		p        *auth.Principal
		old, new string
		want     error
	}{
		{"wrong", session, other, other, auth.ErrInvalid},
		{"empty", session, "", other, auth.ErrInvalid},
		{"without a password", w.Principal(bare), good, other, auth.ErrInvalid},
		{"too long to be it", session, string(make([]byte, 2000)), other, auth.ErrInvalid},
		{"short", session, good, "short", password.ErrTooShort},
		{"the login", session, good, login, password.ErrSameAsLogin},
		{"nobody", nil, good, other, auth.ErrForbidden},
		{"another issuer", as(func(p *auth.Principal) { p.Issuer = "" }), good, other, auth.ErrForbidden},
		{"another tenant", as(func(p *auth.Principal) { p.Tenant = "x" }), good, other, auth.ErrForbidden},
		{"another subject", as(func(p *auth.Principal) { p.Subject = "x" }), good, other, auth.ErrForbidden},
	} {
		require.ErrorIs(t, w.ChangePassword(t.Context(), c.p, c.old, c.new), c.want, c.name)
	}
	w.users.readErr = errDown
	require.ErrorIs(t, w.ChangePassword(t.Context(), session, good, other), errDown)
	w.users.readErr, w.users.writeErr = nil, errDown
	require.ErrorIs(t, w.ChangePassword(t.Context(), session, good, other), errDown)
	w.users.writeErr = nil
	require.Equal(t, before, w.stored(t), "nothing has changed")

	require.NoError(t, w.Disable(t.Context(), user.ID))
	require.ErrorIs(t, w.ChangePassword(t.Context(), session, other, good), auth.ErrInvalid)
	require.ErrorIs(t, w.ChangePassword(t.Context(), session, good, other), auth.ErrDisabled)
	require.NoError(t, w.Enable(t.Context(), user.ID))
	require.ErrorIs(t, w.ChangePassword(t.Context(), session, good, other), auth.ErrRevoked, "a dead session changes nothing")
	_, err = w.Verify(t.Context(), login, good)
	require.NoError(t, err)
}

// A login that has proved the old password, but not yet opened its session when
// the password changes, opens none that lives.
func TestLoginInFlightDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, change := range map[string]func(*world, password.User) error{
			"change": func(w *world, _ password.User) error {
				p, err := w.Verify(t.Context(), login, good)
				require.NoError(t, err)
				return w.ChangePassword(t.Context(), p, good, other)
			},
			"set":     func(w *world, u password.User) error { return w.SetPassword(t.Context(), u.ID, other) },
			"disable": func(w *world, u password.User) error { return w.Disable(t.Context(), u.ID) },
			"reset": func(w *world, _ password.User) error {
				req, err := w.ResetToken(t.Context(), login)
				require.NoError(t, err)
				return w.Reset(t.Context(), req.Token.Reveal(), other)
			},
		} {
			w := newWorld(t, nil)
			user := w.register(t)
			proved, err := w.Verify(t.Context(), login, good)
			require.NoError(t, err)
			authtest.Advance(time.Microsecond)
			require.NoError(t, change(w, user), name)
			authtest.Advance(time.Microsecond)
			g, err := w.sessions.Issue(t.Context(), proved, nil)
			require.True(t, errors.Is(err, auth.ErrRevoked) || err == nil && !w.alive(t, g), name)
		}
	})
}

// The same with a login that has read the old hash when the new one is stored:
// a thousand rounds of both at once leave no session of the old password.
func TestLoginAgainstChange(t *testing.T) {
	rounds := 1000
	if testing.Short() {
		rounds = 50
	}
	for range rounds {
		w := newWorld(t, nil)
		user := w.register(t)
		var (
			wg     sync.WaitGroup
			grants [2]*auth.Grant
		)
		for i := range grants {
			wg.Go(func() { grants[i], _ = w.open(t, good) })
		}
		wg.Go(func() {
			if err := w.SetPassword(t.Context(), user.ID, other); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		for _, g := range grants {
			if g != nil && w.alive(t, g) {
				t.Fatal("a session of the old password lives")
			}
		}
		fresh, err := w.open(t, other)
		if err != nil || !w.alive(t, fresh) {
			t.Fatal("a session of the new password does not live", err)
		}
	}
}

// Two changes at once with the same old password: one gets through.
func TestTwoChangesAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	w.register(t)
	p, err := w.Verify(t.Context(), login, good)
	require.NoError(t, err)
	w.users.beforeReplace = func() {
		require.NoError(t, w.ChangePassword(t.Context(), p, good, other))
	}
	require.ErrorIs(t, w.ChangePassword(t.Context(), p, good, "a third password for ada"), auth.ErrInvalid)
	_, err = w.Verify(t.Context(), login, other)
	require.NoError(t, err)
}

// Somebody else's edit of the same user is neither lost nor in the way.
func TestChangeMeetsEdit(t *testing.T) {
	w := newWorld(t, nil)
	user := w.register(t)
	p, err := w.Verify(t.Context(), login, good)
	require.NoError(t, err)
	w.users.beforeReplace = func() {
		user.Tier = "premium"
		user.Revision++
		require.NoError(t, w.users.ReplaceUser(t.Context(), user))
	}
	require.NoError(t, w.ChangePassword(t.Context(), p, good, other))
	require.Equal(t, "premium", w.stored(t).Tier)
	_, err = w.Verify(t.Context(), login, other)
	require.NoError(t, err)
}

// A revoker that fails before the change keeps the old password; one that fails
// after it is told.
func TestSessionsThatCannotBeEnded(t *testing.T) {
	r := &revoker{}
	w := newWorld(t, func(o *password.Options) { o.Sessions = append(o.Sessions, r) })
	user := w.register(t)
	g, err := w.open(t, good)
	require.NoError(t, err)
	before := w.stored(t)

	r.err = errDown
	require.ErrorIs(t, w.ChangePassword(t.Context(), g.Principal, good, other), errDown)
	req, err := w.ResetToken(t.Context(), login)
	require.NoError(t, err)
	require.ErrorIs(t, w.Reset(t.Context(), req.Token.Reveal(), other), errDown)
	require.Equal(t, before, w.stored(t))

	r.err, r.good = errDown, 1
	g, err = w.open(t, good)
	require.NoError(t, err)
	require.ErrorIs(t, w.ChangePassword(t.Context(), g.Principal, good, other), errDown)
	require.Contains(t, w.events.kinds(), password.EventSessionsRemain)
	_, err = w.Verify(t.Context(), login, other)
	require.NoError(t, err, "it has changed")

	require.ErrorIs(t, w.Disable(t.Context(), user.ID), errDown)
	_, err = w.Verify(t.Context(), login, other)
	require.Equal(t, auth.ErrDisabled, err)
	r.err = nil
	require.NoError(t, w.Disable(t.Context(), user.ID), "may be repeated")
	require.Positive(t, r.all)
}

// Who hangs up once the password is stored keeps no session alive by that.
func TestHangingUpEndsSessionsAllTheSame(t *testing.T) {
	w := newWorld(t, nil)
	user := w.register(t)
	g, err := w.open(t, good)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	w.users.afterReplace = cancel
	require.NoError(t, w.SetPassword(ctx, user.ID, other))
	require.Error(t, ctx.Err())
	require.False(t, w.alive(t, g))
}

// revoker fails after some good calls.
type revoker struct {
	err               error
	good, others, all int
}

func (r *revoker) fail() error {
	if r.good > 0 {
		r.good--
		return nil
	}
	return r.err
}

func (r *revoker) RevokeOthers(context.Context, *auth.Principal) error {
	r.others++
	return r.fail()
}

func (r *revoker) RevokeAll(context.Context, *auth.Principal) error {
	r.all++
	return r.fail()
}

func TestSetPasswordAndDisable(t *testing.T) {
	w := newWorld(t, nil)
	user := w.register(t)
	g, err := w.open(t, good)
	require.NoError(t, err)

	require.ErrorIs(t, w.SetPassword(t.Context(), user.ID, "short"), password.ErrTooShort)
	require.True(t, w.alive(t, g))
	require.NoError(t, w.SetPassword(t.Context(), user.ID, other))
	require.False(t, w.alive(t, g))

	g, err = w.open(t, other)
	require.NoError(t, err)
	require.NoError(t, w.Disable(t.Context(), user.ID))
	require.False(t, w.alive(t, g))
	_, err = w.Verify(t.Context(), login, other)
	require.Equal(t, auth.ErrDisabled, err)
	require.NoError(t, w.Enable(t.Context(), user.ID))
	_, err = w.Verify(t.Context(), login, other)
	require.NoError(t, err)

	for _, err := range []error{
		w.SetPassword(t.Context(), "nobody", other), w.Disable(t.Context(), "nobody"), w.Enable(t.Context(), "nobody"),
	} {
		require.ErrorIs(t, err, auth.ErrNotFound)
	}
	require.Equal(t, []password.EventKind{
		password.EventRegistered, password.EventPasswordSet, password.EventDisabled, password.EventEnabled,
	}, w.events.kinds())
}
