package auth

import "net/http"

const (
	xForwardedFor  = "X-Forwarded-For"
	forwardedField = "Forwarded"
)

// forwarded returns who sent a request that a trusted proxy passed on.
func (b *base) forwarded(r *http.Request, proxy client) client { return client{} }
