package auth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

func newRefresh(t testing.TB, store auth.Store, access auth.Issuer, o *auth.RefreshOptions) *auth.Refresh {
	t.Helper()
	f, err := auth.NewRefresh(store, access, o)
	require.NoError(t, err)
	return f
}

// exchange trades a refresh token, as [auth.Guard.Exchange] does.
func exchange(f *auth.Refresh, token auth.Secret, o *auth.IssueOptions) (*auth.Grant, error) {
	p, err := f.Verify(context.Background(), token.Reveal())
	if err != nil {
		return nil, err
	}
	return f.Issue(context.Background(), p, o)
}

func TestRefreshTradesEachTokenForTheNextPair(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newTap(t)
		s := newSessions(t, store, nil)
		f := newRefresh(t, store, s, nil)
		p := authtest.Principal("42", "read")
		pair := must(f.Issue(t.Context(), p, nil))
		family, end := pair.Principal.Credential.Family, begin.Add(30*24*time.Hour)
		tokens := map[string]bool{}
		for range 5 {
			require.NoError(t, verify(s, pair))
			require.Equal(t, p.Origin, pair.Principal.Origin)
			require.Equal(t, []string{"read"}, pair.Principal.Scopes)
			require.Equal(t, auth.KindSession, pair.Principal.Credential.Kind)
			require.Equal(t, family, pair.Principal.Credential.Family)
			require.Equal(t, end, pair.RefreshExpires)
			require.True(t, f.Form().Match(pair.RefreshToken.Reveal()))
			require.False(t, tokens[pair.RefreshToken.Reveal()])
			tokens[pair.RefreshToken.Reveal()] = true

			q := must(f.Verify(t.Context(), pair.RefreshToken.Reveal()))
			require.Equal(t, auth.Credential{
				ID:   auth.DigestOf(auth.KindRefresh, pair.RefreshToken.Reveal()).String(),
				Kind: auth.KindRefresh, Family: family, Created: time.Now().UTC(), Expires: end,
			}, q.Credential)
			authtest.Advance(time.Hour)
			pair = must(exchange(f, pair.RefreshToken, nil))
		}
		require.Len(t, store.dump(auth.KindRefresh), 6)
		require.Equal(t, auth.KindRefresh, f.Kind())
	})
}

func TestRefreshGrace(t *testing.T) {
	for name, c := range map[string]struct{ own, want time.Duration }{
		"default": {0, 10 * time.Second},
		"own":     {time.Minute, time.Minute},
		"none":    {-1, -tick},
	} {
		t.Run(name, func(t *testing.T) {
			authtest.At(t, begin, func(t *testing.T) {
				store := newTap(t)
				s := newSessions(t, store, nil)
				var reused []*auth.Principal
				f := newRefresh(t, store, s, &auth.RefreshOptions{
					Grace:   c.own,
					OnReuse: func(_ context.Context, p *auth.Principal) { reused = append(reused, p) },
				})
				p := authtest.Principal("42")
				first := must(f.Issue(t.Context(), p, nil))
				other := must(f.Issue(t.Context(), p, nil)) // a family of its own
				second := must(exchange(f, first.RefreshToken, nil))
				if c.want > 0 {
					authtest.Advance(c.want)
					again := must(exchange(f, first.RefreshToken, nil))
					require.Equal(t, second.RefreshToken.Reveal(), again.RefreshToken.Reveal())
					require.NoError(t, verify(s, again))
					require.Len(t, store.dump(auth.KindRefresh), 3)
				}
				third := must(exchange(f, second.RefreshToken, nil))
				require.Empty(t, reused)

				authtest.Advance(tick)
				_, err := exchange(f, first.RefreshToken, nil)
				require.Equal(t, auth.ErrReused, err)
				require.Len(t, reused, 1)
				require.Equal(t, first.Principal.Credential.Family, reused[0].Credential.Family)
				for _, g := range []*auth.Grant{first, second, third} {
					require.Error(t, verify(s, g), "access ends with the family")
				}
				_, err = exchange(f, third.RefreshToken, nil)
				require.ErrorIs(t, err, auth.ErrRevoked)
				require.Empty(t, listed(t, s, first.Principal)[1:], "the other family's session is left")

				require.NoError(t, verify(s, other))
				must(exchange(f, other.RefreshToken, nil))
			})
		})
	}
}

