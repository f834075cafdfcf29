package attack

import (
	"crypto"
	"crypto/rsa"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A Partner is a platform that has turned hostile, or whose key somebody else
// has: a route that takes assertions in a header field of their own, once each.
type Partner struct {
	Path  string // of the platform's own route
	Field string
	Email string // of a user
	Key   *rsa.PrivateKey

	made int
	used map[string]bool
}

// Forge returns a forge of assertions that are signed as they should be. Its
// model is good for four minutes, and has not been used.
func (p *Partner) Forge(t testing.TB) *Forge {
	t.Helper()
	f := NewForge(t, p.assertion(), nil)
	f.own = p.Key
	require.Equal(t, f.Issued, f.token(f.header.String(), f.claims.String()))
	return f
}

// assertion returns a good one that is not there yet.
func (p *Partner) assertion() string {
	p.made++
	kid := encode(string(digest(crypto.SHA256, rsaJWK(&p.Key.PublicKey)))) // RFC 7638
	signed := encode(`{"alg":"RS512","typ":"JWT","kid":"`+kid+`"}`) + "." +
		encode(fmt.Sprintf(`{"email":%s,"expire":%d,"nonce":%d}`, quote(p.Email), time.Now().Add(4*time.Minute).Unix(), p.made))
	return signed + "." + encode(signRSA(p.Key, crypto.SHA512, signed))
}

// Raw returns a request that signs in. Each is another one.
func (p *Partner) Raw(fields ...string) string { return p.at(p.assertion(), fields...) }

func (p *Partner) at(text string, fields ...string) string {
	return Post(p.Path, "", "", append(fields, p.Field+": "+text)...)
}

// Cases returns requests that bring the assertions. All 401s to them are one
// answer, and what is good is good once.
func (p *Partner) Cases(tokens []Token) []Case {
	if p.used == nil {
		p.used = map[string]bool{}
	}
	cases := make([]Case, len(tokens))
	for i, t := range tokens {
		cases[i] = Case{Name: t.Name, Raw: p.at(t.Text), Want: t.Want, Payload: t.Text, Alike: p.Path}
		if t.Public {
			cases[i].Payload = ""
		}
		if p.used[t.Text] {
			cases[i].Want = Unauthorized
		}
		p.used[t.Text] = p.used[t.Text] || t.Want.allows(200)
	}
	return cases
}

// Flips is [Flips] for an assertion.
func (p *Partner) Flips(text string) []Case {
	return flips(func(text string) string { return p.at(text) }, text)
}

// Cuts is [Cuts] for an assertion.
func (p *Partner) Cuts(text string) []Case {
	all := cuts(func(text string) string { return p.at(text) }, text)
	for i := range all {
		if all[i].Name == `"\t" before byte 0` {
			all[i].Want = Admitted // white space around the field's value is none of it
		}
	}
	return all
}

// Fields returns requests in which a good assertion is anywhere but alone in its
// one field, or at another platform. other is the path of that.
func (p *Partner) Fields(other string) []Case {
	var all []Case
	add := func(name string, w Want, raw func(text string) string) {
		text := p.assertion()
		all = append(all, Case{Name: name, Raw: raw(text), Want: w, Payload: text})
	}
	fields := func(name string, w Want, of func(text string) []string) {
		add(name, w, func(text string) string { return Post(p.Path, "", "", of(text)...) })
	}
	one := func(name string, w Want, format string) {
		fields(name, w, func(text string) []string { return []string{fmt.Sprintf(format, text)} })
	}
	fields("two fields, both good", Unauthorized, func(text string) []string { return []string{p.Field + ": " + text, p.Field + ": " + text} })
	fields("two fields, good and bad", Unauthorized, func(text string) []string { return []string{p.Field + ": " + text, p.Field + ": x"} })
	fields("two fields, bad and good", Unauthorized, func(text string) []string { return []string{p.Field + ": x", p.Field + ": " + text} })
	fields("two fields, an empty one first", Unauthorized, func(text string) []string { return []string{p.Field + ":", p.Field + ": " + text} })
	fields("two fields of different case", Unauthorized, func(text string) []string { return []string{p.Field + ": " + text, "tOKEN: x"} })
	one("empty", Unauthorized, p.Field+":%.0s")
	one("twice in a list", Unauthorized, p.Field+": %[1]s,%[1]s")
	one("beside a blank", Unauthorized, p.Field+": %s x")
	one("after a scheme", Unauthorized, p.Field+": Bearer %s")
	one("in quotes", Unauthorized, p.Field+`: "%s"`)
	one("with a tilde", Unauthorized, p.Field+": %s~")
	one("NUL after it", Want{400, 401, Closed}, p.Field+": %s\x00")
	one("blank before the colon", Want{400, 401, Closed}, p.Field+" : %s")
	one("folded", Want{200, 400, 401, Closed}, p.Field+":\r\n %s") // net/textproto mends obsolete folds
	one("folded inside", Want{400, 401, Closed}, p.Field+": %s\r\n x")
	for _, name := range []string{"Authorization: Bearer", "Authorization:", "X-Token:", "Tokens:", "X-JWT-Assertion:", "X-API-Key:", "Assertion:", "T_oken:", "HTTP_TOKEN:", "Cookie: Token=", "Proxy-Authorization: Bearer", "Referer:"} {
		one("in "+name, Unauthorized, name+" %s")
	}
	for _, name := range []string{"Token", "token", "assertion", "jwt", "access_token"} {
		add("in the query as "+name, Unauthorized, func(text string) string { return Post(p.Path+"?"+name+"="+text, "", "") })
		add("in a form as "+name, Unauthorized, func(text string) string {
			return Post(p.Path, "application/x-www-form-urlencoded", "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&"+name+"="+text)
		})
		add("in JSON as "+name, Unauthorized, func(text string) string {
			return Post(p.Path, "application/json", object{}.set(name, quote(text)).String())
		})
	}
	add("in the path", Refused, func(text string) string { return Post(p.Path+"/"+text, "", "") })
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post"} {
		add("by "+method, Refused, func(text string) string { return Request(method, p.Path, p.Field+": "+text) })
	}
	for _, path := range []string{other, p.Path + "x", p.Path + "%00", p.Path + "%20", p.Path + ".", p.Path + "%2f", p.Path + ";x", p.Path + "%0d%0a", p.Path + "\u200b", p.Path + "%ff"} {
		add("at "+path, Unauthorized, func(text string) string { return Post(path, "", "", p.Field+": "+text) })
	}
	for _, name := range []string{"token", "TOKEN", "tOkEn"} {
		one(name+" may be the field", Admitted, name+": %s")
	}
	one("blanks may be around it", Admitted, p.Field+": \t %s \t ")
	add("a body may be there", Admitted, func(text string) string {
		return Post(p.Path, "application/json", `{"email":"mallory@example.com"}`, p.Field+": "+text)
	})
	return all
}
