package auth_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	"github.com/seed-077cad0b/auth"
)

// Take the opaque access tokens of an authorization server. It is asked about a
// token that is new here, and not again for the next 30 seconds.
func ExampleNewIntrospection() {
	questions := 0
	login := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		questions++
		switch r.PostFormValue("token") {
		case "2YotnFZFEjr1zCsicMWpAA":
			_, _ = io.WriteString(w, `{"active":true,"sub":"alice","client_id":"cli","scope":"data:read","aud":"https://api.example.com"}`)
		default:
			_, _ = io.WriteString(w, `{"active":false}`)
		}
	}))
	defer login.Close()

	tokens, err := auth.NewIntrospection(login.URL+"/introspect", "https://login.example.com", "https://api.example.com", &auth.IntrospectionOptions{
		ClientID:     "api",
		ClientSecret: auth.NewSecret("from the environment"),
	})
	if err != nil {
		panic(err)
	}
	data := auth.NewGuard(auth.Bearer(tokens), nil).With(auth.Scope("data:read")).Handle(
		func(w http.ResponseWriter, _ *http.Request, p *auth.Principal) {
			fmt.Fprintln(w, "hello", p.Subject, "by", p.Credential.ClientID)
		})

	for _, token := range []string{"2YotnFZFEjr1zCsicMWpAA", "2YotnFZFEjr1zCsicMWpAA", "unknown"} {
		r := httptest.NewRequest("GET", "/data", nil)
		r.RemoteAddr = "127.0.0.1:4242"
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		data.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			fmt.Print(w.Body)
		} else {
			fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
		}
	}
	fmt.Println(questions, "questions")
	// Output:
	// hello alice by cli
	// hello alice by cli
	// 401 Bearer error="invalid_token", error_description="The credential is not valid."
	// 2 questions
}

// Do not let a remembered answer decide over what lasts. A token that was
// revoked a moment ago is good for another 30 seconds of requests; whoever makes
// something of it that outlives them asks anew. [Guard.Exchange] does so by
// itself, code that calls Verify by hand with [Uncached].
func ExampleIntrospection_Verify_stale() {
	var revoked atomic.Bool
	login := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if revoked.Load() {
			_, _ = io.WriteString(w, `{"active":false}`)
			return
		}
		_, _ = io.WriteString(w, `{"active":true,"sub":"alice","aud":"https://api.example.com"}`)
	}))
	defer login.Close()
	tokens, err := auth.NewIntrospection(login.URL, "https://login.example.com", "https://api.example.com", &auth.IntrospectionOptions{
		ClientID:     "api",
		ClientSecret: auth.NewSecret("from the environment"),
	})
	if err != nil {
		panic(err)
	}

	ctx := context.Background()
	_, err = tokens.Verify(ctx, "2YotnFZFEjr1zCsicMWpAA")
	fmt.Println(err)
	revoked.Store(true)
	_, err = tokens.Verify(ctx, "2YotnFZFEjr1zCsicMWpAA")
	fmt.Println("wrong:", err)
	_, err = tokens.Verify(auth.Uncached(ctx), "2YotnFZFEjr1zCsicMWpAA")
	fmt.Println("right:", err)
	// Output:
	// <nil>
	// wrong: <nil>
	// right: auth: invalid_credential: token: not active
}
