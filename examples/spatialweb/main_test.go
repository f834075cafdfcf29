package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/examples/internal/demotest"
)

func TestMain(m *testing.M) { os.Exit(demotest.Main(m)) }

func TestREADME(t *testing.T) { demotest.Start(t).RunREADME(t) }

func TestLines(t *testing.T) {
	p := demotest.Start(t)
	require.Equal(t, []string{
		"base_url", "client_id", "client_secret", "web_client_id", "web_client_secret", "web_redirect_uri",
		"public_client_id", "public_redirect_uri", "email", "password", "api_key", "ready",
	}, p.Names)
	p.RequireLines(t)
}

func TestEndsOnInterrupt(t *testing.T) { demotest.Start(t).Stop(syscall.SIGINT) }

const form = "Content-Type: application/x-www-form-urlencoded"

// post sends a form as the client of that name: "", "web_" or "public_".
func post(t testing.TB, p *demotest.Program, path, client string, values ...string) demotest.Answer {
	t.Helper()
	body := url.Values{"client_id": {p.Values[client+"client_id"]}}
	if secret := p.Values[client+"client_secret"]; secret != "" {
		body.Set("client_secret", secret)
	}
	for i := 0; i < len(values); i += 2 {
		body.Set(values[i], values[i+1])
	}
	return p.Do(t, "POST", path, body.Encode(), form)
}

