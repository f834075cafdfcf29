package oauth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
)

// From the request to tokens by the pages, with a browser that sends back fields
// and cookies.
func TestAuthorizationEndsInTokens(t *testing.T) {
	w := newWorld(t)
	v := w.visitor(t)
	p := v.get(authorizeURL("web", "scope", "read write", "resource", files))
	requireShown(t, p, http.StatusOK, "sign in, then go to /oauth/authorize?")

	v.signIn("alice")
	p = v.get(strings.TrimPrefix(p.body, "sign in, then go to "))
	requireShown(t, p, http.StatusOK, "Allow Web?")
	p = v.submit(p, "decision", "allow")
	require.Equal(t, []int{http.StatusSeeOther}, v.calls) // row 76
	code := requireCode(t, p)
	e := w.lastEvent(t)
	require.Equal(t, "authorize", e.Endpoint)
	require.Equal(t, "web", e.ClientID)
	require.Equal(t, "alice", e.Principal.Subject)
	require.NoError(t, e.Err)

	a := w.token(t, "web", "grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifierText)
	requireGranted(t, a)
	require.Equal(t, "read write", a.Scope)
	who, err := w.verifier(t, files).Verify(t.Context(), a.AccessToken)
	require.NoError(t, err)
	require.Equal(t, "alice", who.Subject)
	require.Equal(t, "web", who.Credential.ClientID)
	require.Equal(t, w.people["alice"].Origin.Time, who.Origin.Time)
}

// Rows 18, 28, 74, 75, 79 and 136: what is wrong with a request is told the client,
// with its state and the issuer.
func TestAuthorizationErrorsAreToldTheClient(t *testing.T) {
	w := newWorld(t)
	w.change("service", func(c *oauth.Client) { c.RedirectURIs = []string{callback} })
	for name, c := range map[string]struct {
		client string
		pairs  []string
		code   oauth.ErrorCode
	}{
		"no response type":     {"web", []string{"response_type", ""}, oauth.ErrInvalidRequest},
		"token":                {"web", []string{"response_type", "token"}, oauth.ErrUnsupportedResponseType},
		"id_token":             {"web", []string{"response_type", "id_token"}, oauth.ErrUnsupportedResponseType},
		"code token":           {"web", []string{"response_type", "code token"}, oauth.ErrUnsupportedResponseType},
		"Code":                 {"web", []string{"response_type", "Code"}, oauth.ErrUnsupportedResponseType},
		"fragment":             {"web", []string{"response_mode", "fragment"}, oauth.ErrInvalidRequest},
		"form_post":            {"web", []string{"response_mode", "form_post"}, oauth.ErrInvalidRequest},
		"no grant":             {"service", nil, oauth.ErrUnauthorizedClient},
		"no challenge":         {"web", []string{"code_challenge", ""}, oauth.ErrInvalidRequest},
		"no method":            {"web", []string{"code_challenge_method", ""}, oauth.ErrInvalidRequest},
		"neither":              {"web", []string{"code_challenge", "", "code_challenge_method", ""}, oauth.ErrInvalidRequest},
		"plain":                {"web", []string{"code_challenge_method", "plain"}, oauth.ErrInvalidRequest},
		"s256":                 {"web", []string{"code_challenge_method", "s256"}, oauth.ErrInvalidRequest},
		"short challenge":      {"web", []string{"code_challenge", challengeText[1:]}, oauth.ErrInvalidRequest},
		"long challenge":       {"web", []string{"code_challenge", challengeText + "A"}, oauth.ErrInvalidRequest},
		"padded challenge":     {"web", []string{"code_challenge", challengeText[:42] + "="}, oauth.ErrInvalidRequest},
		"challenge in base64":  {"web", []string{"code_challenge", strings.Repeat("+", 43)}, oauth.ErrInvalidRequest},
		"scope unknown":        {"web", []string{"scope", "read unheard-of"}, oauth.ErrInvalidScope},
		"scope not its own":    {"web", []string{"scope", "admin"}, oauth.ErrInvalidScope},
		"scope malformed":      {"web", []string{"scope", "read  write"}, oauth.ErrInvalidScope},
		"scope quoted":         {"web", []string{"scope", `"read"`}, oauth.ErrInvalidScope},
		"resource unknown":     {"web", []string{"resource", "https://evil.example"}, oauth.ErrInvalidTarget},
		"resource with slash":  {"web", []string{"resource", api + "/"}, oauth.ErrInvalidTarget},
		"thumbprint malformed": {"web", []string{"dpop_jkt", "x"}, oauth.ErrInvalidRequest},
		"prompt unknown":       {"web", []string{"prompt", "dance"}, oauth.ErrInvalidRequest},
		"prompt none and more": {"web", []string{"prompt", "none login"}, oauth.ErrInvalidRequest},
		"age negative":         {"web", []string{"max_age", "-1"}, oauth.ErrInvalidRequest},
		"age no number":        {"web", []string{"max_age", "1h"}, oauth.ErrInvalidRequest},
		"age endless":          {"web", []string{"max_age", "99999999999999999999"}, oauth.ErrInvalidRequest},
		"request object":       {"web", []string{"request", "e30.e30."}, oauth.ErrRequestNotSupported},
		"request elsewhere":    {"web", []string{"request_uri", "https://evil.example/request"}, oauth.ErrRequestNotSupported},
		"urn of another sort":  {"web", []string{"request_uri", "urn:ietf:params:oauth:request_uri:short"}, oauth.ErrRequestNotSupported},
	} {
		t.Run(name, func(t *testing.T) {
			v := w.as(t, "alice")
			p := v.get(authorizeURL(c.client, append([]string{"state", "ä &="}, c.pairs...)...))
			requireError(t, p, c.code)
			require.Equal(t, []int{http.StatusSeeOther}, v.calls)
			require.True(t, strings.HasPrefix(p.location.String(), callback+"?"), p.location)
			require.Equal(t, "ä &=", p.location.Query().Get("state"))
			requirePlain(t, p.location.Query().Get("error_description"))
			for _, word := range []string{"evil", "unheard", "dance"} {
				require.NotContains(t, p.location.String(), word) // row 126
			}
			e := w.lastEvent(t)
			require.Equal(t, c.code, e.Code)
			require.ErrorIs(t, e.Err, c.code)
			require.Equal(t, c.client, e.ClientID)
		})
	}
}

// requirePlain holds a description to RFC 6749 section 4.1.2.1.
func requirePlain(t testing.TB, description string) {
	t.Helper()
	require.NotEmpty(t, description)
	for _, r := range description {
		require.True(t, r >= ' ' && r <= '~' && r != '"' && r != '\\', description)
	}
}

// Rows 17, 74, 79 and 48: where the client or the request as a whole is in doubt,
// nobody is sent anywhere.
func TestAuthorizationErrorsStayWithThePerson(t *testing.T) {
	w := newWorld(t)
	w.change("opaque", func(c *oauth.Client) { c.Disabled = true })
	query := authorizeQuery("web").Encode()
	for name, c := range map[string]struct {
		method, target string
		form           url.Values
		status         int
	}{
		"no client":       {"GET", "/oauth/authorize", nil, 400},
		"unknown client":  {"GET", authorizeURL("nobody"), nil, 400},
		"disabled client": {"GET", authorizeURL("opaque"), nil, 400},
		"client's case":   {"GET", authorizeURL("Web"), nil, 400},
		"blank client":    {"GET", authorizeURL("we b"), nil, 400},
		"repeated":        {"GET", "/oauth/authorize?" + query + "&state=other", nil, 400},
		"repeated client": {"GET", "/oauth/authorize?" + query + "&client_id=phone", nil, 400},
		"repeated alike":  {"GET", "/oauth/authorize?" + query + "&response_type=code", nil, 400},
		"encoding":        {"GET", "/oauth/authorize?" + query + "&x=%zz", nil, 400},
		"semicolon":       {"GET", "/oauth/authorize?" + query + ";x=1", nil, 400},
		"not UTF-8":       {"GET", "/oauth/authorize?" + query + "&x=%ff", nil, 400},
		"NUL":             {"GET", "/oauth/authorize?" + query + "&x=%00", nil, 400},
		"many":            {"GET", "/oauth/authorize?" + query + strings.Repeat("&x=", 70), nil, 400},
		"long":            {"GET", "/oauth/authorize?" + query + "&x=" + strings.Repeat("x", 20<<10), nil, 400},
		"PUT":             {"PUT", authorizeURL("web"), nil, 405},
		"no form":         {"POST", authorizeURL("web"), nil, 400},
		"large form":      {"POST", authorizeURL("web"), form("x", strings.Repeat("x", 70<<10)), 413},
		"form repeated":   {"POST", authorizeURL("web"), url.Values{"csrf": {"a", "b"}}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			v := w.as(t, "alice")
			p := v.do(c.method, c.target, c.form)
			requireShown(t, p, c.status, "")
			require.Equal(t, []int{c.status}, v.calls)
			requirePageHeaders(t, p)
			if c.status == 405 {
				require.Equal(t, "GET, HEAD, POST", p.Header.Get("Allow"))
			}
			require.Error(t, w.lastEvent(t).Err)
		})
	}
	w.outage = errors.New("registry is down")
	p := w.as(t, "alice").get(authorizeURL("web"))
	requireShown(t, p, http.StatusServiceUnavailable, "Please try again soon")
	require.Equal(t, "5", p.Header.Get("Retry-After"))
	require.NotContains(t, p.body, "registry")
	require.Contains(t, p.body, `<a class="button" href="/oauth/authorize?client_id=web`)
}

