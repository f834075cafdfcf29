package attack

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// Structures returns what is no token in compact form, or spells the issued one
// in another way. No signature is new in these.
func Structures(f *Forge) []Token {
	part := strings.Split(f.Issued, ".")
	h, p, s := part[0], part[1], part[2]
	var all []Token
	add := func(name string, parts ...string) {
		all = append(all, newToken(name, strings.Join(parts, "."), Unauthorized))
	}

	add("one part", h)
	add("two parts", h, p)
	add("four parts", h, p, s, s)
	add("five parts", h, p, s, s, s)
	add("five parts, as of JWE", encode(`{"alg":"dir","enc":"A256GCM"}`), "", encode("123456789012"), p, encode("1234567890123456"))
	add("five parts of RSA-OAEP", encode(`{"alg":"RSA-OAEP","enc":"A256GCM"}`), s, encode("123456789012"), p, encode("1234567890123456"))
	add("five parts of PBES2 with a billion rounds", encode(`{"alg":"PBES2-HS256+A128KW","enc":"A128CBC-HS256","p2c":1000000000,"p2s":"AA"}`), s, encode("1234567890123456"), p, encode("1234567890123456"))
	add("three parts that say they are encrypted", encode(f.header.add(`"enc"`, `"A256GCM"`).set("alg", `"dir"`).String()), p, s)
	add("six parts", h, p, s, h, p, s)
	add("no header", "", p, s)
	add("detached payload", h, "", s)
	add("no signature", h, p, "")
	add("nothing but dots", "", "", "")
	add("one dot", "", "")
	add("a dot before", "", h, p, s)
	add("a dot after", h, p, s, "")
	add("two dots between", h, "", p, s)
	add("parts in another order", p, h, s)
	add("header twice", h, h, s)
	add("token in a token", f.Issued, p, s)
	add("token twice with a comma", f.Issued+","+f.Issued)
	add("token twice with a blank", f.Issued+" "+f.Issued)
	add("token twice", f.Issued+f.Issued)
	// Memory in proportion to the dots.
	for _, n := range []int{3, 10, 1000, 10_000, 60_000} {
		add(fmt.Sprintf("CVE-2025-30204: %d dots", n), strings.Repeat(".", n))
		add(fmt.Sprintf("CVE-2025-30204: token and %d dots", n), f.Issued+strings.Repeat(".", n))
	}
	for _, n := range []int{17_000, 60_000} {
		add(fmt.Sprintf("signature of %d bytes", n), h, p, strings.Repeat("A", n))
		add(fmt.Sprintf("payload of %d bytes", n), h, strings.Repeat("A", n), s)
		add(fmt.Sprintf("header of %d bytes", n), strings.Repeat("A", n), p, s)
	}

	add("flattened JSON", `{"payload":"`+p+`","protected":"`+h+`","signature":"`+s+`"}`)
	add("general JSON", `{"payload":"`+p+`","signatures":[{"protected":"`+h+`","signature":"`+s+`"}]}`)
	add("JSON in base64url", encode(`{"payload":"`+p+`","protected":"`+h+`","signature":"`+s+`"}`))
	add("JSON as a header", encode(`{"payload":"`+p+`","protected":"`+h+`","signature":"`+s+`"}`), p, s)
	add("disclosures", f.Issued+"~"+encode(`["salt","admin",true]`)+"~")
	add("PASETO", "v4", "public", p+s)
	add("the token in base64url", encode(f.Issued))

	for i, name := range []string{"header", "payload", "signature"} {
		with := func(text string) []string {
			parts := append([]string{}, part...)
			parts[i] = text
			return parts
		}
		add("padded "+name, with(part[i]+strings.Repeat("=", (4-len(part[i])%4)%4)+map[bool]string{true: "="}[len(part[i])%4 == 0])...)
		add("padding before the "+name, with("="+part[i])...)
		add(name+" in base64 of the other alphabet", with(standard(part[i]))...)
		add(name+" with a byte that no alphabet has", with(part[i][:4]+"!"+part[i][4:])...)
		add(name+" with a blank inside", with(part[i][:4]+" "+part[i][4:])...)
		add(name+" with a tab inside", with(part[i][:4]+"\t"+part[i][4:])...)
		add(name+" percent-encoded", with("%"+fmt.Sprintf("%02X", part[i][0])+part[i][1:])...)
		add(name+" with letters of full width", with(part[i][:4]+"Ａ"+part[i][4:])...)
		add(name+" in hexadecimal", with(fmt.Sprintf("%x", decode(part[i])))...)
		add(name+" in clear", with(strings.ReplaceAll(decode(part[i]), "\x00", ""))...)
		add(name+" encoded twice", with(encode(part[i]))...)
		add(name+" a letter longer", with(part[i]+"A")...)
		add(name+" four letters longer", with(part[i]+"AAAA")...)
		add(name+" a letter shorter", with(part[i][:len(part[i])-1])...)
		add(name+" of one letter", with("A")...)
		if text, ok := malleable(part[i]); ok {
			add(name+" with bits left over", with(text)...)
		}
	}
	// What is in clear or binary may hold bytes that net/http refuses itself.
	for i := range all {
		all[i].Public = strings.Contains(all[i].Text, "{")
		if strings.ContainsFunc(all[i].Text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			all[i].Want = Want{401, 400}
		}
	}
	all = append(all, newToken("as issued", f.Issued, Admitted))
	return all
}

// standard writes a part in the alphabet of RFC 4648 section 4, with something
// that differs in it.
func standard(part string) string {
	other := strings.NewReplacer("-", "+", "_", "/").Replace(part)
	if other == part {
		return part + "+"
	}
	return other
}

// malleable returns another text that a lax decoder takes for the same bytes.
func malleable(part string) (string, bool) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(part)%4 == 0 {
		return "", false
	}
	last := strings.IndexByte(alphabet, part[len(part)-1])
	text := part[:len(part)-1] + string(alphabet[last^1])
	b, err := base64.RawURLEncoding.DecodeString(text)
	return text, err == nil && string(b) == decode(part)
}
