package oauth_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// A program asks for a token as itself (RFC 6749 section 4.4), and the API admits
// it by that.
func ExampleNewServer() {
	key, err := auth.GenerateKey(auth.ES256) // in production: auth.ParsePEM
	if err != nil {
		log.Fatal(err)
	}
	keys, err := auth.NewKeys(key)
	if err != nil {
		log.Fatal(err)
	}
	secret, kept := oauth.NewClientSecret()
	clients, err := oauth.NewClientList(&oauth.Client{
		ID:      "reports",
		Secrets: []oauth.ClientSecret{kept},
		Grants:  []oauth.GrantType{oauth.ClientCredentials},
		Scopes:  []string{"spaces:read", "spaces:write"},
	})
	if err != nil {
		log.Fatal(err)
	}
	store := memstore.New()
	server, err := oauth.NewServer(oauth.Config{
		Issuer:    "https://login.example.com",
		Name:      "Example",
		Store:     store,
		Keys:      keys,
		Clients:   clients,
		Resources: []string{"https://api.example.com"},
		Scopes:    []oauth.Scope{{Name: "spaces:read", Description: "See your spaces"}, {Name: "spaces:write"}},
	})
	if err != nil {
		log.Fatal(err)
	}

	// The API believes tokens of that issuer, for itself.
	tokens, err := auth.NewJWT("https://login.example.com", "https://api.example.com", keys, &auth.JWTOptions{
		Type:       "at+jwt",
		Revocation: store,
	})
	if err != nil {
		log.Fatal(err)
	}
	guard := auth.NewGuard(auth.Bearer(tokens), nil).With(auth.Scope("spaces:read"))
	mux := http.NewServeMux()
	mux.Handle("/", server)
	mux.Handle("GET /spaces", guard.Handle(func(w http.ResponseWriter, _ *http.Request, p *auth.Principal) {
		fmt.Fprintf(w, "hello, %s, you may %s", p.Subject, p.Scopes)
	}))
	web := httptest.NewServer(mux)
	defer web.Close()

	// The client.
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"spaces:read"}}
	ask, err := http.NewRequest("POST", web.URL+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		log.Fatal(err)
	}
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ask.SetBasicAuth("reports", url.QueryEscape(secret.Reveal()))
	var answer struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		Scope       string `json:"scope"`
	}
	if err := json.Unmarshal(do(ask), &answer); err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.TokenType, answer.Scope)

	call, err := http.NewRequest("GET", web.URL+"/spaces", nil)
	if err != nil {
		log.Fatal(err)
	}
	call.Header.Set("Authorization", "Bearer "+answer.AccessToken)
	fmt.Printf("%s\n", do(call))
	// Output:
	// Bearer spaces:read
	// hello, reports, you may [spaces:read]
}

// do sends a request and returns what it is answered.
func do(r *http.Request) []byte {
	answered, err := http.DefaultClient.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = answered.Body.Close() }()
	body, err := io.ReadAll(answered.Body)
	if err != nil {
		log.Fatal(err)
	}
	return body
}

// A mistake to avoid: an API that verifies access tokens without the server's
// store, and does not introspect them either, goes on admitting a client that has
// been ended, until its tokens expire.
func Example_revokeClient() {
	key, err := auth.GenerateKey(auth.ES256)
	if err != nil {
		log.Fatal(err)
	}
	keys, err := auth.NewKeys(key)
	if err != nil {
		log.Fatal(err)
	}
	secret, kept := oauth.NewClientSecret()
	clients, err := oauth.NewClientList(&oauth.Client{
		ID:      "reports",
		Secrets: []oauth.ClientSecret{kept},
		Grants:  []oauth.GrantType{oauth.ClientCredentials},
	})
	if err != nil {
		log.Fatal(err)
	}
	store := memstore.New()
	const issuer, api = "https://login.example.com", "https://api.example.com"
	server, err := oauth.NewServer(oauth.Config{
		Issuer:    issuer,
		Store:     store,
		Keys:      keys,
		Clients:   clients,
		Resources: []string{api},
	})
	if err != nil {
		log.Fatal(err)
	}
	good, err := auth.NewJWT(issuer, api, keys, &auth.JWTOptions{Type: "at+jwt", Revocation: store})
	if err != nil {
		log.Fatal(err)
	}
	mistaken, err := auth.NewJWT(issuer, api, keys, &auth.JWTOptions{Type: "at+jwt"})
	if err != nil {
		log.Fatal(err)
	}

	ask := httptest.NewRequest("POST", "/oauth/token", strings.NewReader("grant_type=client_credentials"))
	ask.RemoteAddr = "127.0.0.1:4242"
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ask.SetBasicAuth("reports", url.QueryEscape(secret.Reveal()))
	answered := httptest.NewRecorder()
	server.ServeHTTP(answered, ask)
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(answered.Body.Bytes(), &answer); err != nil {
		log.Fatal(err)
	}

	if err := auth.RevokeClient(ask.Context(), store, "reports"); err != nil {
		log.Fatal(err)
	}
	_, err = good.Verify(ask.Context(), answer.AccessToken)
	fmt.Println("with the store:", err)
	_, err = mistaken.Verify(ask.Context(), answer.AccessToken)
	fmt.Println("without it:", err)
	// Output:
	// with the store: auth: revoked_credential
	// without it: <nil>
}
