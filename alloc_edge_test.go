//go:build !race

package auth_test

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// To find out who is at the other end costs no allocation, behind proxies too.
func TestClientAllocations(t *testing.T) {
	for _, c := range []struct {
		name, field string
		headers     []string
	}{
		{"straight", "", nil},
		{"X-Forwarded-For", "", []string{"X-Forwarded-For", "192.0.2.1", "X-Forwarded-Proto", "https"}},
		{"with a port", "", []string{"X-Forwarded-For", "192.0.2.1:4711", "X-Forwarded-Proto", "https"}},
		{"of IPv6", "", []string{"X-Forwarded-For", "[2001:db8::1]:4711", "X-Forwarded-Proto", "https"}},
		{"of three", "", []string{"X-Forwarded-For", "junk, 2001:db8::1, 10.0.0.3, fd00::2", "X-Forwarded-Proto", "https"}},
		{"Forwarded", "Forwarded", []string{"Forwarded", "for=192.0.2.1;proto=https;by=10.0.0.1"}},
		{"quoted", "Forwarded", []string{"Forwarded", `for="[2001:db8::1]:4711";proto=https;host="example.com"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := through(c.headers...)
			if len(c.headers) == 0 {
				r = from("GET", "/")
			}
			r.Header.Set("Authorization", "Bearer good")
			guard, p := behind(c.field), (*auth.Principal)(nil)
			guard = guard.From(must(auth.ParseNetworks("127.0.0.0/8, 192.0.2.0/24, 2001:db8::/32")))
			handler := guard.Handle(func(_ http.ResponseWriter, _ *http.Request, principal *auth.Principal) { p = principal })
			w := nowhere{http.Header{}}
			require.Zero(t, testing.AllocsPerRun(500, func() { handler.ServeHTTP(w, r) }))
			require.Equal(t, "alice", p.Subject)
		})
	}
	set, asked := spread(1_000, false, true)
	require.Zero(t, testing.AllocsPerRun(500, func() { set.Contains(asked[0]) }))
	require.Zero(t, testing.AllocsPerRun(500, func() { set.Contains(netip.Addr{}) }))
}
