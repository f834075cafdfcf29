package auth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

const opaqueAudience = "https://api.example"

func newOpaque(t testing.TB, store auth.Store, o *auth.OpaqueTokenOptions) *auth.OpaqueTokens {
	t.Helper()
	tokens, err := auth.NewOpaqueTokens(store, opaqueAudience, o)
	require.NoError(t, err)
	return tokens
}

func TestNewOpaqueTokensRefuses(t *testing.T) {
	_, err := auth.NewOpaqueTokens(nil, "", &auth.OpaqueTokenOptions{Lifetime: -1})
	for _, want := range []string{"NewOpaqueTokens", "no store", "audience is empty", "lifetime"} {
		require.ErrorContains(t, err, want)
	}
	for name, o := range map[string]*auth.OpaqueTokenOptions{
		"an empty other audience": {Audiences: []string{"https://other.example", ""}},
		"a lifetime too long":     {Lifetime: 400*24*time.Hour + 1},
	} {
		_, err := auth.NewOpaqueTokens(newStore(t), opaqueAudience, o)
		require.Error(t, err, name)
	}
	_, err = auth.NewOpaqueTokens((*tap)(nil), opaqueAudience, nil)
	require.ErrorContains(t, err, "no store")
	must(auth.NewOpaqueTokens(newStore(t), opaqueAudience, &auth.OpaqueTokenOptions{Lifetime: 400 * 24 * time.Hour}))
}

func TestOpaqueTokenProvesWhomItWasIssuedFor(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		tokens := newOpaque(t, newStore(t), nil)
		p := authtest.Principal("42", "read", "write")
		p.Issuer, p.Tenant, p.Tier, p.Claims = "https://idp", "acme", "premium", []byte(`{"a":1}`)
		p.Origin.ACR = "urn:example:mfa"
		for name, test := range map[string]struct {
			options *auth.IssueOptions
			scopes  []string
			want    auth.Credential
		}{
			"as it comes": {nil, []string{"read", "write"}, auth.Credential{Audience: []string{opaqueAudience}, Expires: begin.Add(time.Hour)}},
			"all options": {
				&auth.IssueOptions{
					Lifetime: time.Minute, Scopes: []string{"write", "admin"}, Audience: []string{"https://other.example", opaqueAudience},
					Confirmation: "jkt:k", ClientID: "web", Family: "rf_family",
				}, []string{"write"},
				auth.Credential{
					Audience: []string{"https://other.example", opaqueAudience}, Confirmation: "jkt:k", ClientID: "web", Family: "rf_family",
					Expires: begin.Add(time.Minute),
				},
			},
		} {
			g := must(tokens.Issue(t.Context(), p, test.options))
			require.Regexp(t, `^at_[-_0-9A-Za-z]{43}$`, g.Token.Reveal(), name)
			got := must(tokens.Verify(t.Context(), g.Token.Reveal()))
			require.Equal(t, g.Principal, got, name)
			c := test.want
			c.Kind, c.Created = auth.KindAccessToken, begin
			c.ID = auth.DigestOf(auth.KindAccessToken, g.Token.Reveal()).String()
			if c.Family == "" {
				c.Family = c.ID
			}
			want := *p
			want.Scopes, want.Credential = test.scopes, c
			require.Equal(t, &want, got, name)
		}
		require.Equal(t, auth.KindAccessToken, tokens.Kind())
		require.Equal(t, []string{"read", "write"}, p.Scopes, "a principal is not written again")

		_, err := tokens.Issue(t.Context(), nil, nil)
		require.Error(t, err)
		_, err = tokens.Issue(t.Context(), &auth.Principal{}, nil)
		require.Error(t, err)
	})
}

