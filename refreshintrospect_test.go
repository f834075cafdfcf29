package auth_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// Introspect tells the living from the dead, and changes neither.
func TestRefreshIntrospect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, store := t.Context(), newTap(t)
		access := newJWT(t, keySet(t, hmacKey(t)), nil)
		refresh := must(auth.NewRefresh(store, access, &auth.RefreshOptions{Lifetime: time.Hour}))
		app := &auth.IssueOptions{ClientID: "app"}
		begin := func(subject string) *auth.Grant {
			p := (&auth.Principal{Subject: subject}).ProvedAt(time.Now())
			return must(refresh.Issue(ctx, p, app))
		}
		says := func(token string, want error) {
			t.Helper()
			p, err := refresh.Introspect(ctx, token)
			if want != nil {
				require.ErrorIs(t, err, want)
				require.Nil(t, p)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "app", p.Credential.ClientID)
			_, err = refresh.Issue(ctx, p, app)
			require.Error(t, err, "what Introspect returns spends nothing")
		}
		first := begin("alice")
		says(first.RefreshToken.Reveal(), nil)
		says(first.Token.Reveal(), auth.ErrNotMine)
		says(refresh.Form().New(), auth.ErrInvalid)

		p := must(refresh.Verify(ctx, first.RefreshToken.Reveal()))
		second := must(refresh.Issue(ctx, p, app))
		before := len(store.dump())
		authtest.Advance(time.Minute)
		says(first.RefreshToken.Reveal(), auth.ErrReused)
		says(second.RefreshToken.Reveal(), nil)
		require.Len(t, store.dump(), before, "a question has ended the family")

		require.NoError(t, refresh.Revoke(ctx, second.Principal))
		says(second.RefreshToken.Reveal(), auth.ErrRevoked)

		other := begin("bob")
		authtest.Advance(time.Minute)
		require.NoError(t, refresh.RevokeAll(ctx, other.Principal))
		says(other.RefreshToken.Reveal(), auth.ErrRevoked)

		authtest.Advance(time.Hour)
		says(begin("carol").RefreshToken.Reveal(), nil)
		says(other.RefreshToken.Reveal(), auth.ErrExpired)

		down := errors.New("down")
		broken := must(auth.NewRefresh(brokenStore{down}, access, nil))
		_, err := broken.Introspect(ctx, other.RefreshToken.Reveal())
		require.ErrorIs(t, err, down)
	})
}
