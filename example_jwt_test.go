package auth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

// Issue a token after a login, and verify it with each request.
func ExampleNewJWT() {
	key, err := auth.GenerateKey(auth.ES256)
	if err != nil {
		panic(err)
	}
	keys, err := auth.NewKeys(key)
	if err != nil {
		panic(err)
	}
	tokens, err := auth.NewJWT("https://issuer.example", "https://api.example", keys, &auth.JWTOptions{
		Lifetime: 15 * time.Minute,
	})
	if err != nil {
		panic(err)
	}

	ctx := context.Background()
	grant, err := tokens.Issue(ctx, &auth.Principal{Subject: "alice", Scopes: []string{"data:read"}}, nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(grant.Token) // secrets do not print

	p, err := tokens.Verify(ctx, grant.Token.Reveal())
	fmt.Println(p.Subject, p.Scopes, p.Credential.Expires.Sub(p.Credential.Created), err)

	_, err = tokens.Verify(ctx, grant.Token.Reveal()+"A")
	fmt.Println(err)
	// Output:
	// [redacted]
	// alice [data:read] 15m0s <nil>
	// auth: invalid_credential: token: signature
}

// Rotate without downtime: publish the next key, sign with it, and remove the
// old one when what it signed has expired.
func ExampleKeys_Rotate() {
	march, _ := auth.GenerateKey(auth.EdDSA)
	april, _ := auth.GenerateKey(auth.EdDSA)
	keys, err := auth.NewKeys(march)
	if err != nil {
		panic(err)
	}
	tokens, err := auth.NewJWT("https://issuer.example", "https://api.example", keys, nil)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	old, _ := tokens.Issue(ctx, &auth.Principal{Subject: "alice"}, nil)

	_ = keys.Add(april)    // in the JWKS from now on
	_ = keys.Rotate(april) // after its readers have fetched it
	_, err = tokens.Verify(ctx, old.Token.Reveal())
	fmt.Println("after the rotation:", err)

	_ = keys.Remove(march.ID())
	_, err = tokens.Verify(ctx, old.Token.Reveal())
	fmt.Println("after the removal:", err)
	// Output:
	// after the rotation: <nil>
	// after the removal: auth: invalid_credential: token: no key of that id and algorithm
}

// Serve the public keys to the APIs that verify the tokens.
func ExampleKeys_JWKS() {
	key, err := auth.ParseJWK([]byte(`{"kty":"OKP","crv":"Ed25519","kid":"2026",
		"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}`))
	if err != nil {
		panic(err)
	}
	keys, err := auth.NewKeys(key)
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /.well-known/jwks.json", keys.JWKS())

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/.well-known/jwks.json", nil))
	fmt.Println(w.Body)
	// Output:
	// {"keys":[{"kid":"2026","use":"sig","alg":"EdDSA","crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}
}

// Read the claims that an issuer adds into a type of your own.
func ExampleClaims() {
	type Profile struct {
		Email string   `json:"email"`
		Teams []string `json:"teams"`
	}
	p := &auth.Principal{
		Subject: "alice",
		Claims:  []byte(`{"sub":"alice","email":"alice@example.com","teams":["ops"],"EMAIL":"mallory@example.com"}`),
	}
	profile, err := auth.Claims[Profile](p)
	fmt.Printf("%+v %v\n", profile, err)
	// Output:
	// {Email:alice@example.com Teams:[ops]} <nil>
}

// Do not verify with whatever algorithm a token names. With one key for two
// algorithms, anybody who has the public key of RS256 could sign as HS256; so
// a key has one algorithm, a set does not mix the kinds, and the text of a
// public key is no secret.
func ExampleNewKeys_algorithmConfusion() {
	pair, _ := auth.GenerateKey(auth.ES256)
	shared, _ := auth.NewHMACKey("shared", auth.HS256, []byte(strings.Repeat("k", 32)))
	_, err := auth.NewKeys(pair, shared)
	fmt.Println(err)

	public := []byte(`-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----`)
	_, err = auth.NewHMACKey("", auth.HS256, public)
	fmt.Println(err)

	_, err = auth.NewHMACKey("", auth.HS256, []byte("hunter2"))
	fmt.Println(err)
	// Output:
	// auth: keys: symmetric and asymmetric keys in one set
	// auth: key: key is not of the kind its algorithm needs: the secret is the text of another key
	// auth: key: key is too weak for its algorithm: 7 bytes, HS256 needs 32
}
