package auth

import (
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
)

// Networks is a set of networks: an allow-list, or the proxies that are
// trusted. Looking up an address takes no more steps than it has bytes, however
// many networks there are.
//
// The zero Networks is the empty set, which holds nobody. Options and fields
// say what a nil *Networks means to them; its own methods but UnmarshalText
// take it for the empty set. UnmarshalText aside, a set does not change and is
// safe for concurrent use.
type Networks struct {
	prefixes []netip.Prefix // in order
	v4, v6   netTree
}

// maxNetworks bounds a set.
const maxNetworks = 10_000

var errTooManyNetworks = fmt.Errorf("auth: more than %d networks", maxNetworks)

// NewNetworks returns the set of the prefixes, at most 10,000. IPv4-mapped IPv6
// prefixes are taken for the IPv4 ones they stand for. Those that are not valid
// or have bits beyond their length, such as 10.0.0.1/8, are refused.
func NewNetworks(prefixes ...netip.Prefix) (*Networks, error) {
	if len(prefixes) > maxNetworks {
		return nil, errTooManyNetworks
	}
	return networksOf(slices.Values(prefixes), normalPrefix)
}

// networksOf returns the set of all that read reads, or all that is wrong.
func networksOf[T any](all iter.Seq[T], read func(T) (netip.Prefix, error)) (*Networks, error) {
	var (
		prefixes []netip.Prefix
		errs     []error
	)
	for one := range all {
		p, err := read(one)
		prefixes, errs = append(prefixes, p), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return newNetworks(prefixes), nil
}

func newNetworks(prefixes []netip.Prefix) *Networks {
	slices.SortFunc(prefixes, netip.Prefix.Compare)
	n := &Networks{prefixes: slices.Compact(prefixes)}
	outer := n.outermost()
	v4 := 0 // how many are
	for v4 < len(outer) && outer[v4].Addr().Is4() {
		v4++
	}
	n.v4, n.v6 = newNetTree(outer[:v4]), newNetTree(outer[v4:])
	return n
}

// outermost returns, in order, the prefixes that are in no other.
func (n *Networks) outermost() []netip.Prefix {
	var outer []netip.Prefix
	for _, p := range n.prefixes { // right after one come those that are in it
		if last := len(outer) - 1; last < 0 || !outer[last].Overlaps(p) {
			outer = append(outer, p)
		}
	}
	return outer
}

func normalPrefix(p netip.Prefix) (netip.Prefix, error) {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	switch {
	case !p.IsValid():
		return p, errors.New("auth: network is not valid")
	case p != p.Masked():
		return p, fmt.Errorf("auth: network %v has bits beyond its length; %v is meant?", p, p.Masked())
	default:
		return p, nil
	}
}

// ParseNetworks reads a set from its text: networks in CIDR form and single
// addresses, separated by commas, such as "192.0.2.0/24, 2001:db8::/32,
// 198.51.100.7". Zones and ambiguous forms, such as 010.0.0.1, are refused. The
// empty text is the empty set.
func ParseNetworks(text string) (*Networks, error) {
	switch {
	case strings.Trim(text, " \t") == "":
		return newNetworks(nil), nil
	case strings.Count(text, ",") >= maxNetworks:
		return nil, errTooManyNetworks
	default:
		return networksOf(strings.SplitSeq(text, ","), parseNetwork)
	}
}

func parseNetwork(text string) (netip.Prefix, error) {
	text = strings.Trim(text, " \t")
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return p, fmt.Errorf("auth: network: %w", err)
		}
		return normalPrefix(p)
	}
	a, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("auth: network: %w", err)
	case a.Zone() != "":
		return netip.Prefix{}, fmt.Errorf("auth: network %v has a zone", a)
	}
	return normalPrefix(netip.PrefixFrom(a, a.BitLen()))
}

// Contains reports whether a is in one of the networks. IPv4-mapped IPv6
// addresses are taken for IPv4, which is in no IPv6 network. No set holds an
// address with a zone, nor one that is not valid.
func (n *Networks) Contains(a netip.Addr) bool {
	if n == nil || a.Zone() != "" {
		return false
	}
	switch a = a.Unmap(); {
	case a.Is4():
		bytes := a.As4()
		return n.v4.contains(a, bytes[:])
	case a.Is6():
		bytes := a.As16()
		return n.v6.contains(a, bytes[:])
	default:
		return false
	}
}

// within returns what is in both sets, where nil holds everybody.
func (n *Networks) within(outer *Networks) *Networks {
	switch {
	case outer == nil:
		return n
	case n == nil:
		return outer
	}
	var both []netip.Prefix
	for a, b := n.outermost(), outer.outermost(); len(a) > 0 && len(b) > 0; {
		// Of two prefixes one holds the other, or else one comes first.
		switch p, q := a[0], b[0]; {
		case !p.Overlaps(q) && p.Compare(q) < 0:
			a = a[1:]
		case !p.Overlaps(q):
			b = b[1:]
		case p.Bits() > q.Bits():
			a, both = a[1:], append(both, p)
		default:
			b, both = b[1:], append(both, q)
		}
	}
	return newNetworks(both)
}

// Prefixes returns the networks in their order, without repetition.
func (n *Networks) Prefixes() []netip.Prefix {
	if n == nil {
		return nil
	}
	return slices.Clone(n.prefixes)
}

// String returns the text that ParseNetworks reads.
func (n *Networks) String() string {
	var b strings.Builder
	for i, p := range n.Prefixes() {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(p.String())
	}
	return b.String()
}

// MarshalText implements [encoding.TextMarshaler] by String.
func (n *Networks) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler] by [ParseNetworks], for
// flag.TextVar and stored records.
func (n *Networks) UnmarshalText(text []byte) error {
	parsed, err := ParseNetworks(string(text))
	if err != nil {
		return err
	}
	*n = *parsed
	return nil
}
