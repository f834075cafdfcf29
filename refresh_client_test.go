package auth_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// What a refresh token is bound to goes on from one to the next, and bounds what
// its access tokens are for.
func TestRefreshTokensAreBound(t *testing.T) {
	const api, other = "https://api.example", "https://other.example"
	store := newTap(t)
	tokens := newOpaque(t, store, &auth.OpaqueTokenOptions{Audiences: []string{other}})
	f := newRefresh(t, store, tokens, nil)
	family := auth.NewFamily()
	bound := &auth.IssueOptions{ClientID: "web", Audience: []string{api, other}, Confirmation: "jkt:k", Family: family, Scopes: []string{"read"}}
	pair := must(f.Issue(t.Context(), authtest.Principal("ada", "read", "write"), bound))
	for range 3 {
		for name, c := range map[string]auth.Credential{
			"refresh": must(f.Verify(t.Context(), pair.RefreshToken.Reveal())).Credential,
			"access":  must(tokens.Verify(t.Context(), pair.Token.Reveal())).Credential,
		} {
			require.Equal(t, "web", c.ClientID, name)
			require.Equal(t, []string{api, other}, c.Audience, name)
			require.Equal(t, "jkt:k", c.Confirmation, name)
			require.Equal(t, family, c.Family, name)
		}
		pair = must(exchange(f, pair.RefreshToken, &auth.IssueOptions{ClientID: "web"}))
	}

	// Beyond them nothing is granted, and nothing is spent.
	live := len(store.dump(auth.KindRefresh))
	for name, o := range map[string]*auth.IssueOptions{
		"another audience": {ClientID: "web", Audience: []string{"https://third.example"}},
		"one more":         {ClientID: "web", Audience: []string{api, "https://third.example"}},
		"another client":   {ClientID: "phone"},
		"another key":      {ClientID: "web", Confirmation: "jkt:other"},
		"no client":        {Audience: []string{other}, Confirmation: "jkt:k"},
		"nothing":          {},
		"no options":       nil,
	} {
		_, err := exchange(f, pair.RefreshToken, o)
		require.ErrorIs(t, err, auth.ErrInvalid, name)
		require.Len(t, store.dump(auth.KindRefresh), live, name)
	}

	// An access token may be for less; the next refresh token is as before.
	narrow := must(exchange(f, pair.RefreshToken, &auth.IssueOptions{ClientID: "web", Audience: []string{other}, Confirmation: "jkt:k"}))
	require.Equal(t, []string{other}, narrow.Principal.Credential.Audience)
	require.Equal(t, []string{api, other}, must(f.Verify(t.Context(), narrow.RefreshToken.Reveal())).Credential.Audience)

	// One that is bound to nothing is good for whatever its issuer issues.
	free := must(f.Issue(t.Context(), authtest.Principal("ada"), nil))
	free = must(exchange(f, free.RefreshToken, &auth.IssueOptions{ClientID: "phone", Audience: []string{other}}))
	require.Equal(t, "phone", free.Principal.Credential.ClientID)
}

// A client's refresh token needs that client, which a route of the API's own does
// not authenticate: it trades those alone that are nobody's.
func TestRefreshTokensOfClientsAreNotExchanged(t *testing.T) {
	store := newTap(t)
	f := newRefresh(t, store, newSessions(t, store, nil), nil)
	route := auth.NewGuard(auth.JSONField("refresh_token", f), nil).Exchange(f)
	for client, status := range map[string]int{"web": http.StatusUnauthorized, "": http.StatusOK} {
		pair := must(f.Issue(t.Context(), authtest.Principal("ada"), &auth.IssueOptions{ClientID: client}))
		r := from("POST", "/refresh", "Content-Type", "application/json")
		r.Body = io.NopCloser(strings.NewReader(`{"refresh_token":"` + pair.RefreshToken.Reveal() + `"}`))
		require.Equal(t, status, serve(route, r).Code)
		_, err := exchange(f, pair.RefreshToken, &auth.IssueOptions{ClientID: client})
		require.NoError(t, err, "it is not spent for another, and within the grace here")
	}
}

// A family may have its name before it begins: what came before it can end it.
func TestRefreshFamilyOfACode(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newStore(t)
		tokens := newOpaque(t, store, nil)
		f := newRefresh(t, store, tokens, nil)
		family := auth.NewFamily()
		require.NotEqual(t, family, auth.NewFamily())
		pair := must(f.Issue(t.Context(), authtest.Principal("ada"), &auth.IssueOptions{Family: family}))
		other := must(f.Issue(t.Context(), authtest.Principal("ada"), nil))
		authtest.Advance(time.Second)
		code := &auth.Principal{Subject: "ada", Origin: auth.Origin{Time: begin}, Credential: auth.Credential{Family: family}}
		require.NoError(t, f.Revoke(t.Context(), code))
		_, err := exchange(f, pair.RefreshToken, nil)
		require.ErrorIs(t, err, auth.ErrRevoked)
		require.ErrorIs(t, verify(tokens, pair), auth.ErrRevoked)
		require.NoError(t, verify(tokens, other))

		// After its end the name is good for nothing.
		_, err = f.Issue(t.Context(), authtest.Principal("ada").ProvedAt(begin), &auth.IssueOptions{Family: family})
		require.ErrorIs(t, err, auth.ErrRevoked)
		for _, name := range []string{"family", "rf_", family + "x", family[1:]} {
			_, err := f.Issue(t.Context(), authtest.Principal("ada"), &auth.IssueOptions{Family: name})
			requireOutage(t, err)
		}
	})
}

// One Refresh goes with the access tokens of several issuers.
func TestRefreshWithAccess(t *testing.T) {
	store := newStore(t)
	tokens, sessions := newOpaque(t, store, nil), newSessions(t, store, nil)
	f := newRefresh(t, store, sessions, nil)
	opaque := f.WithAccess(tokens)
	pair := must(opaque.Issue(t.Context(), authtest.Principal("ada"), nil))
	require.NoError(t, verify(tokens, pair))
	pair = must(exchange(opaque, pair.RefreshToken, nil))
	require.NoError(t, verify(tokens, pair))
	pair = must(exchange(f, pair.RefreshToken, nil))
	require.NoError(t, verify(sessions, pair), "f is as it was")
	require.Panics(t, func() { f.WithAccess(nil) })
	require.Panics(t, func() { f.WithAccess((*auth.OpaqueTokens)(nil)) })
}