// requirePageHeaders holds a page to row 77.
func requirePageHeaders(t testing.TB, p *page) {
	t.Helper()
	h := p.Header
	require.Equal(t, "text/html; charset=utf-8", h.Get("Content-Type"))
	require.Equal(t, "no-store", h.Get("Cache-Control"))
	require.Equal(t, "no-referrer", h.Get("Referrer-Policy"))
	require.Equal(t, "DENY", h.Get("X-Frame-Options"))
	require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
	require.Equal(t, "same-origin", h.Get("Cross-Origin-Opener-Policy"))
	policy := h.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
		require.Contains(t, policy, part)
	}
	for _, part := range []string{"unsafe", "script-src", "*;"} {
		require.NotContains(t, policy, part)
	}
	require.NotContains(t, p.body, "<script")
	require.NotContains(t, p.body, " style=")
}

// RFC 6749 section 3.1 lets clients post their requests. The browser brings it
// again by GET, with the cookies that another site's form does not carry.
func TestAuthorizationRequestMayBePosted(t *testing.T) {
	w := newWorld(t)
	v := w.as(t, "alice")
	q := authorizeQuery("web")
	q.Set("unknown", "x")
	p := v.do("POST", "/oauth/authorize", q, header{"Origin", "https://web.example"}, header{"Sec-Fetch-Site", "cross-site"})
	require.Equal(t, []int{303, 200}, v.calls)
	requireShown(t, p, http.StatusOK, "Allow Web?")
	require.Equal(t, authorizeQuery("web"), p.url.Query())
}

