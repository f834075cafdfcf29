package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// A login gives a pair, and each refresh token, once, the next pair. Both
// endpoints are a guard and an issuer.
func ExampleNewRefresh() {
	store := memstore.New()
	keys := must(auth.NewAPIKeys(store, "acme", nil))
	sessions := must(auth.NewSessions(store, &auth.SessionOptions{Lifetime: 10 * time.Minute}))
	refresh := must(auth.NewRefresh(store, sessions, &auth.RefreshOptions{
		Lifetime: 30 * 24 * time.Hour,
		OnReuse: func(_ context.Context, p *auth.Principal) {
			log.Printf("a refresh token of %s was copied", p.Subject)
		},
	}))
	key := must(keys.Create(context.Background(), &auth.Principal{Subject: "alice"}, nil))

	mux := http.NewServeMux()
	mux.Handle("POST /login", auth.NewGuard(auth.JSONField("api_key", keys), nil).Exchange(refresh))
	mux.Handle("POST /refresh", auth.NewGuard(auth.JSONField("refresh_token", refresh), nil).Exchange(refresh))
	guard := auth.NewGuard(auth.Bearer(sessions), nil)
	mux.Handle("GET /hello", guard.WrapFunc(hello))
	mux.Handle("POST /logout", guard.SignOut(sessions, refresh)) // the family ends with the session

	type tokens struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	post := func(path, member, value string) (t tokens) {
		body := fmt.Sprintf(`{%q:%q}`, member, value)
		w := serve(mux, sending("POST", path, body, "Content-Type", "application/json"))
		_ = json.Unmarshal(w.Body.Bytes(), &t)
		fmt.Println(path, w.Code)
		return t
	}
	first := post("/login", "api_key", key.Token.Reveal())
	second := post("/refresh", "refresh_token", first.Refresh)
	again := post("/refresh", "refresh_token", first.Refresh) // the answer was lost
	fmt.Println("same:", again.Refresh == second.Refresh)

	w := serve(mux, from("GET", "/hello", "Authorization", "Bearer "+second.Access))
	fmt.Println("/hello", w.Code, w.Body)
	w = serve(mux, from("POST", "/logout", "Authorization", "Bearer "+second.Access))
	fmt.Println("/logout", w.Code)
	post("/refresh", "refresh_token", second.Refresh)
	// Output:
	// /login 200
	// /refresh 200
	// /refresh 200
	// same: true
	// /hello 200 hello alice
	// /logout 204
	// /refresh 401
}

// What goes wrong: a client that sends its refresh token where the access token
// belongs. A guard that is not told of refresh tokens refuses them, and none
// should be: they are for Exchange alone.
func ExampleRefresh_mistake() {
	store := memstore.New()
	_, sessions, _, _ := parts()
	refresh := must(auth.NewRefresh(store, sessions, nil))
	alice := (&auth.Principal{Subject: "alice"}).ProvedAt(time.Now())
	pair := must(refresh.Issue(context.Background(), alice, nil))

	guard := auth.NewGuard(auth.Bearer(sessions), nil)
	for _, token := range []auth.Secret{pair.Token, pair.RefreshToken} {
		_, err := guard.Check(from("GET", "/", "Authorization", "Bearer "+token.Reveal()))
		fmt.Println("refused:", errors.Is(err, auth.ErrInvalid))
	}
	// Output:
	// refused: false
	// refused: true
}
