package password_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/password"
)

func TestReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		user := w.register(t)
		g, err := w.open(t, good)
		require.NoError(t, err)

		req, err := w.ResetToken(t.Context(), "ADA@example.com")
		require.NoError(t, err)
		require.Regexp(t, `^reset_[A-Za-z0-9_-]{43}$`, req.Token.Reveal())
		require.Equal(t, user, req.User, "what is stored, not what was typed")
		require.Equal(t, 30*time.Minute, time.Until(req.Expires))
		token := req.Token.Reveal()

		require.ErrorIs(t, w.Reset(t.Context(), token, "short"), password.ErrTooShort)
		require.ErrorIs(t, w.Reset(t.Context(), token, login), password.ErrSameAsLogin)
		require.True(t, w.alive(t, g), "what is refused ends nothing")
		authtest.Advance(time.Microsecond)
		require.NoError(t, w.Reset(t.Context(), token, other), "and leaves the token good")
		require.False(t, w.alive(t, g))
		_, err = w.Verify(t.Context(), login, good)
		require.Equal(t, auth.ErrInvalid, err)
		_, err = w.Verify(t.Context(), login, other)
		require.NoError(t, err)
		require.ErrorIs(t, w.Reset(t.Context(), token, good), auth.ErrInvalid, "once")
		require.Equal(t, []password.EventKind{
			password.EventRegistered, password.EventResetRequested, password.EventPasswordReset,
		}, w.events.kinds())
	})
}

func TestResetTokensThatAreNotGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *password.Options) { o.ResetLifetime = time.Hour })
		user := w.register(t)
		token := func() string {
			req, err := w.ResetToken(t.Context(), login)
			require.NoError(t, err)
			return req.Token.Reveal()
		}
		before := w.hasher.turns.Load()

		expired := token()
		authtest.Advance(time.Hour)
		require.Equal(t, auth.ErrExpired, w.Reset(t.Context(), expired, other))
		authtest.Advance(24 * time.Hour)
		require.Equal(t, auth.ErrInvalid, w.Reset(t.Context(), expired, other), "forgotten")

		for _, bad := range []string{"", "reset_", expired[1:], expired + "A", "reset_" + strings.Repeat("A", 43), strings.Repeat("A", 1<<20)} {
			require.Equal(t, auth.ErrInvalid, w.Reset(t.Context(), bad, other))
		}
		require.Equal(t, before, w.hasher.turns.Load(), "none of these costs a hash")

		// At rest there is a digest, which is no token.
		fresh := token()
		digest := auth.DigestOf(password.KindReset, fresh)
		require.Equal(t, auth.ErrInvalid, w.Reset(t.Context(), "reset_"+digest.String(), other))

		// Setting the password in any way ends the tokens made before.
		two := token()
		require.NoError(t, w.Reset(t.Context(), two, other))
		require.Equal(t, auth.ErrRevoked, w.Reset(t.Context(), fresh, good))
		fresh = token()
		require.NoError(t, w.SetPassword(t.Context(), user.ID, good))
		require.Equal(t, auth.ErrRevoked, w.Reset(t.Context(), fresh, other))
		fresh = token()
		p, err := w.Verify(t.Context(), login, good)
		require.NoError(t, err)
		require.NoError(t, w.ChangePassword(t.Context(), p, good, good), "even to the same one")
		require.Equal(t, auth.ErrRevoked, w.Reset(t.Context(), fresh, other))

		// What does not touch the password does not.
		fresh = token()
		edited := w.stored(t)
		edited.Tier = "premium"
		edited.Revision++
		require.NoError(t, w.users.ReplaceUser(t.Context(), edited))
		require.NoError(t, w.Disable(t.Context(), user.ID))
		require.Equal(t, auth.ErrDisabled, w.Reset(t.Context(), fresh, other))
		require.NoError(t, w.Enable(t.Context(), user.ID))
		require.NoError(t, w.Reset(t.Context(), fresh, other))

		// A record of another kind, or of another issuer's user, is none.
		namesake, err := password.NewUsers(w.users, &password.Options{Hasher: w.hasher.Hasher, Store: w.store, Issuer: "https://other.example"})
		require.NoError(t, err)
		require.Equal(t, auth.ErrInvalid, namesake.Reset(t.Context(), token(), good))
	})
}

