package oauth

// Each of these moves into the file of its owner.

import (
	"net/http"

	"github.com/seed-077cad0b/auth"
)

func (s *Server) grantDeviceCode(t *tokenRequest) (*auth.Grant, error) {
	return nil, ErrUnsupportedGrantType
}
func (s *Server) grantTokenExchange(t *tokenRequest) (*auth.Grant, error) {
	return nil, ErrUnsupportedGrantType
}

func (s *Server) serveRevoke(w http.ResponseWriter, r *http.Request)              {}
func (s *Server) serveIntrospect(w http.ResponseWriter, r *http.Request)          {}
func (s *Server) serveMetadata(w http.ResponseWriter, r *http.Request)            {}
func (s *Server) serveDeviceAuthorization(w http.ResponseWriter, r *http.Request) {}
func (s *Server) serveDevice(w http.ResponseWriter, r *http.Request)              {}
