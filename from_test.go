package auth_test

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// Row 67: who may not call is told before anything is read.
func TestFromRefusesUnread(t *testing.T) {
	office := must(auth.ParseNetworks("127.0.0.1, 2001:db8::/32"))
	for address, reason := range map[string]string{
		"127.0.0.1:1": "", "[2001:db8::9]:1": "", "[::ffff:127.0.0.1]:1": "",
		"127.0.0.2:1": "address_not_allowed", "[2001:db9::9]:1": "address_not_allowed", "[2001:db8::9%eth0]:1": "address_not_allowed",
		"": "address_not_allowed", "@": "address_not_allowed", "127.0.0.1": "address_not_allowed", "x": "address_not_allowed",
	} {
		asked := 0
		o, events := watched(auth.GuardOptions{})
		guard := auth.NewGuard(authenticator(func(*http.Request) (*auth.Principal, error) {
			asked++
			return lent().known["good"].(*auth.Principal), nil
		}), o).From(office)
		for name, h := range entries(guard, lent()) {
			asked, *events = 0, nil
			r := from("POST", "/")
			r.RemoteAddr, r.TLS, r.Body = address, &tls.ConnectionState{}, unread{t}
			w := serve(h, r)
			if reason == "" {
				require.Less(t, w.Code, 300, "%s %s", name, address)
				continue
			}
			require.Equal(t, 403, w.Code, "%s %s", name, address)
			require.Contains(t, w.Body.String(), reason)
			require.Zero(t, asked)
			require.Equal(t, auth.ErrAddress, (*events)[0].Reason)
			ap, _ := netip.ParseAddrPort(address)
			require.Equal(t, ap.Addr(), (*events)[0].Address)
		}
	}
}

// Row 130: an address that is not known is in no network, however wide.
func TestUnknownAddressIsInNoNetwork(t *testing.T) {
	everywhere := must(auth.ParseNetworks("0.0.0.0/0, ::/0"))
	guard := auth.NewGuard(auth.Bearer(known{"good": alice()}), &auth.GuardOptions{TrustedProxies: everywhere}).From(everywhere)
	for _, address := range []string{"", "@", "127.0.0.1", "localhost:1", "[fe80::1%eth0]:1"} {
		r := from("GET", "/", "Authorization", "Bearer good", "X-Forwarded-For", "192.0.2.1", "X-Forwarded-Proto", "https")
		r.RemoteAddr, r.TLS = address, &tls.ConnectionState{}
		_, err := guard.Check(r)
		require.ErrorIs(t, err, auth.ErrAddress, address)
	}
	told := from("GET", "/", "Authorization", "Bearer good", "X-Forwarded-For", "unknown", "X-Forwarded-Proto", "https")
	_, err := guard.Check(told)
	require.ErrorIs(t, err, auth.ErrAddress)
}

// Networks are a guard's own, and a route's: an inner guard's hold within an
// outer one's decision.
func TestFromPerRoute(t *testing.T) {
	guard := auth.NewGuard(auth.Bearer(known{"good": alice()}), nil)
	here, there := must(auth.ParseNetworks("127.0.0.0/8")), must(auth.ParseNetworks("192.0.2.0/24"))
	status := func(h http.Handler) int { return serve(h, from("GET", "/", "Authorization", "Bearer good")).Code }
	h := http.HandlerFunc(hello)
	office := guard.From(here)
	for name, c := range map[string]struct {
		h    http.Handler
		want int
	}{
		"none":                  {guard.Wrap(h), 200},
		"in":                    {office.Wrap(h), 200},
		"out":                   {guard.From(there).Wrap(h), 403},
		"nobody":                {guard.From(must(auth.NewNetworks())).Wrap(h), 403},
		"both, in one":          {office.From(there).Wrap(h), 403},
		"both, the other way":   {guard.From(there).From(here).Wrap(h), 403},
		"a sibling is its own":  {office.With(auth.AnyScope()).Wrap(h), 403},
		"inner out":             {guard.Wrap(guard.From(there).Wrap(h)), 403},
		"outer out":             {guard.From(there).Wrap(guard.Wrap(h)), 403},
		"inner in":              {office.Wrap(office.Wrap(h)), 200},
		"optional":              {guard.From(there).Optional().Wrap(h), 403},
		"another guard's inner": {guard.Wrap(auth.NewGuard(auth.Bearer(known{"good": alice()}), nil).From(there).Wrap(h)), 403},
	} {
		require.Equal(t, c.want, status(c.h), name)
	}
	thrice := office.From(here).From(here)
	one, other := thrice.From(must(auth.ParseNetworks("127.0.0.1"))), thrice.From(there)
	require.Equal(t, 200, status(one.Wrap(h)), "guards derived from one do not share a list")
	require.Equal(t, 403, status(other.Wrap(h)))
	require.Panics(t, func() { guard.From(nil) })
}

