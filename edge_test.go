package auth_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// entries are the ways to use a guard whose credentials are l's.
func entries(g *auth.Guard, l *ledger) map[string]http.Handler {
	return map[string]http.Handler{
		"Wrap":     g.WrapFunc(hello),
		"Optional": g.Optional().WrapFunc(hello),
		"Handle":   g.Handle(func(w http.ResponseWriter, _ *http.Request, _ *auth.Principal) { _, _ = fmt.Fprint(w, "hello") }),
		"Check": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := g.Check(r); err != nil {
				g.Fail(w, r, err)
			}
		}),
		"Status":   g.Status(),
		"Exchange": g.Exchange(l),
		"SignOut":  g.SignOut(l),
	}
}

// lent returns a ledger that knows the token "good", which it can revoke.
func lent() *ledger {
	l := newLedger()
	p := alice("read")
	p.Credential.ID = "id-of-good"
	l.known["good"] = p
	return l
}

// spoofs are what clients send that would like to be somebody else, or to have
// come over HTTPS.
var spoofs = [][]string{
	nil,
	{"X-Forwarded-For", "127.0.0.1", "X-Forwarded-Proto", "https"},
	{"X-Forwarded-For", "192.0.2.77, 127.0.0.1", "X-Forwarded-For", "10.0.0.1", "X-Forwarded-Proto", "https"},
	{"X-Forwarded-For", "127.0.0.1", "X-Forwarded-For", "127.0.0.1", "X-Forwarded-Proto", "https", "X-Forwarded-Proto", "https"},
	{"Forwarded", "for=127.0.0.1;proto=https;by=10.0.0.1"},
	{"Forwarded", `for="[::1]";proto=https`, "Forwarded", "for=10.0.0.1;proto=https"},
	{"X-Real-IP", "127.0.0.1", "True-Client-IP", "127.0.0.1", "CF-Connecting-IP", "127.0.0.1"},
	{"X-Client-IP", "127.0.0.1", "X-Cluster-Client-IP", "127.0.0.1", "Fastly-Client-IP", "127.0.0.1", "X-Original-Forwarded-For", "127.0.0.1"},
	{"X-Forwarded", "for=127.0.0.1", "Forwarded-For", "127.0.0.1", "X-Forwarded-By", "10.0.0.1", "Via", "1.1 10.0.0.1"},
	{"X-Forwarded-Ssl", "on", "Front-End-Https", "on", "X-Url-Scheme", "https", "X-Forwarded-Protocol", "https", "X-Forwarded-Scheme", "https"},
	{"Cloudfront-Forwarded-Proto", "https", "X-Arr-Ssl", "1", "X-Forwarded-Port", "443", "X-Scheme", "https", "Upgrade-Insecure-Requests", "1"},
	{"X-Forwarded-For", "127.0.0.1", "X-Forwarded-Proto", "https", "Forwarded", "for=127.0.0.1;proto=https", "X-Real-IP", "127.0.0.1", "X-Forwarded-Host", "localhost"},
}

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
		"127.0.0.1:1, 192.0.2.1:1": false, "2130706433:1": false, "/run/proxy.sock": false,
	} {
		asked := 0
		source := authenticator(func(r *http.Request) (*auth.Principal, error) {
			asked++
			return lent().known["good"].(*auth.Principal), nil
		})
		trusting := &auth.GuardOptions{TrustedProxies: must(auth.ParseNetworks("203.0.113.0/24"))}
		request := func(headers ...string) *http.Request {
			r := from("POST", "/", headers...)
			r.RemoteAddr = address
			return r
		}
		for _, guard := range []*auth.Guard{auth.NewGuard(source, nil), auth.NewGuard(source, trusting)} {
			for _, headers := range spoofs {
				for name, h := range entries(guard, lent()) {
					asked = 0
					r := request(headers...)
					r.Body = unread{t}
					w := serve(h, r)
					if local {
						require.Less(t, w.Code, 300, "%s %s", name, address)
						continue
					}
					require.Equal(t, 403, w.Code, "%s %s %v", name, address, headers)
					require.Contains(t, w.Body.String(), "insecure_transport")
					require.Empty(t, w.Header().Get("Location"))
					require.Zero(t, asked, "credentials are not read")
				}
			}
		}

		guard := auth.NewGuard(source, nil)
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

// Row 64: what came in the clear is told, and can be revoked; the caller does
// not learn whether it was good.
func TestExposedCredentialsAreTold(t *testing.T) {
	refused := serve(auth.NewGuard(auth.Bearer(known{}), nil).WrapFunc(hello), beyond(from("GET", "/")))
	for name := range entries(auth.NewGuard(auth.Bearer(known{}), nil), lent()) {
		h := newHouse(t)
		var told []string
		o, events := watched(auth.GuardOptions{RateLimitFields: true})
		o.OnExposed = func(ctx context.Context, p *auth.Principal) {
			told = append(told, p.Subject)
			require.NoError(t, h.sessions.Revoke(ctx, p))
		}
		guard := auth.NewGuard(auth.Bearer(h.sessions), o).Limit(auth.NewLimiter(100, time.Hour), auth.ByAddress())
		entry := entries(guard, lent())[name]
		token := open(t, h.sessions)
		send := func(token string) auth.Event {
			*events = nil
			w := serve(entry, beyond(from("POST", "/", "Authorization", "Bearer "+token)))
			require.Equal(t, refused.Code, w.Code, name)
			require.Equal(t, refused.Header(), w.Header(), name)
			require.Equal(t, refused.Body.String(), w.Body.String(), name)
			require.Len(t, *events, 1, name)
			require.Equal(t, auth.ErrInsecure, (*events)[0].Reason)
			return (*events)[0]
		}

		require.Empty(t, send("junk").Subject)
		require.Empty(t, told, "a bad credential")
		p := must(h.sessions.Verify(t.Context(), token))
		e := send(token)
		require.Equal(t, []string{"alice"}, told)
		require.Equal(t, p.Credential.ID, e.CredentialID, "the log tells which")
		require.Equal(t, "alice", e.Subject)
		_, err := h.sessions.Verify(t.Context(), token)
		require.ErrorIs(t, err, auth.ErrInvalid, "revoked")
		send(token)
		require.Len(t, told, 1)

		again := open(t, h.sessions)
		h.store.fail(errOutage)
		require.Empty(t, send(again).Subject)
		require.Len(t, told, 1, "an outage")
	}
}

// Guesses over plain HTTP are bounded like others, and never learn that they
// are.
func TestExposedGuessesAreBounded(t *testing.T) {
	for name, c := range map[string]struct {
		options auth.GuardOptions
		narrow  func(*auth.Guard) *auth.Guard
		asked   int
	}{
		"throttle": {options: auth.GuardOptions{Throttle: auth.NewLimiter(3, time.Hour)}, asked: 3},
		"limit": {
			narrow: func(g *auth.Guard) *auth.Guard { return g.Limit(auth.NewLimiter(2, time.Hour), auth.ByAddress()) },
			asked:  2,
		},
		"networks": {narrow: func(g *auth.Guard) *auth.Guard { return g.From(must(auth.ParseNetworks("127.0.0.0/8"))) }},
		"outage":   {options: auth.GuardOptions{Throttle: faulty{}}},
		"nothing":  {asked: 5},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			c.options.OnExposed = func(context.Context, *auth.Principal) { t.Error("told of a guess") }
			guard := auth.NewGuard(authenticator(func(*http.Request) (*auth.Principal, error) {
				asked++
				return alice(), auth.ErrInvalid
			}), &c.options)
			if c.narrow != nil {
				guard = c.narrow(guard)
			}
			for range 5 {
				w := serve(guard.WrapFunc(hello), beyond(from("GET", "/")))
				require.Equal(t, 403, w.Code)
				require.Contains(t, w.Body.String(), "insecure_transport")
				require.Empty(t, w.Header().Get("Retry-After"))
			}
			require.Equal(t, c.asked, asked)
		})
	}
	nobody := auth.NewGuard(authenticator(func(*http.Request) (*auth.Principal, error) { return &auth.Principal{}, nil }),
		&auth.GuardOptions{OnExposed: func(context.Context, *auth.Principal) { t.Error("told of nobody") }})
	require.Equal(t, 403, serve(nobody.WrapFunc(hello), beyond(from("GET", "/"))).Code)
}

