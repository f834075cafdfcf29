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

// crc32Of is crc32.ChecksumIEEE of a string, without copying it.
func crc32Of(s string) uint32 {
	c := ^uint32(0)
	for i := range len(s) {
		c = crc32.IEEETable[byte(c)^s[i]] ^ c>>8
	}
	return ^c
}

func isBase62(s string) bool {
	for i := range len(s) {
		if !base62Chars[s[i]] {
			return false
		}
	}
	return true
}
