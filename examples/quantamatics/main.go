// Quantamatics: a JSON Web Token from a login, or a static API key.
package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/examples/internal/demo"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
)

const issuer = "quantamatics"

func main() { demo.Main(build) }

func build(_ string, log *slog.Logger) (*demo.App, error) {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	key, err := auth.NewHMACKey("", auth.HS256, secret)
	if err != nil {
		return nil, err
	}
	signing, err := auth.NewKeys(key)
	if err != nil {
		return nil, err
	}
	store := memstore.New()
	tokens, err1 := auth.NewJWT(issuer, "quantamatics-data", signing, &auth.JWTOptions{
		Lifetime: 24 * time.Hour,
		Leeway:   -1, // who issues and who verifies share a clock
	})
	keys, err2 := auth.NewAPIKeys(store, "qm", nil)
	users, err3 := password.NewUsers(store, &password.Options{Issuer: issuer})
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	lines, err := seed(context.Background(), users, keys)
	if err != nil {
		return nil, err
	}
	lines = append(lines, demo.Line{Name: "jwt_secret", Value: base64.RawURLEncoding.EncodeToString(secret)})

	observe := auth.LogTo(log)
	login := auth.NewGuard(users.JSON("email", "password"), &auth.GuardOptions{Observe: observe, Format: &auth.Format{Grant: grant}})
	opts := &auth.GuardOptions{Observe: observe}
	guard := auth.NewGuard(auth.First(auth.Bearer(tokens), auth.Header("X-API-Key", keys)), opts)

	mux := http.NewServeMux()
	mux.Handle("POST /api/Account/login", login.Exchange(tokens))
	mux.Handle("GET /api/data/{endpoint}", guard.With(auth.Scope("data:read")).Handle(data))
	return &demo.App{Handler: auth.HTTPSOnly(http.MaxBytesHandler(mux, 1<<20), opts), Lines: lines, Close: keys.Close}, nil
}

// data is the API's own business; by now it knows who is calling.
func data(w http.ResponseWriter, r *http.Request, p *auth.Principal) {
	demo.WriteJSON(w, map[string]any{
		"endpoint":      r.PathValue("endpoint"),
		"user":          map[string]any{"id": number(p)},
		"authenticated": p.Credential.Kind,
	})
}

type profile struct {
	Email string `json:"email"`
	Name  string `json:"name"`
}

// grant is the answer to a login.
func grant(g *auth.Grant) any {
	type user struct {
		ID int64 `json:"id"`
		profile
	}
	p, _ := auth.Claims[profile](g.Principal)
	return struct {
		Token string `json:"token"`
		User  user   `json:"user"`
	}{g.Token.Reveal(), user{number(g.Principal), p}}
}

// number is the user's id, which this API tells as a number.
func number(p *auth.Principal) int64 {
	n, _ := strconv.ParseInt(p.Subject, 10, 64)
	return n
}
