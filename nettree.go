package auth

import (
	"math/bits"
	"net/netip"
)

// A netTree finds the one of its networks that an address can be in. It is that
// network, or it parts several by the first byte in which they differ.
type netTree struct {
	only netip.Prefix
	fork *netFork // nil: only
}

type netFork struct {
	at     int     // which byte
	starts byteSet // what it is in the first address of each of next
	next   []netTree
}

// newNetTree returns the tree of prefixes, which are in order, of one family,
// and none in another. That of none holds nothing.
func newNetTree(prefixes []netip.Prefix) netTree {
	switch len(prefixes) {
	case 0:
		return netTree{}
	case 1:
		return netTree{only: prefixes[0]}
	}
	first, last := prefixes[0].Addr().AsSlice(), prefixes[len(prefixes)-1].Addr().AsSlice()
	f := &netFork{}
	for first[f.at] == last[f.at] {
		f.at++
	}
	for len(prefixes) > 0 {
		c := prefixes[0].Addr().AsSlice()[f.at]
		n := 1
		for n < len(prefixes) && prefixes[n].Addr().AsSlice()[f.at] == c {
			n++
		}
		f.starts.add(c)
		f.next = append(f.next, newNetTree(prefixes[:n]))
		prefixes = prefixes[n:]
	}
	return netTree{fork: f}
}

// contains reports whether a, which is those bytes, is in one of the networks.
// Each fork leads to the last network that begins no later than a; bytes that
// none of them looks at are compared in the end.
func (t *netTree) contains(a netip.Addr, bytes []byte) bool {
	for t.fork != nil {
		n := t.fork.starts.upTo(bytes[t.fork.at])
		if n == 0 {
			return false
		}
		t = &t.fork.next[n-1]
	}
	return t.only.Contains(a)
}

// A byteSet is a set of bytes.
type byteSet [256 / 64]uint64

func (s *byteSet) add(c byte) { s[c/64] |= 1 << (c % 64) }

// upTo returns how many of the set are not greater than c.
func (s *byteSet) upTo(c byte) int {
	n := bits.OnesCount64(s[c/64] << (63 - c%64))
	for _, word := range s[:c/64] {
		n += bits.OnesCount64(word)
	}
	return n
}
