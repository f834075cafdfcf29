package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/examples/internal/demo"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// newAuthorizationServer returns a server that issues the tokens, with one user
// and one client: an app on people's desks, which listens on whatever port of a
// loopback address is free.
func newAuthorizationServer(baseURL string, log *slog.Logger) (http.Handler, []demo.Line, error) {
	const (
		email    = "ada@example.com"
		redirect = "http://127.0.0.1/callback"
	)
	secret := rand.Text()
	scopes := []string{"notes:read", "notes:write"}
	store := memstore.New()
	signing, err1 := auth.GenerateKey(auth.ES256)
	keys, err2 := auth.NewKeys(signing)
	sessions, err3 := auth.NewSessions(store, nil)
	users, err4 := password.NewUsers(store, &password.Options{Issuer: baseURL, Sessions: []password.SessionRevoker{sessions}})
	clients, err5 := oauth.NewClientList(&oauth.Client{
		ID:           "desk",
		Name:         "Desk Assistant",
		Public:       true,
		Grants:       []oauth.GrantType{oauth.AuthorizationCode, oauth.RefreshToken},
		Scopes:       scopes,
		RedirectURIs: []string{redirect},
	})
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, nil, err
	}
	ada := password.User{Login: email, Scopes: scopes, Claims: json.RawMessage(`{"email":"` + email + `"}`)}
	if _, err := users.Register(context.Background(), ada, secret); err != nil {
		return nil, nil, err
	}
	server, err := oauth.NewServer(oauth.Config{
		Issuer:    baseURL,
		Name:      "Notes",
		Store:     store,
		Keys:      keys,
		Clients:   clients,
		Resources: []string{baseURL + "/mcp"},
		Scopes: []oauth.Scope{
			{Name: "notes:read", Description: "Read your notes"},
			{Name: "notes:write", Description: "Add notes"},
		},
		Login: oauth.NewPasswordLogin(users, loginCookie(sessions), &oauth.PasswordLoginOptions{
			Guard: &auth.GuardOptions{Observe: auth.LogTo(log)},
		}),
		Observe: oauth.LogTo(log),
	})
	return server, []demo.Line{
		{Name: "client_id", Value: "desk"},
		{Name: "redirect_uri", Value: redirect},
		{Name: "email", Value: email},
		{Name: "password", Value: secret},
	}, err
}

// loginCookie keeps people signed in with their browser. The demo speaks plain HTTP
// on this host, where most clients send no Secure cookie; in production it is
//
//	auth.Cookie("__Host-session", sessions, nil)
func loginCookie(sessions *auth.Sessions) *auth.CookieSource {
	return auth.Cookie("session", sessions, &auth.CookieOptions{InsecureName: true, InsecureHTTP: true})
}
