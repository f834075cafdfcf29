package auth_test

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

func TestCookieIsRead(t *testing.T) {
	source := auth.Cookie("__Host-session", known{"good": alice()}, nil)
	for _, c := range []struct {
		name   string
		fields []string
		want   error
	}{
		{"plain", []string{"__Host-session=good"}, nil},
		{"among others", []string{"a=b; __Host-session=good; c"}, nil},
		{"no blank", []string{"a=b;__Host-session=good"}, nil},
		{"second field, as HTTP/2 splits them", []string{"a=b", "__Host-session=good"}, nil},
		{"none", nil, auth.ErrNoCredential},
		{"empty", []string{"__Host-session="}, auth.ErrNoCredential},
		{"bare", []string{"__Host-session"}, auth.ErrNoCredential},
		{"other case", []string{"__host-session=good"}, auth.ErrNoCredential},
		{"prefixed", []string{"x__Host-session=good; __Host-session2=good"}, auth.ErrNoCredential},
		{"within a value", []string{"a=__Host-session=good"}, auth.ErrNoCredential},
		{"comma is no separator", []string{"a=b, __Host-session=good"}, auth.ErrNoCredential},
		{"unknown", []string{"__Host-session=who"}, auth.ErrInvalid},
		{"quoted", []string{`__Host-session="good"`}, auth.ErrInvalid},
		{"equals sign in it", []string{"__Host-session=good=good"}, auth.ErrInvalid},
		{"twice", []string{"__Host-session=good; __Host-session=good"}, auth.ErrMalformed},
		{"twice, one empty", []string{"__Host-session=; __Host-session=good"}, auth.ErrMalformed},
		{"in two fields", []string{"__Host-session=good", "__Host-session=who"}, auth.ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := from("GET", "/")
			r.Header["Cookie"] = c.fields
			_, err := source.Authenticate(r)
			require.ErrorIs(t, err, c.want)
		})
	}
}

// Row 88: what browsers send unasked counts on this site's requests only.
func TestCookieRefusesCrossOriginRequests(t *testing.T) {
	source := auth.Cookie("__Host-session", known{"good": alice()}, &auth.CookieOptions{TrustedOrigins: []string{"https://app.example.net"}})
	guard := auth.NewGuard(auth.First(auth.Bearer(known{"good": alice()}), source), nil)
	const site, origin = "Sec-Fetch-Site", "Origin"
	for _, c := range []struct {
		name, method string
		headers      []string
		status       int
	}{
		{"same origin", "POST", []string{site, "same-origin"}, 200},
		{"typed by the user", "POST", []string{site, "none"}, 200},
		{"no browser", "POST", nil, 200},
		{"old browser, same origin", "POST", []string{origin, "https://example.com"}, 200},
		{"trusted origin", "POST", []string{site, "cross-site", origin, "https://app.example.net"}, 200},
		{"link from elsewhere", "GET", []string{site, "cross-site"}, 200},
		{"HEAD from elsewhere", "HEAD", []string{site, "cross-site"}, 200},
		{"OPTIONS from elsewhere", "OPTIONS", []string{site, "cross-site"}, 200},
		{"explicit credential", "POST", []string{site, "cross-site", "Authorization", "Bearer good"}, 200},

		{"form from elsewhere", "POST", []string{site, "cross-site"}, 403},
		{"sibling domain", "POST", []string{site, "same-site"}, 403},
		{"unheard-of site", "POST", []string{site, "new"}, 403},
		{"old browser", "POST", []string{origin, "https://evil.example"}, 403},
		{"opaque origin", "POST", []string{origin, "null"}, 403},
		{"trusted by name only", "POST", []string{origin, "http://app.example.net"}, 403},
		{"PUT", "PUT", []string{site, "cross-site"}, 403},
		{"PATCH", "PATCH", []string{site, "cross-site"}, 403},
		{"DELETE", "DELETE", []string{site, "cross-site"}, 403},
		{"TRACE", "TRACE", []string{site, "cross-site"}, 403},
		{"unknown method", "FOO", []string{site, "cross-site"}, 403},
		{"lower case", "get", []string{site, "cross-site"}, 403},
		{"WebSocket", "GET", []string{site, "cross-site", "Upgrade", "websocket"}, 403},
		{"WebSocket, old browser", "GET", []string{origin, "https://evil.example", "Upgrade", "websocket"}, 403},
		{"HEAD with Upgrade", "HEAD", []string{site, "cross-site", "Upgrade", ""}, 403},
		{"own WebSocket", "GET", []string{origin, "https://example.com", "Upgrade", "websocket"}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := from(c.method, "/", append(c.headers, "Cookie", "__Host-session=good")...)
			w := serve(guard.WrapFunc(func(_ http.ResponseWriter, inner *http.Request) {
				require.Equal(t, c.method, inner.Method, "the check leaves the request as it is")
			}), r)
			require.Equal(t, c.status, w.Code, w.Body)
			if c.status == 403 {
				require.Contains(t, w.Body.String(), "cross_origin_request")
			}
		})
	}
	without := from("POST", "/", site, "cross-site")
	require.Equal(t, 401, serve(guard.WrapFunc(hello), without).Code, "without the cookie nothing was presented")
}

