package main

import (
	"context"
	"crypto/rand"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/examples/internal/demo"
	"github.com/seed-077cad0b/auth/password"
)

// seed makes a user with a password.
func seed(ctx context.Context, users *password.Users) ([]demo.Line, error) {
	const email = "ada@example.com"
	secret := rand.Text()
	_, err := users.Register(ctx, password.User{
		ID: auth.UUIDForm().New(), Login: email, Scopes: []string{"wallets:read"},
	}, secret)
	return []demo.Line{{Name: "email", Value: email}, {Name: "password", Value: secret}}, err
}
