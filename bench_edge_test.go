package auth_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// spread returns n networks of one family and 1,024 addresses, which are in
// them or in none.
func spread(n int, v4, hit bool) (*auth.Networks, []netip.Addr) {
	r := rand.New(rand.NewPCG(3, uint64(n)))
	address := func(first byte) netip.Addr {
		var b [16]byte
		for i := range b {
			b[i] = byte(r.IntN(256))
		}
		b[0] = first
		if v4 {
			return netip.AddrFrom4([4]byte(b[:4]))
		}
		b[1], b[2], b[3] = 1, 0xd, 0xb8
		return netip.AddrFrom16(b)
	}
	prefixes := make([]netip.Prefix, n)
	for i := range prefixes {
		a := address(32)
		prefixes[i] = netip.PrefixFrom(a, a.BitLen()*7/8).Masked() // a /28 or /112
	}
	asked := make([]netip.Addr, 1024)
	for i := range asked {
		if asked[i] = address(32); hit {
			asked[i] = prefixes[r.IntN(n)].Addr()
		}
	}
	return must(auth.NewNetworks(prefixes...)), asked
}

// BenchmarkNetworks looks addresses up in sets of up to 10,000 networks.
func BenchmarkNetworks(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1_000, 10_000} {
		for _, v4 := range []bool{true, false} {
			for _, hit := range []bool{true, false} {
				b.Run(fmt.Sprintf("%d/v4=%t/hit=%t", n, v4, hit), func(b *testing.B) {
					set, asked := spread(n, v4, hit)
					require.Equal(b, hit, set.Contains(asked[0]))
					b.ReportAllocs()
					i := 0
					for b.Loop() {
						set.Contains(asked[i%len(asked)])
						i++
					}
				})
			}
		}
	}
}

// BenchmarkForwarded is what it costs to find out who a proxy passes on, beside
// a request that came straight.
func BenchmarkForwarded(b *testing.B) {
	for _, c := range []struct {
		name, field string
		r           *http.Request
	}{
		{"straight", "", from("GET", "/")},
		{"X-Forwarded-For", "", through("X-Forwarded-For", "192.0.2.1", "X-Forwarded-Proto", "https")},
		{"X-Forwarded-For of three", "", through("X-Forwarded-For", "192.0.2.1, 10.0.0.3, fd00::2", "X-Forwarded-Proto", "https")},
		{"Forwarded", "Forwarded", through("Forwarded", "for=192.0.2.1;proto=https")},
		{"Forwarded quoted", "Forwarded", through("Forwarded", `for="[2001:db8::1]:4711";proto=https;by="[fd00::1]"`)},
	} {
		b.Run(c.name, func(b *testing.B) {
			guard := behind(c.field)
			b.ReportAllocs()
			for b.Loop() {
				guard.ClientAddress(c.r)
			}
		})
	}
}
