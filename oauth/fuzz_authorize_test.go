package oauth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Rows 17 and 48: whatever is asked of the authorization endpoint, by whomever, is
// no fault of the server's, and leads nowhere but to what a client has registered.
func FuzzAuthorizeRequest(f *testing.F) {
	w := newWorld(f)
	requireCode(f, w.as(f, "alice").consented(authorizeURL("web")))
	var registered []string
	for _, c := range w.clients {
		registered = append(registered, c.RedirectURIs...)
	}
	v := w.as(f, "alice")
	handle := w.push(f, "web", authorizeQuery("web", "prompt", "consent")).RequestURI
	shown := v.get(authorizeURL("phone"))
	f.Fuzz(func(t *testing.T, method, query, body, user string) {
		// What stands for what no seed can know.
		fill := strings.NewReplacer("{handle}", url.QueryEscape(handle), "{csrf}", url.QueryEscape(shown.hidden().Get("csrf")))
		r, err := http.NewRequest("GET", "/", strings.NewReader(fill.Replace(body)))
		require.NoError(t, err)
		r.Method, r.RemoteAddr, r.Host = method, "127.0.0.1:4242", "login.example"
		r.URL = &url.URL{Path: "/oauth/authorize", RawQuery: fill.Replace(query)}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(v.cookie("__Host-oauth"))
		if user != "" {
			r.Header.Add("Cookie", "user="+strings.Map(func(c rune) rune {
				if c < 'a' || c > 'z' {
					return -1
				}
				return c
			}, user))
		}
		a := httptest.NewRecorder()
		w.server.Authorize().ServeHTTP(a, r)
		require.Less(t, a.Code, 500)
		require.Empty(t, a.Header()["Access-Control-Allow-Origin"])
		to := a.Header().Get("Location")
		if to == "" {
			return
		}
		require.Equal(t, http.StatusSeeOther, a.Code)
		require.False(t, strings.ContainsFunc(to, func(c rune) bool { return c <= ' ' || c > '~' }), "%q", to)
		if strings.HasPrefix(to, "/oauth/authorize?") {
			return // a posted request is brought again
		}
		base, answer, _ := strings.Cut(to, "?")
		if port := strings.TrimPrefix(base, "http://127.0.0.1:"); port != base {
			_, path, _ := strings.Cut(port, "/")
			base = "http://127.0.0.1/" + path
		}
		require.True(t, slices.Contains(registered, base), to)
		q, err := url.ParseQuery(answer)
		require.NoError(t, err)
		require.Equal(t, []string{issuer}, q["iss"])
		require.True(t, len(q["code"])+len(q["error"]) == 1, to)
		if user == "" {
			require.Empty(t, q["code"])
		}
	})
}

// The seeds are there.
func TestAuthorizeFuzzSeeds(t *testing.T) {
	seeds, err := os.ReadDir(filepath.Join("testdata", "fuzz", "FuzzAuthorizeRequest"))
	require.NoError(t, err)
	require.Len(t, seeds, 16)
}
