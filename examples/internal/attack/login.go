package attack

import (
	"fmt"
	"strings"
)

// A Login is a route that takes a login name and a password as JSON.
type Login struct {
	Path            string
	Email, Password string
}

func (l Login) body() object {
	return object{}.set("email", quote(l.Email)).set("password", quote(l.Password))
}

// Raw returns the request that logs in.
func (l Login) Raw(fields ...string) string {
	return Post(l.Path, "application/json", l.body().String(), fields...)
}

// Bodies returns requests that log nobody in because of how they are made.
func (l Login) Bodies() []Case {
	good := l.body()
	all := Bodies(l.Path, good.String(), l.Password)
	raw := func(name, raw string, w Want) {
		all = append(all, Case{Name: name, Raw: raw, Want: w, Payload: l.Password})
	}
	raw("both empty", Post(l.Path, "application/json", `{"email":"","password":""}`), Malformed)
	form := "email=" + percent(l.Email) + "&password=" + percent(l.Password)
	for _, v := range []struct{ name, mediaType, body string }{
		{"form", "application/x-www-form-urlencoded", form},
		{"form as JSON", "application/json", form},
		{"JSON as a form", "application/x-www-form-urlencoded", good.String()},
		{"JSON as text", "text/plain", good.String()}, // what another site may send unasked
		{"JSON as text of UTF-8", "text/plain;charset=UTF-8", good.String()},
		{"JSON as HTML", "text/html", good.String()},
		{"JSON as XML", "application/xml", good.String()},
		{"JSON as text/json", "text/json", good.String()},
		{"JSON as image+json", "image/x+json", good.String()},
		{"JSON as octets", "application/octet-stream", good.String()},
		{"JSON as multipart", "multipart/form-data; boundary=x", good.String()},
		{"multipart", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n" + l.Email + "\r\n--x\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n" + l.Password + "\r\n--x--\r\n"},
		{"JSON of a type that is none", "application", good.String()},
		{"JSON of a broken type", "application/json; charset=\"", good.String()},
		{"JSON of two types", "application/json, text/plain", good.String()},
		{"JSON of a type twice", "application/json\r\nContent-Type: application/json", good.String()},
		{"XML", "application/xml", "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>"},
		{"nothing", "application/json", ""},
	} {
		raw(v.name, Post(l.Path, v.mediaType, v.body), Malformed)
	}
	for _, v := range []string{"application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.api+json", ""} {
		raw(fmt.Sprintf("type may be %q", v), Post(l.Path, v, good.String()), Admitted)
	}
	query := l.Path + "?" + form
	raw("in the query", Post(query, "application/json", "{}"), Malformed)
	raw("in the query, without a body", Post(query, "", ""), Malformed)
	raw("by GET", strings.Replace(l.Raw(), "POST", "GET", 1), Refused)
	raw("by GET, in the query", Request("GET", query), Refused)
	raw("by PUT", strings.Replace(l.Raw(), "POST", "PUT", 1), Refused)
	raw("by GET that says it is a POST", strings.Replace(l.Raw("X-HTTP-Method-Override: POST"), "POST", "GET", 1), Refused)
	raw("by Basic", Post(l.Path, "application/json", "", "Authorization: Basic "+encode(l.Email+":"+l.Password)), Malformed)
	return all
}

// Wrong returns logins that are well-formed and wrong. They must not be told
// apart.
func (l Login) Wrong() []Case {
	var all []Case
	add := func(name, email, password string) {
		body := object{}.set("email", email).set("password", password)
		all = append(all, Case{Name: name, Raw: Post(l.Path, "application/json", body.String()), Want: Unauthorized, Payload: password, Alike: l.Path})
	}
	email, password := quote(l.Email), quote(l.Password)
	long := quote("mallory-" + strings.Repeat("x", 100))
	add("wrong password", email, long)
	add("unknown user", `"mallory@example.com"`, long)
	add("unknown user, good password", `"mallory@example.com"`, password)
	add("password as the user", password, email)
	add("user as the password", email, email)
	for name, p := range map[string]string{
		"one byte": `"x"`, "blank": `" "`, "good, cut": quote(l.Password[:len(l.Password)-1]), "good and more": quote(l.Password + "x"), "good and a blank": quote(l.Password + " "), "blank and good": quote(" " + l.Password), "good and a line end": quote(l.Password + "\n"), "good and NUL": quote(l.Password + "\x00"), "good, NUL and more": quote(l.Password + "\x00x"), "NUL and good": quote("\x00" + l.Password), "NUL": `"\u0000"`,
		"good in lower case": quote(strings.ToLower(l.Password)), "good twice": quote(l.Password + l.Password), "good in base64": quote(encode(l.Password)), "good, with a byte order mark": quote("\ufeff" + l.Password), "good, with a zero-width space": quote(l.Password + "\u200b"), "good, with an accent": quote(l.Password + "\u0301"), "good, with a right-to-left mark": quote("\u202e" + l.Password),
		"73 bytes": quote(strings.Repeat("x", 73)), "1,024 bytes": quote(strings.Repeat("x", 1024)), "1,025 bytes": quote(strings.Repeat("x", 1025)), "60,000 bytes": quote(strings.Repeat("x", 60_000)), "20,000 accents": quote("e" + strings.Repeat("\u0301", 20_000)),
		"SQL": quote("' OR '1'='1' -- "), "SQL union": quote("' UNION SELECT 1,'$argon2id$' -- "), "NoSQL": quote(`{"$gt":""}`), "LDAP": quote("*)(|(&"), "shell": quote("$(sleep 30)"), "template": quote("{{7*7}}"), "JNDI": quote("${jndi:ldap://127.0.0.1/a}"), "format": quote("%s%n%x"), "a hash": quote("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "line ends for the log": quote("x\r\ntime=2026-01-01 level=INFO msg=mallory"), "colour for the terminal": quote("\x1b[31mmallory\x1b[0m"),
	} {
		add("password: "+name, email, p)
	}
	for name, e := range map[string]string{
		"star": `"*"`, "percent": `"%"`, "SQL": quote(l.Email + "' -- "), "SQL or": quote("' OR 1=1 -- "), "comment": quote(l.Email + "/*"), "good and NUL": quote(l.Email + "\x00"), "good, NUL and more": quote(l.Email + "\x00x"), "good and a comma": quote(l.Email + ",mallory@example.com"), "good in angles": quote("Ada <" + l.Email + ">"), "good and a line end": quote(l.Email + "\nBcc: mallory@example.com"), "homoglyph": quote(strings.Replace(l.Email, "a", "а", 1)), "good with a tag": quote(strings.Replace(l.Email, "@", "+x@", 1)), "good with a dot": quote(l.Email + "."), "zero-width space": quote(l.Email + "\u200b"), "soft hyphen": quote(strings.Replace(l.Email, "@", "\u00ad@", 1)), "dotless i": quote(strings.ReplaceAll(l.Email, "@", "ı@")),
		"60,000 bytes": quote(strings.Repeat("x", 60_000)), "one byte": `"x"`, "blank": `" "`, "NUL": `"\u0000"`, "path": `"../../etc/passwd"`, "prefix of the store": `"user:1001"`, "1": `"1"`, "line ends for the log": quote("x\r\ntime=2026-01-01 level=INFO msg=mallory"),
	} {
		add("email: "+name, e, password)
	}
	return all
}
