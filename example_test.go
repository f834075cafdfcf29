package auth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// These parts are what the examples below share; see [auth.NewAPIKeys],
// [auth.NewSessions] and [auth.NewJWT].
func parts() (keys *auth.APIKeys, sessions *auth.Sessions, tokens *auth.JWT, apiKey string) {
	store := memstore.New()
	keys = must(auth.NewAPIKeys(store, "acme", nil))
	sessions = must(auth.NewSessions(store, nil))
	signing := must(auth.NewKeys(must(auth.GenerateKey(auth.ES256))))
	tokens = must(auth.NewJWT("https://issuer.example", "api", signing, nil))
	owner := &auth.Principal{Subject: "alice", Tier: "premium", Scopes: []string{"data:read"}}
	return keys, sessions, tokens, must(keys.Create(context.Background(), owner, nil)).Token.Reveal()
}

// ask sends a request as curl does and prints the answer's status.
func ask(server *httptest.Server, method, path string, headers ...string) *http.Response {
	r := must(http.NewRequest(method, server.URL+path, nil))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer := must(server.Client().Do(r))
	fmt.Println(method, path, answer.StatusCode)
	return answer
}

// Either a token or an API key, and a scope on one of the routes.
func ExampleNewGuard() {
	keys, _, tokens, apiKey := parts()
	guard := auth.NewGuard(auth.First(auth.Bearer(tokens), auth.Header("X-API-Key", keys)), nil)

	mux := http.NewServeMux()
	mux.Handle("GET /hello", guard.WrapFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, _ := auth.FromContext(r.Context())
		fmt.Println("hello", caller.Subject, "by", caller.Credential.Kind)
	}))
	mux.Handle("DELETE /data", guard.With(auth.Scope("data:write")).WrapFunc(func(http.ResponseWriter, *http.Request) {}))
	server := httptest.NewServer(mux)
	defer server.Close()

	ask(server, "GET", "/hello")
	ask(server, "GET", "/hello", "X-API-Key", apiKey)
	ask(server, "DELETE", "/data", "X-API-Key", apiKey)
	// Output:
	// GET /hello 401
	// hello alice by api_key
	// GET /hello 200
	// DELETE /data 403
}

// Policies are asked in order after the caller is known; any function of the
// type will do.
func ExampleGuard_With() {
	keys, _, _, apiKey := parts()
	weekdays := func(*http.Request, *auth.Principal) error {
		if day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Weekday(); day == time.Sunday {
			return auth.ErrForbidden
		}
		return nil
	}
	guard := auth.NewGuard(auth.Header("X-API-Key", keys), nil).With(auth.Scope("data:read"), auth.Tier("premium", "enterprise"))
	mux := http.NewServeMux()
	mux.Handle("/data", guard.WrapFunc(func(http.ResponseWriter, *http.Request) {}))
	mux.Handle("/office", guard.With(weekdays).WrapFunc(func(http.ResponseWriter, *http.Request) {}))
	server := httptest.NewServer(mux)
	defer server.Close()

	ask(server, "GET", "/data", "X-API-Key", apiKey)
	ask(server, "GET", "/office", "X-API-Key", apiKey)
	// Output:
	// GET /data 200
	// GET /office 403
}

// Nobody in particular may come too; a credential that is not good may not.
func ExampleGuard_Optional() {
	keys, _, _, apiKey := parts()
	guard := auth.NewGuard(auth.Header("X-API-Key", keys), nil).Optional()
	server := httptest.NewServer(guard.Handle(func(_ http.ResponseWriter, _ *http.Request, caller *auth.Principal) {
		fmt.Println("known:", caller != nil)
	}))
	defer server.Close()

	ask(server, "GET", "/")
	ask(server, "GET", "/", "X-API-Key", apiKey)
	ask(server, "GET", "/", "X-API-Key", "mistyped")
	// Output:
	// known: false
	// GET / 200
	// known: true
	// GET / 200
	// GET / 401
}

// An API key is exchanged for a session: logging in is a guard plus an issuer.
func ExampleGuard_Exchange() {
	keys, sessions, _, apiKey := parts()
	mux := http.NewServeMux()
	mux.Handle("POST /login", auth.NewGuard(auth.JSONField("api_key", keys), nil).Exchange(sessions))
	mux.Handle("GET /status", auth.NewGuard(auth.Bearer(sessions), nil).Status())
	server := httptest.NewServer(mux)
	defer server.Close()

	for _, body := range []string{`{}`, `{"api_key":"acme_wrong"}`, `{"api_key":"` + apiKey + `"}`} {
		answer := must(http.Post(server.URL+"/login", "application/json", strings.NewReader(body)))
		fmt.Println(answer.StatusCode, answer.Header.Get("Cache-Control"))
	}
	// Output:
	// 400 no-store
	// 401 no-store
	// 200 no-store
}

