package auth_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

const tick = time.Microsecond // the least that a store can tell apart

func newSessions(t testing.TB, store auth.Store, o *auth.SessionOptions) *auth.Sessions {
	t.Helper()
	s, err := auth.NewSessions(store, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestSessionProvesWhomItWasOpenedFor(t *testing.T) {
	s := newSessions(t, newStore(t), nil)
	p := authtest.Principal("42", "read", "write")
	p.Issuer, p.Tenant, p.Tier, p.Claims = "https://idp", "acme", "premium", []byte(`{"a":1}`)

	g, err := s.Issue(t.Context(), p, &auth.IssueOptions{Scopes: []string{"write", "admin"}, Confirmation: "key"})
	require.NoError(t, err)
	got, err := s.Verify(t.Context(), g.Token.Reveal())
	require.NoError(t, err)
	require.Equal(t, g.Principal, got)

	want := *p
	want.Scopes = []string{"write"} // asked for, and had
	want.Credential = got.Credential
	require.Equal(t, &want, got)
	c := got.Credential
	require.Equal(t, auth.KindSession, c.Kind)
	require.Equal(t, auth.DigestOf(auth.KindSession, g.Token.Reveal()).String(), c.ID)
	require.Equal(t, c.ID, c.Family)
	require.Equal(t, "key", c.Confirmation)
	require.Equal(t, []string{"read", "write"}, p.Scopes, "a principal is not written again")
}

func TestSessionIsNewAtEveryLogin(t *testing.T) {
	s := newSessions(t, newStore(t), nil)
	p := authtest.Principal("42")
	seen := map[string]bool{}
	for range 100 {
		token := must(s.Issue(t.Context(), p, nil)).Token.Reveal()
		require.False(t, seen[token])
		seen[token] = true
	}
}

func TestSessionOfNobodyIsNotOpened(t *testing.T) {
	store := newTap(t)
	s := newSessions(t, store, nil)
	unproved := authtest.Principal("42")
	unproved.Origin.Time = time.Time{}
	for name, p := range map[string]*auth.Principal{
		"nil":             nil,
		"without subject": {Issuer: "https://idp", Tenant: "acme"},
		"without a proof": unproved,
	} {
		_, err := s.Issue(t.Context(), p, nil)
		require.Error(t, err, name)
	}
	require.Empty(t, store.dump())
}

func TestSessionLifetime(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		own, asked, want time.Duration
	}{
		"default":           {0, 0, day},
		"own":               {14 * day, 0, 14 * day},
		"shorter asked for": {0, time.Hour, time.Hour},
		"longer asked for":  {time.Hour, day, time.Hour},
		"the most":          {400 * day, 0, 400 * day},
		"below a tick":      {time.Hour + 1, 0, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			authtest.At(t, begin, func(t *testing.T) {
				s := newSessions(t, newStore(t), &auth.SessionOptions{Lifetime: c.own})
				g := must(s.Issue(t.Context(), authtest.Principal("42"), &auth.IssueOptions{Lifetime: c.asked}))
				require.Equal(t, begin, g.Principal.Credential.Created)
				require.Equal(t, begin.Add(c.want), g.Principal.Credential.Expires)

				authtest.Advance(c.want - tick)
				require.NoError(t, verify(s, g))
				require.Len(t, listed(t, s, g.Principal), 1)
				authtest.Advance(tick)
				require.Equal(t, auth.ErrExpired, verify(s, g))
				require.Empty(t, listed(t, s, g.Principal))

				authtest.Advance(day - tick)
				require.Equal(t, auth.ErrExpired, verify(s, g), "expired is told from unknown for a day")
				authtest.Advance(tick)
				require.Equal(t, auth.ErrInvalid, verify(s, g))
			})
		})
	}
}

