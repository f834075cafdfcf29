package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// An agency is a platform whose users sign in by its assertions, at a server of
// which partner is a client.
type agency struct {
	*world
	key       *signer
	entry     auth.Platform
	platforms *auth.Platforms
	user      func(*auth.Assertion) (*auth.Principal, error)
}

// Platform implements auth.PlatformRegistry.
func (a *agency) Platform(_ context.Context, id string) (*auth.Platform, error) {
	if id != a.entry.ID {
		return nil, auth.ErrNotFound
	}
	entry := a.entry
	return &entry, nil
}

func newAgency(t testing.TB) *agency { return newAgencyOver(t, memstore.New()) }

func newAgencyOver(t testing.TB, store auth.Store, change ...func(*oauth.Config)) *agency {
	a := &agency{key: newSigner()}
	a.entry = auth.Platform{ID: "acme", Keys: a.key.public(t), Algorithms: []auth.Algorithm{auth.EdDSA}, Audience: issuer, Scopes: []string{"read", "admin"}}
	a.user = func(x *auth.Assertion) (*auth.Principal, error) {
		return &auth.Principal{Subject: "acme:" + x.Subject, Scopes: []string{"read", "write"}}, nil
	}
	a.world = newWorldOver(t, store, func(c *oauth.Config) {
		var err error
		a.platforms, err = auth.NewPlatforms(c.Store, a, &auth.PlatformOptions{
			User: func(_ context.Context, _ *auth.Platform, x *auth.Assertion) (*auth.Principal, error) {
				return a.user(x)
			},
		})
		require.NoError(t, err)
		c.Platforms = a.platforms
		for _, f := range change {
			f(c)
		}
	})
	return a
}

func networksOf(t testing.TB, text string) *auth.Networks {
	n, err := auth.ParseNetworks(text)
	require.NoError(t, err)
	return n
}

// says is an assertion about carol, with claims changed.
func (a *agency) says(change map[string]any) string {
	claims := assertionClaims("acme")
	claims["sub"] = "carol"
	return a.key.sign(`{"alg":"EdDSA","typ":"JWT"}`, claimsText(claims, change))
}

// bears is the request that shows an assertion.
func (a *agency) bears(assertion string, pairs ...string) *http.Request {
	return a.asks("partner", append([]string{"grant_type", string(oauth.JWTBearer), "assertion", assertion}, pairs...)...)
}

// Row 85: what the assertion must say, and that it is good once.
func TestJWTBearer(t *testing.T) {
	w := newAgency(t)
	assertion := w.says(nil)
	a := w.send(t, w.bears(assertion))
	requireGranted(t, a)
	require.Equal(t, "read", a.Scope, "what user, platform and client have in common")
	require.NotContains(t, a.Body.String(), "refresh_token", "RFC 7521 section 4.1")
	p, err := w.opens(t, a.AccessToken)
	require.NoError(t, err)
	require.Equal(t, "acme:carol", p.Subject)
	require.Equal(t, "partner", p.Credential.ClientID)
	require.Equal(t, auth.KindPlatform, p.Origin.Kind)
	require.Equal(t, "acme", p.Origin.ID)
	requireRefused(t, w.send(t, w.bears(assertion)), 400, oauth.ErrInvalidGrant)
	require.ErrorIs(t, w.lastEvent(t).Err, auth.ErrReused)

	now := time.Now().Unix()
	for name, change := range map[string]map[string]any{
		"another iss":   {"iss": "other"},
		"the client":    {"iss": "partner"},
		"no sub":        {"sub": nil},
		"another aud":   {"aud": "https://other.example"},
		"aud an array":  {"aud": []string{issuer}},
		"no jti":        {"jti": nil},
		"expired":       {"exp": now - 1},
		"too far ahead": {"exp": now + 600},
	} {
		t.Run(name, func(t *testing.T) {
			requireRefused(t, w.send(t, w.bears(w.says(change))), 400, oauth.ErrInvalidGrant)
		})
	}
}

// The client proves itself as for every grant, and what can be refused without
// the assertion does not use it up.
func TestJWTBearerRefusedBefore(t *testing.T) {
	w := newAgency(t)
	assertion := w.says(nil)
	bearer := []string{"grant_type", string(oauth.JWTBearer), "assertion", assertion}
	requireRefused(t, w.send(t, request("POST", "/oauth/token", form(bearer...))), 401, oauth.ErrInvalidClient)
	requireRefused(t, w.send(t, request("POST", "/oauth/token", form(bearer...), basicAuth("partner", "wrong-secret"))), 401, oauth.ErrInvalidClient)
	requireRefused(t, w.token(t, "web", bearer...), 400, oauth.ErrUnauthorizedClient)
	requireRefused(t, w.send(t, w.bears(assertion, "scope", "admin")), 400, oauth.ErrInvalidScope)
	requireRefused(t, w.send(t, w.bears(assertion, "resource", "https://other.example")), 400, oauth.ErrInvalidTarget)
	r := w.bears(assertion)
	r.Header.Set("DPoP", "x")
	requireRefused(t, w.send(t, r), 400, oauth.ErrInvalidDPoPProof)
	requireRefused(t, w.send(t, w.bears("")), 400, oauth.ErrInvalidRequest)
	a := w.send(t, w.bears(assertion, "scope", "write read", "resource", files))
	requireGranted(t, a)
	require.Equal(t, "read", a.Scope, "told, as it is less than was asked for")
}

