package oauth

import (
	"github.com/seed-077cad0b/auth"
)

var errNoAssertion = refuse(ErrInvalidRequest, "There is no assertion.")

// grantAssertion issues an access token for the user whom a platform's assertion
// is about (RFC 7523 section 2.1). There is no refresh token: the platform can
// sign another assertion.
//
// The assertion is used up before the token is made, see auth.Platforms: an outage
// in between costs the client an assertion. So all that can be refused without it
// is refused before.
func (s *Server) grantAssertion(t *tokenRequest) (*auth.Grant, error) {
	switch {
	case s.config.Platforms == nil:
		return nil, errNoSuchGrant
	case t.params.of("assertion") == "":
		return nil, errNoAssertion
	}
	if _, _, err := s.asked(t, nil); err != nil {
		return nil, err
	}
	key, err := s.confirmation(t.Request, t.client)
	if err != nil {
		return nil, err
	}
	p, err := s.signIn(t)
	if err != nil {
		return nil, err
	}
	t.about = p
	if t.client.endedFor(p) {
		return nil, auth.ErrRevoked
	}
	scopes, audience, err := s.asked(t, some(p.Scopes))
	if err != nil {
		return nil, err
	}
	o := &order{client: t.client, principal: p, scopes: scopes, audience: audience, confirmation: key}
	return s.config.Platforms.Issuer(s.access(o)).Issue(t.Context(), p, &auth.IssueOptions{})
}

// signIn uses up the assertion, from the address that the guard knows the client
// by.
func (s *Server) signIn(t *tokenRequest) (*auth.Principal, error) {
	a := s.config.Platforms.JWTBearer()
	var (
		p   *auth.Principal
		err error
	)
	if c, ok := a.(auth.ClientAuthenticator); ok {
		p, err = c.AuthenticateClient(t.Request, s.clients.ClientAddress(t.Request))
	} else {
		p, err = a.Authenticate(t.Request)
	}
	switch {
	case err != nil:
		return nil, err
	case !s.owns(p):
		return nil, errNotOurs
	}
	return p.ProvedAt(t.begun), nil // the client, too, may have ended meanwhile
}