// token gets one by the client's credentials.
func token(t testing.TB, p *demotest.Program, scope string) string {
	t.Helper()
	a := post(t, p, "/oauth/token", "", "grant_type", "client_credentials", "scope", scope)
	a.RequireSecret(t)
	var got struct {
		Token string `json:"access_token"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.Body), &got))
	a.Require(t, http.StatusOK, fmt.Sprintf(`{"access_token":"%s","token_type":"Bearer","expires_in":900,"scope":"%s"}`, got.Token, scope))
	return got.Token
}

func bearer(token string) string { return "Authorization: Bearer " + token }

// Access tokens are as RFC 9068 has them, and last 15 minutes.
func TestTokens(t *testing.T) {
	p := demotest.Start(t)
	parts := strings.Split(token(t, p, "spaces:read"), ".")
	read := func(part string) (object map[string]any) {
		text, err := base64.RawURLEncoding.DecodeString(part)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &object))
		return object
	}
	require.Equal(t, "at+jwt", read(parts[0])["typ"])
	claims := read(parts[1])
	require.Equal(t, p.BaseURL, claims["iss"])
	require.Equal(t, p.BaseURL, claims["aud"])
	require.Equal(t, p.Values["client_id"], claims["client_id"])
	require.Equal(t, p.Values["client_id"], claims["sub"])
	require.Equal(t, "spaces:read", claims["scope"])
	require.NotEmpty(t, claims["jti"])
	require.InDelta(t, 15*60, claims["exp"].(float64)-claims["iat"].(float64), 0)
}

func TestScopes(t *testing.T) {
	p := demotest.Start(t)
	for _, client := range []string{"web_", "public_"} {
		// They call for people alone, who have to sign in.
		a := post(t, p, "/oauth/token", client, "grant_type", "client_credentials")
		a.Require(t, http.StatusBadRequest, `{"error":"unauthorized_client","error_description":"…"}`)
	}
	post(t, p, "/oauth/token", "", "grant_type", "client_credentials", "scope", "spaces:read spaces:delete").
		Require(t, http.StatusBadRequest, `{"error":"invalid_scope","error_description":"…"}`)

	read, write, admin := bearer(token(t, p, "spaces:read")), bearer(token(t, p, "spaces:write")), bearer(token(t, p, "admin"))
	key := "X-API-Key: " + p.Values["api_key"]
	space := `{"name":"Harbour"}`
	for _, c := range []struct {
		method, path, body, credential string
		status                         int
	}{
		{"GET", "/spaces", "", read, 200},
		{"GET", "/spaces", "", key, 200},
		{"GET", "/spaces", "", write, 403},
		{"GET", "/spaces", "", "X-None: ", 401},
		{"POST", "/spaces", space, write, 200},
		{"POST", "/spaces", space, read, 403},
		{"POST", "/spaces", space, key, 403},
		{"POST", "/spaces", space, "X-None: ", 401},
		{"GET", "/admin/keys", "", admin, 200},
		{"GET", "/admin/keys", "", write, 403},
		{"GET", "/admin/keys", "", key, 403},
		{"GET", "/admin/keys", "", "X-None: ", 401},
	} {
		a := p.Do(t, c.method, c.path, c.body, c.credential)
		require.Equal(t, c.status, a.Status, "%s %s with %.14s: %s", c.method, c.path, c.credential, a.Body)
		if c.status == 401 {
			require.Contains(t, strings.Join(a.Header.Values("WWW-Authenticate"), "\n"),
				`resource_metadata="`+p.BaseURL+`/.well-known/oauth-protected-resource"`)
		}
	}
	listed := p.Do(t, "GET", "/admin/keys", "", admin)
	require.Contains(t, listed.Body, "Rooftop sensor")
	require.NotContains(t, listed.Body, p.Values["api_key"])
}

func TestBodies(t *testing.T) {
	p := demotest.Start(t)
	write := bearer(token(t, p, "spaces:write"))
	for _, body := range []string{"", "null", "[]", `"x"`, `{"name":1}`, `{"name":"x"`, `{"name":"x"}{}`} {
		require.Equal(t, http.StatusBadRequest, p.Do(t, "POST", "/spaces", body, write).Status, body)
	}
	large := `{"name":"` + strings.Repeat("x", 1<<20) + `"}`
	require.Equal(t, http.StatusRequestEntityTooLarge, p.Do(t, "POST", "/spaces", large, write).Status)
}

// A client may ask about its own tokens and end them, and nobody else's.
func TestRevocation(t *testing.T) {
	p := demotest.Start(t)
	text := token(t, p, "spaces:read")
	open := func(status int) {
		t.Helper()
		require.Equal(t, status, p.Do(t, "GET", "/spaces", "", bearer(text)).Status)
	}
	post(t, p, "/oauth/introspect", "web_", "token", text).Require(t, http.StatusOK, `{"active":false}`)
	post(t, p, "/oauth/revoke", "web_", "token", text)
	open(http.StatusOK)
	require.Contains(t, post(t, p, "/oauth/introspect", "", "token", text).Body, `"active":true`)
	post(t, p, "/oauth/revoke", "", "token", text).Require(t, http.StatusOK, "")
	open(http.StatusUnauthorized)
	post(t, p, "/oauth/introspect", "", "token", text).Require(t, http.StatusOK, `{"active":false}`)
}

// Each caller has 100 calls a minute, however many tokens, and nobody another's.
func TestRateLimit(t *testing.T) {
	p := demotest.Start(t)
	one, other := bearer(token(t, p, "spaces:read")), bearer(token(t, p, "spaces:read"))
	calls := 0
	for p.Do(t, "GET", "/spaces", "", one).Status == http.StatusOK {
		calls++
		require.LessOrEqual(t, calls, 200)
	}
	require.GreaterOrEqual(t, calls, 100) // some came back meanwhile
	a := p.Do(t, "GET", "/spaces", "", other)
	for a.Status == http.StatusOK { // one may have come back just now
		a = p.Do(t, "GET", "/spaces", "", other)
	}
	require.Equal(t, http.StatusTooManyRequests, a.Status)
	require.Regexp(t, `^[1-9][0-9]*$`, a.Header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, p.Do(t, "GET", "/spaces", "", "X-API-Key: "+p.Values["api_key"]).Status)
	require.Equal(t, http.StatusOK, p.Do(t, "GET", "/admin/keys", "", bearer(token(t, p, "admin"))).Status)
}

func TestAdminNetworks(t *testing.T) {
	p := demotest.Start(t, "-admin-networks", "192.0.2.0/24")
	for _, credential := range []string{bearer(token(t, p, "admin")), "X-API-Key: " + p.Values["api_key"], "X-None: "} {
		require.Equal(t, http.StatusForbidden, p.Do(t, "GET", "/admin/keys", "", credential).Status)
	}
	require.Equal(t, http.StatusOK, p.Do(t, "GET", "/spaces", "", bearer(token(t, p, "spaces:read"))).Status)
	require.Contains(t, demotest.RequireFailure(t, "-admin-networks", "everywhere"), "everywhere")
}

// Secrets come from the environment, and keys of every kind that signs.
func TestSecrets(t *testing.T) {
	t.Setenv("SPATIALWEB_CLIENT_SECRET", "a-secret-of-the-service")
	t.Setenv("SPATIALWEB_WEB_CLIENT_SECRET", "a-secret-of-the-web-site")
	t.Setenv("SPATIALWEB_PASSWORD", "correct-horse-battery-staple")
	ec, err1 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	rsaKey, err2 := rsa.GenerateKey(rand.Reader, 2048)
	_, ed, err3 := ed25519.GenerateKey(rand.Reader)
	for _, err := range []error{err1, err2, err3} {
		require.NoError(t, err)
	}
	for alg, key := range map[string]any{"ES384": ec, "RS256": rsaKey, "Ed25519": ed} {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
		t.Setenv("SPATIALWEB_SIGNING_KEY", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
		p := demotest.Start(t)
		require.Equal(t, "a-secret-of-the-service", p.Values["client_secret"])
		require.Equal(t, "a-secret-of-the-web-site", p.Values["web_client_secret"])
		require.Equal(t, "correct-horse-battery-staple", p.Values["password"])
		text := token(t, p, "spaces:read")
		header, err := base64.RawURLEncoding.DecodeString(text[:strings.Index(text, ".")])
		require.NoError(t, err)
		require.Contains(t, string(header), `"alg":"`+alg+`"`)
		require.Equal(t, http.StatusOK, p.Do(t, "GET", "/spaces", "", bearer(text)).Status)
	}
	t.Setenv("SPATIALWEB_SIGNING_KEY", "no key")
	said := demotest.RequireFailure(t)
	require.Contains(t, said, "SPATIALWEB_SIGNING_KEY")
	require.NotContains(t, said, "no key")
}
