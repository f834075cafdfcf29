// Quickstart: the everyday use of package auth in about a screen. People log in
// with a password and get a token, or a session in a cookie; programs bring an
// API key; each route says what it asks for.
package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/examples/internal/demo"
	"github.com/seed-077cad0b/auth/password"
)

func main() { demo.Main(build) }

func build(baseURL string, log *slog.Logger) (*demo.App, error) {
	// What remembers (users, sessions, keys and what has been revoked), and what
	// signs.
	store, key, closeStore, err := remember(*file)
	if err != nil {
		return nil, err
	}
	signing, err := auth.NewKeys(key)
	if err != nil {
		return nil, err
	}
	tokens, err1 := auth.NewJWT(baseURL, baseURL, signing, &auth.JWTOptions{Revocation: store})
	sessions, err2 := auth.NewSessions(store, &auth.SessionOptions{Limit: 10})
	keys, err3 := auth.NewAPIKeys(store, "demo", nil)
	users, err4 := password.NewUsers(store, &password.Options{Issuer: baseURL})
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}

	// Where it sits in a request, and who may come in.
	opts := &auth.GuardOptions{Realm: "quickstart", Observe: auth.LogTo(log)}
	web := auth.Cookie("__Host-session", sessions, nil)
	login := auth.NewGuard(users.JSON("email", "password"), opts)
	guard := auth.NewGuard(auth.First(auth.Bearer(tokens), auth.Header("X-API-Key", keys), web), opts)

	mux := http.NewServeMux()
	mux.Handle("POST /login", login.Exchange(tokens))  // a token in the body
	mux.Handle("POST /web/login", login.Exchange(web)) // a session in a cookie
	mux.Handle("POST /sign-out", guard.SignOut(web, tokens))
	mux.Handle("GET /whoami", guard.Status())
	mux.Handle("GET /reports", guard.With(auth.Scope("reports:read")).WrapFunc(reports))
	mux.Handle("POST /reports", guard.With(auth.Scope("reports:write")).Handle(publish))
	mux.Handle("POST /keys/rotate", guard.With(auth.Kinds(auth.KindAPIKey)).Handle(rotate(guard, keys)))
	mux.Handle("GET /.well-known/jwks.json", signing.JWKS())

	lines, err := seed(context.Background(), users, keys)
	return &demo.App{
		Handler: auth.HTTPSOnly(http.MaxBytesHandler(mux, 1<<20), opts),
		Lines:   lines,
		Close:   func() error { return errors.Join(keys.Close(), sessions.Close(), closeStore()) },
	}, err
}

// reports is a handler like any other: the principal is in the context.
func reports(w http.ResponseWriter, r *http.Request) {
	p, _ := auth.FromContext(r.Context())
	demo.WriteJSON(w, map[string]any{"reports": []string{"2026-Q1", "2026-Q2"}, "for": p.Subject, "by": p.Credential.Kind})
}

// publish takes the principal as an argument.
func publish(w http.ResponseWriter, _ *http.Request, p *auth.Principal) {
	demo.WriteJSON(w, map[string]any{"published": "2026-Q3", "for": p.Subject, "by": p.Credential.Kind})
}

// rotate gives the key by which the caller came a successor.
func rotate(guard *auth.Guard, keys *auth.APIKeys) func(http.ResponseWriter, *http.Request, *auth.Principal) {
	return func(w http.ResponseWriter, r *http.Request, p *auth.Principal) {
		next, err := keys.Rotate(r.Context(), p.Credential.ID)
		if err != nil {
			guard.Fail(w, r, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		demo.WriteJSON(w, map[string]string{"api_key": next.Token.Reveal()})
	}
}
