package attack

import (
	"fmt"
	"strings"
	"time"
)

// Claims returns tokens whose claims are not good, however good the signature.
// scope is the one that the route asks for.
func Claims(f *Forge, scope string) []Token {
	c := &claimCases{f: f, now: time.Now().Unix()}
	c.dates()
	c.names()
	c.scopes(scope)
	c.folded(scope)
	c.doubled()
	for _, s := range shapes(f.claims.String()) {
		c.text("shape: "+s.name, s.text, Unauthorized)
	}
	for _, s := range sound(f.claims.String()) {
		c.text("sound: "+s.name, s.text, f.admitted())
	}
	return c.all
}

type claimCases struct {
	f   *Forge
	now int64
	all []Token
}

func (c *claimCases) text(name, claims string, w Want) {
	c.all = append(c.all, newToken(name, c.f.token(c.f.header.String(), claims), w))
}

func (c *claimCases) add(name string, claims object, w Want) { c.text(name, claims.String(), w) }

func (c *claimCases) seconds(d time.Duration) string { return fmt.Sprint(c.now + int64(d/time.Second)) }

// wrongTypes are no value for a claim that is a text or a number.
var wrongTypes = []string{"null", "true", "false", "[]", "{}", "[null]", `[""]`, `{"$gt":""}`}

func (c *claimCases) dates() {
	good := c.f.claims
	// Neither is a date, nor is what a float or an int64 makes of it.
	no := []string{
		`""`, `"0"`, `"Infinity"`, `"9999-12-31T23:59:59Z"`, quote(c.seconds(time.Hour)), "[" + c.seconds(time.Hour) + "]",
		"-1", "-9223372036854775808", "-1e400", "-1e-3", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
		"1e19", "1e300", "1e309", "1e400", "1e999999999", "1e99999999999999999999", "253402300800", "2534023007990", c.seconds(time.Hour) + "000", c.seconds(time.Hour) + "000000000",
		"1" + strings.Repeat("0", 1000), "0." + strings.Repeat("9", 1000) + "e400",
	}
	for _, name := range []string{"exp", "nbf", "iat", "auth_time"} {
		// Of the wrong type is not absent.
		for _, v := range append(append([]string{}, no...), wrongTypes...) {
			short := v
			if len(v) > 40 {
				short = v[:8] + "…" + v[len(v)-4:]
			}
			c.add("CVE-2026-25537: "+name+" is "+short, good.set(name, v), Unauthorized)
		}
	}
	for _, v := range []string{
		"0", "-0", "-0.0e5", "1", "0.5", "1e3", "1e-400", "1e-999999999", "0e400", "0.000001e6", c.seconds(-24 * time.Hour), c.seconds(-time.Second), c.seconds(-time.Second) + ".999999",
	} {
		c.add("exp is past: "+v, good.set("exp", v), Unauthorized)
	}
	c.add("exp missing", good.without("exp"), Unauthorized)
	c.add("exp in a fraction", good.set("exp", c.seconds(time.Hour)+".5"), c.f.admitted())
	c.add("exp with an exponent", good.set("exp", "4e9"), c.f.admitted())
	c.add("exp in the last second that there is", good.set("exp", "253402300799"), c.f.admitted())
	for _, name := range []string{"nbf", "iat", "auth_time"} {
		for _, d := range []time.Duration{time.Minute, time.Hour, 24 * time.Hour, 100 * 365 * 24 * time.Hour} {
			c.add(fmt.Sprintf("%s is %v ahead", name, d), good.set(name, c.seconds(d)), Unauthorized)
		}
	}
	c.add("nbf is past", good.set("nbf", c.seconds(-time.Hour)), c.f.admitted())
	c.add("auth_time missing, where the origin needs it", good.without("auth_time"), Unauthorized)
}

