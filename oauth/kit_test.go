package oauth_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

const (
	issuer   = "https://login.example"
	api      = "https://api.example" // the first resource
	files    = "https://files.example"
	callback = "https://web.example/callback"
)

// A world is an authorization server with clients of every sort, the resource
// server that takes its tokens, and people who sign in.
//
//	service   a secret; client credentials, token exchange; read write admin
//	web       a secret; code, refresh; read write
//	opaque    as web and service, with opaque tokens
//	signer    a key (private_key_jwt); client credentials, code, refresh
//	partner   a secret; JWT bearer
//	phone     public; code, refresh
//	bound     public, with DPoP; code, refresh
//	tv        public; device code, refresh
//	gateway   a secret; token exchange; is the resource api
type world struct {
	server *oauth.Server
	store  auth.Store
	keys   *auth.Keys
	people people

	mu      sync.Mutex
	clients map[string]*oauth.Client
	outage  error // of the registry
	events  []oauth.Event

	secrets map[string]string
	signing *auth.Keys // of signer
}

// newWorld returns a world over memory, whose configuration the functions change.
func newWorld(t testing.TB, change ...func(*oauth.Config)) *world {
	t.Helper()
	return newWorldOver(t, memstore.New(), change...)
}

func newWorldOver(t testing.TB, store auth.Store, change ...func(*oauth.Config)) *world {
	t.Helper()
	w := &world{
		store:   store,
		people:  people{},
		clients: map[string]*oauth.Client{},
		secrets: map[string]string{},
		keys:    keysOf(t, auth.ES256),
		signing: keysOf(t, auth.ES256),
	}
	w.register()
	for _, name := range []string{"alice", "bob"} {
		w.people[name] = &auth.Principal{
			Subject:    name,
			Scopes:     []string{"read", "write", "admin"},
			Origin:     auth.Origin{Kind: auth.KindPassword, ID: name, Time: time.Now().UTC().Add(-time.Minute).Truncate(time.Microsecond), ACR: "urn:example:password"},
			Credential: auth.Credential{ID: name, Kind: auth.KindSession},
		}
	}
	dpop, err := auth.NewDPoP(store, &auth.DPoPOptions{BaseURL: issuer})
	require.NoError(t, err)
	c := oauth.Config{
		Issuer:    issuer,
		Name:      "Example",
		Store:     store,
		Keys:      w.keys,
		Clients:   w,
		Resources: []string{api, files},
		Scopes:    []oauth.Scope{{Name: "read", Description: "Read your files"}, {Name: "write"}, {Name: "admin"}},
		Login:     w.people,
		DPoP:      dpop,
		Observe: func(_ context.Context, e oauth.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e)
		},
	}
	for _, f := range change {
		f(&c)
	}
	w.server, err = oauth.NewServer(c)
	require.NoError(t, err)
	return w
}

func keysOf(t testing.TB, alg auth.Algorithm) *auth.Keys {
	k, err := auth.GenerateKey(alg)
	require.NoError(t, err)
	keys, err := auth.NewKeys(k)
	require.NoError(t, err)
	return keys
}

// register fills the registry.
func (w *world) register() {
	userGrants := []oauth.GrantType{oauth.AuthorizationCode, oauth.RefreshToken}
	for _, c := range []*oauth.Client{
		{ID: "service", Grants: []oauth.GrantType{oauth.ClientCredentials, oauth.TokenExchange}, Scopes: []string{"read", "write", "admin"}},
		{ID: "web", Name: "Web", Grants: userGrants, Scopes: []string{"read", "write"}, RedirectURIs: []string{callback}},
		{ID: "opaque", Grants: append(userGrants, oauth.ClientCredentials), Scopes: []string{"read", "write"}, RedirectURIs: []string{callback}, OpaqueTokens: true},
		{ID: "signer", Grants: append(userGrants, oauth.ClientCredentials), Scopes: []string{"read", "write"}, RedirectURIs: []string{callback}, Keys: w.signing},
		{ID: "partner", Grants: []oauth.GrantType{oauth.JWTBearer}, Scopes: []string{"read", "write"}},
		{ID: "phone", Public: true, Grants: userGrants, Scopes: []string{"read", "write"}, RedirectURIs: []string{"com.example.phone:/done", "http://127.0.0.1/done"}},
		{ID: "bound", Public: true, RequireDPoP: true, Grants: userGrants, Scopes: []string{"read", "write"}, RedirectURIs: []string{"com.example.bound:/done"}},
		{ID: "tv", Name: "TV", Public: true, Grants: []oauth.GrantType{oauth.DeviceCode, oauth.RefreshToken}, Scopes: []string{"read"}},
		{ID: "gateway", Grants: []oauth.GrantType{oauth.TokenExchange}, Scopes: []string{"read", "write"}, Audience: api},
	} {
		if !c.Public && c.Keys == nil {
			text, kept := oauth.NewClientSecret()
			w.secrets[c.ID], c.Secrets = text.Reveal(), []oauth.ClientSecret{kept}
		}
		w.clients[c.ID] = c
	}
}