// faulty is a Limiter that is down.
type faulty struct{}

func (faulty) Allow(context.Context, string, int) (auth.Quota, error) { return auth.Quota{}, errOutage }

const twoYears = "max-age=63072000; includeSubDomains"

// Row 66: HSTS on answers over HTTPS only, be it to admitted or refused
// requests.
func TestStrictTransportSecurity(t *testing.T) {
	proxied := &auth.GuardOptions{TrustedProxies: must(auth.ParseNetworks("10.0.0.0/8"))}
	for name, c := range map[string]struct {
		options *auth.GuardOptions
		change  func(r *http.Request)
		want    []string
	}{
		"TLS":                    {nil, func(r *http.Request) { r.TLS = &tls.ConnectionState{} }, []string{twoYears}},
		"loopback":               {nil, func(*http.Request) {}, nil},
		"plain":                  {nil, func(r *http.Request) { beyond(r) }, nil},
		"plain claim":            {nil, func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "https") }, nil},
		"InsecureHTTP":           {&auth.GuardOptions{InsecureHTTP: true}, func(r *http.Request) { r.TLS = &tls.ConnectionState{} }, nil},
		"InsecureHTTP and plain": {&auth.GuardOptions{InsecureHTTP: true}, func(r *http.Request) { beyond(r) }, nil},
		"proxy and https": {proxied, func(r *http.Request) {
			r.RemoteAddr = "10.0.0.1:1"
			r.Header["X-Forwarded-For"], r.Header["X-Forwarded-Proto"] = []string{"192.0.2.1"}, []string{"https"}
		}, []string{twoYears}},
		"proxy and http": {proxied, func(r *http.Request) {
			r.RemoteAddr, r.TLS = "10.0.0.1:1", &tls.ConnectionState{}
			r.Header["X-Forwarded-For"], r.Header["X-Forwarded-Proto"] = []string{"192.0.2.1"}, []string{"http"}
		}, nil},
	} {
		for _, credential := range []string{"good", "bad"} {
			l := lent()
			for entry := range entries(auth.NewGuard(auth.Bearer(l), c.options), l) {
				l := lent()
				r := from("POST", "/", "Authorization", "Bearer "+credential)
				c.change(r)
				w := serve(entries(auth.NewGuard(auth.Bearer(l), c.options), l)[entry], r)
				if entry == "Check" && w.Code == 200 {
					continue // which answers nothing
				}
				require.Equal(t, c.want, w.Header()["Strict-Transport-Security"], "%s %s %s %d", name, entry, credential, w.Code)
			}
		}
	}
}