// Row 58: who asks for a token learns nothing about accounts.
func TestResetTokenForNobody(t *testing.T) {
	w := newWorld(t, nil)
	user := w.register(t)
	require.NoError(t, w.Disable(t.Context(), user.ID))
	for _, name := range []string{"nobody@example.com", "", "a\x00b", login} {
		req, err := w.ResetToken(t.Context(), name)
		require.NoError(t, err, name)
		require.Equal(t, password.ResetRequest{}, req, name)
		require.True(t, req.Token.IsZero())
	}
	w.users.readErr = errDown
	_, err := w.ResetToken(t.Context(), login)
	require.ErrorIs(t, err, errDown)

	without, err := password.NewUsers(w.users, nil)
	require.NoError(t, err)
	_, err = without.ResetToken(t.Context(), login)
	require.ErrorContains(t, err, "Options.Store")
	require.ErrorContains(t, without.Reset(t.Context(), "reset_x", other), "Options.Store")
}

// An invited user has no password until they set one.
func TestResetInvites(t *testing.T) {
	w := newWorld(t, nil)
	_, err := w.Import(t.Context(), password.User{Login: login})
	require.NoError(t, err)
	req, err := w.ResetToken(t.Context(), login)
	require.NoError(t, err)
	require.NoError(t, w.Reset(t.Context(), req.Token.Reveal(), good))
	_, err = w.Verify(t.Context(), login, good)
	require.NoError(t, err)
}

// Row 21: of a hundred uses at once, one gets through.
func TestResetOnce(t *testing.T) {
	w := newWorld(t, nil)
	w.register(t)
	req, err := w.ResetToken(t.Context(), login)
	require.NoError(t, err)
	var (
		wg    sync.WaitGroup
		won   atomic.Int64
		start = make(chan struct{})
		used  string
	)
	for i := range 100 {
		wg.Go(func() {
			<-start
			pw := strings.Repeat(string(rune('0'+i)), 20)
			switch err := w.Reset(t.Context(), req.Token.Reveal(), pw); {
			case err == nil:
				won.Add(1)
				used = pw // the one winner's
			case errors.Is(err, auth.ErrInvalid), errors.Is(err, auth.ErrRevoked):
			default:
				t.Error(err)
			}
		})
	}
	close(start)
	wg.Wait()
	require.EqualValues(t, 1, won.Load())
	_, err = w.Verify(t.Context(), login, used)
	require.NoError(t, err)
}

// An edit that comes in between costs nobody their token, and a change of
// password in between ends it.
func TestResetMeetsOthers(t *testing.T) {
	w := newWorld(t, nil)
	user := w.register(t)
	req, err := w.ResetToken(t.Context(), login)
	require.NoError(t, err)
	w.users.beforeReplace = func() {
		user.Tier = "premium"
		user.Revision++
		require.NoError(t, w.users.ReplaceUser(t.Context(), user))
	}
	require.NoError(t, w.Reset(t.Context(), req.Token.Reveal(), other))
	require.Equal(t, "premium", w.stored(t).Tier)

	req, err = w.ResetToken(t.Context(), login)
	require.NoError(t, err)
	w.users.beforeReplace = func() { require.NoError(t, w.SetPassword(t.Context(), user.ID, good)) }
	require.Equal(t, auth.ErrRevoked, w.Reset(t.Context(), req.Token.Reveal(), other))
	_, err = w.Verify(t.Context(), login, good)
	require.NoError(t, err)
}

// An outage uses no token up.
func TestResetOutage(t *testing.T) {
	w := newWorld(t, nil)
	w.register(t)
	req, err := w.ResetToken(t.Context(), login)
	require.NoError(t, err)
	w.users.readErr = errDown
	require.ErrorIs(t, w.Reset(t.Context(), req.Token.Reveal(), other), errDown)
	w.users.readErr = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, w.Reset(ctx, req.Token.Reveal(), other), context.Canceled)
	require.NoError(t, w.Reset(t.Context(), req.Token.Reveal(), other))
}
