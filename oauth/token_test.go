package oauth_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
)

// Row 69: POST and a form only, and each parameter once.
func TestTokenRequestForm(t *testing.T) {
	w := newWorld(t)
	good := "grant_type=client_credentials"
	post := func(contentType, body string) *http.Request {
		r := httptest.NewRequest("POST", "/oauth/token", strings.NewReader(body))
		r.RemoteAddr = "127.0.0.1:4242"
		r.Header.Set("Authorization", w.basic("service").value)
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
		return r
	}
	const isForm = "application/x-www-form-urlencoded"
	requireGranted(t, w.send(t, post(isForm, good)))
	requireGranted(t, w.send(t, post(isForm+"; charset=UTF-8", good)))
	requireGranted(t, w.send(t, post(isForm, good+"&scope=")))

	for name, c := range map[string]struct {
		request *http.Request
		status  int
	}{
		"JSON":              {post("application/json", `{"grant_type":"client_credentials"}`), 400},
		"no content type":   {post("", good), 400},
		"bad content type":  {post("/", good), 400},
		"repeated":          {post(isForm, good+"&"+good), 400},
		"repeated unknown":  {post(isForm, good+"&x=1&x=2"), 400},
		"bad encoding":      {post(isForm, good+"&x=%zz"), 400},
		"semicolon":         {post(isForm, good+";x=1"), 400},
		"zero byte":         {post(isForm, good+"&x=%00"), 400},
		"no UTF-8":          {post(isForm, good+"&x=%ff"), 400},
		"no grant":          {post(isForm, "scope=read"), 400},
		"many parameters":   {post(isForm, good+strings.Repeat("&x=", 64)), 400},
		"too large":         {post(isForm, good+"&x="+strings.Repeat("a", 64<<10)), 413},
		"in the query only": {request("POST", "/oauth/token?"+good, url.Values{}, w.basic("service")), 400},
	} {
		t.Run(name, func(t *testing.T) {
			requireRefused(t, w.send(t, c.request), c.status, oauth.ErrInvalidRequest)
		})
	}
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS"} {
		a := w.send(t, request(method, "/oauth/token?"+good, form("grant_type", "client_credentials"), w.basic("service")))
		requireRefused(t, a, http.StatusMethodNotAllowed, oauth.ErrInvalidRequest)
		require.Equal(t, "POST", a.Header().Get("Allow"))
	}
}

// Row 70.
func TestTokenAnswer(t *testing.T) {
	authtest.At(t, whenever, func(t *testing.T) { // a whole second, as tokens have
		w := newWorld(t)
		a := w.signIn(t, "web")
		require.Equal(t, "no-store", a.Header().Get("Cache-Control"))
		require.Equal(t, "nosniff", a.Header().Get("X-Content-Type-Options"))
		var members map[string]any
		require.NoError(t, json.Unmarshal(a.Body.Bytes(), &members))
		require.Equal(t, map[string]any{
			"access_token":  a.AccessToken,
			"token_type":    "Bearer",
			"expires_in":    float64(900),
			"refresh_token": a.RefreshToken,
			"scope":         "read write",
		}, members)

		a = w.token(t, "service", "grant_type", "client_credentials", "scope", "read")
		require.Equal(t, "read", a.Scope)
		require.Empty(t, a.RefreshToken, "RFC 6749 section 4.4.3")
		require.NotContains(t, a.Body.String(), "refresh_token")
	})
}

