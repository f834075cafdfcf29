package oauth

// Each of these moves into the file of its owner.

import (
	"net/http"
)

func (s *Server) serveDevice(w http.ResponseWriter, r *http.Request) {}