// Row 77: no form counts but the one that was shown to this browser, for this
// request and this person, on a page of this host.
func TestConsentCountsForWhatWasShown(t *testing.T) {
	w := newWorld(t)
	bob := *w.people["bob"]
	bob.Origin.Time = w.people["alice"].Origin.Time // nothing but who he is tells him from her
	w.people["bob"] = &bob
	target := authorizeURL("web", "scope", "read write")
	v := w.as(t, "alice")
	shown := v.get(target)
	requirePageHeaders(t, shown)
	good := shown.hidden().Get("csrf")
	allow := func(csrf string) url.Values { return form("csrf", csrf, "decision", "allow") }

	other := w.as(t, "alice")
	others := other.get(target).hidden().Get("csrf")
	anotherRequest := v.get(authorizeURL("web", "scope", "read write", "state", "other")).hidden().Get("csrf")
	login := w.visitor(t)
	login.jar = v.jar
	v.signIn("bob")
	bobs := v.get(target).hidden().Get("csrf")
	v.signIn("alice")
	for _, csrf := range []string{"", strings.Repeat("A", 43), others, anotherRequest, bobs, good[1:], good + "A"} {
		p := v.do("POST", target, allow(csrf), header{"Sec-Fetch-Site", "same-origin"})
		requireShown(t, p, http.StatusForbidden, "This page has expired")
		requirePageHeaders(t, p)
	}
	for name, field := range map[string]header{
		"cross-site": {"Sec-Fetch-Site", "cross-site"},
		"same-site":  {"Sec-Fetch-Site", "same-site"},
		"origin":     {"Origin", "https://evil.example"},
		"null":       {"Origin", "null"},
	} {
		p := v.do("POST", target, allow(good), field)
		requireShown(t, p, http.StatusForbidden, "This did not work")
		require.NotContains(t, p.Header.Get("Set-Cookie"), "oauth", name)
	}
	for _, decision := range []string{"", "Allow", "yes"} {
		requireShown(t, v.submit(shown, "decision", decision), http.StatusForbidden, "This page has expired")
	}
	// What is shown has changed since: there is more to be granted than there was.
	alice := *w.people["alice"]
	alice.Scopes = []string{"read"}
	w.people["narrow"] = &alice
	v.signIn("narrow")
	narrow := v.get(target).hidden().Get("csrf")
	v.signIn("alice")
	requireShown(t, v.do("POST", target, allow(narrow)), http.StatusForbidden, "This page has expired")

	w.change("web", func(c *oauth.Client) { c.Resources = []string{files} })
	requireShown(t, v.do("POST", target, allow(good)), http.StatusForbidden, "This page has expired")
	w.change("web", func(c *oauth.Client) { c.Resources = nil })
	// Nor does it count for who has signed in otherwise since.
	before := w.people["alice"]
	w.proved("alice", before.Origin.ACR)
	requireShown(t, v.do("POST", target, allow(good)), http.StatusForbidden, "This page has expired")
	weak := *before
	weak.Origin.ACR = "urn:example:weak"
	w.people["alice"] = &weak
	requireShown(t, v.do("POST", target, allow(good)), http.StatusForbidden, "This page has expired")
	w.people["alice"] = before

	requireCode(t, v.do("POST", target, allow(good), header{"Sec-Fetch-Site", "same-origin"}))
	require.NotContains(t, v.do("POST", target, form("csrf", good, "decision", "deny")).location.String(), "code=")
}

