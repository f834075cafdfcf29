package auth_test

import (
	"crypto/tls"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// RFC 9449 section 4.3: the URI of the request, without query and fragment, after
// the normalization of RFC 3986 sections 6.2.2 and 6.2.3.
func TestDPoPComparesURIs(t *testing.T) {
	const base = "https://api.example.com"
	for _, c := range []struct {
		base, target, htu string
		admitted          bool
	}{
		{base, "/a", base + "/a", true},
		{base, "/a", "HTTPS://API.Example.COM/a", true},
		{base, "/a", base + ":443/a", true},
		{base, "/a", base + ":/a", true},
		{base, "/a?b=c", base + "/a", true},
		{base, "/a?b=c", base + "/a?d", true},
		{base, "/a", base + "/a#fragment", true},
		{base, "/", base, true},
		{base, "/?q", base + "?q", true},
		{base, "/%61%2Fb%7e", base + "/a%2fb~", true},
		{base, "/a~", base + "/%61%7E", true},
		{base, "/%C3%BC", base + "/%c3%bc", true},
		{"HTTPS://api.EXAMPLE.com:443/", "/a", base + "/a", true},
		{"https://api.example.com:8443", "/a", base + ":8443/a", true},
		{"http://[::1]:80", "/a", "http://[::1]/a", true},
		{"https://[::1]", "/a", "https://[::1]:443/a", true},
		// What a proxy in front has taken away.
		{base + "/v1", "/a", base + "/v1/a", true},
		{base + "/v1/", "/a", base + "/v1/a", true},
		{base + "/v1", "/a", base + "/a", false},

		{base, "/a", base + "/A", false},
		{base, "/a", base + "/a/", false},
		{base, "/a/", base + "/a", false},
		{base, "/a", base + "/", false},
		{base, "/a", base, false},
		{base, "/ab", base + "/a", false},
		{base, "/a", base + "/ab", false},
		{base, "/a/b", base + "/a%2Fb", false},
		{base, "/a%2Fb", base + "/a/b", false},
		{base, "/a%25", base + "/a%", false},
		{base, "/a%2f", base + "/a%252f", false},
		{base, "/x/../a", base + "/a", false},
		{base, "/a", "http://api.example.com/a", false},
		{base, "/a", "https://api.example.com:80/a", false},
		{base, "/a", "https://api.example.com:8443/a", false},
		{base, "/a", "https://api.example.com./a", false},
		{base, "/a", "https://api.example.com@evil.example/a", false},
		{base, "/a", "https://user@api.example.com/a", false},
		{base, "/a", "https://evil.example/a", false},
		{base, "/a", "https://evil.example/https://api.example.com/a", false},
		{base, "/a", "https://api.example.com\\/a", false},
		{base, "/a", "https:/api.example.com/a", false},
		{base, "/a", "//api.example.com/a", false},
		{base, "/a", "/a", false},
		{base, "/a", "wss://api.example.com/a", false},
		{base, "/a", "x", false},
		{base, "/a", " " + base + "/a", false},
		{base, "/a", "https://api.exam\u212Ble.com/a", false},
		{"https://k.example", "/a", "https://\u212A.example/a", false}, // the Kelvin sign
	} {
		client := newProver("ES256")
		guard := auth.NewGuard(newDPoP(t, newStore(t), auth.DPoPOptions{BaseURL: c.base}).Source(client.bound("token")), nil)
		r := from("GET", c.target, "Authorization", "DPoP token", "DPoP", client.proof("GET", c.htu, "token"))
		r.Host = "evil.example" // says nothing
		want := map[bool]int{true: 200, false: 401}[c.admitted]
		require.Equal(t, want, serve(guard.WrapFunc(hello), r).Code, "%+v", c)
	}
}

// A handler in front may have changed the path that handlers see; the client
// knows nothing of it.
func TestDPoPGoesByThePathThatTheClientAskedFor(t *testing.T) {
	client := newProver("ES256")
	guard := auth.NewGuard(newDPoP(t, newStore(t), auth.DPoPOptions{}).Source(client.bound("token")), nil)
	h := http.StripPrefix("/v1", guard.WrapFunc(hello))
	require.Equal(t, 200, serve(h, client.request("GET", "/v1/data", "token")).Code)
	r := from("GET", "/v1/data", "Authorization", "DPoP token", "DPoP", client.proof("GET", apiURL+"/data", "token"))
	require.Equal(t, 401, serve(h, r).Code)

	// A target in absolute form (RFC 9112 section 3.2.2), and none.
	r = client.request("GET", "/data", "token")
	r.RequestURI = "http://other.example/data?x"
	require.Equal(t, 200, serve(guard.WrapFunc(hello), r).Code)
	r = client.request("GET", "/data", "token")
	r.RequestURI = ""
	require.Equal(t, 200, serve(guard.WrapFunc(hello), r).Code)
}

// Where the Host field is gone by, a proof for the host of somebody else is one
// for us, as soon as they say that they are we. That is why it is called
// insecure.
func TestDPoPInsecureHost(t *testing.T) {
	client := newProver("ES256")
	guard := auth.NewGuard(newDPoP(t, newStore(t), auth.DPoPOptions{InsecureHost: true}).Source(client.bound("token")), nil)
	for _, c := range []struct {
		host, htu string
		tls       bool
		want      int
	}{
		{"a.example", "https://a.example/x", true, 200},
		{"A.example:443", "https://a.example/x", true, 200},
		{"b.example", "https://a.example/x", true, 401},
		{"a.example", "http://a.example/x", true, 401},
		{"a.example", "https://a.example/x", false, 200}, // behind a proxy
		{"a.example", "http://a.example/x", false, 200},
		{"a.example:80", "http://a.example/x", false, 200},
		{"a.example:80", "https://a.example/x", false, 401},
		{"a.example", "ftp://a.example/x", false, 401},
		{"", "https:///x", true, 401},
	} {
		r := from("GET", "/x", "Authorization", "DPoP token", "DPoP", client.proof("GET", c.htu, "token"))
		r.Host = c.host
		if c.tls {
			r.TLS = &tls.ConnectionState{}
		}
		require.Equal(t, c.want, serve(guard.WrapFunc(hello), r).Code, "%+v", c)
	}
}
