package main

import (
	"crypto/rand"
	"errors"
	"log/slog"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// scopes are what tokens may allow, in the words of the consent page.
var scopes = []oauth.Scope{
	{Name: "spaces:read", Description: "See your spaces"},
	{Name: "spaces:write", Description: "Create spaces and change them"},
	{Name: "admin", Description: "See the API keys of everybody"},
}

func scopeNames() []string {
	var names []string
	for _, s := range scopes {
		names = append(names, s.Name)
	}
	return names
}

// A server is the authorization server with its parts that the API and the seed
// need, too.
type server struct {
	*oauth.Server
	keys     *auth.Keys
	dpop     *auth.DPoP
	users    *password.Users
	sessions *auth.Sessions
}

func newServer(baseURL string, store *memstore.Store, secrets *secrets, log *slog.Logger) (*server, error) {
	nonces := make([]byte, 32)
	_, _ = rand.Read(nonces) // never fails

	keys, err1 := auth.NewKeys(secrets.signingKey)
	clients, err2 := newClients(secrets)
	dpop, err3 := auth.NewDPoP(store, &auth.DPoPOptions{BaseURL: baseURL, NonceKey: nonces})
	sessions, err4 := auth.NewSessions(store, nil)
	users, err5 := password.NewUsers(store, &password.Options{
		Issuer:    baseURL,
		MinLength: 8, // of the one that the environment may name
		Sessions:  []password.SessionRevoker{sessions},
	})
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	s, err := oauth.NewServer(oauth.Config{
		Issuer:    baseURL,
		Name:      "SpatialWeb",
		Store:     store,
		Keys:      keys,
		Clients:   clients,
		Resources: []string{baseURL},
		Scopes:    scopes,
		Login:     newLogin(users, sessions, log),
		DPoP:      dpop,
		Observe:   oauth.LogTo(log),
	})
	return &server{s, keys, dpop, users, sessions}, err
}

// newLogin signs people in by their password, and tells the log of each attempt.
func newLogin(users *password.Users, sessions *auth.Sessions, log *slog.Logger) oauth.Login {
	return oauth.NewPasswordLogin(users, loginCookie(sessions), &oauth.PasswordLoginOptions{
		Guard: &auth.GuardOptions{Observe: auth.LogTo(log)},
	})
}

// loginCookie keeps people signed in with their browser. The demo speaks plain HTTP
// on this host, where most clients send no Secure cookie; in production it is
//
//	auth.Cookie("__Host-session", sessions, nil)
func loginCookie(sessions *auth.Sessions) *auth.CookieSource {
	return auth.Cookie("session", sessions, &auth.CookieOptions{InsecureName: true, InsecureHTTP: true})
}