// What the application says itself stays, be it before the guard or behind it.
func TestStrictTransportSecurityOfTheApplication(t *testing.T) {
	const field = "Strict-Transport-Security"
	for _, credential := range []string{"good", "bad"} {
		for name := range entries(auth.NewGuard(auth.Bearer(lent()), nil), lent()) {
			for _, own := range [][]string{{"max-age=31536000; includeSubDomains; preload"}, {"max-age=0"}, nil} {
				l := lent()
				entry := entries(auth.NewGuard(auth.Bearer(l), nil), l)[name]
				r := from("POST", "/", "Authorization", "Bearer "+credential)
				r.TLS = &tls.ConnectionState{}
				w := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header()[field] = own
					entry.ServeHTTP(w, r)
				}), r)
				require.Equal(t, own, w.Header()[field], name)
			}
		}
	}
	r := from("GET", "/", "Authorization", "Bearer good")
	r.TLS = &tls.ConnectionState{}
	guard := auth.NewGuard(auth.Bearer(lent()), nil)
	w := serve(guard.Wrap(guard.WrapFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set(field, "max-age=1") })), r)
	require.Equal(t, []string{"max-age=1"}, w.Header()[field])
	w = serve(guard.WrapFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Add(field, "max-age=1") }), r)
	require.Equal(t, []string{twoYears, "max-age=1"}, w.Header()[field])
	w = serve(guard.WrapFunc(hello), r)
	require.Equal(t, []string{twoYears}, w.Header()[field])
}

