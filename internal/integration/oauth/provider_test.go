//go:build linux

package oauth_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

const (
	apiName   = "https://api.example" // the resource of JWTs
	opaqueAPI = "urn:example:opaque"  // that of opaque tokens
	clientID  = "service"
)

// A provider is npm's oidc-provider at an address that it keeps, whatever keys it
// is started with.
type provider struct {
	t       *testing.T
	issuer  string
	secret  string
	running *program
}

func newProvider(t *testing.T) *provider {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	return &provider{t: t, issuer: "http://" + l.Addr().String(), secret: rand.Text()}
}

// start starts it with private keys, as JWKs, of which the first signs.
func (p *provider) start(keys ...map[string]string) {
	p.t.Helper()
	p.running = start(p.t, node(p.t, "provider.mjs",
		"ISSUER="+p.issuer, "RESOURCE="+apiName, "CLIENT_ID="+clientID, "CLIENT_SECRET="+p.secret,
		"KEYS="+string(must(json.Marshal(map[string]any{"keys": keys})))))
}

// token asks for one by the client's credentials. Fields are in pairs.
func (p *provider) token(resource string, fields ...string) string {
	p.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}, "resource": {resource}}
	r := must(http.NewRequestWithContext(p.t.Context(), "POST", p.issuer+"/token", strings.NewReader(form.Encode())))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(clientID, p.secret)
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	response := must(http.DefaultClient.Do(r))
	defer response.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	body := must(io.ReadAll(response.Body))
	require.Equal(p.t, http.StatusOK, response.StatusCode, string(body))
	require.NoError(p.t, json.Unmarshal(body, &answer))
	return answer.Token
}

// A resourceServer is an API of ours that takes another's tokens.
type resourceServer struct {
	*httptest.Server
	t *testing.T
}

func newResourceServer(t *testing.T, p *provider, refresh time.Duration) *resourceServer {
	keys := must(auth.Discover(p.issuer, &auth.RemoteKeysOptions{Refresh: refresh, MinInterval: time.Second}))
	t.Cleanup(func() { require.NoError(t, keys.Close()) })
	tokens := must(auth.NewJWT(p.issuer, apiName, keys, &auth.JWTOptions{Type: "at+jwt"}))
	opaque := must(auth.NewIntrospection(p.issuer+"/token/introspection", p.issuer, opaqueAPI, &auth.IntrospectionOptions{
		ClientID: "api", ClientSecret: auth.NewSecret(p.secret), MaxAge: -1,
	}))
	s := &resourceServer{t: t, Server: httptest.NewUnstartedServer(nil)}
	t.Cleanup(s.Close)
	dpop := must(auth.NewDPoP(memstore.New(), &auth.DPoPOptions{BaseURL: "http://" + s.Listener.Addr().String()}))
	guard := auth.NewGuard(auth.First(auth.Bearer(tokens, opaque), dpop.Source(tokens, opaque)), nil).With(auth.Scope("read"))
	s.Config.Handler = guard.Handle(func(w http.ResponseWriter, _ *http.Request, p *auth.Principal) {
		fmt.Fprintf(w, "%s %s", p.Subject, p.Credential.ClientID)
	})
	s.Start()
	return s
}

// ask returns what the API answers to a token, with further fields in pairs.
func (s *resourceServer) ask(token string, fields ...string) (status int, retryAfter, body string) {
	s.t.Helper()
	r := must(http.NewRequestWithContext(s.t.Context(), "GET", s.URL+"/", nil))
	r.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	response := must(http.DefaultClient.Do(r))
	defer response.Body.Close()
	return response.StatusCode, response.Header.Get("Retry-After"), string(must(io.ReadAll(response.Body)))
}

func (s *resourceServer) require(status int, token string) {
	s.t.Helper()
	got, retryAfter, body := s.ask(token)
	require.Equal(s.t, status, got, body)
	switch status {
	case http.StatusOK:
		require.Equal(s.t, clientID+" "+clientID, body)
	case http.StatusServiceUnavailable:
		require.NotEmpty(s.t, retryAfter)
	}
}

