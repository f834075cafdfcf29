package auth_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/seed-077cad0b/auth"
)

// exampleProvider stands for an identity provider: its issuer, how to reach it,
// and what it issues.
func exampleProvider() (server *httptest.Server, tokens *auth.JWT) {
	key, err := auth.GenerateKey(auth.ES256)
	if err != nil {
		panic(err)
	}
	keys, err := auth.NewKeys(key)
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	server = httptest.NewTLSServer(mux)
	mux.Handle("GET /keys", keys.JWKS())
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, server.URL, server.URL+"/keys")
	})
	tokens, err = auth.NewJWT(server.URL, "https://api.example", keys, nil)
	if err != nil {
		panic(err)
	}
	return server, tokens
}

// exampleLogin is a token of alice's.
func exampleLogin(tokens *auth.JWT) string {
	grant, err := tokens.Issue(context.Background(), &auth.Principal{Subject: "alice"}, nil)
	if err != nil {
		panic(err)
	}
	return grant.Token.Reveal()
}

// Accept the tokens of an identity provider. The keys are found by its metadata,
// fetched with the first token, and kept up to date from then on.
func ExampleDiscover() {
	provider, logins := exampleProvider()
	defer provider.Close()

	issuer := provider.URL // such as https://login.example.com/tenant
	keys, err := auth.Discover(issuer, &auth.RemoteKeysOptions{
		Client:  provider.Client(), // for the certificate of this example
		OnError: func(ctx context.Context, err error) { slog.WarnContext(ctx, "keys", "error", err) },
	})
	if err != nil {
		panic(err)
	}
	defer func() { _ = keys.Close() }()
	tokens, err := auth.NewJWT(issuer, "https://api.example", keys, nil)
	if err != nil {
		panic(err)
	}

	guard := auth.NewGuard(auth.Bearer(tokens), nil)
	api := guard.WrapFunc(func(w http.ResponseWriter, r *http.Request) {
		p, _ := auth.FromContext(r.Context())
		_, _ = fmt.Fprint(w, "hello ", p.Subject)
	})
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "127.0.0.1:4242"
	r.Header.Set("Authorization", "Bearer "+exampleLogin(logins))
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 200 hello alice
}

// A provider without metadata has its keys behind a URL. A provider that is down
// is an outage: nobody is refused, and nobody let in.
func ExampleNewRemoteKeys() {
	provider, logins := exampleProvider()
	keys, err := auth.NewRemoteKeys(provider.URL+"/keys", &auth.RemoteKeysOptions{Client: provider.Client()})
	if err != nil {
		panic(err)
	}
	defer func() { _ = keys.Close() }()
	tokens, err := auth.NewJWT(provider.URL, "https://api.example", keys, nil)
	if err != nil {
		panic(err)
	}
	provider.Close()

	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "127.0.0.1:4242"
	r.Header.Set("Authorization", "Bearer "+exampleLogin(logins))
	w := httptest.NewRecorder()
	auth.NewGuard(auth.Bearer(tokens), nil).Wrap(http.NotFoundHandler()).ServeHTTP(w, r)
	fmt.Println(w.Code, "Retry-After:", w.Header().Get("Retry-After"))
	// Output:
	// 503 Retry-After: 5
}

// Several providers, and tokens of one's own, by one verifier: iss says whom to
// ask.
func ExampleIssuers() {
	provider, logins := exampleProvider()
	defer provider.Close()
	theirKeys, err := auth.Discover(provider.URL, &auth.RemoteKeysOptions{Client: provider.Client()})
	if err != nil {
		panic(err)
	}
	defer func() { _ = theirKeys.Close() }()
	theirs, err := auth.NewJWT(provider.URL, "https://api.example", theirKeys, nil)
	if err != nil {
		panic(err)
	}
	key, err := auth.GenerateKey(auth.EdDSA)
	if err != nil {
		panic(err)
	}
	ourKeys, err := auth.NewKeys(key)
	if err != nil {
		panic(err)
	}
	ours, err := auth.NewJWT("https://api.example", "https://api.example", ourKeys, nil)
	if err != nil {
		panic(err)
	}

	verifier := auth.Issuers(ours, theirs)
	for _, login := range []string{exampleLogin(ours), exampleLogin(logins)} {
		p, err := verifier.Verify(context.Background(), login)
		if err != nil {
			panic(err)
		}
		fmt.Println(p.Subject, p.Issuer == provider.URL)
	}
	// Output:
	// alice false
	// alice true
}

// Do not verify the tokens of one issuer by the keys of another: whoever has an
// account there could write tokens of here.
func ExampleDiscover_anotherIssuer() {
	keys, err := auth.Discover("https://login.example.com/tenant", nil)
	if err != nil {
		panic(err)
	}
	defer func() { _ = keys.Close() }()
	_, err = auth.NewJWT("https://login.example.com/other", "https://api.example", keys, nil)
	fmt.Println(err)
	// Output:
	// auth: NewJWT: key set is that of another issuer
}

// Do not make the keys, or the JWT, for each request: every one would fetch, and
// remember nothing. Make them once, beside the guard.
func ExampleNewRemoteKeys_perRequest() {
	provider, logins := exampleProvider()
	defer provider.Close()
	fetched := 0
	client := provider.Client()
	client.Transport = counting{client.Transport, &fetched}

	verify := func(token string) {
		keys, err := auth.NewRemoteKeys(provider.URL+"/keys", &auth.RemoteKeysOptions{Client: client})
		if err != nil {
			panic(err)
		}
		defer func() { _ = keys.Close() }()
		tokens, err := auth.NewJWT(provider.URL, "https://api.example", keys, nil)
		if err != nil {
			panic(err)
		}
		if _, err = tokens.Verify(context.Background(), token); err != nil {
			panic(err)
		}
	}
	token := exampleLogin(logins)
	for range 10 {
		verify(token)
	}
	fmt.Println(fetched, "fetches for one token")
	// Output:
	// 10 fetches for one token
}

type counting struct {
	http.RoundTripper
	n *int
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	*c.n++
	return c.RoundTripper.RoundTrip(r)
}
