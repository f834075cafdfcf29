package auth_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

func TestRefreshRevoke(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newStore(t)
		s := newSessions(t, store, nil)
		f := newRefresh(t, store, s, nil)
		p := authtest.Principal("42")
		one, two := must(f.Issue(t.Context(), p, nil)), must(f.Issue(t.Context(), p, nil))
		spent := one.RefreshToken
		one = must(exchange(f, spent, nil))

		require.NoError(t, f.Revoke(t.Context(), one.Principal), "by an access token")
		require.Error(t, verify(s, one))
		for _, token := range []auth.Secret{one.RefreshToken, spent} {
			_, err := exchange(f, token, nil)
			require.ErrorIs(t, err, auth.ErrRevoked)
		}
		require.NoError(t, verify(s, two))
		require.NoError(t, f.Revoke(t.Context(), must(f.Verify(t.Context(), two.RefreshToken.Reveal()))), "by a refresh token")
		require.Error(t, verify(s, two))

		session := must(s.Issue(t.Context(), p, nil))
		for name, other := range map[string]*auth.Principal{
			"nobody": nil, "a password": p, "a session": session.Principal,
			"a session with a name alike": {Subject: "42", Credential: auth.Credential{Family: "rf_" + strings.Repeat("A", 40)}},
		} {
			require.Equal(t, auth.ErrNotMine, f.Revoke(t.Context(), other), name)
		}
		require.NoError(t, verify(s, session))
	})
}

func TestRefreshRevokeAllAndOthers(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newStore(t)
		f := newRefresh(t, store, newSessions(t, store, nil), nil)
		p, q := authtest.Principal("42"), authtest.Principal("43")
		mine, other, theirs := must(f.Issue(t.Context(), p, nil)), must(f.Issue(t.Context(), p, nil)), must(f.Issue(t.Context(), q, nil))
		authtest.Advance(time.Hour)

		require.NoError(t, f.RevokeOthers(t.Context(), mine.Principal))
		mine = must(exchange(f, mine.RefreshToken, nil))
		_, err := exchange(f, other.RefreshToken, nil)
		require.ErrorIs(t, err, auth.ErrRevoked)
		require.Equal(t, auth.ErrRevoked, f.RevokeOthers(t.Context(), other.Principal), "the dead do not kill")

		require.NoError(t, f.RevokeAll(t.Context(), p))
		_, err = exchange(f, mine.RefreshToken, nil)
		require.ErrorIs(t, err, auth.ErrRevoked)
		must(exchange(f, theirs.RefreshToken, nil))

		authtest.Advance(tick)
		must(f.Issue(t.Context(), authtest.Principal("42"), nil))
	})
}

// Not every access issuer looks at marks; a family ends all the same.
func TestRefreshEndsWhateverTheAccess(t *testing.T) {
	blind := issuer(func(p *auth.Principal, _ *auth.IssueOptions) (*auth.Grant, error) {
		return &auth.Grant{Token: auth.NewSecret("access"), Principal: p}, nil
	})
	ends := map[string]func(*auth.Refresh, *auth.Principal) error{
		"family": func(f *auth.Refresh, p *auth.Principal) error { return f.Revoke(context.Background(), p) },
		"owner":  func(f *auth.Refresh, p *auth.Principal) error { return f.RevokeAll(context.Background(), p) },
	}
	for name, end := range ends {
		store := newTap(t)
		f := newRefresh(t, store, blind, nil)
		p := authtest.Principal("42")
		first := must(f.Issue(t.Context(), p, nil))
		second := must(exchange(f, first.RefreshToken, nil))
		require.NoError(t, end(f, second.Principal))
		for _, g := range []*auth.Grant{first, second} { // spent a moment ago, and not spent
			_, err := exchange(f, g.RefreshToken, nil)
			require.ErrorIs(t, err, auth.ErrRevoked, name)
		}
		require.Len(t, store.dump(auth.KindRefresh), 2)

		if name == "owner" {
			_, err := f.Issue(t.Context(), p, nil)
			require.ErrorIs(t, err, auth.ErrRevoked, "proved before, issued after")
		}
	}
}

// A store that has lost the token meanwhile, by a restart or a restore.
func TestRefreshTokenThatIsLostInFlight(t *testing.T) {
	store := newTap(t)
	s := newSessions(t, store, nil)
	f := newRefresh(t, store, s, nil)
	p := authtest.Principal("42")
	g := must(f.Issue(t.Context(), p, nil))
	require.NoError(t, s.Revoke(t.Context(), g.Principal))
	store.before = once("Replace", func() {
		must(store.Store.Take(t.Context(), auth.DigestOf(auth.KindRefresh, g.RefreshToken.Reveal())))
	})
	_, err := exchange(f, g.RefreshToken, nil)
	require.ErrorIs(t, err, auth.ErrRevoked)
	require.Empty(t, store.dump())
}

// An end that comes while the pair is made is an end all the same.
func TestRefreshFamilyEndsInFlight(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newTap(t)
		s := newSessions(t, store, nil)
		f := newRefresh(t, store, s, nil)
		g := must(f.Issue(t.Context(), authtest.Principal("42"), nil))
		authtest.Advance(30*24*time.Hour - tick)
		store.lost = once("Insert", func() { authtest.Advance(tick) })
		_, err := exchange(f, g.RefreshToken, nil)
		require.ErrorIs(t, err, auth.ErrExpired)
		require.Len(t, store.dump(), 1)
	})
}
