package attack

import (
	"fmt"
	"strings"
	"time"
)

// Assertions returns assertions of a platform whose payload is not good, however
// good the signature.
func Assertions(f *Forge) []Token {
	c := &claimCases{f: f, now: time.Now().Unix()}
	c.expire()
	c.emails()
	c.standard()
	for _, name := range []string{"email", "expire"} {
		c.spelled(name)
	}
	for _, s := range shapes(f.claims.String()) {
		c.text("shape: "+s.name, s.text, Unauthorized)
	}
	for _, s := range sound(f.claims.String()) {
		c.text("sound: "+s.name, s.text, f.admitted())
	}
	return c.all
}

// expire is in seconds since 1970, and at most five minutes ahead.
func (c *claimCases) expire() {
	good := c.f.claims
	for _, v := range append([]string{
		`""`, `"0"`, `"Infinity"`, `"9999-12-31T23:59:59Z"`, quote(c.seconds(time.Minute)), "[" + c.seconds(time.Minute) + "]", `{"expire":` + c.seconds(time.Minute) + "}",
		"0", "-0", "1", "-1", "1e3", "-1e400", "1e400", "1e999999999", "9223372036854775807", "9223372036854775808", "18446744073709551616", "253402300799", "253402300800",
		c.seconds(-24 * time.Hour), c.seconds(-time.Second), c.seconds(-time.Second) + ".999999", "-" + c.seconds(time.Minute),
		c.seconds(time.Minute) + "000", c.seconds(time.Minute) + "000000", c.seconds(time.Minute) + "000000000", c.seconds(10 * time.Minute), c.seconds(time.Hour), c.seconds(24 * time.Hour), c.seconds(100 * 365 * 24 * time.Hour),
		"0x" + fmt.Sprintf("%x", c.now+60),
	}, wrongTypes...) {
		c.add("expire is "+v, good.set("expire", v), Unauthorized)
	}
	c.add("expire in a fraction", good.set("expire", c.seconds(time.Minute)+".5"), c.f.admitted())
}

// emails are one plain address, of which there is one reading.
func (c *claimCases) emails() {
	good := c.f.claims
	long := strings.Repeat("x", 64)
	for _, v := range []string{
		"", " ", "@", "grace", "grace@", "@example.net", "grace@@example.net", "grace@example.net@mallory.example", "grace@example", "grace@localhost", "grace@127.0.0.1", "grace@[127.0.0.1]", "grace@[IPv6:::1]", "grace@example.net.", "grace@.example.net", "grace@example..net", "grace@-example.net", "grace@example-.net", "grace@exa_mple.net",
		" grace@example.net", "grace@example.net ", "grace @example.net", "grace@ example.net", "grace@example.net\n", "grace@example.net\r\nBcc: mallory@example.com", "\tgrace@example.net", "grace@example.net\x00", "grace\x00@example.net", "grace@example.net\x7f",
		"Grace <grace@example.net>", "<grace@example.net>", "grace@example.net (Grace)", "(x)grace@example.net", `"grace"@example.net`, `"gr ace"@example.net`, `grace\@example.net`, "mailto:grace@example.net", "grace@example.net,ada@example.com", "grace@example.net;ada@example.com", "grace@example.net ada@example.com", "ada@example.com,", "grace@example.net?x=y", "grace@example.net/x", "grace@example.net#x", "grace@example.net:25",
		".grace@example.net", "grace.@example.net", "gra..ce@example.net", "grace@exämple.net", "gräce@example.net", "grace@ｅxample.net", "grаce@example.net", "grace@example.net\u200b", "\ufeffgrace@example.net", "grace\u202e@example.net", "grace@example。net",
		long + "x@example.net", "grace@" + long + "x.net", "grace@" + strings.Repeat("example.", 40) + "net", strings.Repeat("x", 4000) + "@example.net", "'@example,net", "grace:x@example.net", "grace@example.net' OR '1'='1",
	} {
		c.add(fmt.Sprintf("email is %.80q", v), good.set("email", quote(v)), Unauthorized)
	}
	for _, v := range append([]string{"1", "1e309", "[" + good.get("email") + "]", `{"email":` + good.get("email") + "}", good.get("email")[:3] + `\ud800"`}, wrongTypes...) {
		c.add("email is "+v, good.set("email", v), Unauthorized)
	}
	for _, v := range []string{"grace+tag@example.net", "g@example.net", "o'grace@example.net", "grace@EXAMPLE.net", "grace@a.b.c.example.net", long + "@example.net"} {
		c.add("email may be "+v, good.set("email", quote(v)), c.f.admitted())
	}
	c.add("email may be escaped", good.set("email", `"\u0067`+good.get("email")[2:]), c.f.admitted())
}

// standard are the claims of RFC 7519, which count where they are there.
func (c *claimCases) standard() {
	good := c.f.claims
	for _, name := range []string{"exp", "nbf", "iat"} {
		for _, v := range append([]string{`"1"`, "-1", "1e400", "[" + c.seconds(0) + "]", c.seconds(time.Hour)}, wrongTypes...) {
			c.add(name+" is "+v, good.set(name, v), Unauthorized)
		}
	}
	c.add("exp is past", good.set("exp", c.seconds(-time.Second)), Unauthorized)
	c.add("exp for expire", good.without("expire").set("exp", c.seconds(time.Minute)), Unauthorized)
	for _, name := range []string{"iss", "aud", "jti"} {
		for _, v := range append([]string{`""`, "1", `["x"]`}, wrongTypes...) {
			c.add(name+" is "+v, good.set(name, v), Unauthorized)
		}
	}
	for _, name := range []string{"iss", "aud"} {
		c.add(name+" is another", good.set(name, `"https://mallory.example"`), Unauthorized)
	}
	for _, v := range []string{`{}`, `{"jkt":"x"}`, `null`, `"x"`} {
		c.add("cnf is "+v, good.set("cnf", v), Unauthorized)
	}
	c.add("iat and nbf are now", good.set("iat", c.seconds(0)).set("nbf", c.seconds(0)), c.f.admitted())
	c.add("exp is as good", good.set("exp", c.seconds(time.Minute)), c.f.admitted())
	c.add("scope asks for more", good.set("scope", `"admin wallets:write"`).set("scopes", `["admin"]`).set("tier", `"enterprise"`), c.f.admitted())
}

// spelled has a member missing, twice, inside of another, and under other names.
func (c *claimCases) spelled(name string) {
	good, value := c.f.claims, c.f.claims.get(name)
	rest := good.without(name)
	c.add(name+" missing", rest, Unauthorized)
	c.add(name+" twice, the same", good.add(quote(name), value), Unauthorized)
	c.add(name+" twice, another first", good.ahead(quote(name), "1"), Unauthorized)
	c.add(name+" twice, once escaped", good.add(fmt.Sprintf(`"\u00%02x%s"`, name[0], name[1:]), value), Unauthorized)
	c.add(name+" inside", rest.set("user", object{}.set(name, value).String()), Unauthorized)
	for _, other := range []string{strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:], name + " ", name + "\x00", name + "s", name[1:], "ｅ" + name[1:], name + "[]", "user." + name} {
		c.add(fmt.Sprintf("%q for %s", other, name), rest.set(other, value), Unauthorized)
		c.add(fmt.Sprintf("%q beside %s", other, name), good.set(other, `"x"`), c.f.admitted())
	}
	c.add(name+" may be spelled with escapes", rest.add(fmt.Sprintf(`"\u00%02x%s"`, name[0], name[1:]), value), c.f.admitted())
}