// A token is for whom it says, by exact comparison.
func TestOpaqueTokenAudience(t *testing.T) {
	store := newStore(t)
	tokens := newOpaque(t, store, &auth.OpaqueTokenOptions{Audiences: []string{"https://alias.example"}})
	for _, test := range []struct {
		audience []string
		ours     bool
	}{
		{nil, true},
		{[]string{opaqueAudience}, true},
		{[]string{"https://alias.example"}, true},
		{[]string{"https://other.example", "https://alias.example"}, true},
		{[]string{"https://other.example"}, false},
		{[]string{opaqueAudience + "/"}, false},
		{[]string{strings.ToUpper(opaqueAudience)}, false},
	} {
		g := must(tokens.Issue(t.Context(), authtest.Principal("42"), &auth.IssueOptions{Audience: test.audience}))
		if test.ours {
			require.NoError(t, verify(tokens, g), "%q", test.audience)
		} else {
			require.ErrorIs(t, verify(tokens, g), auth.ErrInvalid, "%q", test.audience)
		}
	}
	other := must(auth.NewOpaqueTokens(store, "https://other.example", nil))
	require.ErrorIs(t, verify(other, must(tokens.Issue(t.Context(), authtest.Principal("42"), nil))), auth.ErrInvalid)
}

func TestOpaqueTokenExpires(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		tokens := newOpaque(t, newStore(t), &auth.OpaqueTokenOptions{Lifetime: time.Minute})
		g := must(tokens.Issue(t.Context(), authtest.Principal("42"), nil))
		short := must(tokens.Issue(t.Context(), authtest.Principal("42"), &auth.IssueOptions{Lifetime: time.Second}))
		authtest.Advance(time.Second)
		require.ErrorIs(t, verify(tokens, short), auth.ErrExpired)
		authtest.Advance(time.Minute - time.Second - tick)
		require.NoError(t, verify(tokens, g))
		authtest.Advance(tick)
		require.ErrorIs(t, verify(tokens, g), auth.ErrExpired)
		authtest.Advance(1000 * time.Hour)
		require.ErrorIs(t, verify(tokens, g), auth.ErrInvalid, "it is forgotten")
	})
}

// Row 22: whatever ends a token does so at its next use, and no other token.
func TestWhatEndsOpaqueTokens(t *testing.T) {
	const web, phone = "web", "phone"
	family := auth.NewFamily()
	for name, end := range map[string]func(t *testing.T, store auth.Store, tokens *auth.OpaqueTokens, g *auth.Grant) error{
		"revoked": func(t *testing.T, _ auth.Store, tokens *auth.OpaqueTokens, g *auth.Grant) error {
			return tokens.Revoke(t.Context(), g.Principal)
		},
		"its family": func(t *testing.T, store auth.Store, tokens *auth.OpaqueTokens, g *auth.Grant) error {
			return newRefresh(t, store, tokens, nil).Revoke(t.Context(), g.Principal)
		},
		"its owner": func(t *testing.T, _ auth.Store, tokens *auth.OpaqueTokens, g *auth.Grant) error {
			return tokens.RevokeAll(t.Context(), g.Principal)
		},
		"by sessions of the owner": func(t *testing.T, store auth.Store, _ *auth.OpaqueTokens, g *auth.Grant) error {
			return newSessions(t, store, nil).RevokeAll(t.Context(), g.Principal)
		},
		"its client": func(t *testing.T, store auth.Store, _ *auth.OpaqueTokens, _ *auth.Grant) error {
			return auth.RevokeClient(t.Context(), store, web)
		},
		"its origin": func(t *testing.T, store auth.Store, _ *auth.OpaqueTokens, _ *auth.Grant) error {
			return must(auth.NewPlatforms(store, must(auth.NewPlatformList()), nil)).Suspend(t.Context(), "acme")
		},
		"by another of the owner's": func(t *testing.T, _ auth.Store, tokens *auth.OpaqueTokens, g *auth.Grant) error {
			other := *g.Principal
			other.Credential.Family = auth.NewFamily()
			other.Origin.Time = time.Now().Add(time.Second) // signed in since
			return tokens.RevokeOthers(t.Context(), &other)
		},
	} {
		t.Run(name, func(t *testing.T) {
			authtest.At(t, begin, func(t *testing.T) {
				store := newStore(t)
				tokens := newOpaque(t, store, nil)
				p := authtest.Principal("42")
				p.Origin = auth.Origin{Kind: auth.KindPlatform, ID: "acme", Time: begin}
				g := must(tokens.Issue(t.Context(), p, &auth.IssueOptions{ClientID: web, Family: family}))
				stranger := authtest.Principal("43")
				stranger.Origin = auth.Origin{Kind: auth.KindPlatform, ID: "other", Time: begin}
				other := must(tokens.Issue(t.Context(), stranger, &auth.IssueOptions{ClientID: phone}))
				authtest.Advance(time.Second)
				require.NoError(t, verify(tokens, g))
				require.NoError(t, end(t, store, tokens, g))
				if name == "revoked" {
					require.ErrorIs(t, verify(tokens, g), auth.ErrInvalid)
				} else {
					require.ErrorIs(t, verify(tokens, g), auth.ErrRevoked)
				}
				require.NoError(t, verify(tokens, other), "somebody else's")
				authtest.Advance(time.Second)
				require.Error(t, verify(tokens, g), "and stays so")
			})
		})
	}
}