// An API key may be limited to networks, and what it opens is, too.
func TestKeysOfSomeNetworks(t *testing.T) {
	h := newHouse(t)
	options := &auth.KeyOptions{Networks: must(auth.ParseNetworks("192.0.2.0/24, 2001:db8::/32"))}
	key := must(h.keys.Create(t.Context(), &auth.Principal{Subject: "alice"}, options)).Token.Reveal()
	o, events := watched(auth.GuardOptions{TrustedProxies: must(auth.ParseNetworks("10.0.0.0/8"))})
	guard := auth.NewGuard(auth.First(auth.Bearer(h.sessions, h.tokens), auth.Header("X-API-Key", h.keys)), o)

	call := func(h http.Handler, address string, headers ...string) (int, string) {
		r := from("POST", "/", headers...)
		r.RemoteAddr, r.TLS = address, &tls.ConnectionState{}
		w := serve(h, r)
		return w.Code, w.Body.String()
	}
	through := []string{"X-Forwarded-For", "192.0.2.7", "X-Forwarded-Proto", "https"}
	elsewhere := []string{"X-Forwarded-For", "198.51.100.7", "X-Forwarded-Proto", "https"}
	opened := func(with auth.Issuer) []string {
		p := must(h.keys.Verify(t.Context(), key)).ProvedAt(time.Now())
		return []string{"Authorization", "Bearer " + must(with.Issue(t.Context(), p, nil)).Token.Reveal()}
	}
	for name, bring := range map[string][]string{"key": {"X-API-Key", key}, "session": opened(h.sessions), "JWT": opened(h.tokens)} {
		for _, handler := range []http.Handler{guard.WrapFunc(hello), guard.Optional().WrapFunc(hello), guard.Status()} {
			for address, allowed := range map[string]bool{
				"192.0.2.1:1": true, "[2001:db8::1]:1": true, "[::ffff:192.0.2.1]:1": true,
				"198.51.100.1:1": false, "127.0.0.1:1": false, "@": false, "10.0.0.1:1": false,
			} {
				*events = nil
				status, body := call(handler, address, bring...)
				if allowed {
					require.Equal(t, 200, status, "%s from %s", name, address)
					continue
				}
				require.Equal(t, 403, status, "%s from %s", name, address)
				require.Contains(t, body, "address_not_allowed")
				require.Equal(t, "alice", (*events)[0].Subject, "the log tells whose key it was")
			}
			status, _ := call(handler, "10.0.0.1:1", append(through, bring...)...)
			require.Equal(t, 200, status, "%s through a proxy", name)
			status, _ = call(handler, "10.0.0.1:1", append(elsewhere, bring...)...)
			require.Equal(t, 403, status, "%s through a proxy", name)
			status, _ = call(handler, "198.51.100.1:1", append(through, bring...)...)
			require.Equal(t, 403, status, "%s through somebody else", name)
		}
		status, _ := call(guard.Exchange(h.sessions), "198.51.100.1:1", bring...)
		require.Equal(t, 403, status, "no session from elsewhere")
		status, _ = call(guard.Exchange(h.sessions), "192.0.2.1:1", bring...)
		require.Equal(t, 200, status)
	}
}
