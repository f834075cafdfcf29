package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/examples/internal/demo"
	"github.com/seed-077cad0b/auth/password"
)

// seed makes the demo's user and keys.
func seed(ctx context.Context, users *password.Users, keys *auth.APIKeys) ([]demo.Line, error) {
	const email = "ada@example.com"
	secret := rand.Text()
	claims, err := json.Marshal(profile{Email: email, Name: "Ada"})
	if err != nil {
		return nil, err
	}
	user, err := users.Register(ctx, password.User{
		ID: "1001", Login: email, Scopes: []string{"data:read"}, Claims: claims,
	}, secret)
	if err != nil {
		return nil, err
	}
	p := users.Principal(user)
	key, err1 := keys.Create(ctx, p, &auth.KeyOptions{Name: "research notebook"})
	revoked, err2 := keys.Create(ctx, p, &auth.KeyOptions{Name: "old notebook"})
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if err := keys.Revoke(ctx, revoked.Principal.Credential.ID); err != nil {
		return nil, err
	}
	return []demo.Line{
		{Name: "email", Value: email},
		{Name: "password", Value: secret},
		{Name: "api_key", Value: key.Token.Reveal()},
		{Name: "revoked_api_key", Value: revoked.Token.Reveal()},
	}, nil
}
