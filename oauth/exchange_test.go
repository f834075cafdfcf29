package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
)

const (
	typeAccess  = "urn:ietf:params:oauth:token-type:access_token"
	typeJWT     = "urn:ietf:params:oauth:token-type:jwt"
	typeRefresh = "urn:ietf:params:oauth:token-type:refresh_token"
)

// exchange is the request by which a client exchanges a token.
func (w *world) exchange(client, subject string, pairs ...string) *http.Request {
	pairs = append([]string{"grant_type", string(oauth.TokenExchange), "subject_token", subject}, pairs...)
	if !slices.Contains(pairs, "subject_token_type") {
		pairs = append(pairs, "subject_token_type", typeAccess)
	}
	return w.asks(client, pairs...)
}

// exchanged is what a client gets that exchanges a token, and whom it proves at
// the resource.
func (w *world) exchanged(t testing.TB, resource, client, subject string, pairs ...string) (string, *auth.Principal) {
	t.Helper()
	a := w.send(t, w.exchange(client, subject, append(pairs, "resource", resource)...))
	requireGranted(t, a)
	require.Equal(t, typeAccess, a.IssuedTokenType)
	require.Empty(t, a.RefreshToken)
	p, err := w.proves(t, resource, a.AccessToken)
	require.NoError(t, err)
	require.Equal(t, a.Scope, strings.Join(p.Scopes, " "))
	return a.AccessToken, p
}

// proves returns what a resource says of a token of either sort.
func (w *world) proves(t testing.TB, resource, token string) (*auth.Principal, error) {
	t.Helper()
	p, err := w.opener(t, resource).Verify(t.Context(), token)
	if errors.Is(err, auth.ErrNotMine) {
		return w.verifier(t, resource).Verify(t.Context(), token)
	}
	return p, err
}

// add registers a client with a secret.
func (w *world) add(c *oauth.Client) {
	text, kept := oauth.NewClientSecret()
	c.Secrets = []oauth.ClientSecret{kept}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets[c.ID], w.clients[c.ID] = text.Reveal(), c
}

// newExchange returns a world in which the resource files, too, is a client that
// may exchange tokens.
func newExchange(t testing.TB, change ...func(*oauth.Config)) *world {
	w := newWorld(t, change...)
	w.add(&oauth.Client{ID: "backend", Grants: []oauth.GrantType{oauth.TokenExchange}, Scopes: []string{"read", "write"}, Audience: files})
	return w
}

// used is what a client gets that could only exchange tokens, and now has somebody
// sign in as well.
func (w *world) used(t testing.TB, client string, who *auth.Principal) *answer {
	t.Helper()
	w.change(client, func(c *oauth.Client) {
		c.Grants, c.RedirectURIs = []oauth.GrantType{oauth.TokenExchange, oauth.AuthorizationCode}, []string{callback}
	})
	a := w.send(t, w.redeem(client, must(w.server.NewCode(context.Background(), who, w.granted(client)))))
	requireGranted(t, a)
	return a
}

// act returns who acts, as the token says.
func act(t testing.TB, p *auth.Principal) *oauth.Actor {
	t.Helper()
	claims, err := auth.Claims[struct {
		Act *oauth.Actor `json:"act"`
	}](p)
	require.NoError(t, err)
	return claims.Act
}

