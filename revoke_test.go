package auth_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// markTimes returns the times of the marks in a store.
func markTimes(s *tap) []time.Time {
	var all []time.Time
	for _, r := range s.dump(auth.KindMark) {
		all = append(all, r.Created)
	}
	return all
}

// at returns p as proved at t.
func at(p *auth.Principal, t time.Time) *auth.Principal { return p.ProvedAt(t) }

func TestRevokeAllEndsWhatWasProvedUntilThen(t *testing.T) {
	for _, batch := range []bool{true, false} {
		authtest.At(t, begin, func(t *testing.T) {
			var store auth.Store = newStore(t)
			if !batch {
				store = listerStore{store, store.(auth.Lister)} // one look-up for each mark
			}
			s := newSessions(t, store, nil)
			p := authtest.Principal("42")
			mine := []*auth.Grant{must(s.Issue(t.Context(), p, nil)), must(s.Issue(t.Context(), p, nil))}
			var theirs []*auth.Grant
			for _, q := range []auth.Principal{{Subject: "43"}, {Subject: "42", Tenant: "acme"}, {Subject: "42", Issuer: "https://idp"}} {
				theirs = append(theirs, must(s.Issue(t.Context(), at(&q, begin), nil)))
			}
			authtest.Advance(time.Minute)
			require.NoError(t, s.RevokeAll(t.Context(), p))
			for _, g := range mine {
				require.Equal(t, auth.ErrInvalid, verify(s, g))
			}
			for _, g := range theirs {
				require.NoError(t, verify(s, g))
				must(s.Issue(t.Context(), g.Principal, nil))
			}

			// A login that was proved before, and is only now turned into a
			// session, was meant too.
			for d, want := range map[time.Duration]error{-time.Minute: auth.ErrRevoked, -tick: auth.ErrRevoked, 0: auth.ErrRevoked, tick: nil} {
				g, err := s.Issue(t.Context(), at(p, time.Now().Add(d)), nil)
				require.ErrorIs(t, err, want, d)
				if want == nil {
					require.NoError(t, verify(s, g))
				}
			}
			require.Len(t, listed(t, s, p), 1)
		})
	}
}

func TestRevokeOthersSparesTheFamily(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newStore(t)
		s := newSessions(t, store, nil)
		p := authtest.Principal("42")
		mine, other := must(s.Issue(t.Context(), p, nil)), must(s.Issue(t.Context(), p, nil))
		authtest.Advance(time.Minute)

		require.NoError(t, s.RevokeOthers(t.Context(), mine.Principal))
		require.NoError(t, verify(s, mine))
		require.Error(t, verify(s, other))
		require.Len(t, listed(t, s, p), 1)
		mine = must(s.Renew(t.Context(), mine.Principal))
		mine = must(s.Renew(t.Context(), mine.Principal))
		require.NoError(t, verify(s, mine))

		_, err := s.Issue(t.Context(), other.Principal, nil)
		require.ErrorIs(t, err, auth.ErrRevoked, "what was proved then stays out")
		require.NoError(t, s.RevokeOthers(t.Context(), mine.Principal), "again")
		require.NoError(t, verify(s, mine))
		require.NoError(t, s.RevokeAll(t.Context(), mine.Principal))
		require.Error(t, verify(s, mine))
	})
}

func TestRevokeOthersByOneWithoutAFamilyIsRevokeAll(t *testing.T) {
	s := newSessions(t, newStore(t), nil)
	p := authtest.Principal("42")
	g := must(s.Issue(t.Context(), p, nil))
	require.NoError(t, s.RevokeOthers(t.Context(), p))
	require.Error(t, verify(s, g))
}

