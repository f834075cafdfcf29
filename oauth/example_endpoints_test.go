package oauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// exampleServer is an authorization server of two APIs. Its clients are the API
// "gateway" itself, the program "worker", and the device "tv"; alice is signed in
// wherever anybody asks.
func exampleServer() (*httptest.Server, *auth.Keys, map[string]string) {
	ctx, store := context.Background(), memstore.New()
	clients, err := oauth.NewClientRecords(store)
	if err != nil {
		log.Fatal(err)
	}
	secrets := map[string]string{}
	for _, c := range []*oauth.Client{
		{ID: "worker", Grants: []oauth.GrantType{oauth.ClientCredentials}, Scopes: []string{"files:read"}},
		{ID: "gateway", Grants: []oauth.GrantType{oauth.TokenExchange}, Scopes: []string{"files:read"}, Audience: "https://api.example.com"},
		{ID: "tv", Public: true, Grants: []oauth.GrantType{oauth.DeviceCode}, Scopes: []string{"files:read"}},
	} {
		if !c.Public {
			secret, kept := oauth.NewClientSecret()
			secrets[c.ID], c.Secrets = secret.Reveal(), []oauth.ClientSecret{kept}
		}
		if err := clients.Insert(ctx, c); err != nil {
			log.Fatal(err)
		}
	}
	key, _ := auth.GenerateKey(auth.ES256)
	keys, _ := auth.NewKeys(key)
	mux := http.NewServeMux()
	listener := httptest.NewServer(mux)
	server, err := oauth.NewServer(oauth.Config{
		Issuer:    listener.URL, // https://login.example.com, say
		Store:     store,
		Keys:      keys,
		Clients:   clients,
		Resources: []string{"https://api.example.com", "https://files.example.com"},
		Scopes:    []oauth.Scope{{Name: "files:read", Description: "Read your files"}},
		Login:     people{},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux.Handle("/", server)
	return listener, keys, secrets
}

// post sends a form as a client does, and reads the answer.
func post(address, client, secret string, pairs ...string) map[string]any {
	f := form(pairs...)
	if secret == "" {
		f.Set("client_id", client)
	}
	r, _ := http.NewRequest("POST", address, strings.NewReader(f.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if secret != "" {
		r.SetBasicAuth(url.QueryEscape(client), url.QueryEscape(secret))
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	var members map[string]any
	_ = json.NewDecoder(answer.Body).Decode(&members) // a revocation has no body
	return members
}

// An API asks about the tokens that are for it, and a client ends its own.
func ExampleServer_Introspect() {
	server, _, secrets := exampleServer()
	defer server.Close()

	issued := post(server.URL+"/oauth/token", "worker", secrets["worker"], "grant_type", "client_credentials")
	token := issued["access_token"].(string)

	introspect := func() map[string]any {
		return post(server.URL+"/oauth/introspect", "gateway", secrets["gateway"], "token", token)
	}
	told := introspect()
	fmt.Println(told["active"], told["client_id"], told["scope"], told["aud"])

	post(server.URL+"/oauth/revoke", "worker", secrets["worker"], "token", token)
	fmt.Println(introspect())
	// Output:
	// true worker files:read https://api.example.com
	// map[active:false]
}

// The API "gateway" has been called by the worker, and calls the API of the files
// in its name, with a token for that API which tells who acts.
func ExampleActor() {
	server, keys, secrets := exampleServer()
	defer server.Close()
	issued := post(server.URL+"/oauth/token", "worker", secrets["worker"], "grant_type", "client_credentials")

	exchanged := post(server.URL+"/oauth/token", "gateway", secrets["gateway"],
		"grant_type", string(oauth.TokenExchange),
		"subject_token", issued["access_token"].(string),
		"subject_token_type", "urn:ietf:params:oauth:token-type:access_token",
		"resource", "https://files.example.com")

	// At the API of the files. What is to be had through the gateway only, asks who
	// acts; the subject alone does not tell, as the worker may come by itself.
	tokens, err := auth.NewJWT(server.URL, "https://files.example.com", keys, &auth.JWTOptions{Type: "at+jwt"})
	if err != nil {
		log.Fatal(err)
	}
	byGateway := func(_ *http.Request, p *auth.Principal) error {
		claims, err := auth.Claims[struct {
			Act *oauth.Actor `json:"act"`
		}](p)
		if err != nil || claims.Act == nil || claims.Act.ClientID != "gateway" {
			return auth.ErrForbidden
		}
		return nil
	}
	guard := auth.NewGuard(auth.Bearer(tokens), nil).With(auth.Scope("files:read"), byGateway)

	own := post(server.URL+"/oauth/token", "worker", secrets["worker"],
		"grant_type", "client_credentials", "resource", "https://files.example.com")
	for _, token := range []any{exchanged["access_token"], own["access_token"]} {
		r := httptest.NewRequest("GET", "/files", nil)
		r.RemoteAddr = "127.0.0.1:4242"
		r.Header.Set("Authorization", "Bearer "+token.(string))
		p, err := guard.Check(r)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println("admitted:", p.Subject)
	}
	// Output:
	// admitted: worker
	// auth: forbidden
}

// A device asks for its codes, shows one, and asks every few seconds whether
// somebody has entered it. One that does not wait is told to, and has to wait
// longer from then on, so keep the interval, and add five seconds for each
// slow_down.
func ExampleServer_DeviceAuthorization() {
	server, _, _ := exampleServer()
	defer server.Close()

	codes := post(server.URL+"/oauth/device_authorization", "tv", "", "scope", "files:read")
	fmt.Println("go to", strings.TrimPrefix(codes["verification_uri"].(string), server.URL))
	fmt.Println("and enter a code of", len(codes["user_code"].(string)), "characters")

	for range 2 {
		answer := post(server.URL+"/oauth/token", "tv", "",
			"grant_type", string(oauth.DeviceCode), "device_code", codes["device_code"].(string))
		fmt.Println(answer["error"])
	}
	// Output:
	// go to /oauth/device
	// and enter a code of 9 characters
	// authorization_pending
	// slow_down
}
