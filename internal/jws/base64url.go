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
	at, n := len(dst), base64.RawURLEncoding.DecodedLen(len(encoded))
	dst = slices.Grow(dst, n)[:at+n]
	var seen uint32
	out := dst[at:]
	for len(out) >= 8 && len(encoded) >= 8 { // of eight bytes written, six are meant
		high, low := quad(encoded[:4]), quad(encoded[4:8])
		seen |= high | low
		binary.BigEndian.PutUint64(out, uint64(high)<<40|uint64(low)<<16)
		encoded, out = encoded[8:], out[6:]
	}
	for len(out) >= 3 && len(encoded) >= 4 {
		bits := quad(encoded[:4])
		seen |= bits
		out[0], out[1], out[2] = byte(bits>>16), byte(bits>>8), byte(bits)
		encoded, out = encoded[4:], out[3:]
	}
	var leftOver uint32
	switch len(encoded) {
	case 2:
		bits := sextets[0][encoded[0]] | sextets[1][encoded[1]]
		seen, leftOver = seen|bits, bits&0xffff
		out[0] = byte(bits >> 16)
	case 3:
		bits := sextets[0][encoded[0]] | sextets[1][encoded[1]] | sextets[2][encoded[2]]
		seen, leftOver = seen|bits, bits&0xff
		out[0], out[1] = byte(bits>>16), byte(bits>>8)
	}
	if seen&foreign != 0 || leftOver != 0 {
		return nil, ErrEncoding
	}
	return dst, nil
}

// foreign marks what is not in the alphabet. It lies above the 24 bits that four
// characters stand for.
const foreign = 1 << 31

// sextets hold what a character stands for as the first, second, third and fourth
// of four.
var sextets = func() (t [4][256]uint32) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for place := range t {
		for c := range t[place] {
			t[place][c] = foreign
		}
		for value, c := range []byte(alphabet) {
			t[place][c] = uint32(value) << (18 - 6*place)
		}
	}
	return t
}()

// quad returns the 24 bits that the first four characters stand for.
func quad(s string) uint32 {
	return sextets[0][s[0]] | sextets[1][s[1]] | sextets[2][s[2]] | sextets[3][s[3]]
}