func TestSessionIdle(t *testing.T) {
	o := &auth.SessionOptions{Idle: time.Hour, Lifetime: 5 * time.Hour}

	t.Run("unused", func(t *testing.T) {
		authtest.At(t, begin, func(t *testing.T) {
			s := newSessions(t, newStore(t), o)
			g := must(s.Issue(t.Context(), authtest.Principal("42"), nil))
			authtest.Advance(time.Hour - tick)
			require.Len(t, listed(t, s, g.Principal), 1, "looking at the list is no use")
			authtest.Advance(tick)
			require.Equal(t, auth.ErrExpired, verify(s, g))
			require.Empty(t, listed(t, s, g.Principal))
		})
	})
	t.Run("used, up to the absolute end", func(t *testing.T) {
		authtest.At(t, begin, func(t *testing.T) {
			s := newSessions(t, newStore(t), o)
			g := must(s.Issue(t.Context(), authtest.Principal("42"), nil))
			for range 5 {
				authtest.Advance(time.Hour - tick)
				require.NoError(t, verify(s, g))
			}
			authtest.Advance(5*tick - tick)
			require.NoError(t, verify(s, g))
			authtest.Advance(tick)
			require.Equal(t, auth.ErrExpired, verify(s, g), "use does not move the absolute end")
		})
	})
	t.Run("used once, then not", func(t *testing.T) {
		authtest.At(t, begin, func(t *testing.T) {
			s := newSessions(t, newStore(t), o)
			g := must(s.Issue(t.Context(), authtest.Principal("42"), nil))
			authtest.Advance(time.Hour / 2)
			require.NoError(t, verify(s, g))
			authtest.Advance(time.Hour - tick)
			require.Len(t, listed(t, s, g.Principal), 1)
			authtest.Advance(tick)
			require.Equal(t, auth.ErrExpired, verify(s, g))
		})
	})
	t.Run("known to the next process", func(t *testing.T) {
		authtest.At(t, begin, func(t *testing.T) {
			store := newStore(t)
			s := newSessions(t, store, o)
			g := must(s.Issue(t.Context(), authtest.Principal("42"), nil))
			authtest.Advance(time.Hour - tick)
			require.NoError(t, verify(s, g))
			require.NoError(t, s.Close())
			authtest.Advance(time.Hour - tick)
			require.NoError(t, verify(newSessions(t, store, o), g))
		})
	})
	// The use waits in memory when the record is read, and is in the store when
	// the memory is looked at.
	t.Run("written while it is judged", func(t *testing.T) {
		authtest.At(t, begin, func(t *testing.T) {
			store := newTap(t)
			s := newSessions(t, store, o)
			g := must(s.Issue(t.Context(), authtest.Principal("42"), nil))
			authtest.Advance(time.Hour - tick)
			require.NoError(t, verify(s, g))
			authtest.Advance(tick)
			store.lost = once("Lookup", func() { authtest.Advance(time.Minute) })
			require.NoError(t, verify(s, g))
		})
	})
}

func TestSessionListShowsDevices(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		s := newSessions(t, newStore(t), nil)
		p := authtest.Principal("42")
		phone := auth.Device{Name: "phone", UserAgent: "Firefox", Address: netip.MustParseAddr("2001:db8::1")}
		first := must(s.Issue(t.Context(), p, &auth.IssueOptions{Device: phone}))
		authtest.Advance(time.Hour)
		second := must(s.Issue(t.Context(), p, nil))
		must(s.Issue(t.Context(), authtest.Principal("43"), nil))
		other := *p
		other.Tenant = "acme"
		must(s.Issue(t.Context(), &other, nil))
		require.NoError(t, verify(s, first))

		require.ElementsMatch(t, []auth.Session{
			{
				ID:      first.Principal.Credential.ID,
				Device:  phone,
				Created: begin,
				Seen:    begin.Add(time.Hour),
				Expires: begin.Add(24 * time.Hour),
			},
			{
				ID:      second.Principal.Credential.ID,
				Created: begin.Add(time.Hour),
				Seen:    begin.Add(time.Hour),
				Expires: begin.Add(25 * time.Hour),
			},
		}, listed(t, s, p))

		for range s.List(t.Context(), p) {
			break // one is enough
		}
	})
}

func TestSessionEnd(t *testing.T) {
	store := newStore(t)
	s := newSessions(t, store, nil)
	keys := newKeys(t, store, nil)
	p := authtest.Principal("42")
	mine := must(s.Issue(t.Context(), p, nil))
	theirs := must(s.Issue(t.Context(), authtest.Principal("43"), nil))
	key := must(keys.Create(t.Context(), p, nil))

	for name, id := range map[string]string{
		"someone else's": theirs.Principal.Credential.ID,
		"a key's":        key.Principal.Credential.ID,
		"unknown":        auth.DigestOf(auth.KindSession, "").String(),
		"malformed":      "?",
		"the token":      mine.Token.Reveal(),
		"empty":          "",
	} {
		require.ErrorIs(t, s.End(t.Context(), p, id), auth.ErrNotFound, name)
	}
	require.NoError(t, verify(s, mine))
	require.NoError(t, verify(s, theirs))
	require.NoError(t, verify(keys, key))

	require.NoError(t, s.End(t.Context(), p, mine.Principal.Credential.ID))
	require.Equal(t, auth.ErrInvalid, verify(s, mine))
	require.ErrorIs(t, s.End(t.Context(), p, mine.Principal.Credential.ID), auth.ErrNotFound)
}

func TestSessionRevoke(t *testing.T) {
	s := newSessions(t, newStore(t), nil)
	p := authtest.Principal("42")
	one, two := must(s.Issue(t.Context(), p, nil)), must(s.Issue(t.Context(), p, nil))

	require.NoError(t, s.Revoke(t.Context(), one.Principal))
	require.NoError(t, s.Revoke(t.Context(), one.Principal), "that it is gone already is as good")
	require.Equal(t, auth.ErrInvalid, verify(s, one))
	require.NoError(t, verify(s, two))

	require.Equal(t, auth.ErrNotMine, s.Revoke(t.Context(), p))
	require.Equal(t, auth.ErrNotMine, s.Revoke(t.Context(), nil))
}

