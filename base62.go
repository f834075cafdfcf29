package auth

import (
	"crypto/rand"
	"hash/crc32"
)

// Base62 has no character that ends a word, so a double click selects a key
// whole.
const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

var base62Chars = charset(base62)

// randomBase62 returns n characters, every one as likely.
func randomBase62(n int) string {
	out := make([]byte, 0, n)
	var buf [64]byte
	for len(out) < n {
		_, _ = rand.Read(buf[:]) // never fails
		for _, b := range buf {
			// The largest multiple of 62 in a byte; the rest would favour the
			// first characters.
			if b < 4*62 && len(out) < n {
				out = append(out, base62[b%62])
			}
		}
	}
	return string(out)
}

const checksumLen = 6 // 62^6 > 2^32

// checksum returns the CRC-32 of s in base62. It tells typing errors and
// look-alikes from keys without asking the store; it is no secret.
func checksum(s string) (sum [checksumLen]byte) {
	c := crc32Of(s)
	for i := checksumLen - 1; i >= 0; i-- {
		sum[i] = base62[c%62]
		c /= 62
	}
	return sum
}

// crc32Of is crc32.ChecksumIEEE of a string, without copying it: eight bytes at
// a time, as there ("slicing-by-8").
func crc32Of(s string) uint32 {
	c := ^uint32(0)
	t := &crcTables
	for ; len(s) >= 8; s = s[8:] {
		c ^= uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
		c = t[7][byte(c)] ^ t[6][byte(c>>8)] ^ t[5][byte(c>>16)] ^ t[4][c>>24] ^
			t[3][s[4]] ^ t[2][s[5]] ^ t[1][s[6]] ^ t[0][s[7]]
	}
	for i := range len(s) {
		c = t[0][byte(c)^s[i]] ^ c>>8
	}
	return ^c
}

// crcTables[n] is the CRC-32 of a byte with n zero bytes after it.
var crcTables = func() (t [8]crc32.Table) {
	t[0] = *crc32.IEEETable
	for n := range len(t) - 1 {
		for i, c := range t[n] {
			t[n+1][i] = t[0][byte(c)] ^ c>>8
		}
	}
	return t
}()

func isBase62(s string) bool { return base62Chars.hasAll(s) }
