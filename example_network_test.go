package auth_test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// forwardedBy is a request as a proxy at an address passes it on.
func forwardedBy(proxy string, fields ...string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = proxy + ":40000"
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

// A program behind a proxy believes that proxy, and nobody else: the client is
// the one that the proxy was asked by, whatever the client claims itself.
func ExampleGuardOptions_trustedProxies() {
	keys, _, _, apiKey := parts()
	proxies := must(auth.ParseNetworks("10.0.0.0/24"))
	guard := auth.NewGuard(auth.Header("X-API-Key", keys), &auth.GuardOptions{TrustedProxies: proxies})

	claimed := "127.0.0.1" // by the client, 203.0.113.9
	r := forwardedBy("10.0.0.5", "X-Forwarded-For", claimed+", 203.0.113.9", "X-Forwarded-Proto", "https", "X-API-Key", apiKey)
	_, err := guard.Check(r)
	fmt.Println(guard.ClientAddress(r), err)

	r = forwardedBy("10.0.0.5", "X-Forwarded-For", "203.0.113.9", "X-Forwarded-Proto", "http", "X-API-Key", apiKey)
	_, err = guard.Check(r)
	fmt.Println(guard.ClientAddress(r), err)

	r = forwardedBy("203.0.113.9", "X-Forwarded-For", claimed, "X-Forwarded-Proto", "https", "X-API-Key", apiKey)
	_, err = guard.Check(r)
	fmt.Println(guard.ClientAddress(r), err)
	// Output:
	// 203.0.113.9 <nil>
	// 203.0.113.9 auth: insecure_transport
	// 203.0.113.9 auth: insecure_transport
}

// Forwarded (RFC 7239) tells the address and the protocol of each hop together.
func ExampleGuardOptions_forwarded() {
	guard := auth.NewGuard(auth.Bearer(known{}), &auth.GuardOptions{
		TrustedProxies:  must(auth.ParseNetworks("10.0.0.0/24, fd00::/8")),
		ForwardedHeader: "Forwarded",
	})
	for _, field := range []string{
		`for="[2001:db8:cafe::17]:4711";proto=https, for=10.0.0.7;proto=http`,
		`for=192.0.2.60;proto=http`,
		`for=_hidden;proto=https`,
	} {
		r := forwardedBy("10.0.0.5", "Forwarded", field)
		_, err := guard.Check(r)
		fmt.Println(guard.ClientAddress(r), err)
	}
	// Output:
	// 2001:db8:cafe::17 auth: missing_credential
	// 192.0.2.60 auth: insecure_transport
	// invalid IP auth: missing_credential
}

// What goes wrong: everybody is trusted as a proxy. The walk from the right then
// finds no stranger and ends at the left-most address, which is whatever the
// client has written there. Trust the proxies' own addresses only.
func ExampleGuardOptions_trustedProxies_mistake() {
	office := must(auth.ParseNetworks("192.0.2.0/24"))
	spoofed := forwardedBy("10.0.0.5", "X-Forwarded-For", "192.0.2.1, 203.0.113.9", "X-Forwarded-Proto", "https")
	for _, proxies := range []string{"0.0.0.0/0", "10.0.0.0/24"} {
		guard := auth.NewGuard(auth.Bearer(known{}), &auth.GuardOptions{TrustedProxies: must(auth.ParseNetworks(proxies))})
		_, err := guard.From(office).Check(spoofed)
		fmt.Println(proxies, guard.ClientAddress(spoofed), err)
	}
	// Output:
	// 0.0.0.0/0 192.0.2.1 auth: missing_credential
	// 10.0.0.0/24 203.0.113.9 auth: address_not_allowed
}

// A proxy on this host reaches the program over a Unix socket, which has no
// addresses. That whoever may open the socket is as good as this host is for the
// program to say.
func ExampleGuard_ClientAddress_unixSocket() {
	guard := auth.NewGuard(auth.Bearer(known{}), &auth.GuardOptions{TrustedProxies: must(auth.ParseNetworks("127.0.0.1"))})
	handler := guard.WrapFunc(func(http.ResponseWriter, *http.Request) {})
	socket := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = "127.0.0.1:0"
		handler.ServeHTTP(w, r)
	})
	for _, h := range []http.Handler{handler, socket} {
		r := forwardedBy("", "X-Forwarded-For", "203.0.113.9", "X-Forwarded-Proto", "https")
		r.RemoteAddr = "@"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(w.Code, guard.ClientAddress(r))
	}
	// Output:
	// 403 invalid IP
	// 401 203.0.113.9
}