func TestSessionRenew(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		s := newSessions(t, newStore(t), &auth.SessionOptions{Limit: 1, RefuseNewest: true})
		laptop := auth.Device{Name: "laptop"}
		old := must(s.Issue(t.Context(), authtest.Principal("42", "read"), &auth.IssueOptions{Device: laptop, Confirmation: "key"}))
		authtest.Advance(time.Hour)

		raised := *old.Principal.ProvedAt(time.Now())
		raised.Scopes = []string{"read", "admin"}
		renewed, err := s.Renew(t.Context(), &raised)
		require.NoError(t, err, "a full house has room for the one that is there")
		require.NotEqual(t, old.Token.Reveal(), renewed.Token.Reveal())
		require.Equal(t, auth.ErrInvalid, verify(s, old))

		got := must(s.Verify(t.Context(), renewed.Token.Reveal()))
		require.Equal(t, []string{"read", "admin"}, got.Scopes)
		require.Equal(t, begin.Add(time.Hour), got.Origin.Time)
		require.Equal(t, old.Principal.Credential.Family, got.Credential.Family)
		require.Equal(t, old.Principal.Credential.Expires, got.Credential.Expires, "the end stays where it was")
		require.Equal(t, begin.Add(time.Hour), got.Credential.Created)
		require.Equal(t, "key", got.Credential.Confirmation)
		open := listed(t, s, got)
		require.Len(t, open, 1)
		require.Equal(t, laptop, open[0].Device)

		_, err = s.Renew(t.Context(), &raised)
		require.ErrorIs(t, err, auth.ErrRevoked, "the old one is gone")
		authtest.Advance(23 * time.Hour)
		_, err = s.Renew(t.Context(), got)
		require.Equal(t, auth.ErrExpired, err)
		_, err = s.Renew(t.Context(), authtest.Principal("42"))
		require.Equal(t, auth.ErrNotMine, err)
		_, err = s.Renew(t.Context(), nil)
		require.Equal(t, auth.ErrNotMine, err)
	})
}

func TestSessionEndsWithTheKeyThatOpenedIt(t *testing.T) {
	for name, end := range map[string]func(*auth.APIKeys, *testing.T, string) error{
		"disabled": func(k *auth.APIKeys, t *testing.T, id string) error { return k.Disable(t.Context(), id) },
		"revoked":  func(k *auth.APIKeys, t *testing.T, id string) error { return k.Revoke(t.Context(), id) },
	} {
		t.Run(name, func(t *testing.T) {
			authtest.At(t, begin, func(t *testing.T) {
				store := newStore(t)
				s, keys := newSessions(t, store, nil), newKeys(t, store, nil)
				p := authtest.Principal("42")
				key, other := must(keys.Create(t.Context(), p, nil)), must(keys.Create(t.Context(), p, nil))
				opened := must(s.Issue(t.Context(), key.Principal.ProvedAt(time.Now()), nil))
				byOther := must(s.Issue(t.Context(), other.Principal.ProvedAt(time.Now()), nil))
				byPassword := must(s.Issue(t.Context(), p, nil))
				require.NoError(t, verify(s, opened))

				id := key.Principal.Credential.ID
				require.Equal(t, auth.Origin{Kind: auth.KindAPIKey, ID: id, Time: begin}, opened.Principal.Origin)
				require.NoError(t, end(keys, t, id))
				require.Equal(t, auth.ErrRevoked, verify(s, opened))
				require.NoError(t, verify(s, byOther))
				require.NoError(t, verify(s, byPassword))

				if name == "disabled" {
					require.NoError(t, keys.Enable(t.Context(), id))
					require.Equal(t, auth.ErrRevoked, verify(s, opened), "what it had opened stays ended")
					_, err := s.Issue(t.Context(), key.Principal.ProvedAt(time.Now()), nil)
					require.ErrorIs(t, err, auth.ErrRevoked, "proved at the time of the mark")
					authtest.Advance(tick)
					again := must(s.Issue(t.Context(), key.Principal.ProvedAt(time.Now()), nil))
					require.NoError(t, verify(s, again))
				}
			})
		})
	}
}

// A sign-out whose session was given a new token a moment ago is meant for that
// one too.
func TestSessionRevokeAfterRenew(t *testing.T) {
	s := newSessions(t, newStore(t), nil)
	p := authtest.Principal("42")
	old, other := must(s.Issue(t.Context(), p, nil)), must(s.Issue(t.Context(), p, nil))
	renewed := must(s.Renew(t.Context(), old.Principal))
	require.NoError(t, s.Revoke(t.Context(), old.Principal))
	require.Error(t, verify(s, renewed))
	require.NoError(t, verify(s, other))
}
