package auth_test

import (
	"crypto/tls"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// Row 64: plain HTTP from beyond this host is refused unread, not redirected;
// what a forwarding header claims changes nothing (row 65).
func TestPlainHTTPFromBeyondIsRefused(t *testing.T) {
	for address, local := range map[string]bool{
		"127.0.0.1:1": true, "127.255.0.9:65535": true, "[::1]:1": true, "[::ffff:127.0.0.1]:1": true,

		"192.0.2.1:1": false, "10.0.0.1:1": false, "[2001:db8::1]:1": false, "[fe80::1%eth0]:1": false,
		"[::ffff:192.0.2.1]:1": false, "[::127.0.0.1]:1": false, "0.0.0.0:1": false, "[::]:1": false, "128.0.0.1:1": false,

		// Row 130: what is no address and port is from nowhere that is known.
		"": false, "@": false, "127.0.0.1": false, "::1": false, "127.0.0.1:": false, "127.0.0.1:x": false, "127.1:1": false,
		"0127.0.0.1:1": false, "localhost:1": false, " 127.0.0.1:1": false, "127.0.0.1:1 ": false, "127.0.0.1:99999": false,
		"127.0.0.1:1, 192.0.2.1:1": false, "2130706433:1": false,
	} {
		asked := 0
		source := authenticator(func(*http.Request) (*auth.Principal, error) { asked++; return alice(), nil })
		guard := auth.NewGuard(source, nil)
		request := func(headers ...string) *http.Request {
			r := from("POST", "/", headers...)
			r.RemoteAddr = address
			return r
		}
		for _, headers := range [][]string{
			nil, {"X-Forwarded-Proto", "https"}, {"Forwarded", "proto=https;for=127.0.0.1"}, {"X-Forwarded-For", "127.0.0.1"},
			{"X-Forwarded-Ssl", "on", "Front-End-Https", "on"}, {"X-Real-IP", "127.0.0.1"},
		} {
			for name, h := range map[string]http.Handler{
				"Wrap": guard.WrapFunc(hello), "Optional": guard.Optional().WrapFunc(hello), "Status": guard.Status(),
				"Exchange": guard.Exchange(newLedger()),
			} {
				asked = 0
				w := serve(h, request(headers...))
				if local {
					require.Equal(t, 200, w.Code, "%s %s", name, address)
					continue
				}
				require.Equal(t, 403, w.Code, "%s %s %v", name, address, headers)
				require.Contains(t, w.Body.String(), "insecure_transport")
				require.Empty(t, w.Header().Get("Location"))
				require.Zero(t, asked, "credentials are not read")
			}
		}

		reading := request()
		reading.Method = "GET"
		require.Equal(t, !local, serve(guard.Exchange(newLedger()), reading).Code == 403, "no answer but this, %s", address)

		claimed := request()
		claimed.URL.Scheme, claimed.URL.Host = "https", "example.com" // "GET https://example.com/ HTTP/1.1"
		require.Equal(t, local, serve(guard.WrapFunc(hello), claimed).Code == 200, "an absolute target from %s", address)

		secure := request()
		secure.TLS = &tls.ConnectionState{}
		require.Equal(t, 200, serve(guard.WrapFunc(hello), secure).Code, "TLS from %s", address)
		loose := auth.NewGuard(source, &auth.GuardOptions{InsecureHTTP: true})
		require.Equal(t, 200, serve(loose.WrapFunc(hello), request()).Code, "by the author's will from %s", address)
	}
}

// A decision that is shared does not excuse a request that came in the clear.
func TestInnerGuardLooksAtTheConnectionToo(t *testing.T) {
	guard := auth.NewGuard(auth.Bearer(known{"good": alice()}), nil)
	rewriting := func(h http.Handler) http.Handler { // as a "real IP" middleware does
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.RemoteAddr = "192.0.2.1"
			h.ServeHTTP(w, r)
		})
	}
	w := serve(guard.Wrap(rewriting(guard.WrapFunc(hello))), from("GET", "/", "Authorization", "Bearer good"))
	require.Equal(t, 403, w.Code)
}