// The resource api exchanges the token that it was called with for one by which it
// calls the resource files, in the name of the same person. Nothing grows by it.
func TestExchangeDelegates(t *testing.T) {
	authtest.At(t, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), func(t *testing.T) {
		for _, from := range []string{"web", "opaque"} {
			for _, opaque := range []bool{false, true} {
				w := newExchange(t)
				w.people["alice"].Tenant, w.people["alice"].Tier = "acme", "gold"
				w.change("gateway", func(c *oauth.Client) { c.OpaqueTokens = opaque })
				a := w.signIn(t, from)
				subject, err := w.opens(t, a.AccessToken)
				require.NoError(t, err)
				authtest.Advance(10 * time.Minute)

				token, p := w.exchanged(t, files, "gateway", a.AccessToken, "scope", "read")
				require.Equal(t, &oauth.Actor{Subject: "gateway", ClientID: "gateway"}, act(t, p))
				require.Equal(t, "alice", p.Subject)
				require.Equal(t, "acme", p.Tenant)
				require.Equal(t, "gold", p.Tier)
				require.Equal(t, []string{"read"}, p.Scopes)
				require.Equal(t, []string{files}, p.Credential.Audience)
				require.Equal(t, "gateway", p.Credential.ClientID)
				require.Equal(t, subject.Origin.Time, p.Origin.Time)
				require.Equal(t, subject.Origin.ACR, p.Origin.ACR)
				require.Equal(t, subject.Credential.Family, p.Credential.Family)
				require.False(t, p.Credential.Expires.After(subject.Credential.Expires), "it outlives the token it came from")
				_, err = w.opens(t, token)
				require.ErrorIs(t, err, auth.ErrInvalid, "it is for files alone")

				// Who is called with it is told, and other clients are not.
				told := w.introspect(t, "backend", token)
				require.Equal(t, map[string]any{"sub": "gateway", "client_id": "gateway"}, told["act"])
				w.requireInactive(t, from, token)

				// What ends the token that people granted ends this one.
				w.revoke(t, from, a.RefreshToken)
				_, err = w.proves(t, files, token)
				require.ErrorIs(t, err, auth.ErrRevoked)
				requireRefused(t, w.send(t, w.exchange("gateway", a.AccessToken)), 400, oauth.ErrInvalidRequest)
			}
		}
	})
}

// What the server knows of people is not for clients to read, nor may it tell of
// actors that there were not: of their claims, whom they let act goes into tokens.
func TestTokensLeaveClaimsBehind(t *testing.T) {
	w := newExchange(t)
	w.people["alice"].Claims = json.RawMessage(`{"salary":1,"act":{"sub":"root"},"may_act":{"sub":"gateway"}}`)
	for _, from := range []string{"web", "opaque"} {
		a := w.signIn(t, from)
		p, err := w.opens(t, a.AccessToken)
		require.NoError(t, err)
		require.NotContains(t, string(p.Claims), "salary")
		require.NotContains(t, string(p.Claims), "root")
		require.Contains(t, string(p.Claims), `"may_act":{"sub":"gateway"}`)
		_, p = w.exchanged(t, files, "gateway", a.AccessToken)
		require.NotContains(t, string(p.Claims), "root")
	}
	d := w.waiting(t)
	v := w.as(t, "alice")
	v.submit(v.get(deviceURL(d.UserCode)), "decision", "allow")
	p, err := w.opens(t, w.pollAs(t, d).AccessToken)
	require.NoError(t, err)
	require.NotContains(t, string(p.Claims), "salary")
	require.Contains(t, string(p.Claims), `"may_act":{"sub":"gateway"}`)

	w.people["alice"].Claims = json.RawMessage(`{"salary":1}`)
	p, err = w.opens(t, w.signIn(t, "web").AccessToken)
	require.NoError(t, err)
	require.NotContains(t, string(p.Claims), "salary")

	w.people["alice"].Claims = json.RawMessage(`{"may_act":{"sub":"gateway","sub":"gateway"}}`)
	_, err = w.server.NewCode(t.Context(), w.people["alice"], w.granted("web"))
	require.Error(t, err)
	d = w.waiting(t)
	requireShown(t, v.submit(v.get(deviceURL(d.UserCode)), "decision", "allow"), http.StatusServiceUnavailable, "Please try again soon")
}