// Rows 66 and 128 over real TLS, HTTP/1.1 and HTTP/2, for admitted and refused.
func TestEdgeOverTLS(t *testing.T) {
	guard := auth.NewGuard(auth.Bearer(known{"good": alice()}), nil)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		guard.WrapFunc(hello).ServeHTTP(w, beyond(r))
	})
	one := httptest.NewTLSServer(handler)
	t.Cleanup(one.Close)
	for name, server := range map[string]*httptest.Server{
		"HTTP/1.1": one,
		"HTTP/2":   protocols["HTTP/2"](t, handler),
	} {
		for token, status := range map[string]int{"good": 200, "bad": 401} {
			answer, _ := call(t, server, to(t, "GET", server.URL, "Authorization", "Bearer "+token, "X-Forwarded-Proto", "http"))
			require.Equal(t, status, answer.StatusCode, name)
			require.Equal(t, []string{twoYears}, answer.Header["Strict-Transport-Security"], name)
		}
	}
	for _, name := range []string{"HTTP/1.1", "HTTP/2 with prior knowledge"} {
		server := protocols[name](t, handler)
		for _, headers := range spoofs {
			answer, text := call(t, server, to(t, "GET", server.URL, append([]string{"Authorization", "Bearer good"}, headers...)...))
			require.Equal(t, 403, answer.StatusCode, "%s %v", name, headers)
			require.Contains(t, text, "insecure_transport")
			require.Empty(t, answer.Header["Strict-Transport-Security"])
		}
	}
}

// Row 64: what needs no guard is not told over plain HTTP either, by no page, no
// redirect and no 404.
func TestHTTPSOnly(t *testing.T) {
	var events []auth.Event
	o := &auth.GuardOptions{
		TrustedProxies: must(auth.ParseNetworks("10.0.0.1")),
		Observe:        func(_ context.Context, e auth.Event) { events = append(events, e) },
		OnExposed:      func(context.Context, *auth.Principal) { t.Error("there is no credential") },
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page", hello)
	h := auth.HTTPSOnly(mux, o)
	for _, c := range []struct {
		peer, path, proto string
		want              int
		hsts              bool
	}{
		{"192.0.2.1:1", "/page", "", 403, false},
		{"192.0.2.1:1", "/page", "https", 403, false},
		{"192.0.2.1:1", "//page", "", 403, false},
		{"192.0.2.1:1", "/none", "", 403, false},
		{"@", "/page", "", 403, false},
		{"10.0.0.1:1", "/page", "http", 403, false},
		{"10.0.0.1:1", "/page", "https", 200, true},
		{"10.0.0.1:1", "/none", "https", 404, true},
		{"127.0.0.1:1", "/page", "", 200, false},
	} {
		r := httptest.NewRequest("GET", c.path, nil)
		r.RemoteAddr = c.peer
		if c.proto != "" {
			r.Header.Set("X-Forwarded-Proto", c.proto)
		}
		events = nil
		w := serve(h, r)
		require.Equal(t, c.want, w.Code, "%v", c)
		require.Equal(t, c.hsts, w.Header().Get("Strict-Transport-Security") != "", "%v", c)
		if c.want != 403 {
			require.Empty(t, events, "%v", c)
			continue
		}
		require.Empty(t, w.Header().Get("Location"))
		require.Len(t, events, 1)
		require.Equal(t, auth.ErrInsecure, events[0].Reason)
	}
	require.NotNil(t, o.OnExposed, "the options are the caller's")
	insecure := auth.HTTPSOnly(mux, &auth.GuardOptions{InsecureHTTP: true})
	r := httptest.NewRequest("GET", "/page", nil)
	r.RemoteAddr = "192.0.2.1:1"
	require.Equal(t, 200, serve(insecure, r).Code)
	require.Panics(t, func() { auth.HTTPSOnly(nil, nil) })
	require.Panics(t, func() { auth.HTTPSOnly(mux, &auth.GuardOptions{ForwardedHeader: "X-Real-IP"}) })
}
