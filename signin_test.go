package auth_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// Row 23: a login page adopts no session either. SignIn is Exchange for those.
func TestSignInSetsANewSessionAndEndsTheOldOne(t *testing.T) {
	sessions := newLedger()
	cookie := auth.Cookie("__Host-s", sessions, nil)
	client := netip.MustParseAddr("192.0.2.7")
	signIn := func(fields ...string) (*httptest.ResponseRecorder, *auth.Grant, error) {
		w := httptest.NewRecorder()
		g, err := cookie.SignIn(w, from("POST", "/login", fields...), alice("read"), client)
		return w, g, err
	}
	w, g, err := signIn("User-Agent", "a browser")
	require.NoError(t, err)
	planted := onlyCookie(t, w).Value
	require.Equal(t, planted, g.Token.Reveal())
	require.Equal(t, auth.Device{UserAgent: "a browser", Address: client}, sessions.issued[0].Device)

	w, _, err = signIn("Cookie", "__Host-s="+planted)
	require.NoError(t, err)
	require.NotEqual(t, planted, onlyCookie(t, w).Value)
	require.Equal(t, []string{planted}, sessions.ended)

	w, g, err = signIn("Sec-Fetch-Site", "cross-site")
	require.ErrorIs(t, err, auth.ErrCrossOrigin)
	require.Nil(t, g)
	require.Empty(t, w.Header()["Set-Cookie"])
	require.Len(t, sessions.issued, 2)

	sessions.known["unclear"] = errOutage
	w, g, err = signIn("Cookie", "__Host-s=unclear")
	require.ErrorIs(t, err, errOutage)
	require.Nil(t, g)
	require.Empty(t, w.Header()["Set-Cookie"])
	require.Equal(t, []string{planted, "token-3"}, sessions.ended, "the new one, which nobody has seen")

	_, err = auth.Cookie("__Host-s", known{}, nil).SignIn(httptest.NewRecorder(), from("POST", "/"), alice(), client)
	require.Error(t, err, "nothing issues")
}

// A login is no way around the key that the caller's credential is bound to.
func TestSignInKeepsTheKey(t *testing.T) {
	sessions := newSessions(t, newStore(t), nil)
	cookie := auth.Cookie("__Host-s", sessions, nil)
	p := *alice()
	p.Credential.Confirmation = "jkt:k"
	w := httptest.NewRecorder()
	g, err := cookie.SignIn(w, from("POST", "/login"), p.ProvedAt(time.Now()), netip.Addr{})
	require.NoError(t, err)
	require.Equal(t, "jkt:k", g.Principal.Credential.Confirmation)
	_, err = cookie.Authenticate(from("GET", "/", "Cookie", "__Host-s="+onlyCookie(t, w).Value))
	require.ErrorIs(t, err, auth.ErrInvalid, "a cookie alone is no proof of it")

	_, err = cookie.SignIn(httptest.NewRecorder(), from("POST", "/login"), nil, netip.Addr{})
	require.Error(t, err)
}

// Over plain HTTP on this host, a cookie is sent back without Secure only.
func TestCookieWithoutSecureHasAName(t *testing.T) {
	sessions := newLedger()
	cookie := auth.Cookie("session", sessions, &auth.CookieOptions{InsecureName: true, InsecureHTTP: true})
	w := serve(keyGuard(nil).Exchange(cookie), from("POST", "/", bringKey...))
	set := onlyCookie(t, w)
	require.False(t, set.Secure)
	require.True(t, set.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, set.SameSite)
	require.Panics(t, func() { auth.Cookie("__Host-s", sessions, &auth.CookieOptions{InsecureHTTP: true}) })
}
