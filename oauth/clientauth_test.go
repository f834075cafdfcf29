package oauth_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
)

var credentials = []string{"grant_type", "client_credentials"}

// asking is a request for client credentials, with more in its form, and fields.
func asking(pairs []string, fields ...header) *http.Request {
	return request("POST", "/oauth/token", form(append(pairs, credentials...)...), fields...)
}

// Row 27 and row 71: who does not prove to be the client is told 401, with the
// challenge, and in the same words whatever is wrong.
func TestClientAuthentication(t *testing.T) {
	w := newWorld(t)
	w.change("gateway", func(c *oauth.Client) { c.Disabled = true })
	secret := w.secrets["service"]
	requireGranted(t, w.send(t, asking(nil, w.basic("service"))))
	requireGranted(t, w.send(t, asking([]string{"client_id", "service"}, w.basic("service"))))
	requireGranted(t, w.send(t, asking(nil, header{"Authorization", strings.Replace(w.basic("service").value, "Basic ", "bASIC  ", 1)})))
	requireGranted(t, w.send(t, asking([]string{"client_id", "service", "client_secret", secret})))

	var body string
	for name, r := range map[string]*http.Request{
		"nothing":               asking(nil),
		"a name alone":          asking([]string{"client_id", "service"}),
		"an empty secret":       asking([]string{"client_id", "service", "client_secret", ""}),
		"a wrong secret":        asking([]string{"client_id", "service", "client_secret", secret + "x"}),
		"another's secret":      asking(nil, basicAuth("service", w.secrets["web"])),
		"nobody":                asking(nil, basicAuth("nobody", secret)),
		"nobody, by name":       asking([]string{"client_id", "nobody"}),
		"a malformed name":      asking(nil, basicAuth("a b\n", secret)),
		"another case":          asking(nil, basicAuth("SERVICE", secret)),
		"disabled":              asking(nil, w.basic("gateway")),
		"disabled, wrong":       asking(nil, basicAuth("gateway", "x")),
		"public with a secret":  asking(nil, basicAuth("phone", secret)),
		"public, empty secret":  asking(nil, basicAuth("phone", "")),
		"keys, but a secret":    asking(nil, basicAuth("signer", secret)),
		"keys, but a name":      asking([]string{"client_id", "signer"}),
		"Bearer":                asking(nil, header{"Authorization", "Bearer " + secret}),
		"Basic as Bearer":       asking(nil, header{"Authorization", strings.Replace(w.basic("service").value, "Basic", "Bearer", 1)}),
		"Basic without text":    asking(nil, header{"Authorization", "Basic"}),
		"Basic of no base64":    asking(nil, header{"Authorization", "Basic %%%"}),
		"Basic without a colon": asking(nil, header{"Authorization", "Basic " + "c2VydmljZQ=="}),
		"Basic, bad encoding":   asking(nil, rawBasic("service", "%zz")),
		"its digest":            asking(nil, basicAuth("service", w.clients["service"].Secrets[0].Digest.String())),
	} {
		t.Run(name, func(t *testing.T) {
			a := w.send(t, r)
			requireRefused(t, a, http.StatusUnauthorized, oauth.ErrInvalidClient)
			require.Equal(t, `Basic realm="oauth", charset="UTF-8"`, a.Header().Get("WWW-Authenticate"))
			if body == "" {
				body = a.Body.String()
			}
			require.Equal(t, body, a.Body.String(), "all alike")
		})
	}
}

func rawBasic(id, secret string) header {
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth(id, secret)
	return header{"Authorization", r.Header.Get("Authorization")}
}