// Client implements oauth.ClientRegistry.
func (w *world) Client(_ context.Context, id string) (*oauth.Client, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.outage != nil {
		return nil, w.outage
	}
	if c, ok := w.clients[id]; ok {
		return c, nil
	}
	return nil, auth.ErrNotFound
}

// change changes the entry of a client from now on.
func (w *world) change(id string, f func(*oauth.Client)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := *w.clients[id]
	f(&c)
	w.clients[id] = &c
}

// lastEvent returns what the server has told last.
func (w *world) lastEvent(t testing.TB) oauth.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	require.NotEmpty(t, w.events)
	return w.events[len(w.events)-1]
}

// people are who can sign in: the cookie "user" says who has.
type people map[string]*auth.Principal

func (p people) Authenticate(r *http.Request) (*auth.Principal, error) {
	c, err := r.Cookie("user")
	if err != nil {
		return nil, auth.ErrNoCredential
	}
	if user, ok := p[c.Value]; ok {
		return user, nil
	}
	return nil, auth.ErrInvalid
}

func (p people) ServeLogin(w http.ResponseWriter, _ *http.Request, i *oauth.Interaction) {
	_, _ = w.Write([]byte("sign in, then go to " + i.Return))
}

// verifier is what a resource server verifies access tokens by: it knows the
// public keys, and shares the store.
func (w *world) verifier(t testing.TB, resource string) *auth.JWT {
	recorder := httptest.NewRecorder()
	w.server.JWKS().ServeHTTP(recorder, request("GET", "/", nil))
	keys, err := auth.ParseJWKS(recorder.Body.Bytes())
	require.NoError(t, err)
	set, err := auth.NewKeys(nil, keys...)
	require.NoError(t, err)
	j, err := auth.NewJWT(issuer, resource, set, &auth.JWTOptions{Type: "at+jwt", Revocation: w.store})
	require.NoError(t, err)
	return j
}

// opener verifies the opaque tokens of a resource.
func (w *world) opener(t testing.TB, resource string) *auth.OpaqueTokens {
	o, err := auth.NewOpaqueTokens(w.store, resource, nil)
	require.NoError(t, err)
	return o
}

// A header is a field of a request.
type header struct{ name, value string }

// request returns a request as a server on this host sees it. A form makes it one
// of that content.
func request(method, target string, form url.Values, fields ...header) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	r.RemoteAddr = "127.0.0.1:4242"
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, f := range fields {
		r.Header.Add(f.name, f.value)
	}
	return r
}

// basic is the field by which a client of the world shows its secret.
func (w *world) basic(id string) header { return basicAuth(id, w.secrets[id]) }

func basicAuth(id, secret string) header {
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	return header{"Authorization", r.Header.Get("Authorization")}
}

// An answer is what an endpoint has answered.
type answer struct {
	*httptest.ResponseRecorder
	AccessToken      string `json:"access_token"`
	IssuedTokenType  string `json:"issued_token_type"`
	TokenType        string `json:"token_type"`
	ExpiresIn        int64  `json:"expires_in"`
	RefreshToken     string `json:"refresh_token"`
	Scope            string `json:"scope"`
	Error            string `json:"error"`
	ErrorDescription string `json:"error_description"`
}

// send has the server answer a request, with JSON.
func (w *world) send(t testing.TB, r *http.Request) *answer {
	t.Helper()
	a := &answer{ResponseRecorder: httptest.NewRecorder()}
	w.server.ServeHTTP(a, r)
	require.Equal(t, "application/json", a.Header().Get("Content-Type"), a.Body)
	require.Equal(t, "no-store", a.Header().Get("Cache-Control"))
	require.NoError(t, json.Unmarshal(a.Body.Bytes(), a))
	return a
}

// token asks the token endpoint with a form, whose names and values alternate. A
// client with a secret shows it by Basic, others say their name.
func (w *world) token(t testing.TB, client string, pairs ...string) *answer {
	t.Helper()
	return w.send(t, w.asks(client, pairs...))
}

// asks is the request that token sends.
func (w *world) asks(client string, pairs ...string) *http.Request {
	f := form(pairs...)
	if _, ok := w.secrets[client]; ok {
		return request("POST", "/oauth/token", f, w.basic(client))
	}
	f.Set("client_id", client)
	return request("POST", "/oauth/token", f)
}

// form is a form of names and values.
func form(pairs ...string) url.Values {
	f := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		f.Add(pairs[i], pairs[i+1])
	}
	return f
}

// requireRefused requires an error of RFC 6749 section 5.2.
func requireRefused(t testing.TB, a *answer, status int, code oauth.ErrorCode) {
	t.Helper()
	require.Equal(t, status, a.Code, a.Body)
	require.Equal(t, string(code), a.Error, a.Body)
	require.Empty(t, a.AccessToken)
	if status == http.StatusUnauthorized {
		require.Contains(t, a.Header().Get("WWW-Authenticate"), "Basic realm=")
	}
	if status == http.StatusServiceUnavailable {
		require.NotEmpty(t, a.Header().Get("Retry-After"))
	}
}

// requireGranted requires tokens.
func requireGranted(t testing.TB, a *answer) {
	t.Helper()
	require.Equal(t, http.StatusOK, a.Code, a.Body)
	require.NotEmpty(t, a.AccessToken)
}
