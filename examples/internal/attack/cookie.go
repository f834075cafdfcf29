package attack

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// A Site is a program that keeps sessions in a cookie.
type Site struct {
	Addr    string
	Cookie  string // its name
	Login   Login  // whose answer sets it
	SignOut string // path of a POST
	Path    string // of a GET that the session opens
}

// Open logs in, with the fields, and returns the session's token.
func (s Site) Open(t testing.TB, fields ...string) string {
	t.Helper()
	a := RequireStatus(t, s.Addr, s.Login.Raw(fields...), http.StatusOK)
	set := (&http.Response{Header: a.Header}).Cookies()
	require.Len(t, set, 1)
	require.Equal(t, s.Cookie, set[0].Name)
	require.NotContains(t, a.Body, set[0].Value, "the session is in the body, where scripts can read it")
	return set[0].Value
}

// Get returns the request for the protected path with that session.
func (s Site) Get(session string, fields ...string) string {
	return Request("GET", s.Path, append([]string{"Cookie: " + s.Cookie + "=" + session}, fields...)...)
}

// Cookies returns requests in which a session's token is not what the one cookie
// of that name holds.
func (s Site) Cookies(session string) []Case {
	var all []Case
	good := s.Cookie + "=" + session
	add := func(name string, w Want, fields ...string) {
		all = append(all, Case{Name: name, Raw: Request("GET", s.Path, fields...), Want: w, Payload: session})
	}
	either := Want{400, 401}
	add("two in a field, good and bad", either, "Cookie: "+good+"; "+s.Cookie+"=x")
	add("two in a field, bad and good", either, "Cookie: "+s.Cookie+"=x; "+good)
	add("two in a field, both good", either, "Cookie: "+good+"; "+good)
	add("two in a field, an empty one first", either, "Cookie: "+s.Cookie+"=; "+good)
	add("two in a field, one without a value first", either, "Cookie: "+s.Cookie+"; "+good)
	add("two fields, good and bad", either, "Cookie: "+good, "Cookie: "+s.Cookie+"=x")
	add("two fields, bad and good", either, "Cookie: "+s.Cookie+"=x", "Cookie: "+good)
	add("bad in quotes of another, and good", either, `Cookie: a="x; `+s.Cookie+`=x"; `+good)
	for name, v := range map[string]string{
		"quotes": `"` + session + `"`, "quote before": `"` + session, "quote after": session + `"`, "comma after": session + ",", "comma and more": session + ",x", "blank inside": session[:9] + " " + session[9:], "percent-encoded": percent(session), "one letter percent-encoded": percent(session[:1]) + session[1:], "padded": session + "=", "cut": session[:len(session)-1], "longer": session + "A", "twice": session + session, "equals before": "=" + session, "name inside": good,
		"another last letter": session[:len(session)-1] + string(rotated(session[len(session)-1])), "other case": swapCase(session[0]) + session[1:], "base64": encode(session), "signed": session + "." + encode("signature"), "signed as by Express": "s%3A" + session + ".x", "JSON": `{"session":"` + session + `"}`, "star": "*", "pattern": strings.Repeat("?", len(session)), "zeros": strings.Repeat("A", len(session)), "null": "null", "undefined": "undefined", "deleted": "deleted", "SQL": "'%20OR%201=1--", "path": "../../../etc/passwd", "10,000 bytes": strings.Repeat("A", 10_000),
		"digest, the public id": auth.DigestOf(auth.KindSession, session).String(), "digest of an API key": auth.DigestOf(auth.KindAPIKey, session).String(), "eighth bit": session + "\x80", "delete": session[:9] + "\x7f" + session[9:],
	} {
		add("value with "+name, Want{401, 400}, "Cookie: "+s.Cookie+"="+v)
	}
	for i := range len(session) {
		add(fmt.Sprintf("the first %d", i), Unauthorized, "Cookie: "+s.Cookie+"="+session[:i])
		add(fmt.Sprintf("byte %d another", i), Unauthorized, "Cookie: "+s.Cookie+"="+session[:i]+string(rotated(session[i]))+session[i+1:])
	}
	bare := strings.TrimPrefix(s.Cookie, "__Host-")
	for _, name := range []string{bare, "__Secure-" + bare, "__Host-" + s.Cookie, strings.ToLower(s.Cookie), strings.ToUpper(s.Cookie), s.Cookie + " ", s.Cookie + "x", "x" + s.Cookie, "_Host-" + bare, "__Host_" + bare, "__Host-" + bare + "[]", `"` + s.Cookie + `"`, percent(s.Cookie), "\u00a0" + s.Cookie, ",__Host-" + bare, "=" + s.Cookie, "a=" + s.Cookie, "a, " + s.Cookie, "$" + s.Cookie} {
		add(fmt.Sprintf("name %q", name), Unauthorized, "Cookie: "+name+"="+session)
	}
	for _, field := range []string{"Cookie2: ", "Set-Cookie: ", "X-Cookie: ", "Cookies: ", "X-Forwarded-Cookie: "} {
		add("in "+field, Unauthorized, field+good)
	}
	add("as a bearer token", Unauthorized, "Authorization: Bearer "+session)
	add("as a bearer token beside the cookie", Unauthorized, "Authorization: Bearer "+session, "Cookie: "+good)
	add("as an API key", Unauthorized, "X-API-Key: "+session)
	add("as an API key beside the cookie", Unauthorized, "X-API-Key: "+session, "Cookie: "+good)
	add("bad token beside the cookie", Unauthorized, "Authorization: Bearer x", "Cookie: "+good)
	add("in the query", Unauthorized)
	all[len(all)-1].Raw = Request("GET", s.Path+"?"+good)
	add("among others", Admitted, "Cookie: a=b; "+good+"; c=\"d; e\"; f")
	add("in the second field", Admitted, "Cookie: a=b", "Cookie: "+good)
	add("without blanks", Admitted, "Cookie: a=b;"+good+";c=d")
	return all
}

