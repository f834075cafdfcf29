package oauth

import (
	"net/http"

	"github.com/seed-077cad0b/auth"
)

// ApproveDevice decides about a user code as the page does.
func (s *Server) ApproveDevice(r *http.Request, code string, user *auth.Principal, allow bool) error {
	return s.approveDevice(r, code, user, allow)
}

// DeviceOf returns what a user code stands for: the client, and the scopes of it
// that user can grant.
func (s *Server) DeviceOf(r *http.Request, code string, user *auth.Principal) (client *Client, scopes []string, err error) {
	ask, err := s.deviceOf(r, code, user)
	if err != nil {
		return nil, nil, err
	}
	return ask.client, ask.Scopes, nil
}

// The parts of user codes.
var (
	NewUserCode  = newUserCode
	ReadUserCode = readUserCode
)
