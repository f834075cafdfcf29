package auth_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// through is a request that a proxy of 10/8 passes on with the fields; a line
// break parts the lines of one field.
func through(fields ...string) *http.Request {
	r := from("GET", "/")
	r.RemoteAddr = "10.0.0.1:1"
	for i := 0; i < len(fields); i += 2 {
		for line := range strings.SplitSeq(fields[i+1], "\n") {
			r.Header.Add(fields[i], line)
		}
	}
	return r
}

// behind is a guard behind proxies of 10/8 and fd00::/8.
func behind(field string) *auth.Guard {
	return auth.NewGuard(auth.Bearer(known{"good": alice()}), &auth.GuardOptions{
		TrustedProxies:  must(auth.ParseNetworks("10.0.0.0/8, fd00::/8")),
		ForwardedHeader: field,
	})
}

// Row 25: lists of every shape, walked from the right.
func TestXForwardedFor(t *testing.T) {
	guard := behind("")
	for list, want := range map[string]string{
		"192.0.2.1":                           "192.0.2.1",
		" 192.0.2.1\t":                        "192.0.2.1",
		"192.0.2.1, 10.0.0.2":                 "192.0.2.1",
		"192.0.2.1,10.0.0.2,fd00::2":          "192.0.2.1",
		"192.0.2.9, 192.0.2.1, 10.0.0.2":      "192.0.2.1",
		"10.9.9.9, 192.0.2.1, 10.0.0.2":       "192.0.2.1",
		"192.0.2.9\n192.0.2.1":                "192.0.2.1",
		"192.0.2.9\n192.0.2.1\n10.0.0.3":      "192.0.2.1",
		"10.0.0.7, 10.0.0.2":                  "10.0.0.7", // all are trusted
		"10.0.0.7\n10.0.0.2":                  "10.0.0.7",
		"127.0.0.1":                           "127.0.0.1",
		"2001:db8::1":                         "2001:db8::1",
		"[2001:db8::1]":                       "2001:db8::1",
		"[2001:db8::1]:443":                   "2001:db8::1",
		"[2001:db8::1]:_port":                 "2001:db8::1",
		"2001:db8::1:443":                     "2001:db8::1:443", // no port without brackets
		"192.0.2.1:443":                       "192.0.2.1",
		"192.0.2.1, 10.0.0.2:80, [fd00::1]:1": "192.0.2.1",
		"::ffff:192.0.2.1":                    "192.0.2.1",
		"192.0.2.1, ::ffff:10.0.0.2":          "192.0.2.1",
		"[::ffff:192.0.2.1]:9":                "192.0.2.1",

		// What is to the left of the client is not looked at.
		"junk, 192.0.2.1":                                  "192.0.2.1",
		", 192.0.2.1":                                      "192.0.2.1",
		"\"\\, 192.0.2.1, 10.0.0.2":                        "192.0.2.1",
		"\"\n192.0.2.1":                                    "192.0.2.1",
		strings.Repeat("x", 1<<17) + ", 192.0.2.1":         "192.0.2.1",
		strings.Repeat("10.0.0.9,", 10_000) + " 192.0.2.1": "192.0.2.1",

		// What the walk reaches and cannot read is nobody's address.
		"": "", " ": "", ",": "", "192.0.2.1,": "", "192.0.2.1, ,10.0.0.2": "", "192.0.2.1\n": "", "192.0.2.1\n,10.0.0.2": "",
		"junk": "", "unknown": "", "_hidden": "", "junk, 10.0.0.2": "", "192.0.2.1, unknown, 10.0.0.2": "", "localhost": "",
		"192.0.2.1 10.0.0.2": "", "192.0.2.1;10.0.0.2": "", "192.0.2.01": "", "192.0.2": "", "192.0.2.1.1": "", "0xc0.0.2.1": "",
		"3221225985": "", "192.0.2.256": "", "192.0.2.0/24": "", "[192.0.2.1]": "", "[192.0.2.1]:80": "", "[2001:db8::1": "",
		"2001:db8::1]": "", "[2001:db8::1]443": "", "[2001:db8::1]:": "", "192.0.2.1:": "", "192.0.2.1:http": "", "192.0.2.1:-1": "",
		"192.0.2.1:123456": "", "192.0.2.1:_": "", "192.0.2.1:_a b": "", "192.0.2.1:80:80": "", ":80": "", "[]": "", "[]:80": "", "[": "", "]": "",
		"fe80::1%eth0": "", "[fe80::1%eth0]": "", "[fe80::1%eth0]:80": "", "::ffff:192.0.2.1%eth0": "", "\"192.0.2.1\"": "",
		"for=192.0.2.1": "", "192.0.2.1\x00": "", "192.0.2.1\u00a0": "", "\"192.0.2.1, 10.0.0.2": "", "２": "",
		strings.Repeat("10.0.0.9,", 31) + "10.0.0.9":                  "10.0.0.9",
		"192.0.2.1," + strings.Repeat("10.0.0.9,", 30) + "10.0.0.9":   "192.0.2.1",
		"192.0.2.1," + strings.Repeat("10.0.0.9,", 31) + "10.0.0.9":   "", // the 33rd
		"192.0.2.1," + strings.Repeat("10.0.0.9\n", 31) + "10.0.0.9":  "",
		strings.Repeat(" ", 503) + "192.0.2.1":                        "192.0.2.1",
		strings.Repeat(" ", 504) + "192.0.2.1":                        "", // 513 bytes
		"192.0.2.9," + strings.Repeat(" ", 503) + "192.0.2.1":         "192.0.2.1",
		"192.0.2.9," + strings.Repeat(" ", 504) + "192.0.2.1":         "",
		"192.0.2.9," + strings.Repeat(" ", 505) + "10.0.0.1,10.0.0.1": "",
	} {
		requireClient(t, guard, through("X-Forwarded-For", list, "X-Forwarded-Proto", "https", "Forwarded", "for=192.0.2.77;proto=http"), want, true)
	}
}

// requireClient requires what the guard takes the client of r for.
func requireClient(t *testing.T, g *auth.Guard, r *http.Request, address string, https bool) {
	t.Helper()
	var want netip.Addr
	if address != "" {
		want = netip.MustParseAddr(address)
	}
	shown := r.Header
	if len(shown.Get("X-Forwarded-For")) > 1000 {
		shown = nil
	}
	require.Equal(t, want, g.ClientAddress(r), "%q", shown)
	_, err := g.Check(r)
	if https {
		require.ErrorIs(t, err, auth.ErrNoCredential, "%q", shown)
	} else {
		require.ErrorIs(t, err, auth.ErrInsecure, "%q", shown)
	}
}