// CrossOrigin returns requests that a page of another site could have its
// visitor's browser send. They come with the cookie of a session, which must
// live on.
func (s Site) CrossOrigin(session string) []Case {
	var all []Case
	cookie := "Cookie: " + s.Cookie + "=" + session
	unharmed := func(a Answer) error {
		if set := a.Header["Set-Cookie"]; len(set) > 0 {
			return fmt.Errorf("it sets a cookie")
		}
		answers, err := Send(s.Addr, s.Get(session))
		if err != nil || len(answers) != 1 || answers[0].Status != http.StatusOK {
			return fmt.Errorf("the session has ended: %v %v", answers, err)
		}
		return nil
	}
	add := func(name, raw string) {
		all = append(all, Case{Name: name, Raw: raw, Want: Forbidden, Payload: session, Check: unharmed})
	}
	sites := map[string][]string{
		"cross-site": {"Sec-Fetch-Site: cross-site"}, "same-site": {"Sec-Fetch-Site: same-site"}, "cross-site of our own origin": {"Sec-Fetch-Site: cross-site", "Origin: http://api.example"}, "unknown site": {"Sec-Fetch-Site: mallory"}, "site in upper case": {"Sec-Fetch-Site: SAME-ORIGIN"}, "site in a list": {"Sec-Fetch-Site: same-origin, cross-site"},
		"another origin": {"Origin: https://mallory.example"}, "null origin": {"Origin: null"}, "longer origin": {"Origin: http://api.example.mallory.example"}, "origin with user info": {"Origin: http://api.example@mallory.example"}, "subdomain": {"Origin: http://x.api.example"}, "another port": {"Origin: http://api.example:81"}, "suffix": {"Origin: http://notapi.example"}, "origin that is none": {"Origin: api.example"}, "origin of a file": {"Origin: file://"}, "origin of an extension": {"Origin: chrome-extension://abcdef"}, "two origins in a field": {"Origin: http://mallory.example http://api.example"},
		"origin spoofed by a proxy's field": {"Origin: https://mallory.example", "X-Forwarded-Host: mallory.example"}, "origin and another host": {"Origin: https://mallory.example", "X-Host: mallory.example"}, "method overridden": {"Origin: https://mallory.example", "X-HTTP-Method-Override: GET"},
	}
	for name, fields := range sites {
		with := append([]string{cookie}, fields...)
		add("sign-out, "+name, Post(s.SignOut, "", "", with...))
		add("sign-out of a form, "+name, Post(s.SignOut, "application/x-www-form-urlencoded", "a=b", with...))
		add("login, "+name, s.Login.Raw(with...))
		add("login without the cookie, "+name, s.Login.Raw(fields...))
		add("handshake, "+name, Request("GET", s.Path, append(with, "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")...))
		add("handshake of two, "+name, Request("GET", s.Path, append(with, "Upgrade: h2c", "Upgrade: websocket")...))
	}
	return all
}

// Fixation requires that a session which somebody has planted in a browser is
// not the one that its user logs in to: a token that is made up stays unknown,
// and one that is good ends.
func (s Site) Fixation(t testing.TB) {
	t.Helper()
	planted := map[string]string{
		"made up": strings.Repeat("A", 43), "short": "planted", "of mallory": s.Open(t), "in quotes": `"planted"`, "long": strings.Repeat("A", 10_000),
	}
	for name, token := range planted {
		session := s.Open(t, "Cookie: "+s.Cookie+"="+token)
		require.NotEqual(t, token, session, name)
		RequireStatus(t, s.Addr, s.Get(session), http.StatusOK)
		RequireStatus(t, s.Addr, s.Get(token), http.StatusUnauthorized)
	}
}

// RequireEnd requires that a session which is signed out stays so.
func (s Site) RequireEnd(t testing.TB) {
	t.Helper()
	session, other := s.Open(t), s.Open(t)
	RequireStatus(t, s.Addr, s.Get(session), http.StatusOK)
	RequireStatus(t, s.Addr, Post(s.SignOut, "", "", "Cookie: "+s.Cookie+"="+session), http.StatusNoContent)
	for range 3 {
		RequireStatus(t, s.Addr, s.Get(session), http.StatusUnauthorized)
		RequireStatus(t, s.Addr, Post(s.SignOut, "", "", "Cookie: "+s.Cookie+"="+session), http.StatusUnauthorized)
	}
	RequireStatus(t, s.Addr, s.Get(other), http.StatusOK)
}
