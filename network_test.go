package auth_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// Row 67: what an allow-list may be written as, and what it is then.
func TestParseNetworks(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "",
		" \t":                                  "",
		"192.0.2.0/24":                         "192.0.2.0/24",
		"198.51.100.7":                         "198.51.100.7/32",
		"2001:db8::/32":                        "2001:db8::/32",
		"2001:DB8:0:0::1":                      "2001:db8::1/128",
		"0.0.0.0/0,::/0":                       "0.0.0.0/0,::/0",
		" 192.0.2.0/24\t, 2001:db8::/32":       "192.0.2.0/24,2001:db8::/32",
		"2001:db8::/32,10.0.0.0/8,10.0.0.0/16": "10.0.0.0/8,10.0.0.0/16,2001:db8::/32",
		"10.0.0.1,10.0.0.1/32":                 "10.0.0.1/32",
		"::ffff:10.0.0.0/104":                  "10.0.0.0/8",
		"::ffff:0.0.0.0/96":                    "0.0.0.0/0",
		"::ffff:a00:1":                         "10.0.0.1/32",
		"::/95":                                "::/95",
	} {
		n, err := auth.ParseNetworks(text)
		require.NoError(t, err, text)
		require.Equal(t, want, n.String(), text)
		again, err := auth.ParseNetworks(n.String())
		require.NoError(t, err)
		require.Equal(t, n, again)
		again, err = auth.NewNetworks(n.Prefixes()...)
		require.NoError(t, err)
		require.Equal(t, n, again)
	}
}

func TestParseNetworksRefuses(t *testing.T) {
	for _, bad := range []string{
		"x", "10", "10.0.0", "10.0.0/24", "10.0.0.0.0", "10.0.0.256", "1.2.3", "localhost", "example.com", "*", "any",
		"010.0.0.1", "10.0.0.01", "0x0a.0.0.1", "0x7f.1", "012.0.0.0/8", "167772161", "10.0.0.0/255.0.0.0", "10.0.0.0-10.0.0.9", "10.0.0.*",
		"10.0.0.1/8", "192.0.2.1/31", "2001:db8::1/32", "::ffff:10.0.0.1/104", "10.0.0.0/33", "2001:db8::/129", "10.0.0.0/-1", "10.0.0.0/",
		"10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/8/8", "/8", "10.0.0.0 /8", "10.0.0.0/ 8", "10. 0.0.0/8", "10.0.0.0/8 10.1.0.0/16", "10.0.0.0/8;10.1.0.0/16",
		"10.0.0.0/8\n", "\n", "10.0.0.0/8,\n::1", "10.0.0.0/8\u00a0", "10.0.0.0/8\x00", "１０.0.0.0/8",
		"fe80::1%eth0", "fe80::%eth0/64", "::ffff:10.0.0.1%eth0", "[::1]", "[::1]/128", "10.0.0.1:80", "[::1]:80",
		"::ffff:0.0.0.0/95", "::ffff:10.0.0.0/90", "1::2::3", "12345::",
		",", ",10.0.0.0/8", "10.0.0.0/8,", "10.0.0.0/8,,::/0", "10.0.0.0/8, ,::/0", `"10.0.0.0/8"`, "!10.0.0.0/8",
	} {
		n, err := auth.ParseNetworks(bad)
		require.Error(t, err, "%q", bad)
		require.Nil(t, n)
		n, err = auth.ParseNetworks("192.0.2.0/24," + bad)
		require.Error(t, err, "%q", bad)
		require.Nil(t, n)
	}
	_, err := auth.ParseNetworks("10.0.0.1/8, 192.0.2.0/24, fe80::1%eth0, x")
	for _, part := range []string{"10.0.0.1/8", "10.0.0.0/8 is meant?", "fe80::1%eth0", `"x"`} {
		require.ErrorContains(t, err, part, "all that is wrong is told at once")
	}
	require.NotContains(t, err.Error(), "192.0.2.0")

	most := strings.Repeat("10.0.0.0/8,", 9_999) + "::1"
	_, err = auth.ParseNetworks(most)
	require.NoError(t, err)
	_, err = auth.ParseNetworks(most + ",::1")
	require.ErrorContains(t, err, "10000")
	_, err = auth.NewNetworks(make([]netip.Prefix, 10_001)...)
	require.ErrorContains(t, err, "10000")
}

