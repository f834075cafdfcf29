package main

import (
	"errors"
	"time"

	"github.com/seed-077cad0b/auth/oauth"
)

// The demo's clients. Where a person is sent back to is compared to the letter;
// of a loopback address any port is meant.
const (
	serviceID      = "spatialweb-service"
	webID          = "spatialweb-web"
	publicID       = "spatialweb-app"
	webRedirect    = "https://web.example/callback"
	publicRedirect = "http://127.0.0.1:8765/callback"
)

// newClients registers a program that calls on its own behalf, a web site that
// people use, and an app that can keep no secret.
func newClients(secrets *secrets) (*oauth.ClientList, error) {
	service, err1 := oauth.ImportClientSecret(secrets.client)
	web, err2 := oauth.ImportClientSecret(secrets.webClient)
	if err := errors.Join(named(clientVariable, err1), named(webClientVariable, err2)); err != nil {
		return nil, err
	}
	people := []string{"spaces:read", "spaces:write"}
	return oauth.NewClientList(
		&oauth.Client{
			ID:      serviceID,
			Name:    "Survey Service",
			Secrets: []oauth.ClientSecret{service},
			Grants:  []oauth.GrantType{oauth.ClientCredentials, oauth.TokenExchange},
			Scopes:  scopeNames(),
		},
		&oauth.Client{
			ID:           webID,
			Name:         "Atlas",
			Website:      "https://web.example",
			Secrets:      []oauth.ClientSecret{web},
			Grants:       []oauth.GrantType{oauth.AuthorizationCode, oauth.RefreshToken},
			Scopes:       people,
			RedirectURIs: []string{webRedirect},
		},
		&oauth.Client{
			ID:              publicID,
			Name:            "Atlas on your desk",
			Public:          true,
			Grants:          []oauth.GrantType{oauth.AuthorizationCode, oauth.RefreshToken, oauth.DeviceCode},
			Scopes:          people,
			RedirectURIs:    []string{publicRedirect},
			RefreshLifetime: 7 * 24 * time.Hour, // who has no secret signs in again more often
		},
	)
}