// Row 28 and row 73: grants that do not exist, and grants of others.
func TestTokenGrants(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"password", "implicit", "token", "Client_Credentials", "client_credentials ", "\u212alient", "urn:ietf:params:oauth:grant-type:saml2-bearer"} {
		requireRefused(t, w.token(t, "service", "grant_type", name, "username", "alice", "password", "secret"), 400, oauth.ErrUnsupportedGrantType)
	}
	all := []oauth.GrantType{oauth.AuthorizationCode, oauth.ClientCredentials, oauth.RefreshToken, oauth.JWTBearer, oauth.DeviceCode, oauth.TokenExchange}
	for _, g := range all {
		id := "web"
		if g == oauth.AuthorizationCode || g == oauth.RefreshToken {
			id = "service"
		}
		requireRefused(t, w.token(t, id, "grant_type", string(g)), 400, oauth.ErrUnauthorizedClient)
		e := w.lastEvent(t)
		require.Equal(t, g, e.Grant)
		require.Equal(t, id, e.ClientID)
		require.Equal(t, oauth.ErrUnauthorizedClient, e.Code)
	}
	// A grant whose parameter is missing.
	requireRefused(t, w.token(t, "web", "grant_type", "authorization_code"), 400, oauth.ErrInvalidRequest)
	requireRefused(t, w.token(t, "web", "grant_type", "refresh_token"), 400, oauth.ErrInvalidRequest)
	requireRefused(t, w.token(t, "partner", "grant_type", string(oauth.JWTBearer)), 400, oauth.ErrUnsupportedGrantType)
}

// Every request to the endpoint is told once, and no secret with it.
func TestTokenObserved(t *testing.T) {
	w := newWorld(t)
	a := w.signIn(t, "web")
	require.Len(t, w.events, 1)
	e := w.lastEvent(t)
	require.Equal(t, "token", e.Endpoint)
	require.Equal(t, "web", e.ClientID)
	require.Equal(t, oauth.AuthorizationCode, e.Grant)
	require.Equal(t, "alice", e.Principal.Subject)
	require.Empty(t, e.Code)
	require.NoError(t, e.Err)

	w.send(t, w.renew("web", a.RefreshToken))
	require.Len(t, w.events, 2)
	w.change("web", func(c *oauth.Client) { c.Revoked = time.Now() })
	requireRefused(t, w.send(t, w.renew("web", a.RefreshToken)), 400, oauth.ErrInvalidGrant)
	require.Len(t, w.events, 3)
	e = w.lastEvent(t)
	require.Equal(t, oauth.ErrInvalidGrant, e.Code)
	require.ErrorIs(t, e.Err, auth.ErrRevoked)
	require.Equal(t, "alice", e.Principal.Subject, "whose token it was")

	w.send(t, request("POST", "/oauth/token", form("client_id", "nobody")))
	e = w.lastEvent(t)
	require.Equal(t, "nobody", e.ClientID)
	require.Equal(t, oauth.ErrInvalidClient, e.Code)
}

// What the client sends is in no answer, whatever is wrong with it.
func TestTokenAnswersQuoteNothing(t *testing.T) {
	w := newWorld(t)
	const marker = "zqxmarkerzqx"
	for _, f := range []url.Values{
		form("grant_type", marker),
		form("grant_type", "client_credentials", "scope", marker),
		form("grant_type", "client_credentials", "resource", "https://"+marker),
		form("grant_type", "client_credentials", "client_id", marker),
		form("grant_type", "authorization_code", "code", marker),
		form("grant_type", "refresh_token", "refresh_token", marker),
		form("client_secret", marker),
		form("client_assertion", marker),
	} {
		for _, id := range []string{"web", "service", marker} {
			a := w.send(t, request("POST", "/oauth/token", f, basicAuth(id, w.secrets[id])))
			require.NotEqual(t, 200, a.Code)
			require.NotContains(t, a.Body.String(), marker)
			for _, values := range a.Header() {
				require.NotContains(t, strings.Join(values, "\n"), marker)
			}
		}
	}
}