// Row 114, and the narrowing of RFC 8693: scopes are those of the subject and of
// the client, resources those of the client, also by their names as audience.
func TestExchangeNarrows(t *testing.T) {
	w := newExchange(t)
	reader := w.send(t, w.redeem("web", w.code(t, "web", func(g *oauth.Granted) { g.Scopes = []string{"read"} })))
	nothing := w.send(t, w.redeem("web", w.code(t, "web", func(g *oauth.Granted) { g.Scopes = []string{} })))
	all := w.signIn(t, "web")

	scopes := func(token string, pairs ...string) []string {
		_, p := w.exchanged(t, files, "gateway", token, pairs...)
		return p.Scopes
	}
	require.Equal(t, []string{"read", "write"}, scopes(all.AccessToken))
	require.Equal(t, []string{"read"}, scopes(reader.AccessToken))
	require.Equal(t, []string{"read"}, scopes(reader.AccessToken, "scope", "read write"))
	require.Empty(t, scopes(reader.AccessToken, "scope", "write"))
	require.Empty(t, scopes(nothing.AccessToken), "a token without scopes is no token for all of them")
	w.change("gateway", func(c *oauth.Client) { c.Scopes = []string{"write"} })
	require.Equal(t, []string{"write"}, scopes(all.AccessToken))
	requireRefused(t, w.send(t, w.exchange("gateway", all.AccessToken, "scope", "read")), 400, oauth.ErrInvalidScope)
	requireRefused(t, w.send(t, w.exchange("gateway", all.AccessToken, "scope", "\"")), 400, oauth.ErrInvalidScope)

	audience := func(pairs ...string) *answer { return w.send(t, w.exchange("gateway", all.AccessToken, pairs...)) }
	p, err := w.proves(t, files, audience("audience", files).AccessToken)
	require.NoError(t, err)
	require.Equal(t, []string{files}, p.Credential.Audience)
	p, err = w.proves(t, files, audience("audience", files, "resource", api, "resource", files).AccessToken)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{files, api}, p.Credential.Audience)
	requireRefused(t, audience("audience", "files"), 400, oauth.ErrInvalidTarget)
	requireRefused(t, audience("resource", api+"/"), 400, oauth.ErrInvalidTarget)
	requireRefused(t, audience("resource", api, "audience", "nowhere"), 400, oauth.ErrInvalidTarget)
	w.change("gateway", func(c *oauth.Client) { c.Resources = []string{api} })
	requireRefused(t, audience("resource", files), 400, oauth.ErrInvalidTarget)
}

// What people grant a client for one resource is good for no other: the client
// cannot exchange it for that, as whom it calls can.
func TestExchangeKeepsToWhatWasGranted(t *testing.T) {
	w := newExchange(t)
	w.add(&oauth.Client{
		ID: "portal", Grants: []oauth.GrantType{oauth.AuthorizationCode, oauth.TokenExchange}, Scopes: []string{"read"}, RedirectURIs: []string{callback},
	})
	both := func(g *oauth.Granted) { g.Resources = []string{api, files} }
	one := w.send(t, w.redeem("portal", w.code(t, "portal", nil)))
	two := w.send(t, w.redeem("portal", w.code(t, "portal", both)))
	requireRefused(t, w.send(t, w.exchange("portal", one.AccessToken, "resource", files)), 400, oauth.ErrInvalidTarget)
	requireRefused(t, w.send(t, w.exchange("portal", one.AccessToken, "audience", files)), 400, oauth.ErrInvalidTarget)
	_, p := w.exchanged(t, files, "portal", two.AccessToken)
	require.Equal(t, []string{files}, p.Credential.Audience, "it can be narrowed")

	w.change("portal", func(c *oauth.Client) { c.Resources = []string{files} })
	a := w.send(t, w.exchange("portal", two.AccessToken))
	requireGranted(t, a)
	p, err := w.proves(t, files, a.AccessToken)
	require.NoError(t, err)
	require.Equal(t, []string{files}, p.Credential.Audience)
	requireRefused(t, w.send(t, w.exchange("portal", one.AccessToken)), 400, oauth.ErrInvalidTarget)
}