// Administration is for the networks that the operator names; -admins= is for
// nobody.
func ExampleGuard_From() {
	keys, _, _, apiKey := parts()
	guard := auth.NewGuard(auth.Header("X-API-Key", keys), nil)

	var admins auth.Networks
	flags := flag.NewFlagSet("program", flag.ContinueOnError)
	flags.TextVar(&admins, "admins", must(auth.ParseNetworks("127.0.0.0/8, ::1")), "`networks` that may administrate")
	_ = flags.Parse([]string{"-admins", "192.0.2.0/24, 2001:db8::/32"})

	mux := http.NewServeMux()
	mux.Handle("GET /hello", guard.WrapFunc(func(http.ResponseWriter, *http.Request) {}))
	mux.Handle("GET /admin", guard.From(&admins).WrapFunc(func(http.ResponseWriter, *http.Request) {}))
	server := httptest.NewServer(mux)
	defer server.Close()

	fmt.Println(&admins)
	ask(server, "GET", "/hello", "X-API-Key", apiKey)
	ask(server, "GET", "/admin", "X-API-Key", apiKey) // from 127.0.0.1
	// Output:
	// 192.0.2.0/24,2001:db8::/32
	// GET /hello 200
	// GET /admin 403
}

// A key that works in one place only is of no use to who steals it.
func ExampleKeyOptions_networks() {
	ctx := context.Background()
	keys := must(auth.NewAPIKeys(memstore.New(), "acme", nil))
	defer keys.Close()
	grant := must(keys.Create(ctx, &auth.Principal{Subject: "alice"}, &auth.KeyOptions{
		Name:     "data centre",
		Networks: must(auth.ParseNetworks("192.0.2.0/24")),
	}))
	guard := auth.NewGuard(auth.Header("X-API-Key", keys), &auth.GuardOptions{TrustedProxies: must(auth.ParseNetworks("10.0.0.1"))})
	for _, client := range []string{"192.0.2.7", "203.0.113.9"} {
		r := forwardedBy("10.0.0.1", "X-Forwarded-For", client, "X-Forwarded-Proto", "https", "X-API-Key", grant.Token.Reveal())
		_, err := guard.Check(r)
		fmt.Println(client, err)
	}
	// Output:
	// 192.0.2.7 <nil>
	// 203.0.113.9 auth: address_not_allowed
}

// A session that came in the clear is ended: whoever read it on the way finds
// it dead.
func ExampleGuardOptions_exposed() {
	ctx := context.Background()
	sessions := must(auth.NewSessions(memstore.New(), nil))
	guard := auth.NewGuard(auth.Bearer(sessions), &auth.GuardOptions{
		OnExposed: func(ctx context.Context, p *auth.Principal) {
			fmt.Println("exposed:", p.Subject, sessions.Revoke(ctx, p))
		},
	})
	token := must(sessions.Issue(ctx, alice(), nil)).Token.Reveal()

	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "203.0.113.9:40000"
	r.Header.Set("Authorization", "Bearer "+token)
	_, err := guard.Check(r)
	fmt.Println(err)
	_, err = sessions.Verify(ctx, token)
	fmt.Println(err)
	// Output:
	// exposed: alice <nil>
	// auth: insecure_transport
	// auth: invalid_credential
}

// Zones, bits beyond the length and forms that are read differently elsewhere
// are refused, all at once.
func ExampleParseNetworks() {
	office := must(auth.ParseNetworks("192.0.2.0/24, 2001:db8::/32, ::ffff:198.51.100.7"))
	fmt.Println(office)
	fmt.Println(office.Contains(netip.MustParseAddr("::ffff:192.0.2.1")), office.Contains(netip.MustParseAddr("127.0.0.1")))

	_, err := auth.ParseNetworks("192.0.2.1/24, 010.0.0.0/8, fe80::1%eth0")
	fmt.Println(err)
	// Output:
	// 192.0.2.0/24,198.51.100.7/32,2001:db8::/32
	// true false
	// auth: network 192.0.2.1/24 has bits beyond its length; 192.0.2.0/24 is meant?
	// auth: network: netip.ParsePrefix("010.0.0.0/8"): ParseAddr("010.0.0.0"): IPv4 field has octet with leading zero
	// auth: network fe80::1%eth0 has a zone
}

// A whole mux over HTTPS only: the pages and files that need no guard, too, and
// what the mux answers by itself.
func ExampleHTTPSOnly() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/security.txt", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "Contact: mailto:security@example.com")
	})
	h := auth.HTTPSOnly(mux, nil)

	r := httptest.NewRequest("GET", "http://api.example/.well-known/security.txt", nil)
	r.RemoteAddr = "192.0.2.1:1234"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output: 403
}