// Row 87: every attribute of the cookie, when it is set and when it is cleared.
func TestCookieAttributes(t *testing.T) {
	for _, c := range []struct {
		name    string
		options *auth.CookieOptions
		want    http.SameSite
	}{
		{"__Host-s", nil, http.SameSiteLaxMode},
		{"__Host-s", &auth.CookieOptions{SameSite: http.SameSiteDefaultMode}, http.SameSiteLaxMode},
		{"__Host-s", &auth.CookieOptions{SameSite: http.SameSiteStrictMode}, http.SameSiteStrictMode},
		{"s", &auth.CookieOptions{InsecureName: true}, http.SameSiteLaxMode},
	} {
		synctest.Test(t, func(t *testing.T) {
			cookie := auth.Cookie(c.name, newLedger(), c.options)
			guard := auth.NewGuard(auth.Header("X-Key", known{"k": alice()}), nil)

			set := onlyCookie(t, serve(guard.Exchange(cookie), from("POST", "/", "X-Key", "k")))
			require.Equal(t, &http.Cookie{
				Name: c.name, Value: "token-1", Path: "/", MaxAge: 3600,
				Secure: true, HttpOnly: true, SameSite: c.want,
			}, set)

			out := auth.NewGuard(cookie, nil).SignOut(cookie)
			cleared := onlyCookie(t, serve(out, from("POST", "/", "Cookie", set.Name+"="+set.Value)))
			require.Equal(t, &http.Cookie{
				Name: c.name, Path: "/", MaxAge: -1,
				Secure: true, HttpOnly: true, SameSite: c.want,
			}, cleared)
		})
	}
}

// A cookie lives as long as its credential: rounded down, never to nothing, and
// for the browser's session where that has no end.
func TestCookieLivesAsLongAsItsCredential(t *testing.T) {
	for lifetime, want := range map[string]int{"1h": 3600, "1500ms": 1, "10ms": 1, "0s": 0} {
		synctest.Test(t, func(t *testing.T) {
			sessions := newLedger()
			sessions.lifetime = lifetime
			guard := auth.NewGuard(auth.Header("X-Key", known{"k": alice()}), nil)
			set := onlyCookie(t, serve(guard.Exchange(auth.Cookie("__Host-s", sessions, nil)), from("POST", "/", "X-Key", "k")))
			require.Equal(t, want, set.MaxAge, lifetime)
			require.True(t, set.Expires.IsZero(), "a clock that is wrong must not end the session")
		})
	}
}

func TestCookiePanicsOnWhatCannotWork(t *testing.T) {
	v := known{}
	for name, build := range map[string]func(){
		"no prefix":     func() { auth.Cookie("session", v, nil) },
		"prefix's case": func() { auth.Cookie("__host-session", v, nil) },
		"__Secure-":     func() { auth.Cookie("__Secure-session", v, nil) },
		"blank in name": func() { auth.Cookie("__Host-a b", v, nil) },
		"equals sign":   func() { auth.Cookie("__Host-a=b", v, nil) },
		"empty name":    func() { auth.Cookie("", v, &auth.CookieOptions{InsecureName: true}) },
		"nil verifier":  func() { auth.Cookie("__Host-s", nil, nil) },
		"SameSite=None": func() { auth.Cookie("__Host-s", v, &auth.CookieOptions{SameSite: http.SameSiteNoneMode}) },
		"origin's path": func() {
			auth.Cookie("__Host-s", v, &auth.CookieOptions{TrustedOrigins: []string{"https://a.example/"}})
		},
		"no origin":       func() { auth.Cookie("__Host-s", v, &auth.CookieOptions{TrustedOrigins: []string{"a.example"}}) },
		"issues nothing":  func() { auth.NewGuard(auth.Bearer(v), nil).Exchange(auth.Cookie("__Host-s", v, nil)) },
		"origin wildcard": func() { auth.Cookie("__Host-s", v, &auth.CookieOptions{TrustedOrigins: []string{"*"}}) },
	} {
		require.Panics(t, build, name)
	}
}

func TestCookieThatCannotIssueOrRevokeSaysSo(t *testing.T) {
	cookie := auth.Cookie("__Host-s", known{}, nil)
	_, err := cookie.Issue(t.Context(), alice(), nil)
	require.ErrorContains(t, err, "issues nothing")
	require.ErrorIs(t, cookie.Revoke(t.Context(), alice()), auth.ErrNotMine)
}