// A thief whose session was ended a moment ago has a request in flight that
// asks for all the others to end: it must not bring the thief back.
func TestRevokeOthersByTheDeadIsRefused(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newTap(t)
		s := newSessions(t, store, nil)
		f := newRefresh(t, store, s, nil)
		thief, owner := must(f.Issue(t.Context(), authtest.Principal("42"), nil)), must(f.Issue(t.Context(), authtest.Principal("42"), nil))
		authtest.Advance(time.Minute)
		require.NoError(t, s.RevokeOthers(t.Context(), owner.Principal))
		marks := markTimes(store)

		for _, d := range []time.Duration{0, time.Minute} {
			authtest.Advance(d)
			require.Equal(t, auth.ErrRevoked, s.RevokeOthers(t.Context(), thief.Principal))
			require.Equal(t, auth.ErrRevoked, f.RevokeOthers(t.Context(), thief.Principal))
			require.Equal(t, marks, markTimes(store))
			_, err := exchange(f, thief.RefreshToken, nil)
			require.ErrorIs(t, err, auth.ErrRevoked)
			require.NoError(t, verify(s, owner))
		}
		must(exchange(f, owner.RefreshToken, nil))
	})
}

// Marks are raised in any order, by hosts whose clocks differ. What one has
// ended stays ended.
func TestMarksAreNeverLowered(t *testing.T) {
	const early, late = time.Minute, 2 * time.Minute
	for name, c := range map[string]struct {
		first, second time.Duration
		spareFirst    bool
		alive         bool // the family that the RevokeOthers among the two spares
	}{
		"others late, then all early": {late, early, true, false},
		"others early, then all late": {early, late, true, false},
		"others, all at once":         {early, early, true, false},
		"all late, then others early": {late, early, false, false},
		"all early, then others late": {early, late, false, false},
		"all, others at once":         {early, early, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			store := newTap(t)
			var mine *auth.Grant
			// Two calls in two bubbles: the clock of the second may be behind.
			call := func(d time.Duration, others bool) {
				authtest.At(t, begin.Add(d), func(t *testing.T) {
					s := must(auth.NewSessions(store, nil))
					if others {
						_ = s.RevokeOthers(t.Context(), mine.Principal)
					} else {
						require.NoError(t, s.RevokeAll(t.Context(), mine.Principal))
					}
				})
			}
			authtest.At(t, begin, func(t *testing.T) {
				s := must(auth.NewSessions(store, nil))
				mine = must(must(auth.NewRefresh(store, s, nil)).Issue(t.Context(), authtest.Principal("42"), nil))
			})
			call(c.first, c.spareFirst)
			call(c.second, !c.spareFirst)

			want := begin.Add(max(c.first, c.second))
			if !c.spareFirst {
				want = begin.Add(c.first) // the dead do not raise it
			}
			require.Equal(t, []time.Time{want}, markTimes(store))
			for _, r := range store.dump(auth.KindMark) {
				require.Equal(t, r.Created.Add((400+1)*24*time.Hour), r.KeepUntil, "as long as anything that it ends")
			}
			authtest.At(t, begin.Add(5*time.Minute), func(t *testing.T) {
				s := must(auth.NewSessions(store, nil))
				_, err := exchange(must(auth.NewRefresh(store, s, nil)), mine.RefreshToken, nil)
				require.Equal(t, c.alive, err == nil)
			})
		})
	}
}

// The clock of the host where p logged in is a second ahead of the one where
// they sign out.
func TestRevokeAllReachesTheFuture(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newStore(t)
		s := newSessions(t, store, nil)
		f := newRefresh(t, store, s, nil)
		p := at(authtest.Principal("42"), begin.Add(time.Second))
		g := must(f.Issue(t.Context(), p, nil))
		require.NoError(t, f.RevokeAll(t.Context(), g.Principal))
		_, err := exchange(f, g.RefreshToken, nil)
		require.ErrorIs(t, err, auth.ErrRevoked)
		_, err = s.Issue(t.Context(), p, nil)
		require.ErrorIs(t, err, auth.ErrRevoked)

		later := at(p, begin.Add(2*time.Second))
		g = must(f.Issue(t.Context(), later, nil))
		require.NoError(t, f.Revoke(t.Context(), g.Principal))
		_, err = exchange(f, g.RefreshToken, nil)
		require.ErrorIs(t, err, auth.ErrRevoked)
	})
}

