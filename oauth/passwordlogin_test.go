package oauth_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

const (
	email = "ada@example.com"
	good  = "correct horse battery staple"
)

// A house is a world whose people sign in with a password.
type house struct {
	*world
	users    *password.Users
	sessions *auth.Sessions
	session  *auth.CookieSource
}

func newHouse(t testing.TB, store auth.Store, o *oauth.PasswordLoginOptions, throttle *password.Throttle) *house {
	t.Helper()
	records, err := password.NewUserRecords(store)
	require.NoError(t, err)
	hasher, err := password.NewHasher(&password.HashOptions{Params: password.Params{Memory: 64, Time: 1, Threads: 1}, InsecureParams: true})
	require.NoError(t, err)
	h := &house{}
	h.sessions, err = auth.NewSessions(store, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.sessions.Close()) })
	h.users, err = password.NewUsers(records, &password.Options{Hasher: hasher, Throttle: throttle})
	require.NoError(t, err)
	for _, login := range []string{email, "off@example.com"} {
		claims, err := json.Marshal(map[string]string{"email": login})
		require.NoError(t, err)
		_, err = h.users.Register(t.Context(), password.User{
			Login: login, Scopes: []string{"read", "write"}, Claims: claims, Disabled: login != email,
		}, good)
		require.NoError(t, err)
	}
	h.session = auth.Cookie("__Host-session", h.sessions, nil)
	h.world = newWorldOver(t, store, func(c *oauth.Config) { c.Login = oauth.NewPasswordLogin(h.users, h.session, o) })
	return h
}

// Rows 23, 74 to 77 and 87: the default pages, from a stranger to a code.
func TestPasswordLogin(t *testing.T) {
	h := newHouse(t, memstore.New(), nil, nil)
	v := h.visitor(t)
	p := v.get(authorizeURL("web", "login_hint", `ada"><b>@example.com`))
	requireShown(t, p, http.StatusOK, "Sign in to Example")
	requirePageHeaders(t, p)
	require.Contains(t, p.body, "to continue to <strong>Web</strong>")
	require.Contains(t, p.body, `value="ada&#34;&gt;&lt;b&gt;@example.com"`)
	for _, part := range []string{
		`<html lang="en">`, `name="viewport"`, `<label for="email">`, `<label for="password">`,
		`autocomplete="username"`, `autocomplete="current-password"`, `type="password"`,
	} {
		require.Contains(t, p.body, part)
	}
	require.NotContains(t, p.body, `role="alert"`)
	require.NotContains(t, p.body, "Forgot")

	p = v.submit(p, "email", email, "password", good)
	require.Equal(t, []int{http.StatusSeeOther, http.StatusOK}, v.calls) // row 76
	requireShown(t, p, http.StatusOK, "Allow Web?")
	require.Contains(t, p.body, email)
	requirePageHeaders(t, p)
	first := v.cookie("__Host-session")
	require.NotNil(t, first)
	requireCode(t, v.submit(p, "decision", "allow"))

	// Row 23: to sign in anew is to get a new session; the old one is dead.
	p = v.get(authorizeURL("web", "prompt", "login"))
	requireShown(t, p, http.StatusOK, "Sign in to Example")
	requireCode(t, v.submit(p, "email", email, "password", good))
	second := v.cookie("__Host-session")
	require.NotEqual(t, first.Value, second.Value)
	_, err := h.sessions.Verify(t.Context(), first.Value)
	require.ErrorIs(t, err, auth.ErrInvalid)
	_, err = h.sessions.Verify(t.Context(), second.Value)
	require.NoError(t, err)
}

