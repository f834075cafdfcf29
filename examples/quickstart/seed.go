package main

import (
	"context"
	"crypto/rand"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/examples/internal/demo"
	"github.com/seed-077cad0b/auth/password"
)

// seed makes the demo's user and her program's key, which may do
// less than she.
func seed(ctx context.Context, issuer string, users *password.Users, keys *auth.APIKeys) ([]demo.Line, error) {
	const email = "ada@example.com"
	secret := rand.Text()
	user, err := users.Register(ctx, password.User{Login: email, Scopes: []string{"reports:read", "reports:write"}}, secret)
	if err != nil {
		return nil, err
	}
	p := &auth.Principal{Issuer: issuer, Subject: user.ID, Scopes: []string{"reports:read"}}
	key, err := keys.Create(ctx, p, &auth.KeyOptions{Name: "nightly export"})
	if err != nil {
		return nil, err
	}
	return []demo.Line{
		{Name: "email", Value: email},
		{Name: "password", Value: secret},
		{Name: "api_key", Value: key.Token.Reveal()},
	}, nil
}