// names are the claims that say who and for whom.
func (c *claimCases) names() {
	good := c.f.claims
	for _, name := range []string{"iss", "aud", "sub", "jti", "tenant", "tier", "origin", "fam", "idp"} {
		for _, v := range append([]string{"1", "1e309", `[1]`}, wrongTypes...) {
			c.add(name+" is "+v, good.set(name, v), Unauthorized)
		}
	}
	for _, name := range []string{"iss", "aud", "sub"} {
		c.add(name+" missing", good.without(name), Unauthorized)
		c.add(name+" empty", good.set(name, `""`), Unauthorized)
		c.add(name+" in an object", good.set(name, "{"+quote(name)+":"+good.get(name)+"}"), Unauthorized)
	}
	for _, name := range []string{"iss", "aud"} {
		v := strings.Trim(good.get(name), `"`)
		for what, other := range map[string]string{
			"another": "https://mallory.example", "longer": v + "x", "shorter": v[:len(v)-1], "prefixed": "x" + v, "with a slash": v + "/", "with a blank after it": v + " ", "with a blank before it": " " + v, "in upper case": strings.ToUpper(v),
			"with NUL": v + "\x00", "with NUL and more": v + "\x00.mallory.example", "with a line end": v + "\n", "with a comma": v + ",https://mallory.example", "two in one": v + " https://mallory.example", "with a dot": v + ".", "with a query": v + "?x", "with a fragment": v + "#x",
			"with a homoglyph": strings.Replace(v, "a", "а", 1) + map[bool]string{true: "а"}[!strings.Contains(v, "a")], "of full width": strings.Replace(v, v[:1], "ｑ", 1), "a wildcard": "*", "with a zero-width space": v + "\u200b", "with a subdomain": "x." + v, "as user info": v + "@mallory.example",
		} {
			c.add(name+" is "+what, good.set(name, quote(other)), Unauthorized)
		}
	}
	iss, aud := good.get("iss"), good.get("aud")
	c.add("iss is an array", good.set("iss", "["+iss+"]"), Unauthorized)
	c.add("iss is an array of two", good.set("iss", "["+iss+`,"x"]`), Unauthorized)
	for _, v := range []string{"[1," + aud + "]", "[" + aud + ",1]", "[" + aud + ",null]", "[[" + aud + "]]", "[{}," + aud + "]", `["x"]`, `["x","y"]`, `["",""]`, "[" + aud + ",[]]", `{"0":` + aud + "}"} {
		c.add("aud is "+v, good.set("aud", v), Unauthorized)
	}
	c.add("aud is among others", good.set("aud", `["x",`+aud+`,"y"]`), c.f.admitted())
	c.add("aud is alone in an array", good.set("aud", "["+aud+"]"), c.f.admitted())
	c.add("jti is another", good.set("jti", `"another"`), c.f.admitted())
	for _, v := range []string{`"password"`, `""`, `"password:1:2"`, `":1"`} {
		// What this package writes itself must hold together.
		w := Unauthorized
		if v == `"password:1:2"` {
			w = c.f.admitted() // an id may have a colon
		}
		c.add("origin is "+v, good.set("origin", v), w)
	}
	for _, v := range []string{`{}`, `{"jkt":"x"}`, `{"x5t#S256":"x"}`, `{"jwk":{}}`, `{"jkt":1}`, `{"unknown":"x"}`, `{"jkt":""}`, `{"jkt":"x","kid":"y"}`, `null`, `[]`, `"x"`, `1`, `{"jkt":"x","jkt":"y"}`} {
		// Bound to a key: no proof of it came along (RFC 7800).
		c.add("cnf is "+v, good.set("cnf", v), Unauthorized)
	}
}

func (c *claimCases) scopes(scope string) {
	bare := c.f.claims.without("scope")
	refused := c.f.forbidden()
	c.add("no scope", bare, refused)
	head, tail, _ := strings.Cut(scope, ":")
	for _, v := range []string{
		"", " ", "x", scope + ":all", scope + "s", scope[:len(scope)-1], head, head + ":", tail, head + ":*", "*", strings.ToUpper(scope), head + "." + tail, head + " " + tail, head + ":" + "write",
		scope + "\tx", "x\t" + scope, scope + "\n", scope + "\r\n", "\n" + scope, scope + "\u00a0x", "x\u2003" + scope, scope + ",x", "x," + scope, scope + ";", scope + "\x00", `"` + scope + `"`, "[" + scope + "]", scope + "\u200b",
		strings.Replace(scope, "a", "а", 1), strings.Replace(scope, ":", "：", 1), "-" + scope, "!" + scope, scope + "=true", "%20" + scope, "x%20" + scope, "x+" + scope, "openid\v" + scope, "x\f" + scope,
	} {
		c.add(fmt.Sprintf("scope is %q", v), bare.set("scope", quote(v)), refused)
	}
	for _, v := range append([]string{"1", "[" + quote(scope) + "]", `{"scope":` + quote(scope) + "}", "[[" + quote(scope) + "]]", "1e309"}, wrongTypes...) {
		c.add("scope is "+v, bare.set("scope", v), Unauthorized)
	}
	for _, name := range []string{"scp", "scopes"} {
		for _, v := range []string{"1", "null", "true", "{}", "[1]", "[null]", `[""]`, "[" + quote(scope) + ",1]", "[" + quote(scope) + `,""]`, "[[" + quote(scope) + "]]"} {
			c.add(name+" is "+v, bare.set(name, v), Unauthorized)
		}
		for _, v := range []string{"[]", quote([]string{"x " + scope}), quote([]string{scope + " x"}), quote([]string{"x", strings.ToUpper(scope)}), quote([]string{scope + ","})} {
			c.add(name+" grants less: "+v, bare.set(name, v), refused)
		}
		c.add(name+" beside an empty scope", bare.set("scope", `""`).set(name, quote([]string{scope})), refused)
		c.add(name+" beside another scope", bare.set("scope", `"x"`).set(name, quote([]string{scope})), refused)
		c.add(name+" is a list", bare.set(name, quote([]string{"x", scope})), c.f.admitted())
	}
	c.add("scopes is a text", bare.set("scopes", quote(scope)), Unauthorized)
	for _, name := range []string{"SCOPE", "Scope", "ſcope", "scope ", "permissions", "roles", "role", "groups", "authorities", "admin", "scope[]", "scope\x00", "realm_access"} {
		c.add(fmt.Sprintf("%q for scope", name), bare.add(quote(name), quote(scope)), refused)
	}
	c.add("scope is spelled with escapes", bare.set("scope", `"x\u0020\u00`+fmt.Sprintf("%02x", scope[0])+scope[1:]+`"`), c.f.admitted())
	c.add("scope is among others", bare.set("scope", quote("x  "+scope+" y")), c.f.admitted())
}

