// Customstore: package auth on a store of one's own. The store is in store.go, on
// bbolt, a file of keys and values; docs/custom-store.md tells what it takes to
// write one.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"log/slog"
	"net/http"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/examples/internal/demo"
	"github.com/seed-077cad0b/auth/password"
)

var file = flag.String("store", "customstore.db", "the file that remembers users and sessions")

func main() { demo.Main(build) }

func build(_ string, log *slog.Logger) (*demo.App, error) {
	store, err := Open(*file)
	if err != nil {
		return nil, err
	}
	// Users are kept by the store's four methods, too.
	records, err1 := password.NewUserRecords(store)
	users, err2 := password.NewUsers(records, nil)
	sessions, err3 := auth.NewSessions(store, nil)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	opts := &auth.GuardOptions{Realm: "customstore", Observe: auth.LogTo(log)}
	guard := auth.NewGuard(auth.Bearer(sessions), opts)
	mux := http.NewServeMux()
	mux.Handle("POST /login", auth.NewGuard(users.JSON("email", "password"), opts).Exchange(sessions))
	mux.Handle("POST /sign-out", guard.SignOut(sessions))
	mux.Handle("GET /whoami", guard.Status())

	lines, err := seed(context.Background(), users)
	return &demo.App{
		Handler: auth.HTTPSOnly(http.MaxBytesHandler(mux, 1<<20), opts),
		Lines:   lines,
		Close:   func() error { return errors.Join(sessions.Close(), store.Close()) },
	}, err
}

// seed makes the demo's user, and shows her password the one time that it is
// known.
func seed(ctx context.Context, users *password.Users) ([]demo.Line, error) {
	const email = "ada@example.com"
	secret := rand.Text()
	_, err := users.Register(ctx, password.User{Login: email}, secret)
	if errors.Is(err, auth.ErrExists) {
		return []demo.Line{{Name: "email", Value: email}}, nil
	}
	return []demo.Line{{Name: "email", Value: email}, {Name: "password", Value: secret}}, err
}
