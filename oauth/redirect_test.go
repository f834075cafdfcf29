package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/oauth"
)

// Rows 17 and 131: a redirect URI is compared as a text, but for the port of a
// loopback address. Where it is another one, nobody is sent anywhere.
func TestRedirectURIIsComparedAsText(t *testing.T) {
	w := newWorld(t)
	w.change("web", func(c *oauth.Client) {
		c.RedirectURIs = []string{callback, "https://web.example/more?tenant=1", "http://127.0.0.1/done", "http://[::1]:8080/done", "http://127.0.0.1:9999", "http://[::1]?native=1"}
	})
	for _, good := range []string{
		callback,
		"https://web.example/more?tenant=1",
		"http://127.0.0.1/done", "http://127.0.0.1:80/done", "http://127.0.0.1:51004/done", "http://127.0.0.1:65535/done",
		"http://[::1]/done", "http://[::1]:51004/done", "http://[::1]:8080/done",
		"http://127.0.0.1", "http://127.0.0.1:1", "http://[::1]:51004?native=1",
	} {
		requireCode(t, w.as(t, "alice").consented(authorizeURL("web", "redirect_uri", good)))
	}
	for _, bad := range []string{
		"https://web.example/callback/", "https://web.example/Callback", "https://WEB.example/callback", "HTTPS://web.example/callback",
		"https://web.example/callback?", "https://web.example/callback?x=1", "https://web.example/callback#", "https://web.example/callback#x",
		"https://web.example/callback%20", "https://web.example/callback ", " https://web.example/callback", "https://web.example/callbac%6b",
		"https://web.example/x/../callback", "https://web.example/./callback", "https://web.example//callback", "https://web.example/callback/../callback",
		"https://web.example:443/callback", "https://web.example:8443/callback", "https://web.example./callback", "https://web.example:/callback",
		"https://user@web.example/callback", "https://web.example@evil.example/callback", "https://evil.example/callback", "https://evil.example\\@web.example/callback",
		"https://web.example.evil.example/callback", "https://sub.web.example/callback", "http://web.example/callback", "//web.example/callback", "/callback",
		"https://web.example/more", "https://web.example/more?tenant=2", "https://web.example/more?tenant=1&tenant=2",
		"http://localhost/done", "http://localhost:51004/done", "http://127.0.0.2/done", "http://127.1/done", "http://127.0.0.1./done", "http://2130706433/done",
		"http://127.0.0.1:/done", "http://127.0.0.1:0/done", "http://127.0.0.1:080/done", "http://127.0.0.1:65536/done", "http://127.0.0.1:123456/done",
		"http://127.0.0.1:51004/other", "http://127.0.0.1:51004/done/", "http://127.0.0.1:51004/done?x=1", "http://127.0.0.1:51004@evil.example/done",
		"http://127.0.0.1:51004.evil.example/done", "http://127.0.0.1.evil.example/done", "http://127.0.0.1:evil/done", "https://127.0.0.1/done",
		"http://[::1]:51004/other", "http://[0:0:0:0:0:0:0:1]/done", "http://::1/done", "http://[::1%25lo]/done", "http://[::ffff:127.0.0.1]/done",
		"javascript:alert(1)", "data:text/html,x", "com.example.phone:/done", callback + "\n", callback + "\r\nX: y", "x",
	} {
		v := w.as(t, "alice")
		p := v.get(authorizeURL("web", "redirect_uri", bad))
		requireShown(t, p, http.StatusBadRequest, "The redirect URI is not one that the client has registered.")
		require.Equal(t, []int{400}, v.calls, bad)
		require.NotContains(t, p.body, "evil")
	}
	// Without one, there must be no doubt which is meant.
	requireShown(t, w.as(t, "alice").get(authorizeURL("web", "redirect_uri", "")), http.StatusBadRequest, "redirect URI")
	w.change("web", func(c *oauth.Client) { c.RedirectURIs = []string{callback} })
	p := w.as(t, "alice").get(authorizeURL("web", "redirect_uri", ""))
	requireCode(t, p)
	require.True(t, strings.HasPrefix(p.location.String(), callback+"?"))
}

// Row 74: the state comes back as it was, and what the redirect URI has in its
// query stays there.
func TestResponseKeepsStateAndQuery(t *testing.T) {
	w := newWorld(t)
	const own = "https://web.example/more?tenant=a+b&x=%2F"
	w.change("web", func(c *oauth.Client) { c.RedirectURIs = append(c.RedirectURIs, own, "https://web.example/empty?") })
	for _, state := range []string{
		"plain", "a b+c%20d", "&code=x&iss=evil", "#frag", "\r\nLocation: https://evil.example", `"><script>`, "žluťoučký 🐎", "=?/:@!$'()*,;", strings.Repeat("s", 4000),
	} {
		for _, redirect := range []string{callback, own, "https://web.example/empty?"} {
			for _, outcome := range []string{"code", "error"} {
				pairs := []string{"state", state, "redirect_uri", redirect}
				if outcome == "error" {
					pairs = append(pairs, "scope", "unheard-of")
				}
				p := w.as(t, "alice").consented(authorizeURL("web", pairs...))
				require.NotNil(t, p.location, p.body)
				q := p.location.Query()
				require.Equal(t, []string{state}, q["state"])
				require.Equal(t, []string{issuer}, q["iss"])
				require.Len(t, q[outcome], 1)
				require.True(t, strings.HasPrefix(p.location.String(), strings.TrimSuffix(redirect, "?")), p.location)
				if redirect == own {
					require.Equal(t, "a b", q.Get("tenant"))
					require.Equal(t, "/", q.Get("x"))
				}
			}
		}
	}
	p := w.as(t, "alice").consented(authorizeURL("web", "state", ""))
	requireCode(t, p)
	require.False(t, p.location.Query().Has("state"))
}

// A private-use scheme gets its answer, too.
func TestResponseToAPrivateUseScheme(t *testing.T) {
	p := newWorld(t).as(t, "alice").consented(authorizeURL("phone"))
	code := requireCode(t, p)
	require.Equal(t, "com.example.phone:/done?code="+code+"&iss="+url.QueryEscape(issuer)+"&state=a+state", p.location.String())
}