// What is proved after a client was ended is good again.
func TestRevokeClientEndsWhatWasProvedUntilThen(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newTap(t)
		tokens := newOpaque(t, store, nil)
		jwts := newJWT(t, keySet(t, hmacKey(t)), &auth.JWTOptions{Revocation: store})
		refresh := newRefresh(t, store, tokens, nil)
		web := &auth.IssueOptions{ClientID: "web"}
		ada := authtest.Principal("ada").ProvedAt(time.Now())
		pair, token, signed := must(refresh.Issue(t.Context(), ada, web)), must(tokens.Issue(t.Context(), ada, web)), must(jwts.Issue(t.Context(), ada, web))
		elsewhere := must(tokens.Issue(t.Context(), ada, &auth.IssueOptions{ClientID: "Web"}))
		own := must(tokens.Issue(t.Context(), ada, nil))
		// What an access token of the client opens is the client's, too.
		session := must(newSessions(t, store, nil).Issue(t.Context(), token.Principal, nil))
		require.Equal(t, "web", session.Principal.Credential.ClientID)
		authtest.Advance(time.Second)

		require.NoError(t, auth.RevokeClient(t.Context(), store, "web"))
		for _, g := range []*auth.Grant{pair, token} {
			require.ErrorIs(t, verify(tokens, g), auth.ErrRevoked)
		}
		require.ErrorIs(t, verify(jwts, signed), auth.ErrRevoked)
		_, err := exchange(refresh, pair.RefreshToken, web)
		require.ErrorIs(t, err, auth.ErrRevoked)
		require.NoError(t, verify(tokens, elsewhere))
		require.NoError(t, verify(tokens, own))

		_, err = tokens.Issue(t.Context(), ada, web)
		require.ErrorIs(t, err, auth.ErrRevoked, "who signed in before does so again")
		_, err = refresh.Issue(t.Context(), ada, web)
		require.ErrorIs(t, err, auth.ErrRevoked)
		authtest.Advance(tick)
		require.NoError(t, verify(tokens, must(tokens.Issue(t.Context(), ada.ProvedAt(time.Now()), web))))

		store.count()
		require.Error(t, auth.RevokeClient(t.Context(), store, ""))
		require.Zero(t, store.count())
		down := errors.New("down")
		store.before = func(string) error { return down }
		require.ErrorIs(t, auth.RevokeClient(t.Context(), store, "web"), down)
	})
}

func TestOpaqueTokensRevoke(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newStore(t)
		tokens, sessions := newOpaque(t, store, nil), newSessions(t, store, nil)
		p := authtest.Principal("42")
		one, two := must(tokens.Issue(t.Context(), p, nil)), must(tokens.Issue(t.Context(), p, nil))
		session := must(sessions.Issue(t.Context(), p, nil))
		require.NoError(t, tokens.Revoke(t.Context(), one.Principal))
		require.NoError(t, tokens.Revoke(t.Context(), one.Principal), "that it is gone is as good")
		require.ErrorIs(t, verify(tokens, one), auth.ErrInvalid)
		require.NoError(t, verify(tokens, two))
		for name, other := range map[string]*auth.Principal{
			"nobody": nil, "a password": p, "a session": session.Principal,
			"no id": {Subject: "42", Credential: auth.Credential{Kind: auth.KindAccessToken, ID: "x"}},
		} {
			require.Equal(t, auth.ErrNotMine, tokens.Revoke(t.Context(), other), name)
		}
		require.NoError(t, verify(sessions, session))

		// All but the family of one.
		three := must(tokens.Issue(t.Context(), p, nil))
		authtest.Advance(time.Second)
		require.NoError(t, tokens.RevokeOthers(t.Context(), two.Principal))
		require.NoError(t, verify(tokens, two))
		require.ErrorIs(t, verify(tokens, three), auth.ErrRevoked)
		require.Equal(t, auth.ErrRevoked, tokens.RevokeOthers(t.Context(), three.Principal), "the dead do not kill")
		require.NoError(t, verify(tokens, two))
	})
}

