package auth

import (
	"net/http"
	"net/netip"
)

// peer returns the address of the other end of the connection. It is not valid
// for a Unix socket, and where a middleware has written something else than an
// address and port into RemoteAddr.
func peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// private reports whether nobody on the way can read the request: it came over
// TLS, or from this host.
func private(r *http.Request) bool {
	return r.TLS != nil || peer(r).IsLoopback()
}