// What reads the cookie also sets it and clears it, and refuses what other
// sites' pages send.
func ExampleCookie() {
	keys, sessions, _, apiKey := parts()
	web := auth.Cookie("__Host-session", sessions, nil)
	guard := auth.NewGuard(web, nil)
	mux := http.NewServeMux()
	mux.Handle("POST /login", auth.NewGuard(auth.Header("X-API-Key", keys), nil).Exchange(web))
	mux.Handle("POST /order", guard.WrapFunc(func(http.ResponseWriter, *http.Request) {}))
	mux.Handle("POST /logout", guard.SignOut(web))
	server := httptest.NewServer(mux)
	defer server.Close()

	cookie := ask(server, "POST", "/login", "X-API-Key", apiKey).Cookies()[0]
	mine := cookie.Name + "=" + cookie.Value
	ask(server, "POST", "/order", "Cookie", mine)
	ask(server, "POST", "/order", "Cookie", mine, "Sec-Fetch-Site", "cross-site")
	ask(server, "POST", "/logout", "Cookie", mine)
	ask(server, "POST", "/order", "Cookie", mine)
	// Output:
	// POST /login 200
	// POST /order 200
	// POST /order 403
	// POST /logout 204
	// POST /order 401
}

// An API that speaks a dialect of its own tells codes apart by where the
// credential came from.
func ExampleFormat() {
	keys, sessions, _, _ := parts()
	dialect := &auth.Format{
		Error: func(f *auth.Failure) any {
			code := string(f.Reason)
			if f.Reason == auth.ErrNoCredential {
				code = "missing_" + f.Scheme.Field
			}
			return map[string]any{"success": false, "error": code}
		},
	}
	guard := auth.NewGuard(auth.JSONField("api_key", keys), &auth.GuardOptions{Format: dialect})
	server := httptest.NewServer(guard.Exchange(sessions))
	defer server.Close()

	answer := must(http.Post(server.URL, "application/json", strings.NewReader(`{}`)))
	fmt.Printf("%d %s\n", answer.StatusCode, must(io.ReadAll(answer.Body)))
	// Output:
	// 400 {"error":"missing_api_key","success":false}
}

// Check decides and answers nothing, for handlers that have more to say.
func ExampleGuard_Check() {
	keys, _, _, _ := parts()
	guard := auth.NewGuard(auth.Header("X-API-Key", keys), nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := guard.Check(r)
		if errors.Is(err, auth.ErrNoCredential) {
			fmt.Println("a visitor")
		}
		if err != nil {
			guard.Fail(w, r, err)
			return
		}
		fmt.Println(caller.Subject)
	}))
	defer server.Close()

	ask(server, "GET", "/")
	// Output:
	// a visitor
	// GET / 401
}

// A handler that takes the principal as an argument cannot be mounted without
// its guard.
func ExampleGuard_Handle() {
	keys, _, _, apiKey := parts()
	guard := auth.NewGuard(auth.Header("X-API-Key", keys), nil)
	server := httptest.NewServer(guard.Handle(func(w http.ResponseWriter, r *http.Request, caller *auth.Principal) {
		fmt.Println(caller.Subject, caller.Tier)
	}))
	defer server.Close()

	ask(server, "GET", "/", "X-API-Key", apiKey)
	// Output:
	// alice premium
	// GET / 200
}

// Every decision can be logged, by log/slog or any function.
func ExampleLogTo() {
	keys, _, _, _ := parts()
	timeless := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "duration" {
			return slog.Attr{}
		}
		return a
	}
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: timeless}))
	guard := auth.NewGuard(auth.Header("X-API-Key", keys), &auth.GuardOptions{Observe: auth.LogTo(logger)})
	server := httptest.NewServer(guard.WrapFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()

	ask(server, "GET", "/")
	// Output:
	// level=WARN msg="auth refused" method=GET reason=missing_credential address=127.0.0.1
	// GET / 401
}

// A mistake: browsers send the cookie with every request, so ahead of the
// header it would decide requests that brought a credential on purpose. First
// panics where the program starts.
func ExampleFirst_mistake() {
	keys, sessions, _, _ := parts()
	defer func() { fmt.Println(recover()) }()
	auth.First(auth.Cookie("__Host-session", sessions, nil), auth.Header("X-API-Key", keys))
	// Output:
	// auth: First: a cookie ahead of an explicit credential
}

// A mistake: the text of an error holds its cause and is for logs. Compare
// reasons with errors.Is.
func ExampleReason_mistake() {
	var err error = &auth.Failure{Reason: auth.ErrExpired, Err: errors.New("since Monday")}
	fmt.Println(err.Error() == auth.ErrExpired.Error()) // wrong
	fmt.Println(err == error(auth.ErrExpired))          // wrong
	fmt.Println(errors.Is(err, auth.ErrExpired))
	// Output:
	// false
	// false
	// true
}