// A login that is slow, and overtaken by a sign-out, leaves nothing behind.
func TestOpaqueTokenOvertakenByASignOut(t *testing.T) {
	for name, end := range map[string]func(store auth.Store, tokens *auth.OpaqueTokens, p *auth.Principal) error{
		"owner": func(_ auth.Store, tokens *auth.OpaqueTokens, p *auth.Principal) error {
			return tokens.RevokeAll(context.Background(), p)
		},
		"client": func(store auth.Store, _ *auth.OpaqueTokens, _ *auth.Principal) error {
			return auth.RevokeClient(context.Background(), store, "web")
		},
	} {
		authtest.At(t, begin, func(t *testing.T) {
			store := newTap(t)
			tokens := newOpaque(t, store, nil)
			p := authtest.Principal("42").ProvedAt(time.Now())
			authtest.Advance(time.Second)
			store.before = once("Insert", func() {
				store.before = nil
				require.NoError(t, end(store, tokens, p))
			})
			g, err := tokens.Issue(t.Context(), p, &auth.IssueOptions{ClientID: "web"})
			require.ErrorIs(t, err, auth.ErrRevoked, name)
			require.Nil(t, g)
			require.Empty(t, store.dump(auth.KindAccessToken), name)
		})
	}
}

// A store that does not answer refuses nobody: that is 503. What fails is not
// issued, and leaves nothing where that can be taken back.
func TestOpaqueTokensOverAStoreThatFails(t *testing.T) {
	down := errors.New("down")
	store := newTap(t)
	tokens := newOpaque(t, store, nil)
	g := must(tokens.Issue(t.Context(), authtest.Principal("42"), nil))
	for _, op := range []string{"Lookup", "LookupAll"} {
		store.before = func(o string) error {
			if o == op {
				return down
			}
			return nil
		}
		err := verify(tokens, g)
		requireOutage(t, err)
		require.ErrorIs(t, err, down)
	}
	for _, op := range []string{"Insert", "LookupAll"} {
		store.before = func(o string) error {
			if o == op {
				return down
			}
			return nil
		}
		_, err := tokens.Issue(t.Context(), authtest.Principal("42"), nil)
		requireOutage(t, err)
		require.Len(t, store.dump(auth.KindAccessToken), 1, op)
	}
	store.before = func(string) error { return down }
	require.ErrorIs(t, tokens.Revoke(t.Context(), g.Principal), down)
	require.ErrorIs(t, tokens.RevokeAll(t.Context(), g.Principal), down)
	require.ErrorIs(t, tokens.RevokeOthers(t.Context(), g.Principal), down)
	store.before = nil
	require.NoError(t, verify(tokens, g))

	// A record of another kind under the digest is no token.
	text := tokens.Form().New()
	require.NoError(t, store.Insert(t.Context(), auth.DigestOf(auth.KindAccessToken, text), auth.Record{Kind: auth.KindAccessToken, Expires: time.Now().Add(time.Hour)}))
	_, err := tokens.Verify(t.Context(), text)
	require.Equal(t, auth.ErrInvalid, err, "without a principal")
	text = tokens.Form().New()
	require.NoError(t, store.Insert(t.Context(), auth.DigestOf(auth.KindAccessToken, text), auth.Record{Kind: auth.KindSession, Principal: g.Principal, Expires: time.Now().Add(time.Hour)}))
	_, err = tokens.Verify(t.Context(), text)
	require.Equal(t, auth.ErrInvalid, err)
}