// Plain HTTP from beyond this host is refused before the client is looked at, and
// the endpoint works over a real connection.
func TestTokenTransport(t *testing.T) {
	w := newWorld(t)
	r := w.asks("service", "grant_type", "client_credentials")
	r.RemoteAddr = "192.0.2.1:4242"
	recorder := httptest.NewRecorder()
	w.server.ServeHTTP(recorder, r)
	require.Equal(t, http.StatusForbidden, recorder.Code)
	require.Empty(t, w.events)

	r = w.asks("service", "grant_type", "client_credentials")
	r.RemoteAddr, r.TLS = "192.0.2.1:4242", &tls.ConnectionState{}
	a := w.send(t, r)
	requireGranted(t, a)
	require.NotEmpty(t, a.Header().Get("Strict-Transport-Security"))

	server := httptest.NewTLSServer(w.server)
	defer server.Close()
	real, err := http.NewRequest("POST", server.URL+"/oauth/token", strings.NewReader("grant_type=client_credentials"))
	require.NoError(t, err)
	real.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	real.SetBasicAuth("service", w.secrets["service"])
	answered, err := server.Client().Do(real)
	require.NoError(t, err)
	defer func() { require.NoError(t, answered.Body.Close()) }()
	body, err := io.ReadAll(answered.Body)
	require.NoError(t, err)
	require.Equal(t, 200, answered.StatusCode, string(body))
}

// Row 84: what an access token holds, read without our own code.
func TestAccessTokenClaims(t *testing.T) {
	w := newWorld(t)
	a := w.signIn(t, "web")
	parts := strings.Split(a.AccessToken, ".")
	require.Len(t, parts, 3)
	var header, claims map[string]any
	for i, into := range []*map[string]any{&header, &claims} {
		data, err := base64.RawURLEncoding.DecodeString(parts[i])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, into))
	}
	require.Equal(t, "at+jwt", header["typ"])
	require.Equal(t, "ES256", header["alg"])
	require.Equal(t, w.keys.Signing().ID(), header["kid"])
	require.Equal(t, issuer, claims["iss"])
	require.Equal(t, api, claims["aud"])
	require.Equal(t, "alice", claims["sub"])
	require.Equal(t, "web", claims["client_id"])
	require.Equal(t, "read write", claims["scope"])
	require.Equal(t, "urn:example:password", claims["acr"])
	require.InDelta(t, float64(w.people["alice"].Origin.Time.UnixMicro())/1e6, claims["auth_time"], 1e-3)
	require.Equal(t, float64(900), claims["exp"].(float64)-claims["iat"].(float64))
	another, err := w.opens(t, w.signIn(t, "web").AccessToken)
	require.NoError(t, err)
	require.NotEmpty(t, claims["jti"])
	require.NotEqual(t, claims["jti"], another.Credential.ID)

	p, err := w.verifier(t, api).Verify(context.Background(), a.AccessToken)
	require.NoError(t, err)
	require.Equal(t, auth.Origin{Kind: auth.KindPassword, ID: "alice", Time: w.people["alice"].Origin.Time, ACR: "urn:example:password"}, p.Origin)
	_, err = w.verifier(t, files).Verify(context.Background(), a.AccessToken)
	require.ErrorIs(t, err, auth.ErrInvalid, "another resource")
}

// Lifetimes are the client's own, and never more than what they come from.
func TestAccessTokenLifetime(t *testing.T) {
	authtest.At(t, whenever, func(t *testing.T) { // a whole second, as tokens have
		w := newWorld(t, func(c *oauth.Config) { c.AccessLifetime = time.Hour })
		require.EqualValues(t, 3600, w.signIn(t, "web").ExpiresIn)
		require.EqualValues(t, 3600, w.signIn(t, "opaque").ExpiresIn)
		for _, id := range []string{"web", "opaque"} {
			w.change(id, func(c *oauth.Client) { c.AccessLifetime = time.Minute })
			require.EqualValues(t, 60, w.signIn(t, id).ExpiresIn)
			w.change(id, func(c *oauth.Client) { c.RefreshLifetime = 30 * time.Second })
			require.EqualValues(t, 30, w.signIn(t, id).ExpiresIn)
		}
	})
}
