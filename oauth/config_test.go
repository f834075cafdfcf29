package oauth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// What is wrong is told before the server runs, and all of it at once.
func TestNewServerRefuses(t *testing.T) {
	for want, change := range map[string]func(*oauth.Config){
		`two endpoints at "/.well-known/oauth-authorization-server"`: func(c *oauth.Config) { c.Endpoints.Token = "/.well-known/oauth-authorization-server" },
		`two endpoints at "/token"`:                                  func(c *oauth.Config) { c.Endpoints.Token, c.Endpoints.Revoke = "/token", "/token" },
		`endpoint "/"`:                                               func(c *oauth.Config) { c.Endpoints.Token = "/" },
		`endpoint "/token/"`:                                         func(c *oauth.Config) { c.Endpoints.Token = "/token/" },
		`endpoint "/a/../token"`:                                     func(c *oauth.Config) { c.Endpoints.Token = "/a/../token" },
		`endpoint "//host/token"`:                                    func(c *oauth.Config) { c.Endpoints.Token = "//host/token" },
		`endpoint "/{token}"`:                                        func(c *oauth.Config) { c.Endpoints.Token = "/{token}" },
		`endpoint "/.well-known/oauth-authorization-server/{a}"`:     func(c *oauth.Config) { c.Issuer = issuer + "/{a}" },
		"no Store":               func(c *oauth.Config) { c.Store = (*memstore.Store)(nil) },
		"no Clients":             func(c *oauth.Config) { c.Clients = (*oauth.ClientList)(nil) },
		"Login is a nil pointer": func(c *oauth.Config) { c.Login = (*oauth.PasswordLogin)(nil) },
		"Consent is a nil":       func(c *oauth.Config) { c.Consent = (*noConsent)(nil) },
		"SubjectTokens[0]":       func(c *oauth.Config) { c.SubjectTokens = []auth.Verifier{(*auth.JWT)(nil)} },
		"http://login.example":   func(c *oauth.Config) { c.Issuer = "http://login.example" },
	} {
		c := newWorld(t).config
		change(&c)
		_, err := oauth.NewServer(c)
		require.ErrorContains(t, err, want)
	}
	c := newWorld(t).config
	c.Issuer, c.Endpoints.Token, c.Resources = "login.example", "token", nil
	_, err := oauth.NewServer(c)
	for _, want := range []string{"login.example", `endpoint "token"`, "no Resources"} {
		require.ErrorContains(t, err, want)
	}
}

// noConsent is never asked.
type noConsent struct{ oauth.Consent }
