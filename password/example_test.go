package password_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// Register somebody, and let them trade their password for a session.
func Example() {
	store := memstore.New()
	sessions, err := auth.NewSessions(store, nil)
	if err != nil {
		log.Fatal(err)
	}
	users, err := password.NewUsers(store, &password.Options{
		Sessions: []password.SessionRevoker{sessions}, // end when a password changes
	})
	if err != nil {
		log.Fatal(err)
	}
	ada := password.User{Login: "Ada@example.com", Scopes: []string{"data:read"}}
	if _, err := users.Register(context.Background(), ada, "too short"); err != nil {
		var rule password.Rule
		if errors.As(err, &rule) { // safe to show; anything else is an outage
			fmt.Println(rule.Title())
		}
	}
	if _, err := users.Register(context.Background(), ada, "correct horse battery staple"); err != nil {
		log.Fatal(err)
	}

	mux := http.NewServeMux()
	mux.Handle("POST /login", auth.NewGuard(users.JSON("email", "password"), nil).Exchange(sessions))
	server := httptest.NewServer(mux)
	defer server.Close()

	for _, pw := range []string{"correct horse battery staple", "correct horse battery stable"} {
		res, err := http.Post(server.URL+"/login", "application/json",
			strings.NewReader(`{"email":"ada@example.com","password":"`+pw+`"}`))
		if err != nil {
			log.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		fmt.Println(res.StatusCode, strings.Contains(string(body), "access_token"))
	}
	// Output:
	// The password is too short.
	// 200 true
	// 401 false
}

// Users who come from elsewhere bring their hashes along. Their first login
// replaces them.
func ExampleUsers_Import() {
	store := memstore.New()
	users, err := password.NewUsers(store, nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	_, err = users.Import(ctx, password.User{
		Login: "ada@example.com",
		Hash:  "$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS",
	})
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		user, _ := store.UserByLogin(ctx, "ada@example.com")
		fmt.Println(user.Hash[:8])
		if _, err := users.Verify(ctx, "ada@example.com", "correct horse battery staple"); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// $2b$05$a
	// $argon2i
}

// Answer whoever asks for a reset before looking whether there is an account,
// and mail the address that is stored.
func ExampleUsers_ResetToken() {
	store := memstore.New()
	users, err := password.NewUsers(store, &password.Options{Store: store})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	if _, err := users.Register(ctx, password.User{Login: "ada@example.com"}, "correct horse battery staple"); err != nil {
		log.Fatal(err)
	}

	var link string
	worker := func(typed string) { // runs after the answer has been sent
		req, err := users.ResetToken(ctx, typed)
		switch {
		case err != nil:
			log.Print(err) // try again later
		case req.Token.IsZero():
			// Nobody has that login, which only we know.
		default:
			link = "https://app.example/reset#" + req.Token.Reveal()
			fmt.Println("mail to", req.User.Login)
		}
	}
	worker("nobody@example.com")
	worker("ADA@example.com")

	_, token, _ := strings.Cut(link, "#")
	fmt.Println(users.Reset(ctx, token, "short"))
	fmt.Println(users.Reset(ctx, token, "incorrect zebra accumulator nail"))
	fmt.Println(users.Reset(ctx, token, "a third one, in vain, too late"))
	// Output:
	// mail to ada@example.com
	// password: password_too_short
	// <nil>
	// auth: invalid_credential
}

// A mistake to avoid: telling apart what Verify does not. The answer to the
// first caller says that there is no such account, so anybody can find out who
// has one.
func ExampleUsers_Verify_mistake() {
	store := memstore.New()
	users, err := password.NewUsers(store, nil)
	if err != nil {
		log.Fatal(err)
	}
	login := func(w http.ResponseWriter, r *http.Request) {
		if _, err := store.UserByLogin(r.Context(), r.PostFormValue("email")); err != nil {
			http.Error(w, "unknown user", http.StatusUnauthorized)
			return
		}
		if _, err := users.Verify(r.Context(), r.PostFormValue("email"), r.PostFormValue("password")); err != nil {
			http.Error(w, "wrong password", http.StatusUnauthorized) // an outage, too
		}
	}
	guarded := auth.NewGuard(users.Form("email", "password"), nil).WrapFunc(func(http.ResponseWriter, *http.Request) {})

	for _, h := range []http.Handler{http.HandlerFunc(login), guarded} {
		r := httptest.NewRequest("POST", "http://127.0.0.1/login", strings.NewReader("email=ada%40example.com&password=guess"))
		r.RemoteAddr = "127.0.0.1:1234"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(w.Code, strings.Contains(w.Body.String(), "unknown"))
	}
	// Output:
	// 401 true
	// 401 false
}
