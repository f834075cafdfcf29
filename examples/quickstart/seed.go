package main

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/examples/internal/demo"
	"github.com/seed-077cad0b/auth/password"
)

// seed makes the demo's user and her program's key, which may do less than she.
// A store that has outlived the program has both, and nobody can tell her secrets
// any more.
func seed(ctx context.Context, users *password.Users, keys *auth.APIKeys) ([]demo.Line, error) {
	const email = "ada@example.com"
	secret := rand.Text()
	user, err := users.Register(ctx, password.User{Login: email, Scopes: []string{"reports:read", "reports:write"}}, secret)
	if errors.Is(err, auth.ErrExists) {
		return []demo.Line{{Name: "email", Value: email}}, nil
	}
	if err != nil {
		return nil, err
	}
	key, err := keys.Create(ctx, users.Principal(user), &auth.KeyOptions{
		Name:   "nightly export",
		Scopes: []string{"reports:read"},
	})
	if err != nil {
		return nil, err
	}
	return []demo.Line{
		{Name: "email", Value: email},
		{Name: "password", Value: secret},
		{Name: "api_key", Value: key.Token.Reveal()},
	}, nil
}
