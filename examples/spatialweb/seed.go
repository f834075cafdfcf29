package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/examples/internal/demo"
	"github.com/seed-077cad0b/auth/password"
)

// seed makes a person who can sign in, and the API key of a device that can do
// little with it.
func seed(ctx context.Context, issuer string, s *server, keys *auth.APIKeys, secrets *secrets) ([]demo.Line, error) {
	const email = "ada@example.com"
	_, err1 := s.users.Register(ctx, password.User{
		Login:  email,
		Scopes: []string{"spaces:read", "spaces:write"},
		Claims: json.RawMessage(`{"email":"` + email + `"}`), // what the pages call her
	}, secrets.password)
	sensor := &auth.Principal{Issuer: issuer, Subject: "rooftop-sensor", Scopes: []string{"spaces:read"}}
	key, err2 := keys.Create(ctx, sensor, &auth.KeyOptions{Name: "Rooftop sensor"})
	if err := errors.Join(named(passwordVariable, err1), err2); err != nil {
		return nil, err
	}
	return []demo.Line{
		{Name: "client_id", Value: serviceID},
		{Name: "client_secret", Value: secrets.client},
		{Name: "web_client_id", Value: webID},
		{Name: "web_client_secret", Value: secrets.webClient},
		{Name: "web_redirect_uri", Value: webRedirect},
		{Name: "public_client_id", Value: publicID},
		{Name: "public_redirect_uri", Value: publicRedirect},
		{Name: "email", Value: email},
		{Name: "password", Value: secrets.password},
		{Name: "api_key", Value: key.Token.Reveal()},
	}, nil
}
