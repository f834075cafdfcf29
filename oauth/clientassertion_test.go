package oauth_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
)

// asserting is a request for client credentials by an assertion.
func asserting(assertion string, pairs ...string) *http.Request {
	return asking(append(pairs, "client_assertion_type", clientAssertionType, "client_assertion", assertion))
}

// Row 113 and row 85: what an assertion must say, and that it is good once.
func TestClientAssertion(t *testing.T) {
	w := newWorld(t)
	now := time.Now().Unix()
	for name, change := range map[string]map[string]any{
		"plain":            nil,
		"5 minutes":        {"exp": now + 300},
		"clock is ahead":   {"exp": now + 320, "iat": now + 20, "nbf": now + 20},
		"without iat":      {"iat": nil},
		"with what it has": {"extra": map[string]any{"a": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			assertion := w.assertion("signer", change)
			requireGranted(t, w.send(t, asserting(assertion)))
			requireRefused(t, w.send(t, asserting(assertion)), 401, oauth.ErrInvalidClient)
			require.ErrorIs(t, w.lastEvent(t).Err, auth.ErrReused)
		})
	}
	requireGranted(t, w.send(t, asserting(w.assertion("signer", nil), "client_id", "signer")))

	once := w.assertion("signer", map[string]any{"jti": "once"})
	requireGranted(t, w.send(t, asserting(once)))
	for name, change := range map[string]map[string]any{
		"same jti":        {"jti": "once"},
		"no jti":          {"jti": nil},
		"empty jti":       {"jti": ""},
		"jti a number":    {"jti": 1},
		"no iss":          {"iss": nil},
		"another iss":     {"iss": "service"},
		"no sub":          {"sub": nil},
		"another sub":     {"sub": "service"},
		"unknown":         {"iss": "nobody", "sub": "nobody"},
		"no aud":          {"aud": nil},
		"another aud":     {"aud": "https://other.example"},
		"aud an array":    {"aud": []string{issuer}},
		"aud two":         {"aud": []string{issuer, "https://other.example"}},
		"aud an endpoint": {"aud": issuer + "/oauth/token"},
		"aud with slash":  {"aud": issuer + "/"},
		"no exp":          {"exp": nil},
		"exp a text":      {"exp": "9999999999"},
		"expired":         {"exp": now - 1},
		"too far ahead":   {"exp": now + 400},
		"not yet":         {"nbf": now + 100},
		"iat to come":     {"iat": now + 100},
		"bound":           {"cnf": map[string]string{"jkt": "x"}},
		"a public client": {"iss": "phone", "sub": "phone"},
		"with a secret":   {"iss": "web", "sub": "web"},
	} {
		t.Run(name, func(t *testing.T) {
			requireRefused(t, w.send(t, asserting(w.assertion("signer", change))), 401, oauth.ErrInvalidClient)
		})
	}

	payload := func() string { return claimsText(assertionClaims("signer"), nil) }
	requireGranted(t, w.send(t, asserting(w.signing.sign(`{"alg":"EdDSA"}`, payload()))))
	requireGranted(t, w.send(t, asserting(w.signing.sign(`{"alg":"EdDSA","typ":"client-authentication+jwt"}`, payload()))))
	for name, assertion := range map[string]string{
		"another key":      newSigner().sign(`{"alg":"EdDSA"}`, payload()),
		"an access token":  w.signing.sign(`{"alg":"EdDSA","typ":"at+jwt"}`, payload()),
		"a DPoP proof":     w.signing.sign(`{"alg":"EdDSA","typ":"dpop+jwt"}`, payload()),
		"none":             b64(`{"alg":"none"}`) + "." + b64(payload()) + ".",
		"none, signed":     w.signing.sign(`{"alg":"none"}`, payload()),
		"symmetric":        w.signing.sign(`{"alg":"HS256"}`, payload()),
		"another alg":      w.signing.sign(`{"alg":"ES256"}`, payload()),
		"another kid":      w.signing.sign(`{"alg":"EdDSA","kid":"x"}`, payload()),
		"its own key":      newSigner().sign(`{"alg":"EdDSA","jwk":`+w.signing.jwk()+`}`, payload()),
		"critical":         w.signing.sign(`{"alg":"EdDSA","crit":["b64"],"b64":false}`, payload()),
		"cut":              strings.TrimSuffix(w.signing.sign(`{"alg":"EdDSA"}`, payload()), "A") + "AA",
		"two subs":         w.signing.sign(`{"alg":"EdDSA"}`, `{"sub":"web",`+payload()[1:]),
		"no JSON":          w.signing.sign(`{"alg":"EdDSA"}`, "signer"),
		"two parts":        "a.b",
		"too long":         w.signing.sign(`{"alg":"EdDSA"}`, strings.Replace(payload(), "{", `{"pad":"`+strings.Repeat("x", 8<<10)+`",`, 1)),
		"a nested payload": w.signing.sign(`{"alg":"EdDSA"}`, strings.Repeat(`{"a":`, 200)+payload()+strings.Repeat("}", 200)),
	} {
		t.Run(name, func(t *testing.T) {
			requireRefused(t, w.send(t, asserting(assertion)), 401, oauth.ErrInvalidClient)
		})
	}
	other := asking([]string{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "client_assertion", w.assertion("signer", nil)})
	requireRefused(t, w.send(t, other), 401, oauth.ErrInvalidClient)
	requireRefused(t, w.send(t, asking([]string{"client_assertion", w.assertion("signer", nil)})), 401, oauth.ErrInvalidClient)
	requireRefused(t, w.send(t, asking([]string{"client_assertion_type", clientAssertionType})), 401, oauth.ErrInvalidClient)
}

