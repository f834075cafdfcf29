package oauth

import (
	"errors"
	"net/http"

	"github.com/seed-077cad0b/auth"
)

var errNoDPoP = errors.New("oauth: a client requires DPoP, and Config.DPoP is nil")

// confirmation returns the key that a client proves along with its request, to
// which its tokens are bound, and the empty string for none: a key of DPoP (RFC
// 9449 section 5) or, where the client's tokens are bound to certificates, that of
// the connection (RFC 8705 section 3). It uses up the proof, so it is called after
// all that could refuse the request without it.
func (s *Server) confirmation(r *http.Request, c *Client) (string, error) {
	if c.RequireCertificate {
		if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
			return "", refuse(ErrInvalidRequest, "The client has shown no certificate to bind its tokens to.")
		}
		return auth.CertificateConfirmation(r.TLS.PeerCertificates[0]), nil
	}
	if s.config.DPoP == nil {
		if c.RequireDPoP {
			return "", errNoDPoP
		}
		return "", nil
	}
	key, err := s.config.DPoP.Prove(r, "")
	if errors.Is(err, auth.ErrNoCredential) {
		if c.RequireDPoP {
			return "", refuse(ErrInvalidDPoPProof, "There is no proof of a key.")
		}
		return "", nil
	}
	return key, err
}
