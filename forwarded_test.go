package auth_test

import (
	"crypto/tls"
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

// Row 68: Forwarded as RFC 7239 says, its own examples first.
func TestForwarded(t *testing.T) {
	guard := behind("Forwarded")
	for list, want := range map[string]string{
		// Sections 4, 6.3, 7.1 and 7.4, as a trusted proxy would have written them.
		`for="_gazonk"`:                                                                 "",
		`For="[2001:db8:cafe::17]:4711"`:                                                "2001:db8:cafe::17",
		`for=192.0.2.60;proto=http;by=203.0.113.43`:                                     "192.0.2.60 http",
		`for=192.0.2.43, for=198.51.100.17`:                                             "198.51.100.17",
		`for=_hidden, for=_SEVKISEK`:                                                    "",
		`for=192.0.2.43,for="[2001:db8:cafe::17]",for=unknown`:                          "",
		`for=192.0.2.43, for="[2001:db8:cafe::17]"`:                                     "2001:db8:cafe::17",
		"for=192.0.2.43\nfor=\"[2001:db8:cafe::17]\", for=unknown":                      "",
		`for=192.0.2.43, for=198.51.100.17;by=203.0.113.60;proto=http;host=example.com`: "198.51.100.17 http",

		// The walk, and the protocol of the hop where it ends.
		`for=192.0.2.1;proto=https`:                            "192.0.2.1 https",
		`for=192.0.2.1;proto=https, for=10.0.0.2;proto=http`:   "192.0.2.1 https",
		`for=192.0.2.1;proto=http, for=10.0.0.2;proto=https`:   "192.0.2.1 http",
		`for=192.0.2.1, for=10.0.0.2;proto=https`:              "192.0.2.1",
		"for=192.0.2.1;proto=https\nfor=10.0.0.2;proto=http":   "192.0.2.1 https",
		`for=10.0.0.3;proto=https, for="[fd00::2]";proto=http`: "10.0.0.3 https", // all are trusted
		`for=127.0.0.1;proto=https, for=192.0.2.1;proto=http`:  "192.0.2.1 http",
		`for=127.0.0.1`:                                     "127.0.0.1", // not this host
		`for=unknown;proto=https`:                           " https",
		`for=_a.b-c_D9;proto=https`:                         " https",
		`proto=https`:                                       " https", // not who
		`by=203.0.113.43;proto=https`:                       " https",
		`for=192.0.2.1;proto=https, for=unknown;proto=http`: " http",

		// Forms.
		`FOR=192.0.2.1;PROTO=HTTPS`:                                                      "192.0.2.1 https",
		`for="192.0.2.1";proto="https"`:                                                  "192.0.2.1 https",
		`for="192.0.2.1:47011";proto=https`:                                              "192.0.2.1 https",
		`for="192.0.2.1:_gazonk";proto=https`:                                            "192.0.2.1 https",
		`for="[2001:db8::1]:_ga.zo-n_k";proto=https`:                                     "2001:db8::1 https",
		`for="[2001:db8::1]:00001"`:                                                      "2001:db8::1",
		`for="[::ffff:192.0.2.1]";proto=https`:                                           "192.0.2.1 https",
		`for="\1\9\2.0.2.1";proto="h\ttps"`:                                              "192.0.2.1 https",
		`proto=https;host="a,b;c=\"d\\\", for=10.0.0.9";for=192.0.2.1`:                   "192.0.2.1 https",
		`host="\\";for=192.0.2.1;proto=https`:                                            "192.0.2.1 https",
		`host="\\\"";for=192.0.2.1;proto=https, host="\\,";for=10.0.0.1`:                 "192.0.2.1 https",
		`host="";for=192.0.2.1;secret=x;by="_b"`:                                         "192.0.2.1",
		`host="ä	";for=192.0.2.1`:                                                        "192.0.2.1",
		`;;for=192.0.2.1;;proto=https;`:                                                  "192.0.2.1 https",
		`for=192.0.2.1 ; proto=https	;`:                                                  "192.0.2.1 https",
		"\tfor=192.0.2.1;proto=https ,\t, ,for=10.0.0.1":                                 "192.0.2.1 https", // RFC 9110 section 5.6.1
		", for=192.0.2.1;proto=https,":                                                   "192.0.2.1 https",
		"for=192.0.2.1;proto=https\n\n,":                                                 "192.0.2.1 https",
		`a=;for=192.0.2.1`:                                                               "", // a value is not empty without quotes
		`a="";b=1;c=1;d=1;e=1;f=1;g=1;h=1;i=1;j=1;k=1;l=1;m=1;n=1;o=1;for=192.0.2.1`:     "192.0.2.1",
		`a="";b=1;c=1;d=1;e=1;f=1;g=1;h=1;i=1;j=1;k=1;l=1;m=1;n=1;o=1;p=1;for=192.0.2.1`: "", // the 17th
		`proto=wss;for=192.0.2.1`:                                                        "192.0.2.1 https",
		`proto=ws;for=192.0.2.1`:                                                         "192.0.2.1",
		`proto="https ";for=192.0.2.1`:                                                   "192.0.2.1",
		`proto="httpſ";for=192.0.2.1`:                                                    "192.0.2.1",
		`proto="";for=192.0.2.1`:                                                         "192.0.2.1",

		`for=192.0.2.1;proto=https, host="a\\";for=10.0.0.1`:   "192.0.2.1 https",
		`for=192.0.2.1;proto=https, host="\\\",";for=10.0.0.1`: "192.0.2.1 https",

		// What is to the left of the client is not looked at.
		`junk, for=192.0.2.1;proto=https`:                                 "192.0.2.1 https",
		`for="unclosed, for=192.0.2.1;proto=https`:                        "192.0.2.1 https",
		"for=\"unclosed\nfor=192.0.2.1;proto=https":                       "192.0.2.1 https",
		`for=";x=\", for="[2001:db8::1]";proto=https`:                     "2001:db8::1 https",
		`for=10.9.9.9;x=", for="192.0.2.1:1";proto=https;host="a\"b"`:     "192.0.2.1 https",
		strings.Repeat(`"`, 1<<17) + ", for=192.0.2.1;proto=https":        "192.0.2.1 https",
		strings.Repeat("for=10.0.0.9,", 10_000) + "for=192.0.2.1":         "192.0.2.1",
		"for=192.0.2.1" + strings.Repeat(",for=10.0.0.9", 31):             "192.0.2.1",
		"for=192.0.2.1;proto=https" + strings.Repeat(",for=10.0.0.9", 32): "",
		"for=192.0.2.1;proto=https" + strings.Repeat(",", 31):             "192.0.2.1 https",
		"for=192.0.2.1;proto=https" + strings.Repeat(",", 32):             "",
		"for=192.0.2.1;proto=https;x=" + strings.Repeat("y", 484):         "192.0.2.1 https", // 512 bytes
		"for=192.0.2.1;proto=https;x=" + strings.Repeat("y", 485):         "",

		// What the walk reaches and cannot read tells nothing, nor that it was HTTPS.
		"": "", " ": "", ",": "", ", ,": "", ";": "", ";;": "",
		"junk": "", "for": "", "for=": "", "=192.0.2.1": "", "for=192.0.2.1;proto=https;junk": "", "for=192.0.2.1;proto=https;=": "",
		"for=192.0.2.1;for=192.0.2.1;proto=https": "", "for=192.0.2.1;For=192.0.2.9;proto=https": "", "for=192.0.2.1;proto=https;Proto=https": "",
		"for=192.0.2.1;proto=https;x=1;X=2": "", "for=192.0.2.1;proto=http;proto=https": "",
		"for =192.0.2.1;proto=https": "", "for= 192.0.2.1;proto=https": "", "for=192.0.2.1 proto=https": "", "for=192.0.2.1 x;proto=https": "",
		"for=192.0.2.1:80;proto=https": "", "for=[2001:db8::1];proto=https": "", // not tokens
		`for="192.0.2.1;proto=https`: "", `for="192.0.2.1\";proto=https`: "", `for="192.0.2.1"x;proto=https`: "", `for=x"192.0.2.1";proto=https`: "",
		`for='192.0.2.1';proto=https`: " https", "for=\"192.0.2.1\x00\";proto=https": "", "for=\"192.0.2.1\\\x7f\";proto=https": "",
		"fo(r=192.0.2.1;proto=https": "", "for=192.0.2.1;proto=https\x00": "", "for=192.0.2.1;prot\u00f6=https": "",
		`192.0.2.1`: "", `192.0.2.1, 10.0.0.1`: "",

		// A node that is no address is nobody's; the rest of the hop stands.
		`for="2001:db8::1";proto=https`: " https", `for="[192.0.2.1]";proto=https`: " https", `for="[2001:db8::1";proto=https`: " https",
		`for="[2001:db8::1]x";proto=https`: " https", `for="[2001:db8::1]:";proto=https`: " https", `for="192.0.2.1:";proto=https`: " https",
		`for="192.0.2.1:123456";proto=https`: " https", `for="192.0.2.1:8x";proto=https`: " https", `for="192.0.2.1:_";proto=https`: " https",
		`for="192.0.2.1:_a/b";proto=https`: " https", `for=192.0.02.1;proto=https`: " https", `for="";proto=https`: " https", `for=" 192.0.2.1";proto=https`: " https",
		`for="[fe80::1%eth0]";proto=https`: " https", `for="[fe80::1%25eth0]";proto=https`: " https", `for=localhost;proto=https`: " https",
	} {
		address, proto, _ := strings.Cut(want, " ")
		r := through("Forwarded", list, "X-Forwarded-For", "192.0.2.77", "X-Forwarded-Proto", "https")
		requireClient(t, guard, r, address, proto == "https")
	}
}

// Row 65: what the proxy says of HTTPS, and what its silence says.
func TestForwardedHTTPS(t *testing.T) {
	const told = "192.0.2.1"
	for _, c := range []struct {
		field   string
		headers []string
		address string
		https   bool
	}{
		{"", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", "https"}, told, true},
		{"", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", "HTTPS"}, told, true},
		{"", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", " https, Https\nhttps\t"}, told, true},
		{"", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", strings.Repeat("https,", 31) + "https"}, told, true},
		{"", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", strings.Repeat("https,", 32) + "https"}, told, false},
		{"", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", "http"}, told, false},
		{"", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", "https, http"}, told, false},
		{"", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", "http, https"}, told, false},
		{"", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", "https\nhttp"}, told, false},
		{"", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", "http\nhttps"}, told, false},
		{"", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", ""}, told, false},
		{"", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", "https,"}, told, false},
		{"", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", "https://"}, told, false},
		{"", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", "httpſ"}, told, false},
		{"", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", "wss"}, told, true},
		{"", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", "ws"}, told, false},
		{"", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", "wſs"}, told, false},
		{"", []string{"X-Forwarded-For", told}, told, false},
		{"", []string{"X-Forwarded-For", "unknown", "X-Forwarded-Proto", "https"}, "", true},
		{"", []string{"X-Forwarded-For", told, "Forwarded", "for=192.0.2.1;proto=https"}, told, false},
		{"", []string{"X-Forwarded-For", told, "X-Forwarded-Ssl", "on", "Front-End-Https", "on", "X-Url-Scheme", "https"}, told, false},
		{"", []string{"X-Forwarded-Proto", "https"}, "10.0.0.1", true},
		{"", []string{"X-Forwarded-Proto", "http"}, "10.0.0.1", false},
		{"", []string{"Forwarded", "for=192.0.2.1;proto=https"}, "10.0.0.1", false},
		{"", nil, "10.0.0.1", false},
		{"X-Forwarded-For", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", "https"}, told, true},
		{"Forwarded", []string{"X-Forwarded-For", told, "X-Forwarded-Proto", "https"}, "10.0.0.1", false},
		{"Forwarded", []string{"Forwarded", "for=192.0.2.1", "X-Forwarded-Proto", "https"}, told, false},
		{"Forwarded", nil, "10.0.0.1", false},
	} {
		guard, r := behind(c.field), through(c.headers...)
		requireClient(t, guard, r, c.address, c.https)

		// TLS between the proxy and the program says nothing of the client's
		// part of the way, unless the proxy asks for itself.
		r.TLS = &tls.ConnectionState{}
		tells := c.address != "10.0.0.1" || c.field == "" && r.Header.Get("X-Forwarded-Proto") != ""
		requireClient(t, guard, r, c.address, c.https || !tells)
	}
}

// A proxy on this host that tells nothing is a client on this host, and one
// that tells of a client is not.
func TestProxyOnThisHost(t *testing.T) {
	guard := auth.NewGuard(auth.Bearer(known{}), &auth.GuardOptions{TrustedProxies: must(auth.ParseNetworks("127.0.0.1, ::1"))})
	for _, c := range []struct {
		headers []string
		address string
		secure  bool
	}{
		{nil, "127.0.0.1", true},
		{[]string{"X-Forwarded-Proto", "https"}, "127.0.0.1", true},
		{[]string{"X-Forwarded-Proto", "http"}, "127.0.0.1", false},
		{[]string{"X-Forwarded-For", "127.0.0.1"}, "127.0.0.1", false},
		{[]string{"X-Forwarded-For", "127.0.0.9"}, "127.0.0.9", false},
		{[]string{"X-Forwarded-For", "::1, 127.0.0.1"}, "::1", false},
		{[]string{"X-Forwarded-For", "127.0.0.9", "X-Forwarded-Proto", "https"}, "127.0.0.9", true},
	} {
		requireClient(t, guard, from("GET", "/", c.headers...), c.address, c.secure)
	}
}
