package attack

import (
	"fmt"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// forwarded are fields by which proxies tell of clients, as a client writes
// them that would like to be somewhere else, or to have come over HTTPS.
var forwarded = [][]string{
	{"X-Forwarded-For: 127.0.0.1"},
	{"X-Forwarded-For: 192.0.2.1"},
	{"X-Forwarded-For: ::1"},
	{"X-Forwarded-For: 192.0.2.1, 127.0.0.1"},
	{"X-Forwarded-For: 127.0.0.1", "X-Forwarded-For: 127.0.0.1"},
	{"X-Forwarded-For: unknown"},
	{"X-Forwarded-For: " + "127.0.0.1,127.0.0.1,127.0.0.1,127.0.0.1,127.0.0.1,127.0.0.1,127.0.0.1,127.0.0.1"},
	{"X-Forwarded-Proto: https"},
	{"X-Forwarded-Proto: http"},
	{"X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: https"},
	{"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: api.example", "X-Forwarded-Port: 443"},
	{"Forwarded: for=127.0.0.1;proto=https"},
	{`Forwarded: for="[::1]:1";proto=https;by=127.0.0.1`},
	{"Forwarded: proto=https"},
	{"Forwarded: for=192.0.2.1;proto=http"},
	{`Forwarded: for="`},
	{"Forwarded: for=127.0.0.1;proto=https", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: https"},
	{"X-Real-IP: 127.0.0.1"}, {"X-Client-IP: 127.0.0.1"}, {"X-Cluster-Client-IP: 127.0.0.1"}, {"True-Client-IP: 127.0.0.1"}, {"CF-Connecting-IP: 127.0.0.1"}, {"Fastly-Client-IP: 127.0.0.1"},
	{"X-Forwarded: for=127.0.0.1"}, {"X-Originating-IP: 127.0.0.1"}, {"Via: 1.1 localhost"}, {"X-Host: localhost"},
	{"X-Forwarded-Ssl: on"}, {"Front-End-Https: on"}, {"X-Url-Scheme: https"}, {"X-Forwarded-Scheme: https"}, {"X-Forwarded-Protocol: https"}, {`CF-Visitor: {"scheme":"https"}`}, {"Upgrade-Insecure-Requests: 1"}, {"X-Arr-Ssl: 2048"},
}

// Spoofed returns requests that a proxy seems to have passed on. The programs
// trust none, so they are answered as what raw makes is without such fields.
func Spoofed(name string, raw func(fields ...string) string, w Want) []Case {
	var all []Case
	for _, fields := range forwarded {
		all = append(all, Case{Name: fmt.Sprintf("%s with %q", name, fields), Raw: raw(fields...), Want: w})
	}
	return all
}

// RequireHTTPSOnly requires that requests are refused where they come over plain
// HTTP from anywhere but this host, whatever they say about themselves, and that
// they are not read: from this host the last of each is good. Nor is anything
// told of paths that the program does not have. The program listens at addr on
// all addresses of the machine.
func RequireHTTPSOnly(t *testing.T, addr string, raws ...func(fields ...string) string) {
	t.Helper()
	others := outside(t, addr)
	if len(others) == 0 {
		t.Log("this machine has no address but loopback, so nothing can be sent from elsewhere; `unshare -rn`, and in it `ip link set lo up; ip addr add 192.0.2.1/32 dev lo`, make one")
	}
	refused := func(other, raw string) {
		a := RequireStatus(t, other, raw, http.StatusForbidden)
		require.Contains(t, a.Body, "insecure_transport", raw)
		for _, name := range []string{"Location", "Refresh", "Set-Cookie", "Strict-Transport-Security"} {
			require.Empty(t, a.Header.Values(name), name)
		}
	}
	for _, other := range others {
		for _, target := range []string{"/", "/none", "//none", "/../none", "/.well-known/jwks.json"} {
			refused(other, "GET "+target+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		}
	}
	for _, raw := range raws {
		for _, other := range others {
			for _, fields := range append([][]string{nil}, forwarded...) {
				refused(other, raw(fields...))
			}
		}
		RequireStatus(t, addr, raw(), http.StatusOK)
	}
}

// outside returns where the program at addr can be called from an address that
// is not loopback: the machine's own ones, which call themselves.
func outside(t *testing.T, addr string) []string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	all, err := net.InterfaceAddrs()
	require.NoError(t, err)
	var others []string
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			others = append(others, net.JoinHostPort(n.IP.String(), port))
		}
	}
	return others
}
