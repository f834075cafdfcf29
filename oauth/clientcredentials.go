package oauth

import (
	"github.com/seed-077cad0b/auth"
)

// grantClientCredentials issues an access token to a client for itself (RFC 6749
// section 4.4). There is no refresh token: the client can ask again.
func (s *Server) grantClientCredentials(t *tokenRequest) (*auth.Grant, error) {
	scopes, resources, err := s.asked(t, nil)
	if err != nil {
		return nil, err
	}
	p := s.principalOf(t.client).ProvedAt(t.begun)
	p.Scopes = scopes
	t.about = p
	if t.client.endedFor(p) {
		return nil, auth.ErrRevoked
	}
	key, err := s.confirmation(t.Request, t.client)
	if err != nil {
		return nil, err
	}
	return s.fulfil(t.Context(), &order{
		client:       t.client,
		principal:    p,
		scopes:       scopes,
		audience:     resources,
		confirmation: key,
	})
}
