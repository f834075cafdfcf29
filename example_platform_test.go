package auth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// A partner's users sign in by what the partner signs for them. Each assertion
// is good once, and a partner that is suspended takes along what it has opened.
func ExampleNewPlatforms() {
	partner := authtest.NewPlatform("acme") // who signs; we know its public key
	entry := partner.Entry()
	entry.Name = "Acme Bank"
	entry.EmailDomains = []string{"acme.example"}
	entry.Scopes = []string{"wallets:read"}
	entry.SessionLifetime = 14 * 24 * time.Hour

	store := memstore.New()
	sessions := must(auth.NewSessions(store, &auth.SessionOptions{Lifetime: 30 * 24 * time.Hour}))
	defer sessions.Close()
	registry := must(auth.NewPlatformList(entry))
	platforms := must(auth.NewPlatforms(store, registry, nil))

	mux := http.NewServeMux()
	mux.Handle("POST /authenticate/{platform}",
		auth.NewGuard(platforms.FromHeader("Token", "platform"), nil).Exchange(platforms.Issuer(sessions)))
	mux.Handle("GET /wallets", auth.NewGuard(auth.Bearer(sessions), nil).With(auth.Scope("wallets:read")).WrapFunc(hello))
	server := httptest.NewServer(mux)
	defer server.Close()

	send := func(method, path, field, value string) *http.Response {
		r := must(http.NewRequest(method, server.URL+path, nil))
		r.Header.Set(field, value)
		return must(server.Client().Do(r))
	}
	assertion := partner.Sign("ada@acme.example", time.Now().Add(time.Minute))
	answer := send("POST", "/authenticate/acme", "Token", assertion)
	var grant struct {
		Token   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
	}
	_ = json.NewDecoder(answer.Body).Decode(&grant)
	fmt.Println("signed in:", answer.StatusCode, "for", time.Duration(grant.Seconds)*time.Second)
	fmt.Println("wallets:", send("GET", "/wallets", "Authorization", "Bearer "+grant.Token).StatusCode)
	fmt.Println("the same assertion again:", send("POST", "/authenticate/acme", "Token", assertion).StatusCode)

	_ = platforms.Suspend(context.Background(), "acme")
	fmt.Println("wallets, acme suspended:", send("GET", "/wallets", "Authorization", "Bearer "+grant.Token).StatusCode)
	// Output:
	// signed in: 200 for 336h0m0s
	// wallets: 200
	// the same assertion again: 401
	// wallets, acme suspended: 401
}

// New partners use the standard form, a grant of RFC 7523, and say whom their
// assertion is for.
func ExamplePlatforms_JWTBearer() {
	partner := authtest.NewPlatform("acme")
	entry := partner.Entry()
	entry.Audience = "https://api.example"
	store := memstore.New()
	sessions := must(auth.NewSessions(store, nil))
	defer sessions.Close()
	platforms := must(auth.NewPlatforms(store, must(auth.NewPlatformList(entry)), nil))
	server := httptest.NewServer(auth.NewGuard(platforms.JWTBearer(), nil).Exchange(platforms.Issuer(sessions)))
	defer server.Close()

	grant := func(aud, jti string) int {
		return must(server.Client().PostForm(server.URL, url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"},
			"assertion": {partner.SignClaims(map[string]any{
				"iss": "acme", "sub": "user-7", "aud": aud, "jti": jti, "exp": time.Now().Add(time.Minute).Unix(),
			})},
		})).StatusCode
	}
	fmt.Println(grant("https://api.example", "1"))
	fmt.Println("its jti was used:", grant("https://api.example", "1"))
	fmt.Println("for another API:", grant("https://other.example", "2"))
	// Output:
	// 200
	// its jti was used: 401
	// for another API: 401
}

// A platform may sign any email, also that of somebody else's user. Who looks
// users up by email alone lets every platform into every account: look up by
// platform and subject together.
func ExamplePlatformOptions_mistake() {
	users := map[string]string{ // by email, and by platform and subject
		"ada@example.com":      "ada of the bank",
		"bank ada@example.com": "ada of the bank",
	}
	byEmail := func(_ context.Context, _ *auth.Platform, a *auth.Assertion) (*auth.Principal, error) {
		return &auth.Principal{Subject: users[a.Email]}, nil
	}
	byPlatform := func(_ context.Context, p *auth.Platform, a *auth.Assertion) (*auth.Principal, error) {
		key := p.ID + " " + a.Subject
		if users[key] == "" {
			users[key] = "somebody new, of the " + p.ID
		}
		return &auth.Principal{Subject: users[key]}, nil
	}

	shop := authtest.NewPlatform("shop")
	for _, user := range []func(context.Context, *auth.Platform, *auth.Assertion) (*auth.Principal, error){byEmail, byPlatform} {
		platforms := must(auth.NewPlatforms(memstore.New(), must(auth.NewPlatformList(shop.Entry())), &auth.PlatformOptions{User: user}))
		r := httptest.NewRequest("POST", "/authenticate/shop", nil)
		r.SetPathValue("platform", "shop")
		r.Header.Set("Token", shop.Sign("ada@example.com", time.Now().Add(time.Minute)))
		p := must(platforms.FromHeader("Token", "platform").Authenticate(r))
		fmt.Println("the shop signs in", p.Subject)
	}
	// Output:
	// the shop signs in ada of the bank
	// the shop signs in somebody new, of the shop
}
