package auth_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// Rows 24 and 65, over real connections: what strangers send in the fields of
// proxies changes neither the address in the log, nor what is limited by it, nor
// the networks it is in.
func TestSpoofedAddressesChangeNothing(t *testing.T) {
	for name, options := range map[string]auth.GuardOptions{
		"no proxies":      {},
		"X-Forwarded-For": {TrustedProxies: must(auth.ParseNetworks("192.0.2.0/24"))},
		"Forwarded":       {TrustedProxies: must(auth.ParseNetworks("192.0.2.0/24")), ForwardedHeader: "Forwarded"},
		"no proxy at all": {TrustedProxies: must(auth.NewNetworks())},
	} {
		t.Run(name, func(t *testing.T) {
			o, events := watched(options)
			guard := auth.NewGuard(auth.Bearer(known{"good": alice()}), o)
			here, there := must(auth.ParseNetworks("127.0.0.0/8, ::1")), must(auth.ParseNetworks("127.0.0.1/32, 192.0.2.0/24, 10.0.0.0/8"))
			limiter := auth.NewLimiter(len(spoofs), time.Hour)
			mux := http.NewServeMux()
			mux.Handle("/here", guard.From(here).WrapFunc(hello))
			mux.Handle("/limited", guard.Limit(limiter, auth.ByAddress()).WrapFunc(hello))
			mux.Handle("/beyond/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.RemoteAddr = "198.51.100.1:1"
				guard.From(there).WrapFunc(hello).ServeHTTP(w, r)
			}))
			for _, protocol := range []string{"HTTP/1.1", "HTTP/2"} {
				server := protocols[protocol](t, mux)
				ask := func(path string, headers ...string) int {
					answer, _ := call(t, server, to(t, "GET", server.URL+path, append([]string{"Authorization", "Bearer good"}, headers...)...))
					return answer.StatusCode
				}
				for _, headers := range spoofs {
					*events = nil
					require.Equal(t, 200, ask("/here", headers...), "%v", headers)
					require.Equal(t, netip.MustParseAddr("127.0.0.1"), (*events)[0].Address, "%v", headers)
					if protocol == "HTTP/1.1" {
						require.Equal(t, 200, ask("/limited", headers...))
					}
					require.Equal(t, 403, ask("/beyond/", headers...), "%v", headers)
					require.Equal(t, netip.MustParseAddr("198.51.100.1"), (*events)[len(*events)-1].Address, "%v", headers)
				}
				for _, headers := range spoofs {
					require.Equal(t, 429, ask("/limited", headers...), "all of them were counted as one, %v", headers)
				}
			}
		})
	}
}

// A proxy of net/http in front, that appends to what its clients claim.
func TestBehindARealProxy(t *testing.T) {
	o, events := watched(auth.GuardOptions{TrustedProxies: must(auth.ParseNetworks("10.0.0.0/8"))})
	guard := auth.NewGuard(auth.Bearer(known{"good": alice()}), o)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = "10.0.0.1:1" // where the proxy would be
		guard.WrapFunc(hello).ServeHTTP(w, r)
	}))
	t.Cleanup(backend.Close)
	target := must(url.Parse(backend.URL))
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"] // to append to
		r.SetXForwarded()
	}}
	plain, secure := httptest.NewServer(proxy), httptest.NewTLSServer(proxy)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	for _, headers := range spoofs {
		*events = nil
		bring := append([]string{"Authorization", "Bearer good"}, headers...)
		answer, _ := call(t, secure, to(t, "GET", secure.URL, bring...))
		require.Equal(t, 200, answer.StatusCode, "%v", headers)
		require.Equal(t, []string{twoYears}, answer.Header["Strict-Transport-Security"])
		require.Equal(t, netip.MustParseAddr("127.0.0.1"), (*events)[0].Address, "%v", headers)

		answer, _ = call(t, plain, to(t, "GET", plain.URL, bring...))
		require.Equal(t, 403, answer.StatusCode, "%v", headers)
		require.Empty(t, answer.Header["Strict-Transport-Security"])
		require.Equal(t, netip.MustParseAddr("127.0.0.1"), (*events)[1].Address, "%v", headers)
	}
}

// Clients whose address is not known are limited as one.
func TestUnknownClientsAreLimitedAsOne(t *testing.T) {
	guard := auth.NewGuard(auth.Bearer(known{"good": alice()}), &auth.GuardOptions{
		InsecureHTTP: true, TrustedProxies: must(auth.ParseNetworks("10.0.0.0/8")),
	}).Limit(auth.NewLimiter(4, time.Hour), auth.ByAddress())
	ask := func(address string, headers ...string) int {
		r := from("GET", "/", append([]string{"Authorization", "Bearer good"}, headers...)...)
		r.RemoteAddr = address
		return serve(guard.WrapFunc(hello), r).Code
	}
	require.Equal(t, 200, ask("@"))
	require.Equal(t, 200, ask(""))
	require.Equal(t, 200, ask("192.0.2.1"))
	require.Equal(t, 200, ask("10.0.0.1:1", "X-Forwarded-For", "unknown"))
	for _, address := range []string{"@", "", "x"} {
		require.Equal(t, 429, ask(address), address)
	}
	require.Equal(t, 429, ask("10.0.0.1:1", "X-Forwarded-For", "192.0.2.1, "))
	require.Equal(t, 200, ask("192.0.2.1:1"))
	require.Equal(t, 200, ask("10.0.0.1:1", "X-Forwarded-For", "192.0.2.2"))
}

// IPv4-mapped peers are the IPv4 hosts that they are.
func TestClientAddressIsNormal(t *testing.T) {
	guard := behind("")
	for remote, want := range map[string]string{
		"192.0.2.1:1": "192.0.2.1", "[::ffff:192.0.2.1]:1": "192.0.2.1", "[2001:db8::1]:1": "2001:db8::1", "[fe80::1%eth0]:1": "fe80::1%eth0",
		"[::ffff:10.0.0.1]:1": "10.0.0.1", // a trusted proxy, that tells nothing
	} {
		r := from("GET", "/")
		r.RemoteAddr = remote
		require.Equal(t, netip.MustParseAddr(want), guard.ClientAddress(r), remote)
	}
	r := from("GET", "/", "X-Forwarded-For", "::ffff:192.0.2.9")
	r.RemoteAddr = "[::ffff:10.0.0.1]:1"
	require.Equal(t, netip.MustParseAddr("192.0.2.9"), guard.ClientAddress(r))
}

func TestForwardedHeaderIsOneOfTwo(t *testing.T) {
	for _, field := range []string{"X-Real-IP", "forwarded", "x-forwarded-for", "X-Forwarded-For, Forwarded", " "} {
		require.Panics(t, func() { auth.NewGuard(auth.Bearer(known{}), &auth.GuardOptions{ForwardedHeader: field}) }, field)
	}
}
