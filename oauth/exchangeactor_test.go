package oauth_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
)

// A resource has its callers' tokens, and hides behind none of them: as the actor
// it names itself, or who uses it.
func TestExchangeHidesBehindNobody(t *testing.T) {
	w := newExchange(t)
	w.change("gateway", func(c *oauth.Client) { c.Grants = append(c.Grants, oauth.ClientCredentials) })
	alice, opaque := w.signIn(t, "web").AccessToken, w.signIn(t, "opaque").AccessToken
	service := w.token(t, "service", "grant_type", "client_credentials").AccessToken
	gateway := w.token(t, "gateway", "grant_type", "client_credentials").AccessToken
	w.people["alice"].Claims = json.RawMessage(`{"may_act":{"client_id":"service"}}`)
	entrusted := w.signIn(t, "web").AccessToken
	w.change("gateway", func(c *oauth.Client) { c.Impersonation = true })
	impersonated, p := w.exchanged(t, api, "gateway", service)
	require.Nil(t, act(t, p))
	w.change("gateway", func(c *oauth.Client) { c.Impersonation = false })

	by := func(subject, actor string) *http.Request {
		return w.exchange("gateway", subject, "actor_token", actor, "actor_token_type", typeAccess, "resource", files)
	}
	for name, r := range map[string]*http.Request{
		"a client for itself":     by(service, service),
		"a person for themselves": by(alice, alice),
		"a client for a person":   by(alice, service),
		"a person for a client":   by(service, alice),
		"an opaque token":         by(alice, opaque),
		"who may act":             by(entrusted, service),
		"who was impersonated":    by(alice, impersonated),
		"and may act":             by(entrusted, impersonated),
		"and for itself":          by(service, impersonated),
	} {
		refused := w.send(t, r)
		requireRefused(t, refused, 400, oauth.ErrInvalidRequest)
		require.Contains(t, refused.ErrorDescription, "neither the client's own", name)
	}

	itself := &oauth.Actor{Subject: "gateway", ClientID: "gateway"}
	for _, subject := range []string{alice, service, impersonated} {
		_, p = w.exchanged(t, files, "gateway", subject, "actor_token", gateway, "actor_token_type", typeAccess)
		require.Equal(t, itself, act(t, p))
		_, p = w.exchanged(t, files, "gateway", subject)
		require.Equal(t, itself, act(t, p))
	}
	for _, pairs := range [][]string{nil, {"actor_token", gateway, "actor_token_type", typeAccess}} {
		_, p = w.exchanged(t, files, "gateway", gateway, pairs...)
		require.Nil(t, act(t, p), "for nobody")
	}
	bob := w.used(t, "gateway", w.people["bob"]).AccessToken
	_, p = w.exchanged(t, files, "gateway", gateway, "actor_token", bob, "actor_token_type", typeAccess)
	require.Equal(t, &oauth.Actor{Subject: "bob"}, act(t, p), "for the client")
}

// Who is named as the actor is proved by the key, also where the client is the
// resource that the token is for.
func TestExchangeForABoundActor(t *testing.T) {
	w := newExchange(t)
	w.change("gateway", func(c *oauth.Client) { c.Grants = append(c.Grants, oauth.ClientCredentials) })
	key := newSigner()
	prove := func(r *http.Request) *http.Request {
		proof := key.proof()
		r.Header.Set(proof.name, proof.value)
		return r
	}
	actor := w.send(t, prove(w.asks("gateway", "grant_type", "client_credentials")))
	require.Equal(t, "DPoP", actor.TokenType)
	by := func() *http.Request {
		return w.exchange("gateway", w.signIn(t, "web").AccessToken, "actor_token", actor.AccessToken, "actor_token_type", typeAccess)
	}
	requireRefused(t, w.send(t, by()), 400, oauth.ErrInvalidRequest)
	requireGranted(t, w.send(t, prove(by())))
}

// A client whose tokens a registry has ended exchanges nothing that was there then.
func TestExchangeAfterTheClientsEnd(t *testing.T) {
	authtest.At(t, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), func(t *testing.T) {
		w := newExchange(t)
		a := w.signIn(t, "web")
		w.change("gateway", func(c *oauth.Client) { c.Revoked = time.Now() })
		authtest.Advance(time.Second)
		requireRefused(t, w.send(t, w.exchange("gateway", a.AccessToken)), 400, oauth.ErrInvalidRequest)
		w.people["alice"] = w.people["alice"].ProvedAt(time.Now())
		requireGranted(t, w.send(t, w.exchange("gateway", w.signIn(t, "web").AccessToken)))
	})
}

// An issuer whose clock is ahead of ours gives its people no head start on what
// ends their tokens.
func TestExchangeOfTokensFromTheFuture(t *testing.T) {
	authtest.At(t, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), func(t *testing.T) {
		w, foreign := newForeign(t)
		origin := auth.Origin{Kind: auth.KindPassword, ID: "carol", Time: time.Now().Add(25 * time.Second)}
		g, err := foreign.Issue(t.Context(), &auth.Principal{Subject: "carol", Scopes: []string{"read"}, Origin: origin}, &auth.IssueOptions{Audience: []string{issuer}})
		require.NoError(t, err)
		token, p := w.exchanged(t, files, "gateway", g.Token.Reveal())
		require.Equal(t, time.Now(), p.Origin.Time.Local())
		require.NoError(t, auth.RevokeClient(t.Context(), w.store, "gateway"))
		_, err = w.proves(t, files, token)
		require.ErrorIs(t, err, auth.ErrRevoked)
	})
}