func TestNewNetworksRefuses(t *testing.T) {
	good := netip.MustParsePrefix("192.0.2.0/24")
	for _, bad := range []netip.Prefix{
		{},
		netip.PrefixFrom(good.Addr(), 33),
		netip.PrefixFrom(good.Addr(), -1),
		netip.PrefixFrom(netip.MustParseAddr("192.0.2.1"), 24),
		netip.PrefixFrom(netip.MustParseAddr("::ffff:192.0.2.1"), 120),
		netip.PrefixFrom(netip.MustParseAddr("::ffff:0.0.0.0"), 95),
		netip.PrefixFrom(netip.MustParseAddr("2001:db8::1"), 64),
	} {
		n, err := auth.NewNetworks(good, bad)
		require.Error(t, err, "%v", bad)
		require.Nil(t, n)
	}
	given := []netip.Prefix{netip.MustParsePrefix("2001:db8::/32"), good}
	n := must(auth.NewNetworks(given...))
	require.Equal(t, "2001:db8::/32", given[0].String(), "the caller's slice is left alone")
	given[0], n.Prefixes()[0] = netip.Prefix{}, netip.Prefix{}
	require.Equal(t, "192.0.2.0/24,2001:db8::/32", n.String())
}

func TestNetworksContain(t *testing.T) {
	for text, want := range map[string]struct{ in, out string }{
		"192.0.2.0/24": {
			"192.0.2.0 192.0.2.255 ::ffff:192.0.2.1 ::ffff:c000:201",
			"192.0.1.255 192.0.3.0 ::192.0.2.1 2001:db8::1 ::ffff:192.0.3.1 ::ffff:192.0.2.1%eth0 c000:2::",
		},
		"::ffff:192.0.2.0/120":                   {"192.0.2.9 ::ffff:192.0.2.9", "192.0.3.9 ::ffff:192.0.3.9"},
		"192.0.2.128/25":                         {"192.0.2.128 192.0.2.255", "192.0.2.127 192.0.3.128"},
		"128.0.0.0/1":                            {"128.0.0.0 255.255.255.255", "127.255.255.255 8000::"},
		"0.0.0.0/0":                              {"0.0.0.0 255.255.255.255 ::ffff:1.2.3.4", ":: ::1 ffff::"},
		"::/0":                                   {":: ::1 ffff::", "0.0.0.0 127.0.0.1 ::ffff:1.2.3.4 fe80::1%eth0"},
		"fe80::/10":                              {"fe80::1 febf::1", "fe80::1%eth0 fec0::1"},
		"2001:db8::/32":                          {"2001:db8:: 2001:db8:ffff::", "2001:db9:: 2001:db7:ffff::"},
		"2001:db8::1":                            {"2001:db8::1 2001:0db8:0:0:0::1", "2001:db8::2 2001:db8::"},
		"10.0.0.0/8,10.1.0.0/16,10.1.2.3":        {"10.0.0.1 10.1.0.1 10.1.2.3 10.255.0.0", "11.0.0.0 9.255.255.255"},
		"10.1.2.3,10.1.2.5,10.1.4.0/22,10.2.0.0": {"10.1.2.3 10.1.2.5 10.1.7.255 10.2.0.0", "10.1.2.4 10.1.8.0 10.2.0.1 10.0.2.3"},
		"":                                       {"", "0.0.0.0 127.0.0.1 :: ::1"},
	} {
		n := must(auth.ParseNetworks(text))
		for a := range strings.FieldsSeq(want.in) {
			require.True(t, n.Contains(netip.MustParseAddr(a)), "%s in %q", a, text)
		}
		for a := range strings.FieldsSeq(want.out) {
			require.False(t, n.Contains(netip.MustParseAddr(a)), "%s in %q", a, text)
		}
		require.False(t, n.Contains(netip.Addr{}))
	}
}

// An empty set is nobody, however it came to be; a nil one is no panic.
func TestEmptyNetworksHoldNobody(t *testing.T) {
	var read auth.Networks
	require.NoError(t, read.UnmarshalText(nil))
	for _, n := range []*auth.Networks{nil, {}, must(auth.NewNetworks()), must(auth.ParseNetworks("")), &read} {
		for _, a := range []netip.Addr{{}, netip.IPv4Unspecified(), netip.IPv6Unspecified(), netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()} {
			require.False(t, n.Contains(a))
		}
		require.Empty(t, n.Prefixes())
		text, err := n.MarshalText()
		require.NoError(t, err)
		require.Empty(t, text)
		require.Empty(t, fmt.Sprint(n))
	}
}

// naive is what a set of networks means.
type naive []netip.Prefix