// A token is exchanged by whom it was issued to and by whom it is for; all else is
// an invalid_request (RFC 8693 section 2.2.2).
func TestExchangeRefuses(t *testing.T) {
	w := newExchange(t)
	a := w.signIn(t, "web")
	o := w.signIn(t, "opaque")
	own := w.token(t, "service", "grant_type", "client_credentials")
	for name, r := range map[string]*http.Request{
		"of others":              w.exchange("backend", a.AccessToken),
		"of others, opaque":      w.exchange("backend", o.AccessToken),
		"of others, service":     w.exchange("service", a.AccessToken),
		"actor of others":        w.exchange("service", own.AccessToken, "actor_token", a.AccessToken, "actor_token_type", typeAccess),
		"no subject":             w.asks("gateway", "grant_type", string(oauth.TokenExchange), "subject_token_type", typeAccess),
		"no type":                w.asks("gateway", "grant_type", string(oauth.TokenExchange), "subject_token", a.AccessToken),
		"no form":                w.asks("gateway", "grant_type", string(oauth.TokenExchange)),
		"refresh token":          w.exchange("gateway", a.RefreshToken),
		"junk":                   w.exchange("gateway", "junk"),
		"forged":                 w.exchange("gateway", a.AccessToken+"x"),
		"unknown":                w.exchange("gateway", auth.TokenForm("at_").New()),
		"refresh token wanted":   w.exchange("gateway", a.AccessToken, "requested_token_type", typeRefresh),
		"JWT wanted":             w.exchange("gateway", a.AccessToken, "requested_token_type", typeJWT),
		"actor without type":     w.exchange("gateway", a.AccessToken, "actor_token", a.AccessToken),
		"type without actor":     w.exchange("gateway", a.AccessToken, "actor_token_type", typeAccess),
		"actor is no token":      w.exchange("gateway", a.AccessToken, "actor_token", "junk", "actor_token_type", typeAccess),
		"actor of refresh type":  w.exchange("gateway", a.AccessToken, "actor_token", a.AccessToken, "actor_token_type", typeRefresh),
		"subject of other types": w.asks("gateway", "grant_type", string(oauth.TokenExchange), "subject_token", a.AccessToken, "subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
		"opaque as JWT":          w.asks("gateway", "grant_type", string(oauth.TokenExchange), "subject_token", o.AccessToken, "subject_token_type", typeJWT),
	} {
		t.Run(name, func(t *testing.T) {
			refused := w.send(t, r)
			requireRefused(t, refused, 400, oauth.ErrInvalidRequest)
			require.NotContains(t, refused.Body.String(), a.AccessToken)
		})
	}
	requireRefused(t, w.send(t, w.exchange("web", a.AccessToken)), 400, oauth.ErrUnauthorizedClient)
	requireGranted(t, w.send(t, w.exchange("gateway", a.AccessToken, "requested_token_type", typeAccess)))
	requireGranted(t, w.send(t, w.asks("gateway", "grant_type", string(oauth.TokenExchange), "subject_token", a.AccessToken, "subject_token_type", typeJWT)))

	w.change("web", func(c *oauth.Client) { c.Disabled = true })
	requireRefused(t, w.send(t, w.exchange("gateway", a.AccessToken)), 400, oauth.ErrInvalidRequest)
}

// Who acted before is told, up to a bound; a client that exchanges its own token
// acts for nobody.
func TestExchangeChains(t *testing.T) {
	w := newExchange(t)
	token := w.signIn(t, "web").AccessToken
	clients, resources := []string{"gateway", "backend"}, []string{files, api}
	var p *auth.Principal
	for i := range 9 {
		token, p = w.exchanged(t, resources[i%2], clients[i%2], token)
		by := act(t, p)
		for j := i; j >= 0; j-- {
			require.Equal(t, clients[j%2], by.Subject)
			require.Equal(t, clients[j%2], by.ClientID)
			by = by.Act
		}
		require.Nil(t, by)
		require.Equal(t, "alice", p.Subject)
	}
	requireRefused(t, w.send(t, w.exchange(clients[1], token)), 400, oauth.ErrInvalidRequest)

	own := w.token(t, "service", "grant_type", "client_credentials")
	_, p = w.exchanged(t, files, "service", own.AccessToken)
	require.Nil(t, act(t, p))
	require.Equal(t, "service", p.Subject)
	_, p = w.exchanged(t, files, "gateway", own.AccessToken)
	require.Equal(t, "gateway", act(t, p).Subject)
	require.Equal(t, "service", p.Subject)

	// Somebody who is called as the client is somebody else.
	w.people["alice"].Subject = "gateway"
	_, p = w.exchanged(t, files, "gateway", w.signIn(t, "web").AccessToken)
	require.NotNil(t, act(t, p))
}

// Nobody acts unseen, but who was let to; and not if they name an actor.
func TestExchangeImpersonates(t *testing.T) {
	w := newExchange(t)
	a := w.signIn(t, "web")
	bob := *w.people["bob"]
	b := w.used(t, "gateway", &bob)

	w.change("gateway", func(c *oauth.Client) { c.Impersonation = true })
	token, p := w.exchanged(t, files, "gateway", a.AccessToken)
	require.Nil(t, act(t, p))
	require.Equal(t, "alice", p.Subject)
	require.NotContains(t, string(p.Claims), `"act"`)

	_, p = w.exchanged(t, files, "gateway", a.AccessToken, "actor_token", b.AccessToken, "actor_token_type", typeAccess)
	require.Equal(t, &oauth.Actor{Subject: "bob"}, act(t, p), "the people of the kit have no issuer")

	bob.Issuer = "https://idp.example"
	b = w.used(t, "gateway", &bob)
	_, p = w.exchanged(t, files, "gateway", a.AccessToken, "actor_token", b.AccessToken, "actor_token_type", typeAccess)
	require.Equal(t, &oauth.Actor{Subject: "bob", Issuer: "https://idp.example"}, act(t, p))

	// It hides itself, and not who was seen before.
	_, p = w.exchanged(t, api, "backend", token)
	require.Equal(t, "backend", act(t, p).Subject)
	token, _ = w.exchanged(t, api, "backend", token)
	_, p = w.exchanged(t, files, "gateway", token)
	require.Equal(t, &oauth.Actor{Subject: "backend", ClientID: "backend"}, act(t, p))
}

// Somebody with a token of their own acts, in their own name, for as long as both
// tokens last.
func TestExchangeForAnActor(t *testing.T) {
	authtest.At(t, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), func(t *testing.T) {
		w := newExchange(t)
		actor := w.used(t, "gateway", w.people["bob"])
		authtest.Advance(5 * time.Minute)
		a := w.signIn(t, "web")
		by := []string{"actor_token", actor.AccessToken, "actor_token_type", typeAccess}
		token, p := w.exchanged(t, files, "gateway", a.AccessToken, by...)
		require.Equal(t, &oauth.Actor{Subject: "bob"}, act(t, p))
		require.Equal(t, "alice", p.Subject)
		require.Equal(t, 10*time.Minute, time.Until(p.Credential.Expires))

		// Who acts for somebody does not act for a third.
		again := w.send(t, w.exchange("gateway", a.AccessToken, "actor_token", token, "actor_token_type", typeAccess))
		requireRefused(t, again, 400, oauth.ErrInvalidRequest)
		require.Contains(t, again.ErrorDescription, "for whom another one acts")

		authtest.Advance(10 * time.Minute)
		requireRefused(t, w.send(t, w.exchange("gateway", a.AccessToken, by...)), 400, oauth.ErrInvalidRequest)
		requireGranted(t, w.send(t, w.exchange("gateway", a.AccessToken)))

		// The leeway of a verifier gives no new life.
		authtest.Advance(5*time.Minute + time.Second)
		w.requireOpen(t, a.AccessToken)
		requireRefused(t, w.send(t, w.exchange("gateway", a.AccessToken)), 400, oauth.ErrInvalidRequest)
	})
}