// Two raise the first mark of a name at once: both are told that it stands.
func TestMarksAreRaisedTogether(t *testing.T) {
	store := newTap(t)
	s := newSessions(t, store, nil)
	p := authtest.Principal("42")
	for range 2 { // first inserted, then replaced
		for _, op := range []string{"Insert", "Replace"} {
			store.before = once(op, func() { require.NoError(t, s.RevokeAll(t.Context(), p)) })
			require.NoError(t, s.RevokeAll(t.Context(), p))
		}
	}
	require.Len(t, markTimes(store), 1)
}

// A store that has never held a mark is asked once, in bulk, and a session that
// was opened with a password not even that.
func TestMarksCostOneLookUp(t *testing.T) {
	store := newTap(t)
	s, keys := newSessions(t, store, nil), newKeys(t, store, nil)
	p := authtest.Principal("42")
	byPassword := must(s.Issue(t.Context(), p, nil))
	key := must(keys.Create(t.Context(), p, nil))
	byKey := must(s.Issue(t.Context(), key.Principal.ProvedAt(time.Now()), nil))
	store.count()
	require.NoError(t, verify(s, byPassword))
	require.Equal(t, 1, store.count())
	require.NoError(t, verify(s, byKey))
	require.Equal(t, 2, store.count())
	must(s.Issue(t.Context(), p, nil))
	require.Equal(t, 1, store.count("LookupAll"))
}

// A resource server that has the public keys alone calls the owner of a token by
// the token's issuer, whatever the API that issued it calls them.
func TestRevokeAllReachesTokensUnderPublicKeys(t *testing.T) {
	ctx, store := t.Context(), memstore.New()
	signing := keySet(t, generate(t, auth.ES256))
	document, err := json.Marshal(signing)
	require.NoError(t, err)
	public, err := auth.ParseJWKS(document)
	require.NoError(t, err)

	issuer := newJWT(t, signing, &auth.JWTOptions{Revocation: store})
	resource := newJWT(t, keySet(t, nil, public...), &auth.JWTOptions{Revocation: store})
	for _, idp := range []string{"", jwtIssuer, "https://idp.example"} {
		ada := &auth.Principal{Issuer: idp, Subject: "ada"}
		g, err := issuer.Issue(ctx, ada.ProvedAt(time.Now()), nil)
		require.NoError(t, err)
		p, err := resource.Verify(ctx, g.Token.Reveal())
		require.NoError(t, err)
		require.Equal(t, jwtIssuer, p.Issuer, "a foreign token names no other issuer")

		require.NoError(t, issuer.RevokeAll(ctx, &auth.Principal{Issuer: idp, Subject: "somebody else"}))
		_, err = resource.Verify(ctx, g.Token.Reveal())
		require.NoError(t, err)
		require.NoError(t, issuer.RevokeAll(ctx, ada))
		_, err = resource.Verify(ctx, g.Token.Reveal())
		require.ErrorIs(t, err, auth.ErrRevoked, "%q", idp)
	}
}

// What Revoked tells is what an issue would meet, by any of the names.
func TestRevokedTellsWhatHasEnded(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newTap(t)
		sessions := newSessions(t, store, nil)
		ada := authtest.Principal("ada")
		ada.Credential = auth.Credential{}
		told := func(p *auth.Principal) bool { return must(auth.Revoked(t.Context(), store, p)) }
		require.False(t, told(ada))
		theirs := *ada
		theirs.Credential.ClientID = "web"
		authtest.Advance(tick)
		require.NoError(t, auth.RevokeClient(t.Context(), store, "web"))
		require.True(t, told(&theirs))
		require.False(t, told(ada))

		mine := must(sessions.Issue(t.Context(), ada, nil)).Principal
		require.NoError(t, sessions.RevokeOthers(t.Context(), mine))
		require.False(t, told(mine), "spared")
		require.True(t, told(ada))
		authtest.Advance(tick)
		require.False(t, told(ada.ProvedAt(time.Now())))

		down := errors.New("down")
		store.before = func(string) error { return down }
		_, err := auth.Revoked(t.Context(), store, ada)
		require.ErrorIs(t, err, down)
	})
}