func (n naive) Contains(a netip.Addr) bool {
	for _, p := range n {
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

// random returns prefixes that are near to one another, so that many overlap.
func random(r *rand.Rand, n int) naive {
	all := make(naive, n)
	for i := range all {
		a := randomAddress(r)
		all[i] = netip.PrefixFrom(a, r.IntN(a.BitLen()+1)).Masked()
	}
	return all
}

func randomAddress(r *rand.Rand) netip.Addr {
	var bytes [16]byte
	for i := range bytes {
		bytes[i] = [...]byte{0, 1, 127, 128, 254, 255}[r.IntN(6)]
	}
	if r.IntN(2) == 0 {
		return netip.AddrFrom4([4]byte(bytes[:4]))
	}
	return netip.AddrFrom16(bytes).Unmap()
}

func TestNetworksAgreeWithALoop(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(1, seed))
		prefixes := random(r, r.IntN(40))
		if r.IntN(4) > 0 { // else nearly everything is in some wide one
			prefixes = append(prefixes, random(r, 3)...)
			for i, p := range prefixes {
				prefixes[i] = netip.PrefixFrom(p.Addr(), max(p.Bits(), 3+r.IntN(30))).Masked()
			}
		}
		n := must(auth.NewNetworks(prefixes...))
		for range 200 {
			a := randomAddress(r)
			require.Equal(t, prefixes.Contains(a), n.Contains(a), "seed %d: %v in %v", seed, a, n)
		}
		for _, p := range prefixes {
			last := p.Addr().AsSlice()
			for bit := p.Bits(); bit < len(last)*8; bit++ {
				last[bit/8] |= 0x80 >> (bit % 8)
			}
			end, _ := netip.AddrFromSlice(last)
			for _, a := range []netip.Addr{p.Addr(), p.Addr().Prev(), end, end.Next()} {
				require.Equal(t, prefixes.Contains(a), n.Contains(a), "seed %d: %v in %v", seed, a, n)
			}
		}
	}
}

// A key may be used where both it and its owner may.
func TestKeysOfALimitedOwnerAreWithinItsNetworks(t *testing.T) {
	keys := newHouse(t).keys
	between := func(owner, key *auth.Networks) *auth.Networks {
		g, err := keys.Create(t.Context(), &auth.Principal{Subject: "alice", Networks: owner}, &auth.KeyOptions{Networks: key})
		require.NoError(t, err)
		return g.Principal.Networks
	}
	some := must(auth.ParseNetworks("10.0.0.0/8"))
	require.Nil(t, between(nil, nil), "anywhere")
	require.Equal(t, some, between(some, nil))
	require.Equal(t, some, between(nil, some))
	nowhere := between(some, must(auth.ParseNetworks("192.0.2.0/24,::/0")))
	require.NotNil(t, nowhere)
	require.Empty(t, nowhere.Prefixes())
	require.Equal(t, "10.1.0.0/16,10.3.0.0/16", between(some, must(auth.ParseNetworks("10.3.0.0/16,10.1.0.0/16,9.0.0.0/8"))).String())

	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(2, seed))
		owner, key := random(r, r.IntN(12)), random(r, r.IntN(12))
		both := between(must(auth.NewNetworks(owner...)), must(auth.NewNetworks(key...)))
		for range 200 {
			a := randomAddress(r)
			require.Equal(t, owner.Contains(a) && key.Contains(a), both.Contains(a), "seed %d: %v of %v and %v", seed, a, owner, key)
		}
	}
}

func TestNetworksAsText(t *testing.T) {
	var stored struct{ Anywhere, Nowhere, Office *auth.Networks }
	stored.Nowhere, stored.Office = must(auth.NewNetworks()), must(auth.ParseNetworks("2001:db8::/32,192.0.2.0/24"))
	text, err := json.Marshal(stored)
	require.NoError(t, err)
	require.JSONEq(t, `{"Anywhere":null,"Nowhere":"","Office":"192.0.2.0/24,2001:db8::/32"}`, string(text))
	back := stored
	back.Anywhere, back.Nowhere, back.Office = stored.Office, nil, nil
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, stored, back, "nobody does not become everybody")
	require.Error(t, json.Unmarshal([]byte(`{"Office":"10.0.0.1/8"}`), &back))
	require.Equal(t, stored, back, "a refused text changes nothing")

	var admins auth.Networks
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.TextVar(&admins, "admins", must(auth.ParseNetworks("127.0.0.0/8")), "networks of the `administrators`")
	require.Equal(t, "127.0.0.0/8", admins.String())
	require.NoError(t, flags.Parse([]string{"-admins", "192.0.2.0/24, ::1"}))
	require.Equal(t, "192.0.2.0/24,::1/128", admins.String())
	require.True(t, admins.Contains(netip.IPv6Loopback()))
	require.Error(t, flags.Parse([]string{"-admins", "10.0.0.1/8"}))
	require.Equal(t, "192.0.2.0/24,::1/128", admins.String())
	flags.PrintDefaults()
}
