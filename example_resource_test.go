package auth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/seed-077cad0b/auth"
)

// Protect an API, or a server of the Model Context Protocol, by the access
// tokens (RFC 9068) of an authorization server: the resource, the tokens for it
// and the guard. A client that comes without a token is told where to learn who
// issues one.
func ExampleNewResource() {
	key, _ := auth.GenerateKey(auth.ES256)
	keys, _ := auth.NewKeys(key) // in production: the keys of the authorization server
	mcp := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, _ := auth.FromContext(r.Context())
		fmt.Fprintln(w, "hello", p.Subject)
	})

	api, err := auth.NewResource("https://api.example.com/mcp", []string{"https://login.example.com"}, nil)
	if err != nil {
		panic(err)
	}
	tokens, err := auth.NewJWT("https://login.example.com", api.Identifier(), keys, &auth.JWTOptions{Type: "at+jwt"})
	if err != nil {
		panic(err)
	}
	guard := auth.NewGuard(auth.Bearer(tokens), &auth.GuardOptions{Resource: api})

	mux := http.NewServeMux()
	mux.Handle("/mcp", guard.Wrap(mcp))
	mux.Handle(api.MetadataPath(), api)

	ask := func(path, authorization string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", path, nil)
		r.RemoteAddr = "127.0.0.1:4242"
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w
	}
	refused := ask("/mcp", "")
	fmt.Println(refused.Code, refused.Header().Get("WWW-Authenticate"))
	fmt.Println(ask("/.well-known/oauth-protected-resource/mcp", "").Body)

	grant, _ := tokens.Issue(context.Background(), &auth.Principal{Subject: "alice"}, nil)
	fmt.Print(ask("/mcp", "Bearer "+grant.Token.Reveal()).Body)
	// Output:
	// 401 Bearer resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/mcp"
	// {"resource":"https://api.example.com/mcp","authorization_servers":["https://login.example.com"],"bearer_methods_supported":["header"]}
	// hello alice
}

// Do not take the metadata's word for what a token is good for: it only tells.
// The audience that the verifier asks for is what keeps out the tokens that the
// same server has issued for other APIs (RFC 9728 section 7.4).
func ExampleResource_Identifier() {
	key, _ := auth.GenerateKey(auth.ES256)
	keys, _ := auth.NewKeys(key)
	const login = "https://login.example.com"
	api, _ := auth.NewResource("https://api.example.com", []string{login}, nil)
	mail, _ := auth.NewResource("https://mail.example.com", []string{login}, nil)

	// Wrong: one audience for everything that the server issues.
	anything, _ := auth.NewJWT(login, login, keys, nil)
	// Right: this API's own.
	ours, _ := auth.NewJWT(login, api.Identifier(), keys, nil)
	theirs, _ := auth.NewJWT(login, mail.Identifier(), keys, nil)

	ctx := context.Background()
	forMail, _ := theirs.Issue(ctx, &auth.Principal{Subject: "alice"}, nil)
	_, err := ours.Verify(ctx, forMail.Token.Reveal())
	fmt.Println(err)

	forAll, _ := anything.Issue(ctx, &auth.Principal{Subject: "alice"}, nil)
	_, err = anything.Verify(ctx, forAll.Token.Reveal())
	fmt.Println("any API can replay it against the others:", err == nil)
	// Output:
	// auth: invalid_credential: token: aud is another
	// any API can replay it against the others: true
}

// A step that matters asks for a stronger proof than the login was. The client
// learns which, has its user prove it, and comes back with a new token.
func ExampleACR() {
	p := &auth.Principal{Subject: "alice", Origin: auth.Origin{Kind: auth.KindJWT, Time: time.Now(), ACR: "password"}}
	guard := auth.NewGuard(auth.Bearer(known{"good": p}), nil)
	transfer := guard.With(auth.ACR("passkey", "hardware-key")).WrapFunc(hello)

	r := httptest.NewRequest("POST", "/transfer", nil)
	r.RemoteAddr = "127.0.0.1:4242"
	r.Header.Set("Authorization", "Bearer good")
	w := httptest.NewRecorder()
	transfer.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
	// Output:
	// 401 Bearer error="insufficient_user_authentication", error_description="A more recent or stronger authentication is required.", acr_values="passkey hardware-key"
}
