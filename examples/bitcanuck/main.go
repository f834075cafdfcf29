// Bitcanuck: people log in with a password, and partner platforms sign in their
// own users by assertions that they sign.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/examples/internal/demo"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
)

const (
	lifetime   = 14 * 24 * time.Hour // of a session
	tokenField = "Token"             // where assertions are
)

func main() {
	api := flag.String("api", "bitcanuck", "which of two APIs that differ in name only: bitcanuck or moneyns")
	demo.Main(func(_ string, log *slog.Logger) (*demo.App, error) { return build(*api, log) })
}

func build(api string, log *slog.Logger) (*demo.App, error) {
	realm, ok := map[string]string{"bitcanuck": "BitCanuck", "moneyns": "MoneyNS"}[api]
	if !ok {
		return nil, fmt.Errorf("-api %q: neither bitcanuck nor moneyns", api)
	}
	partners, err := newPartners()
	if err != nil {
		return nil, err
	}
	store := memstore.New()
	sessions, err1 := auth.NewSessions(store, &auth.SessionOptions{Lifetime: lifetime})
	users, err2 := password.NewUsers(store, nil)
	platforms, err3 := auth.NewPlatforms(store, partners.list, &auth.PlatformOptions{User: (&directory{}).user})
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, errors.Join(err, partners.Close())
	}
	lines, err := seed(context.Background(), users)
	if err != nil {
		return nil, errors.Join(err, partners.Close())
	}

	opts := &auth.GuardOptions{Realm: realm, Format: dialect, Observe: auth.LogTo(log)}
	people := auth.NewGuard(users.JSON("email", "password"), opts)
	signed := auth.NewGuard(platforms.FromHeader(tokenField, "platform"), opts)
	guard := auth.NewGuard(auth.Bearer(sessions), opts).With(auth.Scope("wallets:read"))

	mux := http.NewServeMux()
	mux.Handle("POST /api/v1/authenticate", people.Exchange(sessions))
	mux.Handle("POST /api/v1/authenticate-jwt/{platform}", signed.Exchange(platforms.Issuer(sessions)))
	mux.Handle("GET /api/v1/wallets", guard.Handle(wallets))
	return &demo.App{
		Handler: auth.HTTPSOnly(http.MaxBytesHandler(mux, 1<<20), opts),
		Lines:   append(lines, partners.lines...),
		Close:   func() error { return errors.Join(sessions.Close(), partners.Close()) },
	}, nil
}

// wallets is the API's own business; by now it knows who is calling.
func wallets(w http.ResponseWriter, _ *http.Request, p *auth.Principal) {
	demo.WriteJSON(w, map[string]any{"data": map[string]any{"userId": p.Subject, "wallets": []any{}}})
}
