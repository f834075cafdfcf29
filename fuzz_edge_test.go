package auth_test

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// The references below read lists from the left, by regular expressions and
// package net.
var (
	nodePattern = regexp.MustCompile(`^(?:(\d+\.\d+\.\d+\.\d+)|\[([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\])(?::(?:\d{1,5}|_[A-Za-z0-9._-]+))?$`)
	barePattern = regexp.MustCompile(`^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$`)

	pairPattern    = "[!#$%&'*+.^_`|~0-9A-Za-z-]+=" + `(?:` + "[!#$%&'*+.^_`|~0-9A-Za-z-]+" + `|"(?:[^\x00-\x08\x0a-\x1f\x7f"\\]|\\[^\x00-\x08\x0a-\x1f\x7f])*")`
	onePair        = regexp.MustCompile(pairPattern)
	elementPattern = regexp.MustCompile(`^[ \t]*((?:` + pairPattern + `)?(?:[ \t]*;[ \t]*(?:` + pairPattern + `)?)*)[ \t]*(,|$)`)
	escape         = regexp.MustCompile(`(?s)\\(.)`)
)

func referenceNode(node string, bare bool) (a netip.Addr) {
	text := ""
	if m := nodePattern.FindStringSubmatch(node); m != nil {
		text = m[1] + m[2]
	} else if bare && barePattern.MatchString(node) {
		text = node
	}
	ip := net.ParseIP(text)
	if ip == nil || ip.To4() != nil && !strings.Contains(text, ".") && !strings.Contains(text, ":") {
		return netip.Addr{}
	}
	a, _ = netip.AddrFromSlice(ip)
	return a.Unmap()
}

// A hop is what one element of a list says.
type hop struct {
	address netip.Addr
	https   bool
	size    int  // before white space is left out
	empty   bool // skipped
}

// referenceWalk walks elements that have been read from the left.
func referenceWalk(elements []hop, trusted naive) (client hop) {
	for i, e := range slices.Backward(elements) {
		if len(elements)-i > 32 || e.size > 512 {
			return hop{}
		}
		if e.empty {
			continue
		}
		client = hop{address: e.address, https: e.https}
		if !trusted.Contains(e.address) {
			break
		}
	}
	return client
}

func referenceXForwardedFor(lines []string) (elements []hop) {
	for _, line := range lines {
		for element := range strings.SplitSeq(line, ",") {
			elements = append(elements, hop{address: referenceNode(strings.Trim(element, " \t"), true), size: len(element)})
		}
	}
	return elements
}

// referenceForwarded reports false where a line is not what RFC 7239 says.
func referenceForwarded(lines []string) (elements []hop, ok bool) {
	for _, line := range lines {
		for more := true; more; {
			m := elementPattern.FindStringSubmatch(line)
			if m == nil {
				return nil, false
			}
			e := hop{size: len(m[0]) - len(m[2]), empty: m[1] == ""}
			pairs := map[string]string{}
			found := onePair.FindAllString(m[1], -1)
			for _, pair := range found {
				name, value, _ := strings.Cut(pair, "=")
				if in, quoted := strings.CutPrefix(value, `"`); quoted {
					value = escape.ReplaceAllString(in[:len(in)-1], "$1")
				}
				pairs[strings.ToLower(name)] = value
			}
			if len(pairs) == len(found) && len(found) <= 16 { // else malformed
				e.address = referenceNode(pairs["for"], false)
				e.https = regexp.MustCompile(`^[Hh][Tt][Tt][Pp][Ss]$`).MatchString(pairs["proto"])
			}
			elements = append(elements, e)
			line, more = line[len(m[0]):], m[2] == ","
		}
	}
	return elements, true
}

// judged is what a guard takes the client of r for.
func judged(t *testing.T, g *auth.Guard, r *http.Request) hop {
	_, err := g.Check(r)
	if !errors.Is(err, auth.ErrInsecure) {
		require.ErrorIs(t, err, auth.ErrNoCredential)
		return hop{address: g.ClientAddress(r), https: true}
	}
	return hop{address: g.ClientAddress(r)}
}