// Row 43: an assertion of a client opens nothing at the API, and an access token
// proves no client.
func TestClientAssertionConfusion(t *testing.T) {
	w := newWorld(t)
	_, err := w.opens(t, w.assertion("signer", map[string]any{"aud": api, "iss": issuer}))
	require.ErrorIs(t, err, auth.ErrInvalid)
	// Even where a client has this server's own keys, an access token of its own
	// has another typ, issuer and audience.
	a := w.token(t, "service", "grant_type", "client_credentials")
	public := w.published(t)
	w.change("service", func(c *oauth.Client) { c.Secrets, c.Keys = nil, public })
	requireRefused(t, w.send(t, asserting(a.AccessToken)), 401, oauth.ErrInvalidClient)
}

// Row 21: of a hundred who show one assertion, one gets through; and a client's
// use of a jti takes nothing from another's.
func TestClientAssertionOnce(t *testing.T) {
	w := newWorld(t)
	assertion := w.assertion("signer", map[string]any{"jti": "shared"})
	codes := map[int]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			a := w.send(t, asserting(assertion))
			mu.Lock()
			defer mu.Unlock()
			codes[a.Code]++
		})
	}
	all.Wait()
	require.Equal(t, map[int]int{200: 1, 401: 99}, codes)

	other := newSigner()
	w.clients["other"] = &oauth.Client{ID: "other", Keys: other.public(t), Grants: []oauth.GrantType{oauth.ClientCredentials}}
	requireGranted(t, w.send(t, asserting(other.sign(`{"alg":"EdDSA"}`, claimsText(assertionClaims("other"), map[string]any{"jti": "shared"})))))
}

// A used assertion is remembered beyond its end.
func TestClientAssertionRemembered(t *testing.T) {
	authtest.At(t, whenever, func(t *testing.T) {
		w := newWorld(t)
		assertion := w.assertion("signer", nil)
		requireGranted(t, w.send(t, asserting(assertion)))
		authtest.Advance(59 * time.Second)
		requireRefused(t, w.send(t, asserting(assertion)), 401, oauth.ErrInvalidClient)
		authtest.Advance(time.Second)
		requireRefused(t, w.send(t, asserting(assertion)), 401, oauth.ErrInvalidClient)
		require.ErrorIs(t, w.lastEvent(t).Err, auth.ErrExpired)
	})
}

// remoteKeys are keys that cannot be fetched.
type remoteKeys struct {
	auth.KeySet
	err error
}

func (k *remoteKeys) Lookup(ctx context.Context, kid string, alg auth.Algorithm) ([]*auth.Key, error) {
	if k.err != nil {
		return nil, k.err
	}
	return k.KeySet.Lookup(ctx, kid, alg)
}

// A secret is no key, whatever a registry of one's own says.
func TestClientAssertionSymmetric(t *testing.T) {
	w := newWorld(t)
	secret := []byte("0123456789abcdef0123456789abcdef")
	k, err := auth.NewHMACKey("", auth.HS256, secret)
	require.NoError(t, err)
	keys, err := auth.NewKeys(k)
	require.NoError(t, err)
	w.change("signer", func(c *oauth.Client) { c.Keys = &remoteKeys{KeySet: keys} })
	signed := b64(`{"alg":"HS256"}`) + "." + b64(claimsText(assertionClaims("signer"), nil))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	requireRefused(t, w.send(t, asserting(signed+"."+b64(string(mac.Sum(nil))))), 401, oauth.ErrInvalidClient)
}

// A client's keys that cannot be fetched are an outage.
func TestClientAssertionKeysDown(t *testing.T) {
	w := newWorld(t)
	keys := &remoteKeys{KeySet: w.signing.public(t), err: context.DeadlineExceeded}
	w.change("signer", func(c *oauth.Client) { c.Keys = keys })
	assertion := w.assertion("signer", nil)
	requireRefused(t, w.send(t, asserting(assertion)), 503, oauth.ErrTemporarilyUnavailable)
	keys.err = &auth.Failure{Reason: auth.ErrUnavailable, RetryAfter: 7 * time.Second}
	a := w.send(t, asserting(assertion))
	requireRefused(t, a, 503, oauth.ErrTemporarilyUnavailable)
	require.Equal(t, "7", a.Header().Get("Retry-After"))
	keys.err = nil
	requireGranted(t, w.send(t, asserting(assertion)))
}