func TestRefreshFamilyHasAnEnd(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct{ own, asked, want time.Duration }{
		"default":           {0, 0, 30 * day},
		"own":               {7 * day, 0, 7 * day},
		"shorter asked for": {0, 2 * day, 2 * day},
	} {
		t.Run(name, func(t *testing.T) {
			authtest.At(t, begin, func(t *testing.T) {
				store := newStore(t)
				s := newSessions(t, store, nil)
				f := newRefresh(t, store, s, &auth.RefreshOptions{Lifetime: c.own})
				g := must(f.Issue(t.Context(), authtest.Principal("42"), &auth.IssueOptions{Lifetime: c.asked}))
				end := begin.Add(c.want)
				for range int(c.want/day) - 1 {
					authtest.Advance(day)
					g = must(exchange(f, g.RefreshToken, nil))
				}
				authtest.Advance(day - tick)
				g = must(exchange(f, g.RefreshToken, &auth.IssueOptions{Lifetime: 365 * day}))
				require.Equal(t, end, g.RefreshExpires, "use does not move the end")
				require.Equal(t, end, g.Principal.Credential.Expires, "access does not outlive the family")
				authtest.Advance(tick)
				require.Equal(t, auth.ErrExpired, verify(s, g))
				_, err := exchange(f, g.RefreshToken, nil)
				require.Equal(t, auth.ErrExpired, err)
				authtest.Advance(day)
				_, err = exchange(f, g.RefreshToken, nil)
				require.Equal(t, auth.ErrInvalid, err, "forgotten a day later")
			})
		})
	}
}

func TestRefreshScopesNarrowAndNeverWiden(t *testing.T) {
	store := newStore(t)
	f := newRefresh(t, store, newSessions(t, store, nil), nil)
	first := must(f.Issue(t.Context(), authtest.Principal("42", "a", "b", "c"), &auth.IssueOptions{Scopes: []string{"a", "b", "x"}}))
	require.Equal(t, []string{"a", "b"}, first.Principal.Scopes)

	g := first
	for _, c := range []struct{ asked, want []string }{
		{[]string{"a"}, []string{"a"}},
		{nil, []string{"a", "b"}}, // of the family, as RFC 6749 section 6 has it
		{[]string{"c", "x", "b"}, []string{"b"}},
		{[]string{}, []string{}},
		{[]string{"A"}, []string{}},
	} {
		spent := g.RefreshToken
		g = must(exchange(f, spent, &auth.IssueOptions{Scopes: c.asked}))
		require.Equal(t, c.want, g.Principal.Scopes)
		again := must(exchange(f, spent, &auth.IssueOptions{Scopes: []string{"a", "c"}}))
		require.Equal(t, []string{"a"}, again.Principal.Scopes, "nor in the grace")
	}
}

// The store tells the nonce of a spent token only, and an old token tells
// nothing: who has either of them does not get the next token.
func TestRefreshNeitherTheStoreNorAnOldTokenGivesTheNext(t *testing.T) {
	store := newTap(t)
	f := newRefresh(t, store, newSessions(t, store, nil), nil)
	g := must(f.Issue(t.Context(), authtest.Principal("42"), nil))
	var tokens []string
	for range 8 {
		tokens = append(tokens, g.RefreshToken.Reveal())
		g = must(exchange(f, g.RefreshToken, nil))
	}
	tokens = append(tokens, g.RefreshToken.Reveal())

	// Two families from one token, as if the spending had been undone: the old
	// token alone decides nothing.
	d := auth.DigestOf(auth.KindRefresh, tokens[0])
	r := must(store.Store.Lookup(t.Context(), d))
	r.Data, r.Revision = nil, r.Revision+1
	require.NoError(t, store.Store.Replace(t.Context(), d, r))
	require.NotEqual(t, tokens[1], must(exchange(f, auth.NewSecret(tokens[0]), nil)).RefreshToken.Reveal())

	// Another token with the same nonce: the nonce alone decides nothing.
	spent := must(store.Store.Lookup(t.Context(), auth.DigestOf(auth.KindRefresh, tokens[7])))
	other := f.Form().New()
	require.NoError(t, store.Store.Insert(t.Context(), auth.DigestOf(auth.KindRefresh, other), spent))
	require.Equal(t, tokens[8], must(exchange(f, auth.NewSecret(tokens[7]), nil)).RefreshToken.Reveal())
	_, err := exchange(f, auth.NewSecret(other), nil)
	require.Equal(t, auth.ErrInvalid, err)

	for digest, record := range store.dump() {
		var dump strings.Builder
		dump.WriteString(digest.String())
		dump.Write(digest[:])
		dump.Write(record.Data)
		if p := record.Principal; p != nil {
			dump.WriteString(strings.Join([]string{p.Subject, p.Credential.ID, p.Credential.Family, p.Origin.ID}, " "))
		}
		texts := dump.String() + base64.RawURLEncoding.EncodeToString(record.Data)
		for _, token := range tokens {
			require.NotContains(t, texts, token)
			require.NotContains(t, texts, strings.TrimPrefix(token, "rt_"))
		}
		for _, b := range [][]byte{digest[:], record.Data} {
			for len(b) >= 32 {
				text := "rt_" + base64.RawURLEncoding.EncodeToString(b[:32])
				require.Equal(t, auth.ErrInvalid, verify(f, token(text)), "what is at rest is no credential")
				b = b[1:]
			}
		}
	}
}

