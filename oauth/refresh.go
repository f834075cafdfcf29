package oauth

import (
	"errors"
	"slices"

	"github.com/seed-077cad0b/auth"
)

var (
	errNoRefresh    = refuse(ErrInvalidRequest, "There is no refresh_token.")
	errRefreshElse  = refuse(ErrInvalidGrant, "The refresh token was issued to another client.")
	errScopeGranted = refuse(ErrInvalidScope, "The client asks for a scope that it was not granted.")
)

// grantRefresh trades a refresh token for the next pair (RFC 6749 section 6). The
// next refresh token has all that was granted, whatever the access token is
// narrowed to.
//
// A token that another client shows is refused and lives on: else whoever has
// found one could end it in any client's name. It is the owner's next use that
// tells a copy, see auth.Refresh.
func (s *Server) grantRefresh(t *tokenRequest) (*auth.Grant, error) {
	token := t.params.of("refresh_token")
	if token == "" {
		return nil, errNoRefresh
	}
	p, err := s.refresh.Verify(t.Context(), token)
	switch {
	case errors.Is(err, auth.ErrNotMine):
		return nil, auth.ErrInvalid
	case err != nil:
		return nil, err
	case p.Credential.ClientID != t.client.ID, t.client.succeeds(p.Credential.Created):
		return nil, errRefreshElse
	}
	t.about = p
	asked, err := t.params.scopes()
	if err != nil {
		return nil, err
	}
	for _, name := range asked {
		if !slices.Contains(p.Scopes, name) {
			return nil, errScopeGranted
		}
	}
	o, err := s.orderOf(t, p)
	if err != nil {
		return nil, err
	}
	if asked != nil {
		o.scopes = slices.DeleteFunc(o.scopes, func(name string) bool { return !slices.Contains(asked, name) })
	}
	// RFC 9449 section 5: the token of a public client is bound to its key.
	if bound := p.Credential.Confirmation; bound != "" && bound != o.confirmation {
		return nil, errBoundElse
	}
	return s.fulfil(t.Context(), o)
}