// cookie returns a cookie of the browser.
func (v *visitor) cookie(name string) *http.Cookie {
	for _, c := range v.jar.Cookies(must(http.NewRequest("GET", issuer, nil)).URL) {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Who cannot sign in stays on the page, and learns no more than anybody. Nothing of
// what was typed comes back.
func TestPasswordLoginRefuses(t *testing.T) {
	h := newHouse(t, memstore.New(), &oauth.PasswordLoginOptions{ResetURL: "/reset"}, nil)
	v := h.visitor(t)
	shown := v.get(authorizeURL("web"))
	require.Contains(t, shown.body, `<a href="/reset">Forgot your password?</a>`)
	wrong := v.submit(shown, "email", email, "password", "wrong horse battery staple")
	requireShown(t, wrong, http.StatusUnauthorized, "The email address or the password is not right.")
	requirePageHeaders(t, wrong)
	require.Equal(t, "Password", wrong.Header.Get("Www-Authenticate"))
	require.Contains(t, wrong.body, `role="alert"`)
	require.Nil(t, v.cookie("__Host-session"))
	for name, fields := range map[string][]string{
		"unknown":            {"email", "nobody@example.com", "password", good},
		"disabled":           {"email", "off@example.com", "password", good},
		"disabled and wrong": {"email", "off@example.com", "password", "wrong horse battery staple"},
		"no email":           {"email", "nobody", "password", good},
	} {
		p := v.submit(shown, fields...)
		require.Equal(t, wrong.StatusCode, p.StatusCode, name)
		require.Equal(t, wrong.body, p.body, name)
	}
	for name, fields := range map[string][]string{"nothing": nil, "no password": {"email", email}, "no email": {"password", good}} {
		p := v.submit(shown, fields...)
		requireShown(t, p, http.StatusBadRequest, "Enter both your email address and your password.")
		require.NotContains(t, p.body, good, name)
	}
	// Also for a program that posts to where the page was.
	var answers []*page
	for _, who := range []string{email, "nobody@example.com"} {
		f := shown.hidden()
		f.Set("email", who)
		f.Set("password", "wrong horse battery staple")
		answers = append(answers, v.do("POST", authorizeURL("web"), f))
	}
	requireShown(t, answers[0], http.StatusUnauthorized, "not right")
	require.Equal(t, answers[0].body, answers[1].body)
	// It is a page like any other: what is right comes to nothing without the form.
	for _, csrf := range []string{"", "1." + strings.Repeat("A", 43), h.visitor(t).get(authorizeURL("web")).hidden().Get("csrf")} {
		p := v.do("POST", shown.action(), form("csrf", csrf, "email", email, "password", good))
		requireShown(t, p, http.StatusForbidden, "This page has expired")
		require.Contains(t, p.body, `<a class="button" href="/oauth/authorize?`)
	}
	f := shown.hidden()
	f.Set("email", email)
	f.Set("password", good)
	requireShown(t, v.do("POST", shown.action(), f, header{"Sec-Fetch-Site", "cross-site"}), http.StatusForbidden, "This did not work")
	require.Nil(t, v.cookie("__Host-session"))
	requireShown(t, v.submit(shown, "email", email, "password", good), http.StatusOK, "Allow Web?")
}

// Failures count by the address that the trusted proxies tell.
func TestPasswordLoginIsThrottled(t *testing.T) {
	proxies, err := auth.ParseNetworks("127.0.0.0/8")
	require.NoError(t, err)
	one := func() auth.Limiter { return auth.NewLimiter(2, time.Minute) }
	o := &oauth.PasswordLoginOptions{Guard: &auth.GuardOptions{TrustedProxies: proxies}}
	h := newHouse(t, memstore.New(), o, &password.Throttle{Address: one()})
	h.world = newWorldOver(t, h.store, func(c *oauth.Config) {
		c.Login = oauth.NewPasswordLogin(h.users, h.session, o)
		c.Guard = &auth.GuardOptions{TrustedProxies: proxies}
	})
	v := h.visitor(t)
	from := func(address string) {
		v.fields = []header{{"X-Forwarded-For", address}, {"X-Forwarded-Proto", "https"}}
	}
	from("192.0.2.1")
	shown := v.get(authorizeURL("web"))
	for range 2 {
		requireShown(t, v.submit(shown, "email", "x@example.com", "password", good), http.StatusUnauthorized, "not right")
	}
	p := v.submit(shown, "email", email, "password", good)
	requireShown(t, p, http.StatusTooManyRequests, "There were too many attempts to sign in.")
	require.NotEmpty(t, p.Header.Get("Retry-After"))
	from("192.0.2.2")
	requireShown(t, v.submit(shown, "email", email, "password", good), http.StatusOK, "Allow Web?")
}

// The form of a page that was open for an hour does not count, however right it is.
func TestPasswordLoginPageExpires(t *testing.T) {
	authtest.At(t, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), func(t *testing.T) {
		h := newHouse(t, memstore.New(), nil, nil)
		v := h.visitor(t)
		shown := v.get(authorizeURL("web"))
		authtest.Advance(time.Hour - time.Second)
		requireShown(t, v.submit(shown, "email", email, "password", "wrong horse battery staple"), http.StatusUnauthorized, "not right")
		authtest.Advance(time.Second)
		requireShown(t, v.submit(shown, "email", email, "password", good), http.StatusForbidden, "This page has expired")
	})
}

// An outage at whichever call signs nobody in, and nobody out.
func TestPasswordLoginOverFaults(t *testing.T) {
	for i := 0; ; i++ {
		store := storetest.NewFaulty(memstore.New())
		h := newHouse(t, store, nil, nil)
		v := h.visitor(t)
		shown := v.get(authorizeURL("web", "prompt", "login"))
		p := v.submit(shown, "email", email, "password", good)
		requireShown(t, p, http.StatusOK, "Allow Web?")
		old := v.cookie("__Host-session").Value
		shown = v.get(authorizeURL("web", "prompt", "login"))

		store.Before = storetest.Nth(i, storetest.Fail(errStoreDown))
		p = v.submit(shown, "email", email, "password", good)
		failed := store.Before(t.Context(), "") != nil // this call is the i-th: none has failed
		store.Before = nil
		if failed || p.StatusCode == http.StatusOK {
			requireShown(t, p, http.StatusOK, "Allow Web?")
			require.Greater(t, i, 4)
			break
		}
		require.Equal(t, http.StatusServiceUnavailable, p.StatusCode, "call %d", i)
		require.NotEmpty(t, p.Header.Get("Retry-After"))
		require.NotContains(t, p.body, "store")
		if now := v.cookie("__Host-session").Value; now == old {
			requireShown(t, v.get(authorizeURL("web")), http.StatusOK, "Allow Web?")
		}
		requireShown(t, v.submit(shown, "email", email, "password", good), http.StatusOK, "Allow Web?")
	}
}

func TestNewPasswordLoginPanicsOnWhatCannotWork(t *testing.T) {
	h := newHouse(t, memstore.New(), nil, nil)
	require.Panics(t, func() { oauth.NewPasswordLogin(nil, h.session, nil) })
	require.Panics(t, func() { oauth.NewPasswordLogin(h.users, nil, nil) })
	for _, link := range []string{"reset", "javascript:alert(1)", "http://example.com/reset", "//evil.example", `/\evil.example`, "/re set"} {
		require.Panics(t, func() { oauth.NewPasswordLogin(h.users, h.session, &oauth.PasswordLoginOptions{ResetURL: link}) }, link)
	}
	for _, link := range []string{"/reset", "https://example.com/reset?x=1", "http://localhost:8080/reset"} {
		require.NotPanics(t, func() { oauth.NewPasswordLogin(h.users, h.session, &oauth.PasswordLoginOptions{ResetURL: link}) }, link)
	}
}
