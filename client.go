package auth

import (
	"net/http"
	"net/netip"
)

// A client is who is at the other end of a request, as far as the network
// knows.
type client struct {
	address netip.Addr // not valid where it is not known
	secure  bool       // nobody on the way can read the request
	https   bool       // it came over HTTPS
}

// clientOf returns who sent r: whoever is at the other end of the connection,
// unless that is a trusted proxy, which tells.
func (b *base) clientOf(r *http.Request) client {
	c := client{address: peer(r), https: r.TLS != nil}
	c.secure = c.https || c.address.IsLoopback()
	if b.TrustedProxies == nil || !b.TrustedProxies.Contains(c.address) {
		return c
	}
	return b.forwarded(r, c)
}

// ClientAddress returns the address of the client that sent r: that of the
// connection or, where this belongs to one of [GuardOptions.TrustedProxies],
// the one that it tells. It is not valid where it is not known: over a Unix
// socket, and where a proxy tells what cannot be read.
func (g *Guard) ClientAddress(r *http.Request) netip.Addr { return g.base.clientOf(r).address }

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
