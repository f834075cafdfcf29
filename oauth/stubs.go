package oauth

// Each of these moves into the file of its owner.

import (
	"context"
	"net/http"

	"github.com/seed-077cad0b/auth"
)

type clientAuthenticator struct{ server *Server }

func (a *clientAuthenticator) Authenticate(r *http.Request) (*auth.Principal, error) {
	return nil, auth.ErrNoCredential
}

// authenticate returns the client that sends a request of the endpoints Token, Revoke, Introspect, PushedAuthorization, DeviceAuthorization, with its form.
func (s *Server) authenticate(r *http.Request) (*Client, params, error) { return nil, nil, nil }

// newCode makes the code of what user has granted.
func (s *Server) newCode(ctx context.Context, user *auth.Principal, a authorization) (string, error) {
	return "", nil
}

func (s *Server) refreshReused(ctx context.Context, p *auth.Principal) {}

type consentPage struct{}

func (consentPage) ServeConsent(w http.ResponseWriter, r *http.Request, i *Interaction) {}

func (s *Server) serveToken(w http.ResponseWriter, r *http.Request)               {}
func (s *Server) serveRevoke(w http.ResponseWriter, r *http.Request)              {}
func (s *Server) serveIntrospect(w http.ResponseWriter, r *http.Request)          {}
func (s *Server) serveMetadata(w http.ResponseWriter, r *http.Request)            {}
func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request)           {}
func (s *Server) servePushed(w http.ResponseWriter, r *http.Request)              {}
func (s *Server) serveDeviceAuthorization(w http.ResponseWriter, r *http.Request) {}
func (s *Server) serveDevice(w http.ResponseWriter, r *http.Request)              {}
