package jws

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
)

// Encode returns data in base64url without padding.
func Encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// AppendDecode appends what encoded stands for in base64url: without padding,
// white space, another alphabet, or bits left over (RFC 7515 section 2). On error
// it returns nil.
//
// It is encoding/base64's strict decoder at twice the speed, less its patience with
// line ends: three of these stand between a token and its claims. No character is
// looked at for itself; what is wrong with any of them is found out at the end.
func AppendDecode(dst []byte, encoded string) ([]byte, error) {
	if len(encoded)%4 == 1 {
		return nil, ErrEncoding
	}
	at, n := len(dst), len(encoded)*6/8
	dst = slices.Grow(dst, n)[:at+n]
	if !sextets.decode(dst[at:], encoded) {
		return nil, ErrEncoding
	}
	return dst, nil
}

// decode fills out with what encoded stands for.
func (t *alphabet) decode(out []byte, encoded string) bool {
	var seen, leftOver uint32
	for len(out) >= 8 && len(encoded) > 8 { // of eight bytes written, six are meant
		high, low := t.quad(encoded[:4]), t.quad(encoded[4:8])
		seen |= high | low
		binary.BigEndian.PutUint64(out, uint64(high)<<40|uint64(low)<<16)
		encoded, out = encoded[8:], out[6:]
	}
	for len(out) >= 3 && len(encoded) >= 4 {
		bits := t.quad(encoded[:4])
		seen |= bits
		out[0], out[1], out[2] = byte(bits>>16), byte(bits>>8), byte(bits)
		encoded, out = encoded[4:], out[3:]
	}
	switch len(encoded) {
	case 2:
		bits := t[0][encoded[0]] | t[1][encoded[1]]
		seen, leftOver = seen|bits, bits&0xffff
		out[0] = byte(bits >> 16)
	case 3:
		bits := t[0][encoded[0]] | t[1][encoded[1]] | t[2][encoded[2]]
		seen, leftOver = seen|bits, bits&0xff
		out[0], out[1] = byte(bits>>16), byte(bits>>8)
	}
	return seen&foreign == 0 && leftOver == 0
}

// foreign marks what is not in the alphabet. It lies above the 24 bits that four
// characters stand for.
const foreign = 1 << 31

// An alphabet holds what a character stands for as the first, second, third and fourth
// of four.
type alphabet [4][256]uint32

var sextets = func() (t alphabet) {
	const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for place := range t {
		for c := range t[place] {
			t[place][c] = foreign
		}
		for value, c := range []byte(characters) {
			t[place][c] = uint32(value) << (18 - 6*place)
		}
	}
	return t
}()

// quad returns the 24 bits that the first four characters stand for.
func (t *alphabet) quad(s string) uint32 {
	return t[0][s[0]] | t[1][s[1]] | t[2][s[2]] | t[3][s[3]]
}