// What the platform's entry says goes for its tokens here, too.
func TestJWTBearerPlatform(t *testing.T) {
	authtest.At(t, whenever, func(t *testing.T) {
		w := newAgency(t)
		w.entry.SessionLifetime = time.Minute
		require.EqualValues(t, 60, w.send(t, w.bears(w.says(nil))).ExpiresIn)
	})

	w := newAgency(t)
	w.entry.Networks = networksOf(t, "192.0.2.0/24")
	requireRefused(t, w.send(t, w.bears(w.says(nil))), 400, oauth.ErrInvalidGrant)
	w.entry.Networks = networksOf(t, "127.0.0.0/8")
	a := w.send(t, w.bears(w.says(nil)))
	requireGranted(t, a)

	w.user = func(*auth.Assertion) (*auth.Principal, error) { return &auth.Principal{Subject: "carol"}, nil }
	a = w.send(t, w.bears(w.says(nil)))
	requireGranted(t, a)
	require.Empty(t, a.Scope, "a user without scopes has none")
	w.user = func(*auth.Assertion) (*auth.Principal, error) {
		return nil, fmt.Errorf("%w: no such user", auth.ErrInvalid)
	}
	requireRefused(t, w.send(t, w.bears(w.says(nil))), 400, oauth.ErrInvalidGrant)
	w.user = func(*auth.Assertion) (*auth.Principal, error) { return nil, errors.New("database is down") }
	requireRefused(t, w.send(t, w.bears(w.says(nil))), 503, oauth.ErrTemporarilyUnavailable)

	require.NoError(t, w.platforms.Suspend(context.Background(), "acme"))
	requireRefused(t, w.send(t, w.bears(w.says(nil))), 400, oauth.ErrInvalidGrant)
}

// A suspended platform, an ended client.
func TestJWTBearerEnded(t *testing.T) {
	authtest.At(t, whenever, func(t *testing.T) {
		w := newAgency(t)
		a := w.send(t, w.bears(w.says(nil)))
		requireGranted(t, a)
		require.NoError(t, w.platforms.Suspend(context.Background(), "acme"))
		_, err := w.opens(t, a.AccessToken)
		require.ErrorIs(t, err, auth.ErrRevoked)
		require.NoError(t, w.platforms.Resume(context.Background(), "acme"))
		authtest.Advance(time.Second)
		requireGranted(t, w.send(t, w.bears(w.says(nil))))
		w.change("partner", func(c *oauth.Client) { c.Revoked = time.Now().Add(time.Second) })
		requireRefused(t, w.send(t, w.bears(w.says(nil))), 400, oauth.ErrInvalidGrant)
		authtest.Advance(2 * time.Second)
		requireGranted(t, w.send(t, w.bears(w.says(nil))))
	})
}

// The platform sees the client's address as the guard does.
func TestJWTBearerAddress(t *testing.T) {
	direct := newAgency(t)
	behind := newAgencyOver(t, memstore.New(), func(c *oauth.Config) {
		c.Guard = &auth.GuardOptions{TrustedProxies: networksOf(t, "127.0.0.0/8")}
	})
	for _, w := range []*agency{direct, behind} {
		w.entry.Networks = networksOf(t, "192.0.2.7")
		r := w.bears(w.says(nil))
		r.Header.Set("X-Forwarded-For", "192.0.2.7")
		r.Header.Set("X-Forwarded-Proto", "https")
		if a := w.send(t, r); w == behind {
			requireGranted(t, a)
		} else {
			requireRefused(t, a, 400, oauth.ErrInvalidGrant)
		}
	}
}

// Row 43: an assertion of each kind, shown as the other.
func TestJWTBearerConfusion(t *testing.T) {
	w := newAgency(t)
	w.change("signer", func(c *oauth.Client) { c.Grants = append(c.Grants, oauth.JWTBearer) })
	// A platform's assertion proves no client, even one of the platform's name
	// and keys.
	requireRefused(t, w.send(t, asserting(w.says(nil))), 401, oauth.ErrInvalidClient)
	w.clients["acme"] = &oauth.Client{ID: "acme", Keys: w.key.public(t), Grants: []oauth.GrantType{oauth.ClientCredentials}}
	requireRefused(t, w.send(t, asserting(w.says(nil), "client_id", "acme")), 400, oauth.ErrInvalidRequest)
	requireRefused(t, w.send(t, asserting(w.says(map[string]any{"sub": "acme", "iss": "signer"}))), 401, oauth.ErrInvalidClient)
	// A client's assertion signs nobody in, nor does an access token.
	requireRefused(t, w.send(t, w.bears(w.assertion("signer", nil))), 400, oauth.ErrInvalidGrant)
	requireRefused(t, w.send(t, w.bears(w.signIn(t, "web").AccessToken)), 400, oauth.ErrInvalidGrant)
	_, err := w.opens(t, w.says(map[string]any{"iss": issuer, "aud": api}))
	require.ErrorIs(t, err, auth.ErrInvalid)
}

// Tokens tell people apart by their subject: a platform's are given one of ours.
func TestJWTBearerOfAnotherIssuer(t *testing.T) {
	w := newAgency(t)
	for from, status := range map[string]int{"": 200, issuer: 200, issuer + "/": 503, "https://idp.example": 503} {
		w.user = func(*auth.Assertion) (*auth.Principal, error) {
			return &auth.Principal{Issuer: from, Subject: "alice"}, nil
		}
		require.Equal(t, status, w.send(t, w.bears(w.says(map[string]any{"jti": "of " + from}))).Code, from)
	}
}