// Row 87, and the cookie that binds the pages to a browser.
func TestPagesKeepACookie(t *testing.T) {
	w := newWorld(t)
	v := w.as(t, "alice")
	p := v.get(authorizeURL("web"))
	require.Len(t, p.Cookies(), 1)
	c := p.Cookies()[0]
	require.Equal(t, "__Host-oauth", c.Name)
	require.Len(t, c.Value, 43)
	require.True(t, c.Secure && c.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, c.SameSite)
	require.Equal(t, "/", c.Path)
	require.Empty(t, c.Domain)
	require.Zero(t, c.MaxAge)
	require.NotContains(t, p.body, c.Value)
	require.Empty(t, v.get(authorizeURL("web")).Cookies(), "it has one")
	for _, planted := range []string{"", "short", strings.Repeat("A", 44)} {
		v := w.as(t, "alice")
		v.fields = []header{{"Cookie", "__Host-oauth=" + planted}}
		require.Len(t, v.get(authorizeURL("web")).Cookies(), 1, "none that is the server's")
	}

	local := newWorld(t, func(c *oauth.Config) { c.Issuer = "http://127.0.0.1:8080" })
	recorder := httptest.NewRecorder()
	local.server.ServeHTTP(recorder, request("GET", authorizeURL("web"), nil))
	c = recorder.Result().Cookies()[0]
	require.Equal(t, "oauth", c.Name)
	require.True(t, !c.Secure && c.HttpOnly)
}