// Row 72: one way in a request.
func TestClientAuthenticationOneWay(t *testing.T) {
	w := newWorld(t)
	secret := w.secrets["service"]
	assertion := []string{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", w.assertion("signer", nil)}
	for name, r := range map[string]*http.Request{
		"Basic and post":       asking([]string{"client_id", "service", "client_secret", secret}, w.basic("service")),
		"Basic and assertion":  asking(assertion, w.basic("service")),
		"post and assertion":   asking(append(assertion, "client_id", "signer", "client_secret", secret)),
		"two Authorizations":   asking(nil, w.basic("service"), w.basic("service")),
		"Basic, another name":  asking([]string{"client_id", "web"}, w.basic("service")),
		"assertion, other one": asking(append(assertion, "client_id", "service")),
	} {
		t.Run(name, func(t *testing.T) {
			requireRefused(t, w.send(t, r), 400, oauth.ErrInvalidRequest)
		})
	}
}

// Row 72: Basic holds form-encoded parts, so a secret may have any character of
// its alphabet.
func TestClientSecretEncoding(t *testing.T) {
	w := newWorld(t)
	for _, secret := range []string{"100%+:&=?#", "a+b/c==%2B", `"quoted\"`, strings.Repeat("~", 256)} {
		kept, err := oauth.ImportClientSecret(secret)
		require.NoError(t, err)
		w.change("service", func(c *oauth.Client) { c.Secrets = []oauth.ClientSecret{kept} })
		requireGranted(t, w.send(t, asking(nil, basicAuth("service", secret))))
		requireGranted(t, w.send(t, asking([]string{"client_id", "service", "client_secret", secret})))
		if url.QueryEscape(secret) != secret && strings.Contains(secret, "+") {
			requireRefused(t, w.send(t, asking(nil, rawBasic("service", secret))), 401, oauth.ErrInvalidClient)
		}
	}
	w.clients["a%b+c"] = &oauth.Client{ID: "a%b+c", Grants: []oauth.GrantType{oauth.ClientCredentials}, Secrets: w.clients["web"].Secrets}
	requireGranted(t, w.send(t, asking(nil, basicAuth("a%b+c", w.secrets["web"]))))
}

// Secrets overlap while they roll over, and end when they expire.
func TestClientSecretsRollOver(t *testing.T) {
	authtest.At(t, time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC), func(t *testing.T) {
		w := newWorld(t)
		next, kept := oauth.NewClientSecret()
		w.change("service", func(c *oauth.Client) {
			old := c.Secrets[0]
			old.Expires = time.Now().Add(time.Hour)
			c.Secrets = []oauth.ClientSecret{old, kept}
		})
		requireGranted(t, w.send(t, asking(nil, w.basic("service"))))
		requireGranted(t, w.send(t, asking(nil, basicAuth("service", next.Reveal()))))
		authtest.Advance(time.Hour)
		requireRefused(t, w.send(t, asking(nil, w.basic("service"))), 401, oauth.ErrInvalidClient)
		requireGranted(t, w.send(t, asking(nil, basicAuth("service", next.Reveal()))))
	})
}

// The guard around the endpoints counts what fails, and no outage.
func TestClientAuthenticationThrottled(t *testing.T) {
	w := newWorld(t, func(c *oauth.Config) {
		c.Guard = &auth.GuardOptions{Throttle: auth.NewLimiter(2, time.Hour)}
	})
	for range 4 {
		requireGranted(t, w.send(t, asking(nil, w.basic("service"))))
		requireRefused(t, w.send(t, asking([]string{"scope", "root"}, w.basic("service"))), 400, oauth.ErrInvalidScope)
		requireRefused(t, w.send(t, asking([]string{"client_secret", "x"}, w.basic("service"))), 400, oauth.ErrInvalidRequest)
	}
	w.outage = errors.New("registry is down")
	for range 4 {
		requireRefused(t, w.send(t, asking(nil, basicAuth("service", "guess"))), 503, oauth.ErrTemporarilyUnavailable)
	}
	w.outage = nil
	for range 2 {
		requireRefused(t, w.send(t, asking(nil, basicAuth("service", "guessed"))), 401, oauth.ErrInvalidClient)
	}
	a := w.send(t, asking(nil, w.basic("service")))
	requireRefused(t, a, http.StatusTooManyRequests, oauth.ErrTemporarilyUnavailable)
	require.NotEmpty(t, a.Header().Get("Retry-After"))
}

// What the guard is told of clients.
func TestClientAuthenticationObserved(t *testing.T) {
	var events []auth.Event
	w := newWorld(t, func(c *oauth.Config) {
		c.Guard = &auth.GuardOptions{Observe: observer(&events)}
	})
	w.send(t, asking(nil, w.basic("service")))
	w.send(t, asking(nil, basicAuth("service", "guess")))
	w.send(t, asking(nil, basicAuth("nobody", "guess")))
	w.outage = errors.New("registry is down")
	w.send(t, asking(nil, w.basic("service")))
	require.Len(t, events, 4)
	require.Equal(t, auth.Admitted, events[0].Outcome)
	require.Equal(t, auth.KindClient, events[0].Kind)
	require.Equal(t, "service", events[0].Subject)
	require.Equal(t, auth.ErrInvalid, events[1].Reason)
	require.Equal(t, auth.ErrInvalid, events[2].Reason)
	require.Equal(t, auth.Unavailable, events[3].Outcome)
	for _, e := range events {
		if e.Err != nil {
			require.NotContains(t, e.Err.Error(), "guess")
		}
	}
}

// A client whose entry is not valid is an outage, never a 401: it is the
// operator's mistake.
func TestClientEntryInvalid(t *testing.T) {
	w := newWorld(t)
	w.change("service", func(c *oauth.Client) { c.Scopes = []string{"a b"} })
	requireRefused(t, w.send(t, asking(nil, w.basic("service"))), 503, oauth.ErrTemporarilyUnavailable)
}