// settles requires that a token is answered so within some seconds, and until
// then with what is named.
func (s *resourceServer) settles(status int, token string, until int) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		got, _, body := s.ask(token)
		if got == status {
			return
		}
		require.Equal(s.t, until, got, body)
		require.True(s.t, time.Now().Before(deadline), "still %d", got)
		<-time.After(50 * time.Millisecond)
	}
}

// Our resource servers take the tokens of a server that nobody here wrote, while
// it rotates its keys, while it is down, and afterwards.
func TestTokensOfAnotherServer(t *testing.T) {
	const unavailable, refused = http.StatusServiceUnavailable, http.StatusUnauthorized
	p := newProvider(t)
	first, second, third := newJWK("first"), newJWK("second"), newJWK("third")
	api, lazy := newResourceServer(t, p, time.Second), newResourceServer(t, p, 24*time.Hour)

	// Down when its first tokens come: they can be neither accepted nor refused.
	p.start(first)
	one, opaque := p.token(apiName), p.token(opaqueAPI)
	p.running.kill()
	api.require(unavailable, one)
	api.require(unavailable, opaque)

	p.start(first)
	opaque = p.token(opaqueAPI)
	require.Equal(t, 2, strings.Count(one, "."))
	require.Zero(t, strings.Count(opaque, "."))
	api.settles(http.StatusOK, one, unavailable)
	api.require(http.StatusOK, opaque)
	api.require(refused, one[:len(one)-8]+"AAAAAAAA")
	api.require(refused, opaque+"x")

	// A rotation with overlap: the new key counts at once, the old one goes on.
	p.running.kill()
	p.start(second, first)
	two := p.token(apiName)
	api.settles(http.StatusOK, two, unavailable)
	api.require(http.StatusOK, one)
	api.require(refused, opaque) // which the server has forgotten

	// The old key is taken out: its tokens die with the next fetch.
	p.running.kill()
	p.start(second)
	api.settles(refused, one, http.StatusOK)
	api.require(http.StatusOK, two)

	// An outage: what is known goes on; what is not is no refusal.
	lazy.require(http.StatusOK, two)
	p.running.kill()
	p.start(third, second)
	three, opaque := p.token(apiName), p.token(opaqueAPI)
	p.running.kill()
	for _, s := range []*resourceServer{api, lazy} {
		s.require(http.StatusOK, two)
		s.require(unavailable, opaque)
	}
	lazy.require(unavailable, three)

	// And back.
	p.start(third, second)
	for _, s := range []*resourceServer{api, lazy} {
		s.settles(http.StatusOK, three, unavailable)
		s.require(http.StatusOK, two)
		s.require(http.StatusOK, p.token(opaqueAPI))
	}
}

// Tokens that the server has bound to a key open nothing without its proofs, those
// that tell it themselves and those that introspection tells it of.
func TestBoundTokensOfAnotherServer(t *testing.T) {
	p := newProvider(t)
	p.start(newJWK("first"))
	api := newResourceServer(t, p, 24*time.Hour)
	key, another := newJWK("proof"), newJWK("another")
	for _, resource := range []string{apiName, opaqueAPI} {
		token := p.token(resource, "DPoP", proof(key, "POST", p.issuer+"/token", "", ""))
		with := func(key map[string]string) []string {
			return []string{"Authorization", "DPoP " + token, "DPoP", proof(key, "GET", api.URL+"/", "", token)}
		}
		status, _, body := api.ask(token, with(key)...)
		require.Equal(t, http.StatusOK, status, body)
		status, _, _ = api.ask(token, with(another)...)
		require.Equal(t, http.StatusUnauthorized, status)
		api.require(http.StatusUnauthorized, token)
	}
}
