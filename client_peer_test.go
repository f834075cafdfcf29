package auth_test

import (
	"math/rand/v2"
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// The address at the other end is what package netip reads, for well-formed texts
// and for those that nearly are.
func TestPeerIsReadAsNetipDoes(t *testing.T) {
	guard := anywhere(nil)
	check := func(text string) {
		t.Helper()
		want := netip.Addr{}
		if ap, err := netip.ParseAddrPort(text); err == nil {
			want = ap.Addr().Unmap()
		}
		require.Equal(t, want, guard.ClientAddress(&http.Request{RemoteAddr: text}), "%q", text)
	}
	for _, text := range []string{
		"", ":", "@", "1.2.3.4", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65535", "1.2.3.4:65536", "1.2.3.4:00080", "1.2.3.4:000080",
		"1.2.3.4:99999", "1.2.3.4:18446744073709551696", "1.2.3.4:+80", "1.2.3.4:80 ", "1.2.3:80", "1.2.3.4.5:80", "01.2.3.4:80", "1.2.3.04:80", "0.0.0.0:1",
		"255.255.255.255:1", "256.1.1.1:1", "1.1.1.256:1", "1..2.3:4", ".1.2.3:4", "1.2.3.4.:5", "1.2.3.4::5", "1111.2.3.4:5",
		"[::1]:80", "[::ffff:1.2.3.4]:80", "[1.2.3.4]:80", "::1:80", "[fe80::1%eth0]:80", "pipe", "1.2.3.4:80x", "१.2.3.4:80",
	} {
		check(text)
	}
	r := rand.New(rand.NewPCG(4, 4))
	const letters = "0012345..::"
	for range 200_000 {
		text := make([]byte, r.IntN(16))
		for i := range text {
			text[i] = letters[r.IntN(len(letters))]
		}
		check(string(text))
	}
}
