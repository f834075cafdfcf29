package oauth

import (
	"slices"

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

// asked returns the scopes and the resources that a client gets which asks for
// some at the token endpoint; most is what whoever grants them has, and nil for no
// bound.
func (s *Server) asked(t *tokenRequest, most []string) (scopes, resources []string, err error) {
	names, err := t.params.scopes()
	if err != nil {
		return nil, nil, err
	}
	if !s.knowsScopesOf(t.client) {
		return nil, nil, errScopesElsewhere
	}
	if scopes, err = s.allowScopes(t.client, names, most); err != nil {
		return nil, nil, err
	}
	resources, err = s.allowResources(t.client, t.params.all("resource"))
	return scopes, resources, err
}

var errScopesElsewhere = refuse(ErrInvalidScope, "The server has none of the scopes of the client.")

// knowsScopesOf reports whether the server has any of the client's scopes, if there
// are some. A token without any would look like one that was granted.
func (s *Server) knowsScopesOf(c *Client) bool {
	known := func(name string) bool { return s.scopes[name].Name != "" }
	return len(c.Scopes) == 0 || slices.ContainsFunc(c.Scopes, known)
}