// Who has read for too long signs in again; what they have typed by then is not
// taken, but that they decline.
func TestMaximumAgeWhileTheyRead(t *testing.T) {
	for _, age := range []string{"0", "60"} {
		authtest.At(t, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), func(t *testing.T) {
			w := newWorld(t)
			v := w.as(t, "alice")
			target := authorizeURL("web", "max_age", age)
			back := target
			if age == "0" {
				p := v.get(target)
				requireShown(t, p, http.StatusOK, "sign in, then go to")
				back = strings.TrimPrefix(p.body, "sign in, then go to ")
			}
			w.proved("alice", "")
			shown := v.get(back)
			requireShown(t, shown, http.StatusOK, "Allow Web?")
			seconds := must(time.ParseDuration(age + "s"))
			authtest.Advance(seconds + 5*time.Minute)
			requireCode(t, v.submit(shown, "decision", "allow"))
			requireCode(t, v.submit(shown, "decision", "allow")) // it is nothing that is used up
			require.NoError(t, w.server.Withdraw(t.Context(), w.people["alice"], "web"))

			authtest.Advance(time.Microsecond)
			requireShown(t, v.get(back), http.StatusOK, "sign in") // nor by going back there
			requireShown(t, v.submit(shown, "decision", "allow"), http.StatusOK, "sign in")
			require.Equal(t, []int{http.StatusSeeOther, http.StatusOK}, v.calls)
			require.Zero(t, w.count(t, oauth.KindConsent))
			requireError(t, v.submit(shown, "decision", "deny"), oauth.ErrAccessDenied)
		})
	}
}

// What somebody does not have they cannot grant.
func TestPeopleGrantWhatTheyHave(t *testing.T) {
	w := newWorld(t)
	for name, scopes := range map[string][]string{"writer": {"write"}, "none": nil} {
		p := *w.people["alice"]
		p.Scopes = scopes
		w.people[name] = &p
	}

	v := w.as(t, "writer")
	shown := v.get(authorizeURL("web", "scope", "read write"))
	require.Contains(t, shown.body, "<code>write</code>")
	require.NotContains(t, shown.body, "<code>read</code>")
	code := requireCode(t, v.submit(shown, "decision", "allow"))
	a := w.token(t, "web", "grant_type", "authorization_code", "code", code, "code_verifier", verifierText)
	requireGranted(t, a)
	require.Equal(t, "write", a.Scope)
	requireError(t, v.get(authorizeURL("web", "scope", "read")), oauth.ErrAccessDenied)
	requireError(t, w.as(t, "none").get(authorizeURL("web", "scope", "")), oauth.ErrAccessDenied)
}

// Row 64: pages are refused over plain HTTP, not redirected.
func TestPagesAreRefusedOverPlainHTTP(t *testing.T) {
	w := newWorld(t)
	for _, target := range []string{authorizeURL("web"), "/oauth/par", "/oauth/device"} {
		for _, method := range []string{"GET", "POST"} {
			r := request(method, target, form("x", "y"))
			r.RemoteAddr = "192.0.2.1:4242"
			recorder := httptest.NewRecorder()
			w.server.ServeHTTP(recorder, r)
			require.Equal(t, http.StatusForbidden, recorder.Code)
			require.Empty(t, recorder.Header()["Location"])
			require.Empty(t, recorder.Header()["Set-Cookie"])
		}
	}
}