// What a request showed is for the issuer that it was shown to. It is not kept,
// neither with the next token nor with anything else that is issued for it.
func TestRefreshTokenIsNotKept(t *testing.T) {
	store := newTap(t)
	s, keys := newSessions(t, store, nil), newKeys(t, store, nil)
	f := newRefresh(t, store, s, nil)
	g := must(f.Issue(t.Context(), authtest.Principal("42"), nil))
	p := must(f.Verify(t.Context(), g.RefreshToken.Reveal()))
	must(f.Issue(t.Context(), p, nil))
	must(s.Issue(t.Context(), p, nil))
	must(keys.Create(t.Context(), p, nil))
	shown := func(p *auth.Principal) bool { return !reflect.ValueOf(*p).FieldByName("presented").IsZero() }
	require.True(t, shown(p))
	require.Len(t, store.dump(), 6)
	for _, r := range store.dump() {
		require.False(t, shown(r.Principal), r.Kind)
	}
}

func TestRefreshRefusesWhatVerifyDidNotSay(t *testing.T) {
	store := newTap(t)
	f := newRefresh(t, store, newSessions(t, store, nil), nil)
	g := must(f.Issue(t.Context(), authtest.Principal("42"), nil))
	p := must(f.Verify(t.Context(), g.RefreshToken.Reveal()))
	forged := *p
	before := len(store.dump())
	for name, p := range map[string]*auth.Principal{
		"nobody":          nil,
		"no subject":      {},
		"not from Verify": {Subject: "42", Origin: p.Origin, Credential: forged.Credential},
	} {
		_, err := f.Issue(t.Context(), p, nil)
		requireOutage(t, err)
		require.Len(t, store.dump(), before, name)
	}
	require.Equal(t, auth.ErrNotMine, verify(f, g))
	require.Equal(t, auth.ErrInvalid, verify(f, token(f.Form().New())))
}

// What the access issuer refuses, or cannot do, costs nobody their token.
func TestRefreshBurnsNothingWhereAccessFails(t *testing.T) {
	for _, failure := range []error{errOutage, auth.ErrSessionLimit} {
		authtest.At(t, begin, func(t *testing.T) {
			store := newTap(t)
			s := newSessions(t, store, nil)
			var down error
			access := issuer(func(p *auth.Principal, o *auth.IssueOptions) (*auth.Grant, error) {
				if down != nil {
					return nil, down
				}
				return s.Issue(context.Background(), p, o)
			})
			f := newRefresh(t, store, access, nil)
			g := must(f.Issue(t.Context(), authtest.Principal("42"), nil))

			down = failure
			_, err := f.Issue(t.Context(), authtest.Principal("42"), nil)
			require.ErrorIs(t, err, failure)
			for range 3 {
				_, err := exchange(f, g.RefreshToken, nil)
				require.ErrorIs(t, err, failure)
				authtest.Advance(time.Minute)
			}
			require.Len(t, store.dump(auth.KindRefresh), 1)
			down = nil
			must(exchange(f, g.RefreshToken, nil))
		})
	}
}

func TestNewRefreshRefuses(t *testing.T) {
	store := newStore(t)
	s := newSessions(t, store, nil)
	for name, c := range map[string]struct {
		store  auth.Store
		access auth.Issuer
		o      auth.RefreshOptions
		want   []string
	}{
		"no store":          {nil, s, auth.RefreshOptions{}, []string{"no store"}},
		"no access":         {store, nil, auth.RefreshOptions{}, []string{"no issuer"}},
		"negative lifetime": {store, s, auth.RefreshOptions{Lifetime: -1}, []string{"lifetime -1ns"}},
		"endless":           {store, s, auth.RefreshOptions{Lifetime: 400*24*time.Hour + 1}, []string{"lifetime"}},
		"long grace":        {store, s, auth.RefreshOptions{Grace: time.Minute + 1}, []string{"grace"}},
		"all at once": {
			nil, nil, auth.RefreshOptions{Lifetime: -1, Grace: time.Hour},
			[]string{"NewRefresh", "no store", "no issuer", "lifetime", "grace"},
		},
	} {
		f, err := auth.NewRefresh(c.store, c.access, &c.o)
		require.Nil(t, f, name)
		for _, want := range c.want {
			require.ErrorContains(t, err, want, name)
		}
	}
	newRefresh(t, bareStore{store}, s, &auth.RefreshOptions{Lifetime: 400 * 24 * time.Hour, Grace: time.Minute})
	require.False(t, errors.Is(auth.ErrReused, auth.ErrRevoked))
}
