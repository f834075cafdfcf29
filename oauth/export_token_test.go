package oauth

import (
	"context"
	"net/url"

	"github.com/seed-077cad0b/auth"
)

// A Granted is what a code is made for, without the page that asks for it.
type Granted struct {
	ClientID    string
	Scopes      []string
	Resources   []string
	RedirectURI string
	Challenge   string
	JKT         string
}

// NewCode makes a code as the authorization endpoint does.
func (s *Server) NewCode(ctx context.Context, user *auth.Principal, g Granted) (string, error) {
	return s.newCode(auth.Uncached(ctx), user, authorization{
		ClientID:    g.ClientID,
		Scopes:      g.Scopes,
		Resources:   g.Resources,
		RedirectURI: g.RedirectURI,
		Challenge:   g.Challenge,
		JKT:         g.JKT,
	})
}

// ParseParams reads parameters as the endpoints do.
func ParseParams(encoded string) (url.Values, error) {
	p, err := parseParams(encoded)
	return url.Values(p), err
}
