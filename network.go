package auth

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Networks is a set of networks: an allow-list, or the proxies that are
// trusted. It is immutable and safe for concurrent use. Looking up an address
// takes the same time however many networks there are.
//
// Where a nil *Networks has a meaning, it is said there; it is never that of an
// empty set, which holds nobody; nor does the zero Networks.
type Networks struct {
	prefixes []netip.Prefix
	v4, v6   *trieNode // by byte of the address
}

// maxNetworks bounds a set.
const maxNetworks = 10_000

// NewNetworks returns the set of the prefixes, at most 10,000. IPv4-mapped IPv6
// prefixes are taken for the IPv4 ones they stand for. Those that are not valid
// or have bits beyond their length, such as 10.0.0.1/8, are refused.
func NewNetworks(prefixes ...netip.Prefix) (*Networks, error) {
	if len(prefixes) > maxNetworks {
		return nil, fmt.Errorf("auth: more than %d networks", maxNetworks)
	}
	normal := make([]netip.Prefix, len(prefixes))
	var errs []error
	for i, p := range prefixes {
		var err error
		normal[i], err = normalPrefix(p)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return newNetworks(normal), nil
}

func newNetworks(prefixes []netip.Prefix) *Networks {
	slices.SortFunc(prefixes, netip.Prefix.Compare)
	n := &Networks{slices.Compact(prefixes), &trieNode{}, &trieNode{}}
	for _, p := range n.prefixes {
		if a := p.Addr(); a.Is4() {
			bytes := a.As4()
			n.v4.add(bytes[:], p.Bits())
		} else {
			bytes := a.As16()
			n.v6.add(bytes[:], p.Bits())
		}
	}
	return n
}

func normalPrefix(p netip.Prefix) (netip.Prefix, error) {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	switch {
	case !p.IsValid():
		return p, errors.New("auth: network is not valid")
	case p.Addr().Is4In6():
		return p, fmt.Errorf("auth: network %v is IPv4-mapped in part only", p)
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
	var (
		prefixes []netip.Prefix
		errs     []error
	)
	for element := range strings.SplitSeq(text, ",") {
		element = strings.Trim(element, " \t")
		if element == "" && strings.Trim(text, " \t") == "" {
			break
		}
		p, err := parseNetwork(element)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		prefixes = append(prefixes, p)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return NewNetworks(prefixes...)
}

func parseNetwork(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return p, fmt.Errorf("auth: network %q: %w", text, err)
		}
		return p, nil
	}
	a, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("auth: network %q: %w", text, err)
	case a.Zone() != "":
		return netip.Prefix{}, fmt.Errorf("auth: network %q has a zone", text)
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// Contains reports whether a is in one of the networks. IPv4-mapped IPv6
// addresses are taken for IPv4. No set holds an address with a zone, nor one
// that is not valid.
func (n *Networks) Contains(a netip.Addr) bool {
	switch a = a.Unmap(); {
	case !a.IsValid() || a.Zone() != "":
		return false
	case a.Is4():
		bytes := a.As4()
		return n.v4.contains(bytes[:])
	default:
		bytes := a.As16()
		return n.v6.contains(bytes[:])
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
	for _, a := range n.prefixes {
		for _, b := range outer.prefixes {
			if a.Overlaps(b) {
				both = append(both, narrower(a, b))
			}
		}
	}
	return newNetworks(both)
}

func narrower(a, b netip.Prefix) netip.Prefix {
	if a.Bits() > b.Bits() {
		return a
	}
	return b
}

// Prefixes returns the networks in their order, without repetition.
func (n *Networks) Prefixes() []netip.Prefix { return slices.Clone(n.prefixes) }

// String returns the text that ParseNetworks reads.
func (n *Networks) String() string {
	var b strings.Builder
	for i, p := range n.prefixes {
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

// A trieNode is where addresses are told apart by one of their bytes.
type trieNode struct {
	full [256 / 64]uint64 // bytes from which on every address is in the set
	next map[byte]*trieNode
}

func (t *trieNode) add(address []byte, bits int) {
	for ; bits > 8; bits -= 8 {
		c := address[0]
		if t.next == nil {
			t.next = map[byte]*trieNode{}
		}
		if t.next[c] == nil {
			t.next[c] = &trieNode{}
		}
		t, address = t.next[c], address[1:]
	}
	for i := range 1 << (8 - bits) {
		c := int(address[0]) + i
		t.full[c/64] |= 1 << (c % 64)
	}
}

func (t *trieNode) contains(address []byte) bool {
	for _, c := range address {
		switch {
		case t == nil:
			return false
		case t.full[c/64]&(1<<(c%64)) != 0:
			return true
		}
		t = t.next[c]
	}
	return false
}
