//go:build linux

package oauth_test

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/internal/servertest"
)

// What is good once is good once, whoever tries at the same moment, in however
// many processes, and however long ago it was used: see DESIGN.md, contract 4.
func TestOnce(t *testing.T) {
	for _, s := range []struct {
		name      string
		processes int
		store     func(t *testing.T) string
	}{
		{"memory", 1, func(*testing.T) string { return "memory" }},
		{"SQLite", 2, func(t *testing.T) string {
			return "file:" + filepath.Join(t.TempDir(), "auth.db") + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)"
		}},
		{"PostgreSQL", 2, func(t *testing.T) string { return servertest.PostgreSQL(t) }},
		{"Redis", 2, func(t *testing.T) string { return servertest.Redis(t) + "#" + rand.Text() + ":" }},
	} {
		t.Run(s.name, func(t *testing.T) {
			c := newCluster(t, s.store(t), s.processes)
			var again []func(t *testing.T)
			for _, scenario := range []struct {
				name string
				run  func(c *cluster) (again func(c *cluster))
			}{
				{"a code", redeemCode},
				{"a code for opaque tokens", redeemOpaqueCode},
				{"a refresh token", refreshOften},
				{"a device code", redeemDeviceCode},
				{"a pushed request", usePushed},
				{"a proof at the token endpoint", proveToServer},
				{"a proof at the API", proveToAPI},
				{"a client's assertion", assertClient},
				{"a platform's assertion", assertUser},
			} {
				t.Run(scenario.name, func(t *testing.T) {
					once := scenario.run(c.of(t))
					again = append(again, func(t *testing.T) {
						t.Run(scenario.name, func(t *testing.T) { once(c.of(t)) })
					})
				})
			}
			if s.processes == 1 {
				return
			}
			t.Run("after a restart", func(t *testing.T) {
				c.restart()
				for _, once := range again {
					once(t)
				}
			})
		})
	}
}

const crowd = 100

// of returns the cluster as that of a subtest.
func (c *cluster) of(t *testing.T) *cluster {
	d := *c
	d.TB = t
	return &d
}

func redeemCode(c *cluster) func(*cluster)       { return redeemCodeOf(c, "web") }
func redeemOpaqueCode(c *cluster) func(*cluster) { return redeemCodeOf(c, "opaque") }

// One gets the tokens, and loses them: a code that comes twice has leaked.
func redeemCodeOf(c *cluster, client string) func(*cluster) {
	code := c.authorize(0, request(client))
	require.NotEmpty(c, code)
	got := one(c, atOnce(crowd, func(i int) answer { return c.redeem(i, client, code) }), http.StatusBadRequest)
	dead := func(c *cluster) {
		for i := range c.processes {
			require.Equal(c, "invalid_grant", c.redeem(i, client, code).text("error"))
			require.Equal(c, http.StatusUnauthorized, c.api(i, got.text("access_token")))
			refreshed := c.token(i, client, "refresh_token", url.Values{"refresh_token": {got.text("refresh_token")}})
			require.Equal(c, "invalid_grant", refreshed.text("error"), refreshed.body)
		}
	}
	dead(c)
	// Another code of the same person for the same client is another family.
	require.Equal(c, http.StatusOK, c.api(0, c.grant(client).text("access_token")))
	return dead
}

// All get the one successor: who lost an answer asks again.
func refreshOften(c *cluster) func(*cluster) {
	first := c.grant("web")
	refresh := func(c *cluster, i int, token string) answer {
		return c.token(i, "web", "refresh_token", url.Values{"refresh_token": {token}})
	}
	answers := atOnce(crowd, func(i int) answer { return refresh(c, i, first.text("refresh_token")) })
	next := answers[0].text("refresh_token")
	require.NotEmpty(c, next, answers[0].body)
	require.NotEqual(c, first.text("refresh_token"), next)
	for _, a := range answers {
		require.Equal(c, http.StatusOK, a.status, a.body)
		require.Equal(c, next, a.text("refresh_token"))
	}
	require.Equal(c, http.StatusOK, c.api(1, answers[1].text("access_token")))
	return func(c *cluster) {
		// The successor has outlived the restart, and its own successor is one.
		answers := atOnce(2, func(i int) answer { return refresh(c, i, next) })
		require.NotEmpty(c, answers[0].text("refresh_token"), answers[0].body)
		require.Equal(c, answers[0].text("refresh_token"), answers[1].text("refresh_token"))
	}
}