// folded are names that differ in case only, which encoding/json takes for the
// same (RFC 7515 section 4, RFC 7519 section 10.1.1).
func (c *claimCases) folded(scope string) {
	good := c.f.claims
	bad := map[string]string{"exp": "1", "nbf": "9999999999", "iss": `"https://mallory.example"`, "aud": `"https://mallory.example"`, "sub": `""`, "iat": "9999999999"}
	for name, value := range bad {
		right := good.get(name)
		if name == "nbf" {
			right = "1"
		}
		others := []string{strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:], name[:2] + strings.ToUpper(name[2:]), name[:1] + strings.ToUpper(name[1:2]) + name[2:], name + " ", " " + name, name + "\x00", name + "\u200b", "ｅ" + name[1:]}
		if folded := strings.ReplaceAll(name, "s", "ſ"); folded != name {
			others = append(others, folded)
		}
		for _, other := range others {
			if name != "nbf" && name != "iat" {
				c.add(fmt.Sprintf("%q for %s", other, name), good.without(name).add(quote(other), right), Unauthorized)
			}
			c.add(fmt.Sprintf("%q right after a bad %s", other, name), good.set(name, value).add(quote(other), right), Unauthorized)
			c.add(fmt.Sprintf("%q right before a bad %s", other, name), good.set(name, value).ahead(quote(other), right), Unauthorized)
		}
		// A name of its own, which nobody asks for.
		c.add(fmt.Sprintf("%q bad beside a good %s", others[0], name), good.add(quote(others[0]), value), c.f.admitted())
		c.add(fmt.Sprintf("%s bad, spelled with an escape", name), good.without(name).add(fmt.Sprintf(`"\u00%02x%s"`, name[0], name[1:]), value), Unauthorized)
	}
	c.add("exp spelled with escapes", good.without("exp").add(`"\u0065\u0078p"`, good.get("exp")), c.f.admitted())
	c.add("claims inside of another member", object{}.set("claims", good.String()), Unauthorized)
	c.add("exp inside of another member", good.without("exp").set("x", `{"exp":`+good.get("exp")+"}"), Unauthorized)
	c.add("prototype", good.without("exp").set("__proto__", `{"exp":`+good.get("exp")+"}"), Unauthorized)
	c.add("exp in the header", good.without("exp"), Unauthorized)
	h := c.f.header
	for _, name := range []string{"iss", "aud", "sub", "exp"} {
		h = h.set(name, good.get(name))
	}
	c.all = append(c.all, newToken("iss, aud, sub and exp in the header only", c.f.token(h.String(), object{}.set("scope", quote(scope)).String()), Unauthorized))
}

// doubled are members that come twice, of which readers take the first or the
// last.
func (c *claimCases) doubled() {
	good := c.f.claims
	for name, value := range map[string]string{"exp": "1", "nbf": "1", "iat": "1", "iss": `"x"`, "aud": `"x"`, "sub": `"x"`, "jti": `"x"`, "scope": `"x"`, "origin": `"x:y"`, "auth_time": "1", "tier": `"x"`} {
		right := good.get(name)
		if right == "" {
			right = value
		}
		with := good.set(name, right)
		escaped := fmt.Sprintf(`"\u00%02x%s"`, name[0], name[1:])
		c.add(name+" twice, the other last", with.add(quote(name), value), Unauthorized)
		c.add(name+" twice, the other first", with.ahead(quote(name), value), Unauthorized)
		c.add(name+" twice, the same", with.add(quote(name), right), Unauthorized)
		c.add(name+" twice, null last", with.add(quote(name), "null"), Unauthorized)
		c.add(name+" twice, the other escaped and last", with.add(escaped, value), Unauthorized)
		c.add(name+" twice, the other escaped and first", with.ahead(escaped, value), Unauthorized)
	}
	c.add("exp thrice", good.add(`"exp"`, good.get("exp")).add(`"exp"`, good.get("exp")), Unauthorized)
}
