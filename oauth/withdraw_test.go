package oauth_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

// Row 138: people see what they have granted, and take it back.
func TestPeopleWithdrawConsent(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.people["alice"], w.people["bob"]
	tokens := func(name, client string) (access, refresh string) {
		code := requireCode(t, w.as(t, name).consented(authorizeURL(client, "scope", "read write")))
		a := w.token(t, client, "grant_type", "authorization_code", "code", code, "code_verifier", verifierText)
		requireGranted(t, a)
		return a.AccessToken, a.RefreshToken
	}
	access, refresh := tokens("alice", "web")
	opaque, _ := tokens("alice", "opaque")
	bobs, bobsRefresh := tokens("bob", "web")
	pending := requireCode(t, w.as(t, "alice").get(authorizeURL("web")))

	list := func(p *auth.Principal) (clients []string) {
		for c, err := range w.server.Consents(t.Context(), p) {
			require.NoError(t, err)
			require.Equal(t, map[string][]string{api: {"read", "write"}}, c.Access)
			require.WithinDuration(t, time.Now(), c.Created, time.Minute)
			require.False(t, c.Updated.Before(c.Created))
			clients = append(clients, c.ClientID)
		}
		slices.Sort(clients)
		return clients
	}
	require.Equal(t, []string{"opaque", "web"}, list(alice))
	require.Equal(t, []string{"web"}, list(bob))

	require.NoError(t, w.server.Withdraw(t.Context(), alice, "web"))
	require.Equal(t, []string{"opaque"}, list(alice))
	_, err := w.verifier(t, api).Verify(t.Context(), access)
	require.ErrorIs(t, err, auth.ErrRevoked)
	requireRefused(t, w.token(t, "web", "grant_type", "refresh_token", "refresh_token", refresh), 400, oauth.ErrInvalidGrant)
	requireRefused(t, w.token(t, "web", "grant_type", "authorization_code", "code", pending, "code_verifier", verifierText), 400, oauth.ErrInvalidGrant)
	requireShown(t, w.as(t, "alice").get(authorizeURL("web")), http.StatusOK, "Allow Web?")

	// Others, and other clients, go on.
	_, err = w.opener(t, api).Verify(t.Context(), opaque)
	require.NoError(t, err)
	_, err = w.verifier(t, api).Verify(t.Context(), bobs)
	require.NoError(t, err)
	requireGranted(t, w.token(t, "web", "grant_type", "refresh_token", "refresh_token", bobsRefresh))
	require.NoError(t, w.server.Withdraw(t.Context(), alice, "opaque"))
	_, err = w.opener(t, api).Verify(t.Context(), opaque)
	require.ErrorIs(t, err, auth.ErrRevoked)
	require.NoError(t, w.server.Withdraw(t.Context(), alice, "nobody"), "there was nothing")
}

// What was granted ends by whatever record of it there is: of a device that has not
// asked yet, and of an opaque token alone.
func TestWithdrawingFindsWhatWasGranted(t *testing.T) {
	authtest.At(t, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), func(t *testing.T) {
		w := newWorld(t)
		w.change("opaque", func(c *oauth.Client) { c.Grants = []oauth.GrantType{oauth.AuthorizationCode} })
		v := w.as(t, "alice")
		code := requireCode(t, v.consented(authorizeURL("opaque")))
		a := w.token(t, "opaque", "grant_type", "authorization_code", "code", code, "code_verifier", verifierText)
		requireGranted(t, a)
		authtest.Advance(12 * time.Minute) // the code is forgotten
		d := w.waiting(t)
		requireShown(t, v.submit(v.get(deviceURL(d.UserCode)), "decision", "allow"), http.StatusOK, "Your device is connected")

		_, err := w.opener(t, api).Verify(t.Context(), a.AccessToken)
		require.NoError(t, err)
		for _, client := range []string{"opaque", "tv"} {
			require.NoError(t, w.server.Withdraw(t.Context(), w.people["alice"], client))
		}
		_, err = w.opener(t, api).Verify(t.Context(), a.AccessToken)
		require.ErrorIs(t, err, auth.ErrRevoked)
		requireRefused(t, w.pollAs(t, d), 400, oauth.ErrInvalidGrant)
	})
}

// A token that has no family ends alone, and others as well.
func TestWithdrawingEndsTokensWithoutAFamily(t *testing.T) {
	store := storetest.NewFaulty(memstore.New())
	a := newAgencyOver(t, store)
	a.user = func(*auth.Assertion) (*auth.Principal, error) {
		return &auth.Principal{Subject: "alice", Scopes: []string{"read"}}, nil
	}
	a.change("partner", func(c *oauth.Client) { c.OpaqueTokens = true })
	var tokens []string
	for _, id := range []string{"one", "two", "three"} {
		r := a.send(t, a.bears(a.says(map[string]any{"jti": id})))
		requireGranted(t, r)
		tokens = append(tokens, r.AccessToken)
	}
	for range 2 { // of one that is none of a refresh token
		o := &auth.IssueOptions{ClientID: "partner", Family: "shared", Audience: []string{api}}
		tokens = append(tokens, must(a.opener(t, api).Issue(t.Context(), a.people["alice"], o)).Token.Reveal())
	}
	ended := func() (n int) {
		for _, token := range tokens {
			if _, err := a.opens(t, token); err != nil {
				require.ErrorIs(t, err, auth.ErrInvalid)
				n++
			}
		}
		return n
	}
	require.NoError(t, a.server.Withdraw(t.Context(), a.people["alice"], "web"))
	require.Zero(t, ended(), "of another client")
	store.Before = storetest.On("Take", storetest.Nth(1, storetest.Fail(errStoreDown))) // the first is the consent's
	require.ErrorIs(t, a.server.Withdraw(t.Context(), a.people["alice"], "partner"), errStoreDown)
	store.Before = nil
	require.Equal(t, len(tokens)-1, ended(), "an error keeps nothing from the rest")
	require.NoError(t, a.server.Withdraw(t.Context(), a.people["alice"], "partner"))
	require.Equal(t, len(tokens), ended())
}

// What is withdrawn while a code is made without asking is not granted, whenever
// that is; nor is it while they say yes.
func TestWithdrawingMeanwhile(t *testing.T) {
	for _, asked := range []bool{false, true} {
		for i := 0; ; i++ {
			store := storetest.NewFaulty(memstore.New())
			w := newWorldOver(t, store)
			v := w.as(t, "alice")
			requireCode(t, v.consented(authorizeURL("web")))
			shown := v.get(authorizeURL("web", "prompt", "consent"))
			withdrawn := false
			store.Before = storetest.Nth(i, func(context.Context, string) error {
				withdrawn = true
				return w.server.Withdraw(t.Context(), w.people["alice"], "web")
			})
			var p *page
			if asked {
				p = v.submit(shown, "decision", "allow")
			} else {
				p = v.get(authorizeURL("web", "prompt", "none"))
			}
			store.Before = nil
			if !withdrawn {
				requireCode(t, p)
				break
			}
			if w.count(t, oauth.KindConsent) > 0 {
				require.True(t, asked, "they have said yes since")
				requireCode(t, p)
				continue
			}
			code := p.location.Query().Get("code")
			if code == "" {
				requireError(t, p, oauth.ErrConsentRequired)
				continue
			}
			r := w.token(t, "web", "grant_type", "authorization_code", "code", code, "code_verifier", verifierText)
			requireRefused(t, r, 400, oauth.ErrInvalidGrant)
		}
	}
}