func redeemDeviceCode(c *cluster) func(*cluster) {
	asked := c.send(0, "POST", "/oauth/device_authorization", url.Values{"client_id": {"tv"}, "scope": {"read"}})
	require.Equal(c, http.StatusOK, asked.status, asked.body)
	poll := func(c *cluster, i int) answer {
		return c.token(i, "tv", "urn:ietf:params:oauth:grant-type:device_code", url.Values{"device_code": {asked.text("device_code")}})
	}
	require.Equal(c, "authorization_pending", poll(c, 0).text("error"))
	ada := &person{c, "", "", map[string]string{}}
	_, page := ada.visit(asked.text("verification_uri_complete"))
	require.Contains(c, page, "Your device is connected")
	got := one(c, atOnce(crowd, func(i int) answer { return poll(c, i) }), http.StatusBadRequest)
	dead := func(c *cluster) {
		for i := range c.processes {
			require.Equal(c, http.StatusBadRequest, poll(c, i).status)
			require.Equal(c, http.StatusUnauthorized, c.api(i, got.text("access_token")))
		}
	}
	dead(c)
	return dead
}

// One authorization comes out of a request that was pushed.
func usePushed(c *cluster) func(*cluster) {
	form := request("pusher")
	form.Set("client_secret", c.settings.Secret)
	pushed := c.send(0, "POST", "/oauth/par", form)
	require.Equal(c, http.StatusCreated, pushed.status, pushed.body)
	use := func(c *cluster, i int) string {
		return c.authorize(i, url.Values{"client_id": {"pusher"}, "request_uri": {pushed.text("request_uri")}})
	}
	got := one(c, atOnce(crowd, func(i int) answer {
		if code := use(c, i); code != "" {
			return answer{status: http.StatusOK, body: map[string]any{"code": code}}
		}
		return answer{status: http.StatusBadRequest}
	}), http.StatusBadRequest)
	require.Equal(c, http.StatusOK, c.redeem(1, "pusher", got.text("code")).status)
	return func(c *cluster) { require.Empty(c, use(c, 0)) }
}

func proveToServer(c *cluster) func(*cluster) {
	key := newJWK("proof")
	challenged := c.token(0, "bound", "client_credentials", nil, "DPoP", c.proof(key, "POST", "/oauth/token", "", ""))
	require.Equal(c, "use_dpop_nonce", challenged.text("error"), challenged.body)
	proof := c.proof(key, "POST", "/oauth/token", challenged.header.Get("DPoP-Nonce"), "")
	ask := func(c *cluster, i int) answer { return c.token(i, "bound", "client_credentials", nil, "DPoP", proof) }
	got := one(c, atOnce(crowd, func(i int) answer { return ask(c, i) }), http.StatusBadRequest)
	require.Equal(c, "DPoP", got.text("token_type"))
	return func(c *cluster) { require.Equal(c, "invalid_dpop_proof", ask(c, 1).text("error")) }
}

func proveToAPI(c *cluster) func(*cluster) {
	key := newJWK("proof")
	nonce := c.token(0, "bound", "client_credentials", nil, "DPoP", c.proof(key, "POST", "/oauth/token", "", "")).header.Get("DPoP-Nonce")
	token := c.token(0, "bound", "client_credentials", nil, "DPoP", c.proof(key, "POST", "/oauth/token", nonce, "")).text("access_token")
	require.NotEmpty(c, token)
	proof := c.proof(key, "GET", "/api", nonce, token)
	ask := func(c *cluster, i int) answer {
		return c.send(i, "GET", "/api", nil, "Authorization", "DPoP "+token, "DPoP", proof)
	}
	one(c, atOnce(crowd, func(i int) answer { return ask(c, i) }), http.StatusUnauthorized)
	require.Equal(c, http.StatusUnauthorized, c.api(1, token))
	return func(c *cluster) { require.Equal(c, http.StatusUnauthorized, ask(c, 1).status) }
}

func assertClient(c *cluster) func(*cluster) {
	form := url.Values{
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {c.assertion("signer", "signer")},
	}
	ask := func(c *cluster, i int) answer { return c.token(i, "signer", "client_credentials", form) }
	got := one(c, atOnce(crowd, func(i int) answer { return ask(c, i) }), http.StatusUnauthorized)
	require.Equal(c, http.StatusOK, c.api(1, got.text("access_token")))
	return func(c *cluster) { require.Equal(c, "invalid_client", ask(c, 1).text("error")) }
}

func assertUser(c *cluster) func(*cluster) {
	form := url.Values{"assertion": {c.assertion("acme", "grace")}}
	ask := func(c *cluster, i int) answer {
		return c.token(i, "partner", "urn:ietf:params:oauth:grant-type:jwt-bearer", form)
	}
	got := one(c, atOnce(crowd, func(i int) answer { return ask(c, i) }), http.StatusBadRequest)
	require.Equal(c, http.StatusOK, c.api(1, got.text("access_token")))
	return func(c *cluster) { require.Equal(c, "invalid_grant", ask(c, 1).text("error")) }
}
