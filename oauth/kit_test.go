package oauth_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
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
	config oauth.Config

	mu      sync.Mutex
	clients map[string]*oauth.Client
	outage  error  // of the registry
	asked   func() // goes ahead of each look-up of a client, if it is not nil
	events  []oauth.Event

	secrets map[string]string
	signing *signer // the key of the client signer
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
		signing: newSigner(),
	}
	w.register(t)
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
	w.config = c
	w.server, err = oauth.NewServer(c)
	require.NoError(t, err)
	return w
}

// twin is another process of the same server, over the same store.
func (w *world) twin(t testing.TB) *world {
	t.Helper()
	twin := &world{store: w.store, people: w.people, config: w.config, clients: w.clients, secrets: w.secrets, keys: w.keys, signing: w.signing}
	var err error
	twin.server, err = oauth.NewServer(w.config)
	require.NoError(t, err)
	return twin
}

func keysOf(t testing.TB, alg auth.Algorithm) *auth.Keys {
	k, err := auth.GenerateKey(alg)
	require.NoError(t, err)
	keys, err := auth.NewKeys(k)
	require.NoError(t, err)
	return keys
}

// register fills the registry.
func (w *world) register(t testing.TB) {
	userGrants := []oauth.GrantType{oauth.AuthorizationCode, oauth.RefreshToken}
	for _, c := range []*oauth.Client{
		{ID: "service", Grants: []oauth.GrantType{oauth.ClientCredentials, oauth.TokenExchange}, Scopes: []string{"read", "write", "admin"}},
		{ID: "web", Name: "Web", Grants: userGrants, Scopes: []string{"read", "write"}, RedirectURIs: []string{callback}},
		{ID: "opaque", Grants: append(userGrants, oauth.ClientCredentials), Scopes: []string{"read", "write"}, RedirectURIs: []string{callback}, OpaqueTokens: true},
		{ID: "signer", Grants: append(userGrants, oauth.ClientCredentials), Scopes: []string{"read", "write"}, RedirectURIs: []string{callback}, Keys: w.signing.public(t)},
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
	if w.asked != nil {
		w.asked()
	}
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

// published are the public keys of the server.
func (w *world) published(t testing.TB) *auth.Keys {
	recorder := httptest.NewRecorder()
	w.server.JWKS().ServeHTTP(recorder, request("GET", "/", nil))
	keys, err := auth.ParseJWKS(recorder.Body.Bytes())
	require.NoError(t, err)
	set, err := auth.NewKeys(nil, keys...)
	require.NoError(t, err)
	return set
}

// verifier is what a resource server verifies access tokens by: it knows the
// public keys, and shares the store.
func (w *world) verifier(t testing.TB, resource string) *auth.JWT {
	j, err := auth.NewJWT(issuer, resource, w.published(t), &auth.JWTOptions{Type: "at+jwt", Revocation: w.store})
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

// codeVerifier is that of all codes of this kit.
const codeVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B

func codeChallenge() string { return challengeOf(codeVerifier) }

func challengeOf(verifier string) string {
	hash := sha256.Sum256([]byte(verifier))
	return b64(string(hash[:]))
}

// granted is what alice grants a client in this kit: all of it for the first
// resource.
func (w *world) granted(client string) oauth.Granted {
	c := w.clients[client]
	g := oauth.Granted{ClientID: client, Scopes: c.Scopes, Resources: []string{api}, Challenge: codeChallenge()}
	if len(c.RedirectURIs) > 0 {
		g.RedirectURI = c.RedirectURIs[0]
	}
	return g
}

// code is a code by which alice grants a client what it may have; change, which
// may be nil, changes that.
func (w *world) code(t testing.TB, client string, change func(*oauth.Granted)) string {
	t.Helper()
	g := w.granted(client)
	if change != nil {
		change(&g)
	}
	code, err := w.server.NewCode(context.Background(), w.people["alice"], g)
	require.NoError(t, err)
	return code
}

// redeem is the request that redeems a code of this kit.
func (w *world) redeem(client, code string, pairs ...string) *http.Request {
	pairs = append([]string{"grant_type", "authorization_code", "code", code}, pairs...)
	if !slices.Contains(pairs, "code_verifier") {
		pairs = append(pairs, "code_verifier", codeVerifier)
	}
	return w.asks(client, pairs...)
}

// signIn has alice sign in to a client, which gets tokens.
func (w *world) signIn(t testing.TB, client string) *answer {
	t.Helper()
	a := w.send(t, w.redeem(client, w.code(t, client, nil)))
	requireGranted(t, a)
	return a
}

// renew is the request that refreshes.
func (w *world) renew(client, token string, pairs ...string) *http.Request {
	return w.asks(client, append([]string{"grant_type", "refresh_token", "refresh_token", token}, pairs...)...)
}

// opens returns what the resource api says of an access token, of either sort.
func (w *world) opens(t testing.TB, token string) (*auth.Principal, error) {
	t.Helper()
	p, err := w.opener(t, api).Verify(context.Background(), token)
	if errors.Is(err, auth.ErrNotMine) {
		return w.verifier(t, api).Verify(context.Background(), token)
	}
	return p, err
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