// A use costs a look-up of the token and one of its marks, however many these
// are; what cannot be a token costs nothing.
func TestOpaqueTokenCostsTwoLookUps(t *testing.T) {
	store := newTap(t)
	tokens := newOpaque(t, store, nil)
	p := authtest.Principal("42")
	p.Origin = auth.Origin{Kind: auth.KindPlatform, ID: "acme", Time: time.Now()}
	g := must(tokens.Issue(t.Context(), p, &auth.IssueOptions{ClientID: "web", Family: auth.NewFamily()}))
	store.count()
	require.NoError(t, verify(tokens, g))
	require.Equal(t, []string{"Lookup", "LookupAll"}, store.calls)
	store.count()
	_, err := tokens.Verify(t.Context(), tokens.Form().New())
	require.Equal(t, auth.ErrInvalid, err)
	require.Equal(t, 1, store.count())
	for _, text := range []string{"", "at_", g.Token.Reveal() + "x", g.Token.Reveal()[3:], "rt_" + g.Token.Reveal()[3:], g.Principal.Credential.ID} {
		_, err := tokens.Verify(t.Context(), text)
		require.Equal(t, auth.ErrNotMine, err, text)
	}
	require.Zero(t, store.count())

	// A store without a Batcher answers the same, mark by mark.
	bare := newOpaque(t, bareStore{store}, nil)
	require.NoError(t, verify(bare, g))
	require.Equal(t, 6, store.count("Lookup"))
	require.NoError(t, auth.RevokeClient(t.Context(), store, "web"))
	require.ErrorIs(t, verify(bare, g), auth.ErrRevoked)
}

// Opaque tokens, JSON Web Tokens, keys and sessions go behind one source: their
// forms are apart.
func TestOpaqueTokensBesideOthers(t *testing.T) {
	store := newTap(t)
	tokens, sessions, keys := newOpaque(t, store, nil), newSessions(t, store, nil), newKeys(t, store, nil)
	jwts := newJWT(t, keySet(t, hmacKey(t)), nil)
	guard := auth.NewGuard(auth.Bearer(tokens, jwts, sessions, keys), nil)
	p := authtest.Principal("42", "read")
	for _, i := range []auth.Issuer{tokens, jwts, sessions} {
		g := must(i.Issue(t.Context(), p, nil))
		w := serve(guard.WrapFunc(hello), from("GET", "/", "Authorization", "Bearer "+g.Token.Reveal()))
		require.Equal(t, http.StatusOK, w.Code)
	}
	g := must(tokens.Issue(t.Context(), p, nil))
	require.NoError(t, tokens.RevokeAll(t.Context(), p))
	for _, text := range []string{g.Token.Reveal(), tokens.Form().New(), g.Principal.Credential.ID} {
		w := serve(guard.WrapFunc(hello), from("GET", "/", "Authorization", "Bearer "+text))
		require.Equal(t, http.StatusUnauthorized, w.Code)
	}
	// Row 13: the store has no text of a token.
	for d, r := range store.dump() {
		data := must(r.MarshalBinary())
		require.NotContains(t, string(data), g.Token.Reveal()[3:])
		require.NotEqual(t, d.String(), g.Token.Reveal()[3:])
	}
	require.Panics(t, func() { auth.Bearer(tokens, newOpaque(t, store, nil)) }, "two of one form")
}

// A token that a Refresh does not hand out is removed, as who lost the race has
// made it for nobody.
func TestOpaqueTokensOfARefreshThatFails(t *testing.T) {
	store := newTap(t)
	tokens := newOpaque(t, store, nil)
	f := newRefresh(t, store, tokens, nil)
	pair := must(f.Issue(t.Context(), authtest.Principal("42"), nil))
	var winner *auth.Grant
	store.before = once("Replace", func() {
		store.before = nil
		winner = must(exchange(f, pair.RefreshToken, nil))
	})
	loser := must(exchange(f, pair.RefreshToken, nil))
	require.Equal(t, winner.RefreshToken.Reveal(), loser.RefreshToken.Reveal())
	require.NoError(t, verify(tokens, winner))
	require.NoError(t, verify(tokens, loser))
	require.Len(t, store.dump(auth.KindAccessToken), 3, "one for each answer, and none besides")
	require.NoError(t, f.Revoke(t.Context(), loser.Principal))
	for _, g := range []*auth.Grant{pair, winner, loser} {
		require.ErrorIs(t, verify(tokens, g), auth.ErrRevoked)
	}
}
