package attack

import (
	"crypto/elliptic"
	"encoding/asn1"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Signatures returns the issued token, which is one of ES256, with signatures
// that hold in no reading of RFC 7518 section 3.4.
func Signatures(f *Forge) []Token {
	last := strings.LastIndexByte(f.Issued, '.')
	signed, signature := f.Issued[:last], decode(f.Issued[last+1:])
	n := elliptic.P256().Params().N
	p := elliptic.P256().Params().P
	r, s := new(big.Int).SetBytes([]byte(signature[:32])), new(big.Int).SetBytes([]byte(signature[32:]))
	num := big.NewInt
	less := func(a, b *big.Int) *big.Int { return new(big.Int).Sub(a, b) }
	full := new(big.Int).Lsh(num(1), 256)

	var all []Token
	add := func(name, text string) {
		all = append(all, newToken(name, signed+"."+encode(text), Unauthorized))
	}
	// Zero in both halves held everywhere in some Java (CVE-2022-21449).
	for _, v := range []struct {
		name string
		r, s *big.Int
	}{
		{"r 0, s 0", num(0), num(0)}, {"r 0", num(0), s}, {"s 0", r, num(0)}, {"r 0, s 1", num(0), num(1)}, {"r 1, s 0", num(1), num(0)}, {"r 1, s 1", num(1), num(1)},
		{"r n", n, s}, {"s n", r, n}, {"r n, s n", n, n}, {"r n, s 0", n, num(0)}, {"r 0, s n", num(0), n}, {"r n+1, s n+1", new(big.Int).Add(n, num(1)), new(big.Int).Add(n, num(1))},
		{"r p", p, s}, {"r p-n", less(p, n), s}, {"r n-1, s n-1", less(n, num(1)), less(n, num(1))}, {"r largest, s largest", less(full, num(1)), less(full, num(1))},
		{"r and s swapped", s, r}, {"r negated", less(n, r), s}, {"both negated", less(n, r), less(n, s)}, {"s + 1", r, new(big.Int).Add(s, num(1))}, {"r + 1", new(big.Int).Add(r, num(1)), s},
	} {
		add(v.name, string(v.r.FillBytes(make([]byte, 32)))+string(v.s.FillBytes(make([]byte, 32))))
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		panic(err) // two positive numbers
	}
	add("DER", string(der))
	add("DER in place of r", string(der)+signature[32:])
	add("r only", signature[:32])
	add("s only", signature[32:])
	add("a byte less", signature[:63])
	add("two bytes less", signature[:62])
	add("first byte gone", signature[1:])
	add("a zero more", signature+"\x00")
	add("a byte more", signature+"\x01")
	add("a zero before", "\x00"+signature)
	add("halves of 33 bytes", "\x00"+signature[:32]+"\x00"+signature[32:])
	add("halves of 48 bytes", strings.Repeat("\x00", 16)+signature[:32]+strings.Repeat("\x00", 16)+signature[32:])
	add("halves of 66 bytes", strings.Repeat("\x00", 34)+signature[:32]+strings.Repeat("\x00", 34)+signature[32:])
	add("twice", signature+signature)
	add("halves little endian", reversed(signature[:32])+reversed(signature[32:]))
	add("point before", "\x04"+signature)
	add("one zero", "\x00")
	add("64 zeros", strings.Repeat("\x00", 64))
	add("10,000 bytes", strings.Repeat("\xff", 10_000))
	all = append(all,
		newToken("empty", signed+".", Unauthorized),
		newToken("base64 of base64", signed+"."+encode(encode(signature)), Unauthorized))
	return all
}

// Twin returns the other signature that holds for a token of ES256: s and n - s
// are equally good (RFC 7518 asks for neither). It is the same token, so what
// ends the one must end the other.
func Twin(token string) string {
	last := strings.LastIndexByte(token, '.')
	signature := decode(token[last+1:])
	s := new(big.Int).SetBytes([]byte(signature[32:]))
	s.Sub(elliptic.P256().Params().N, s)
	return token[:last+1] + encode(signature[:32]+string(s.FillBytes(make([]byte, 32))))
}

func reversed(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

// MACs returns the issued token, which is one of HS256, with signatures that are
// not quite its MAC.
func MACs(f *Forge) []Token {
	last := strings.LastIndexByte(f.Issued, '.')
	signed, signature := f.Issued[:last], decode(f.Issued[last+1:])
	var all []Token
	for n := range len(signature) {
		all = append(all, newToken("cut to "+quote(n)+" bytes", signed+"."+encode(signature[:n]), Unauthorized))
	}
	for name, text := range map[string]string{
		"a zero more": signature + "\x00", "a zero before": "\x00" + signature, "twice": signature + signature, "reversed": reversed(signature), "32 zeros": strings.Repeat("\x00", 32),
		"of the claims": mac(f.alg, f.secret, strings.Split(signed, ".")[1]), "of the bytes": mac(f.alg, f.secret, f.header.String()+"."+f.claims.String()), "of HS512, cut": mac("HS512", f.secret, signed)[:32],
		"of HS512": mac("HS512", f.secret, signed), "of HS384": mac("HS384", f.secret, signed), "10,000 bytes": strings.Repeat("\xff", 10_000),
	} {
		all = append(all, newToken(name, signed+"."+encode(text), Unauthorized))
	}
	return all
}

// Flips returns a bearer token with every bit of it flipped, one at a time. Bytes
// that no header field may hold are refused by net/http.
func Flips(path, token string) []Case { return flips(bearerAt(path), token) }

func flips(at func(text string) string, token string) []Case {
	var all []Case
	for i := range len(token) {
		for bit := range 8 {
			text := token[:i] + string([]byte{token[i] ^ 1<<bit}) + token[i+1:]
			all = append(all, sweep("bit "+quote(bit)+" of byte "+quote(i), at(text), text))
		}
	}
	return all
}

// Cuts returns the beginnings and the ends of a bearer token, and the token with
// one byte taken out, one put in, and one after the end.
func Cuts(path, token string) []Case { return cuts(bearerAt(path), token) }

func cuts(at func(text string) string, token string) []Case {
	var all []Case
	add := func(name, text string) { all = append(all, sweep(name, at(text), text)) }
	for i := range len(token) {
		n := quote(i)
		add("the first "+n, token[:i])
		add("without byte "+n, token[:i]+token[i+1:])
		add("A before byte "+n, token[:i]+"A"+token[i:])
		if i > 0 {
			add("from byte "+n, token[i:])
		}
		if i%8 == 0 {
			for _, c := range []string{".", "=", "-", "%2e", "\x00", "\t", "\xc3\xa9"} {
				add(quote(c)+" before byte "+n, token[:i]+c+token[i:])
			}
		}
	}
	for b := range 256 {
		add("byte "+quote(b)+" at the end", token+string([]byte{byte(b)}))
		switch b {
		case ' ', '\t', '\n', '\r':
			// White space around a field's value, and a line end, are none of the
			// token (RFC 9112 sections 2.2 and 5).
			all[len(all)-1].Want = append(Want{http.StatusOK}, Refused...)
		}
	}
	return all
}

func bearerAt(path string) func(text string) string {
	return func(text string) string { return Request("GET", path, "Authorization: Bearer "+text) }
}

func sweep(name, raw, text string) Case {
	return Case{Name: name, Raw: raw, Want: Want{http.StatusUnauthorized, http.StatusBadRequest, Closed}, Payload: text}
}

// RequireOneToken requires that the twin of a token is admitted before the
// token's end, and not after.
func RequireOneToken(t testing.TB, addr, token, path, signOut string) {
	t.Helper()
	for _, text := range []string{token, Twin(token)} {
		RequireStatus(t, addr, Request("GET", path, "Authorization: Bearer "+text), http.StatusOK)
	}
	RequireStatus(t, addr, Post(signOut, "", "", "Authorization: Bearer "+Twin(token)), http.StatusNoContent)
	for _, text := range []string{token, Twin(token)} {
		RequireStatus(t, addr, Request("GET", path, "Authorization: Bearer "+text), http.StatusUnauthorized)
	}
}

// RequireStatus sends a request and returns its one answer, of that status.
func RequireStatus(t testing.TB, addr, raw string, status int) Answer {
	t.Helper()
	answers, err := Send(addr, raw)
	require.NoError(t, err)
	require.Len(t, answers, 1)
	require.Equal(t, status, answers[0].Status, answers[0].Body)
	return answers[0]
}
