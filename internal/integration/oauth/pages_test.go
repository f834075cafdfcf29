//go:build linux

package oauth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

// People go through the pages of login and consent in Chromium, on what is on
// their desks and in their hands, in both themes.
func TestPages(t *testing.T) {
	app, hosts := newSites(t)
	for _, l := range looks {
		t.Run(l.name, func(t *testing.T) {
			p := example(t, "spatialweb") // where nobody has consented yet
			base := p.values["base_url"]
			endpoint := oauth2.Endpoint{
				AuthURL: base + "/oauth/authorize", TokenURL: base + "/oauth/token",
				DeviceAuthURL: base + "/oauth/device_authorization",
			}
			desk := &oauth2.Config{
				ClientID: p.values["public_client_id"], RedirectURL: app.URL + "/callback",
				Scopes: []string{"spaces:read", "spaces:write"}, Endpoint: endpoint,
			}
			web := &oauth2.Config{
				ClientID: p.values["web_client_id"], ClientSecret: p.values["web_client_secret"],
				RedirectURL: p.values["web_redirect_uri"], Scopes: desk.Scopes, Endpoint: endpoint,
			}
			tab := newTab(t, hosts, l)
			verifier := oauth2.GenerateVerifier()
			begin := func(c *oauth2.Config) string {
				return c.AuthCodeURL("a state & more", oauth2.S256ChallengeOption(verifier))
			}
			redeem := func(c *oauth2.Config) {
				t.Helper()
				at := tab.location()
				require.Equal(t, c.RedirectURL, at.Scheme+"://"+at.Host+at.Path)
				require.Equal(t, base, at.Query().Get("iss"))
				require.Equal(t, "a state & more", at.Query().Get("state"))
				token, err := c.Exchange(t.Context(), at.Query().Get("code"), oauth2.VerifierOption(verifier))
				require.NoError(t, err)
				requireStatus(t, c.Client(t.Context(), token), base+"/spaces", http.StatusOK)
			}

			// A login that fails, and one by the keyboard alone.
			tab.open(begin(desk), "#email")
			tab.check("login")
			tab.requireFocus("email", "password", "Sign in")
			tab.do(
				chromedp.SendKeys(chromedp.CSS("#email"), p.values["email"]),
				chromedp.SendKeys(chromedp.CSS("#password"), "a guess"))
			tab.press(kb.Enter, "[role=alert]")
			tab.check("login-failed")
			tab.do(
				chromedp.SendKeys(chromedp.CSS("#email"), p.values["email"]),
				chromedp.SendKeys(chromedp.CSS("#password"), p.values["password"]))
			tab.press(kb.Enter, "button[value=allow]")

			// A client on a desk is asked about each time.
			tab.check("consent")
			require.Contains(t, evaluate[string](tab, `document.body.innerText`), "Create spaces and change them")
			tab.do(chromedp.Focus(chromedp.CSS("button[value=allow]")))
			tab.requireFocus("Allow", "Deny")
			tab.click("button[value=allow]", "#back")
			redeem(desk)
			tab.open(begin(desk), "button[value=deny]")
			tab.click("button[value=deny]", "#back")
			require.Equal(t, "access_denied", tab.location().Query().Get("error"))

			// A web site is asked about once.
			tab.open(begin(web), "button[value=allow]")
			tab.check("consent-web")
			tab.click("button[value=allow]", "#back")
			redeem(web)
			tab.open(begin(web), "#back")
			redeem(web)

			// A device.
			asked, err := desk.DeviceAuth(t.Context())
			require.NoError(t, err)
			tab.open(asked.VerificationURI, "#user_code")
			tab.check("device")
			tab.do(chromedp.SendKeys(chromedp.CSS("#user_code"), "wrong"))
			tab.press(kb.Enter, "[role=alert]")
			tab.check("device-failed")
			tab.do(
				chromedp.Clear(chromedp.CSS("#user_code")),
				chromedp.SendKeys(chromedp.CSS("#user_code"), strings.ToLower(asked.UserCode)))
			tab.press(kb.Enter, "button[value=allow]")
			tab.check("device-consent")
			tab.click("button[value=allow]", "main:not(:has(form))")
			tab.check("device-done")
			token, err := desk.DeviceAccessToken(t.Context(), asked)
			require.NoError(t, err)
			requireStatus(t, desk.Client(t.Context(), token), base+"/spaces", http.StatusOK)

			// An error that is shown to the person, as nobody else can be told.
			wrong := *desk
			wrong.RedirectURL = "https://attacker.example/callback"
			tab.open(begin(&wrong), "h1")
			require.True(t, strings.HasPrefix(tab.location().String(), base))
			tab.check("error")
			tab.requireQuiet("Failed to load resource") // a status that is no success

			// No page of another site has one of these in a frame.
			tab.open(app.URL+"/frame", "#framed")
			require.Equal(t, app.URL+"/callback", tab.framed(app.URL+"/callback"))
			tab.open(app.URL+"/frame", "#framed")
			require.NotContains(t, tab.framed(begin(web)), base)
		})
	}
}