var trustedInFuzz = naive{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}

func FuzzXForwardedFor(f *testing.F) {
	guard := behind("")
	f.Fuzz(func(t *testing.T, field string) {
		lines := strings.Split(field, "\n")
		r := through("X-Forwarded-Proto", "https")
		r.Header["X-Forwarded-For"] = lines
		want := referenceWalk(referenceXForwardedFor(lines), trustedInFuzz)
		want.https = true
		require.Equal(t, want, judged(t, guard, r))

		// Whatever a client sends, the proxy's word stands.
		stranger := hop{address: netip.MustParseAddr("192.0.2.77"), https: true}
		r.Header["X-Forwarded-For"] = append(slices.Clone(lines), "192.0.2.77, 10.0.0.9")
		require.Equal(t, stranger, judged(t, guard, r))
		r.Header["X-Forwarded-For"] = []string{field + ",192.0.2.77"}
		require.Equal(t, stranger, judged(t, guard, r))
	})
}

func FuzzForwarded(f *testing.F) {
	guard := behind("Forwarded")
	f.Fuzz(func(t *testing.T, field string) {
		lines := strings.Split(field, "\n")
		r := through()
		r.Header["Forwarded"] = lines
		got := judged(t, guard, r)
		if elements, ok := referenceForwarded(lines); ok {
			require.Equal(t, referenceWalk(elements, trustedInFuzz), got)
		}

		stranger := hop{address: netip.MustParseAddr("2001:db8::77"), https: true}
		const word = `host="a\"b,c\\";for="[2001:db8::77]:80";proto=https, for=10.0.0.9;proto=http`
		r.Header["Forwarded"] = append(slices.Clone(lines), word)
		require.Equal(t, stranger, judged(t, guard, r))
		r.Header["Forwarded"] = []string{field + "," + word}
		require.Equal(t, stranger, judged(t, guard, r))
	})
}

func FuzzNetworks(f *testing.F) {
	f.Fuzz(func(t *testing.T, text, address string) {
		n, err := auth.ParseNetworks(text)
		if err != nil {
			require.Nil(t, n)
			return
		}
		again, err := auth.ParseNetworks(n.String())
		require.NoError(t, err)
		require.Equal(t, n.String(), again.String())

		var reference []*net.IPNet
		if strings.Trim(text, " \t") != "" {
			for part := range strings.SplitSeq(text, ",") {
				reference = append(reference, referenceNetwork(t, strings.Trim(part, " \t")))
			}
		}
		asked := []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
		if a, err := netip.ParseAddr(address); err == nil {
			asked = append(asked, a)
		}
		for _, p := range n.Prefixes() {
			asked = append(asked, p.Addr(), p.Addr().Prev(), p.Addr().Next())
		}
		for _, a := range asked {
			want := slices.ContainsFunc(reference, func(n *net.IPNet) bool {
				return a.IsValid() && a.Zone() == "" && n.Contains(a.AsSlice())
			})
			require.Equal(t, want, n.Contains(a), "%v in %v", a, n)
		}
	})
}

func referenceNetwork(t *testing.T, text string) *net.IPNet {
	if ip := net.ParseIP(text); ip != nil {
		if ip4 := ip.To4(); ip4 != nil {
			ip = ip4
		}
		return &net.IPNet{IP: ip, Mask: net.CIDRMask(len(ip)*8, len(ip)*8)}
	}
	ip, n, err := net.ParseCIDR(text)
	require.NoError(t, err)
	require.True(t, ip.Equal(n.IP), "bits beyond the length of %s", text)
	return n
}

func TestFuzzSeedsOfTheEdgeAreThere(t *testing.T) {
	for target, want := range map[string]int{"FuzzForwarded": 28, "FuzzXForwardedFor": 24, "FuzzNetworks": 20} {
		seeds, err := os.ReadDir(filepath.Join("testdata", "fuzz", target))
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(seeds), want, target)
	}
}
