package auth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// signedIn returns a guard over a cookie and the Authorization field, its
// sign-out, and a session.
func signedIn(t *testing.T, o *auth.GuardOptions) (sessions *ledger, cookie *auth.CookieSource, guard *auth.Guard, token string) {
	t.Helper()
	sessions = newLedger()
	cookie = auth.Cookie("__Host-s", sessions, nil)
	guard = auth.NewGuard(auth.First(auth.Bearer(sessions), cookie), o)
	w := serve(keyGuard(nil).Exchange(cookie), from("POST", "/", bringKey...))
	return sessions, cookie, guard, onlyCookie(t, w).Value
}

// Row 22: gone at the next request, wherever it was presented.
func TestSignOutEndsTheCredential(t *testing.T) {
	for _, where := range [][2]string{{"Cookie", "__Host-s="}, {"Authorization", "Bearer "}} {
		o, events := watched(auth.GuardOptions{})
		_, cookie, guard, token := signedIn(t, o)
		bring := []string{where[0], where[1] + token}

		require.Equal(t, 200, serve(guard.WrapFunc(hello), from("GET", "/", bring...)).Code)
		w := serve(guard.SignOut(cookie), from("POST", "/", bring...))
		require.Equal(t, 204, w.Code)
		require.Empty(t, w.Body)
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		require.Equal(t, -1, onlyCookie(t, w).MaxAge)
		require.Equal(t, 401, serve(guard.WrapFunc(hello), from("GET", "/", bring...)).Code)

		require.Len(t, *events, 3)
		require.Equal(t, auth.Admitted, (*events)[1].Outcome)
		require.Equal(t, "id-of-"+token, (*events)[1].CredentialID)
	}
}

func TestSignOutRefusals(t *testing.T) {
	for _, c := range []struct {
		name    string
		method  string
		headers []string // the cookie is added where there is a "$"
		status  int
		clears  bool
	}{
		{"GET", "GET", []string{"Cookie", "$"}, 405, false},
		{"HEAD", "HEAD", []string{"Cookie", "$"}, 405, false},
		{"OPTIONS", "OPTIONS", []string{"Cookie", "$"}, 405, false},
		{"nothing presented", "POST", nil, 401, true},
		{"unknown", "POST", []string{"Cookie", "__Host-s=who"}, 401, true},
		{"outage", "POST", []string{"Cookie", "__Host-s=down"}, 503, false},
		{"another site's form, with the cookie", "POST", []string{"Cookie", "$", "Sec-Fetch-Site", "cross-site"}, 403, false},
		// SameSite keeps the cookie back; clearing it would sign the visitor out.
		{"another site's form, without it", "POST", []string{"Sec-Fetch-Site", "cross-site"}, 401, false},
		{"old browser's form", "POST", []string{"Origin", "https://evil.example"}, 401, false},
		{"not a session", "POST", []string{"Authorization", "Bearer foreign"}, 403, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			sessions, cookie, guard, token := signedIn(t, nil)
			sessions.known["down"], sessions.known["foreign"] = errOutage, alice()
			for i, h := range c.headers {
				if h == "$" {
					c.headers[i] = "__Host-s=" + token
				}
			}
			w := serve(guard.SignOut(cookie), from(c.method, "/", c.headers...))
			require.Equal(t, c.status, w.Code)
			require.Equal(t, c.clears, w.Header()["Set-Cookie"] != nil)
			require.Empty(t, sessions.ended)
		})
	}
}

// A caller whose session could not be ended must not believe to be signed out.
func TestSignOutTellsAnOutage(t *testing.T) {
	sessions, cookie, guard, token := signedIn(t, nil)
	sessions.down = errOutage
	w := serve(guard.SignOut(cookie), from("POST", "/", "Cookie", "__Host-s="+token))
	require.Equal(t, 503, w.Code)
	require.Equal(t, "5", w.Header().Get("Retry-After"))
	require.Empty(t, w.Header()["Set-Cookie"])
}

// Every revoker that knows the credential ends it; one is enough.
func TestSignOutAsksEveryRevoker(t *testing.T) {
	sessions, cookie, guard, token := signedIn(t, nil)
	other := newLedger()
	both := newLedger()
	stranger := auth.Cookie("__Host-other", known{}, nil) // revokes nothing
	w := serve(guard.SignOut(stranger, sessions, both, cookie, other), from("POST", "/", "Authorization", "Bearer "+token))
	require.Equal(t, 204, w.Code)
	require.Equal(t, []string{token, token}, sessions.ended)
	require.Equal(t, []string{token}, both.ended)
	require.Equal(t, []string{token}, other.ended)
	require.Len(t, w.Result().Cookies(), 2, "each cookie is cleared")
}
