package oauth

import (
	"context"
	"errors"
	"net/http"

	"github.com/seed-077cad0b/auth"
)

// serveRevoke is the revocation endpoint (RFC 7009).
//
// The answer tells nothing about a token: it is the same for one that has been
// ended now or before, that nobody has issued, and that is another client's, which
// goes on (RFC 7009 section 2.1 would have such a client told). What is no longer
// good needs no revocation (section 2.2).
func (s *Server) serveRevoke(w http.ResponseWriter, r *http.Request) {
	e := Event{Endpoint: "revoke"}
	c, p, err := s.authenticate(r, &e)
	if err == nil {
		e.Principal, err = s.revoke(r.Context(), c, p.of("token"))
	}
	e.Err = err
	s.observe(r, e)
	if err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

var errNoToken = refuse(ErrInvalidRequest, "There is no token.")

// revoke ends a token of the client's, of whatever sort it is: token_type_hint is
// not needed, and so not believed (RFC 7009 section 2.1). A refresh token, also one
// that has been spent, takes along all that its family has been issued; an access
// token ends alone. It returns whom the token was about, and nobody where it has
// ended none.
func (s *Server) revoke(ctx context.Context, c *Client, token string) (*auth.Principal, error) {
	if token == "" {
		return nil, errNoToken
	}
	for _, sort := range []interface {
		auth.Verifier
		auth.Revoker
	}{s.jwt, s.opaque, s.refresh} {
		p, err := sort.Verify(ctx, token)
		switch {
		case errors.Is(err, auth.ErrNotMine):
			continue
		case isDead(err):
			return nil, nil
		case err != nil:
			return nil, err
		case p.Credential.ClientID != c.ID:
			return nil, nil
		}
		return p, sort.Revoke(ctx, p)
	}
	return nil, nil
}

// isDead reports whether err refuses a token for good, and is no outage.
func isDead(err error) bool {
	var reason auth.Reason
	return errors.As(err, &reason) && reason.Status() == http.StatusUnauthorized
}
