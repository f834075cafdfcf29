package oauth_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// Row 115 and RFC 9470: how somebody is to have signed in.
func TestClientsSayHowToSignIn(t *testing.T) {
	const strong = "urn:example:strong"
	start := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		pairs  []string
		change func(*oauth.Client)
		again  bool // somebody who signed in a minute ago has to do so again
	}{
		"nothing":            {nil, nil, false},
		"login":              {[]string{"prompt", "login"}, nil, true},
		"another account":    {[]string{"prompt", "select_account"}, nil, true},
		"consent and login":  {[]string{"prompt", "consent login"}, nil, true},
		"age enough":         {[]string{"max_age", "60"}, nil, false},
		"too long ago":       {[]string{"max_age", "59"}, nil, true},
		"now":                {[]string{"max_age", "0"}, nil, true},
		"as they did":        {[]string{"acr_values", "x urn:example:password"}, nil, false},
		"until they read it": {[]string{"max_age", "61"}, nil, false},
		"revoked before":     {nil, func(c *oauth.Client) { c.Revoked = start.Add(-61 * time.Second) }, false},
		"revoked then":       {nil, func(c *oauth.Client) { c.Revoked = start.Add(-60 * time.Second) }, true},
		"revoked since":      {nil, func(c *oauth.Client) { c.Revoked = start.Add(-time.Second) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			authtest.At(t, start, func(t *testing.T) {
				w := newWorld(t)
				if c.change != nil {
					w.change("web", c.change)
				}
				v := w.as(t, "alice")
				target := authorizeURL("web", c.pairs...)
				p := v.get(target)
				if !c.again {
					requireShown(t, p, http.StatusOK, "Allow Web?")
					authtest.Advance(5 * time.Minute) // they read; it was good when it was shown
					requireCode(t, v.submit(p, "decision", "allow"))
					return
				}
				requireShown(t, p, http.StatusOK, "sign in, then go to")
				back := strings.TrimPrefix(p.body, "sign in, then go to ")
				authtest.Advance(time.Second)
				requireShown(t, v.get(back), http.StatusOK, "sign in") // not by going there
				w.proved("alice", strong)
				p = v.get(back)
				requireShown(t, p, http.StatusOK, "Allow Web?")
				requireShown(t, v.get(target), http.StatusOK, map[bool]string{true: "sign in", false: "Allow"}[slices.Contains(c.pairs, "prompt")])
				if slices.Contains(c.pairs, "max_age") {
					return // they may not read for that long; see TestMaximumAgeWhileTheyRead
				}
				authtest.Advance(time.Hour - time.Second)
				requireCode(t, v.submit(p, "decision", "allow"))
				authtest.Advance(time.Second)
				requireShown(t, v.submit(p, "decision", "allow"), http.StatusForbidden, "This page has expired")
				// Whoever makes up a time has not signed in.
				w.proved("bob", strong)
				v.signIn("bob")
				authtest.Advance(time.Hour)
				if c.change == nil {
					forged := strings.Replace(back, "since=", "since=1", 1)
					requireShown(t, v.get(forged), http.StatusOK, "sign in")
					requireShown(t, v.get(back), http.StatusOK, "sign in") // that was long ago
				}
			})
		})
	}
}

// proved has somebody sign in now.
func (w *world) proved(name, acr string) {
	p := *w.people[name]
	p.Origin.Time = time.Now().UTC().Truncate(time.Microsecond)
	p.Origin.ACR = acr
	w.people[name] = &p
}

// RFC 9470 section 5: who cannot sign in as the client wishes is asked once.
func TestWaysToSignInThatNobodyHas(t *testing.T) {
	w := newWorld(t)
	v := w.as(t, "alice")
	p := v.get(authorizeURL("web", "acr_values", "urn:example:strong"))
	requireShown(t, p, http.StatusOK, "sign in, then go to")
	back := strings.TrimPrefix(p.body, "sign in, then go to ")
	w.proved("alice", "urn:example:password")
	requireError(t, v.get(back), oauth.ErrUnmetAuthentication)
	w.proved("alice", "urn:example:strong")
	requireShown(t, v.get(back), http.StatusOK, "Allow Web?")
}

// Row 78, with prompt=none: nobody is shown a page.
func TestPromptNone(t *testing.T) {
	w := newWorld(t)
	requireError(t, w.visitor(t).get(authorizeURL("web", "prompt", "none")), oauth.ErrLoginRequired)
	v := w.as(t, "alice")
	requireError(t, v.get(authorizeURL("web", "prompt", "none", "acr_values", "other")), oauth.ErrLoginRequired)
	requireError(t, v.get(authorizeURL("web", "prompt", "none")), oauth.ErrConsentRequired)
	requireCode(t, v.consented(authorizeURL("web")))
	requireCode(t, v.get(authorizeURL("web", "prompt", "none")))
	requireError(t, v.get(authorizeURL("web", "prompt", "none", "scope", "read write")), oauth.ErrConsentRequired)

	requireCode(t, v.consented(authorizeURL("phone")))
	requireError(t, v.get(authorizeURL("phone", "prompt", "none")), oauth.ErrConsentRequired)
}

// A session that has ended is nobody's; one that cannot be looked up is an outage.
func TestAuthorizationWithoutASession(t *testing.T) {
	w := newWorld(t)
	v := w.as(t, "whoever") // people say auth.ErrInvalid
	requireShown(t, v.get(authorizeURL("web")), http.StatusOK, "sign in")

	p := *w.people["alice"]
	p.Origin.Time = time.Time{}
	w.people["timeless"] = &p
	v.signIn("timeless")
	requireShown(t, v.get(authorizeURL("web")), http.StatusServiceUnavailable, "Please try again soon")

	elsewhere, err := auth.ParseNetworks("192.0.2.0/24")
	require.NoError(t, err)
	p = *w.people["alice"]
	p.Networks = elsewhere
	w.people["elsewhere"] = &p
	v.signIn("elsewhere")
	requireShown(t, v.get(authorizeURL("web")), http.StatusForbidden, "This did not work")
}

// A client that is revoked while somebody reads what it asks for is granted nothing.
func TestClientsAreRevokedMeanwhile(t *testing.T) {
	w := newWorld(t)
	v := w.as(t, "alice")
	shown := v.get(authorizeURL("web"))
	w.change("web", func(c *oauth.Client) { c.Revoked = time.Now() })
	requireShown(t, v.submit(shown, "decision", "allow"), http.StatusForbidden, "This page has expired")
	w.change("web", func(c *oauth.Client) { c.Revoked, c.Disabled = time.Time{}, true })
	requireShown(t, v.submit(shown, "decision", "allow"), http.StatusBadRequest, "The client is not known")
}

// Where somebody is, the proxies tell that the server trusts.
func TestLoginFromBehindAProxy(t *testing.T) {
	for field, value := range map[string]string{"X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1;proto=https"} {
		w := newWorld(t, func(c *oauth.Config) {
			c.Guard = &auth.GuardOptions{TrustedProxies: must(auth.ParseNetworks("127.0.0.0/8")), ForwardedHeader: field}
		})
		p := *w.people["alice"]
		p.Networks = must(auth.ParseNetworks("192.0.2.0/24"))
		w.people["alice"] = &p
		v := w.as(t, "alice")
		v.fields = []header{{field, value}, {"X-Forwarded-Proto", "https"}}
		requireShown(t, v.get(authorizeURL("web")), http.StatusOK, "Allow Web?")
	}
}

// A Login may refuse in its own way, and is believed.
func TestLoginThatIsLimited(t *testing.T) {
	w := newWorld(t, func(c *oauth.Config) { c.Login = limitedLogin{c.Login} })
	for _, target := range []string{authorizeURL("web"), "/oauth/device"} {
		p := w.as(t, "alice").get(target)
		requireShown(t, p, http.StatusTooManyRequests, "This did not work")
		require.NotEmpty(t, p.Header.Get("Retry-After"))
	}
}

type limitedLogin struct{ oauth.Login }

func (limitedLogin) Authenticate(*http.Request) (*auth.Principal, error) {
	return nil, auth.ErrRateLimited
}

// Without a Login there is nobody to ask, which is no fault of whoever asks.
func TestPagesWithoutALogin(t *testing.T) {
	w := newWorld(t, func(c *oauth.Config) { c.Login = nil })
	for _, h := range []http.Handler{w.server.Authorize(), w.server.Device()} {
		v := w.visitor(t)
		v.handler = h
		requireShown(t, v.get(authorizeURL("web")), http.StatusServiceUnavailable, "Please try again soon")
	}
}

// Tokens tell people apart by their subject alone, so nobody of another issuer is
// taken for ours.
func TestPeopleOfAnotherIssuer(t *testing.T) {
	w := newWorld(t)
	d := w.waiting(t)
	v := w.as(t, "alice")
	for from, status := range map[string]int{"": 200, issuer: 200, issuer + "/": 503, "https://idp.example": 503} {
		p := *w.people["alice"]
		p.Issuer = from
		w.people["alice"] = &p
		for _, target := range []string{authorizeURL("web"), deviceURL(d.UserCode)} {
			requireShown(t, v.get(target), status, "")
		}
	}
}

// Nothing is granted that would be dead at once: who ends all their sessions but
// this one, or all that a client has, signs in again before the client gets more.
func TestWhoHasEndedAllElseSignsInAgain(t *testing.T) {
	for name, c := range map[string]struct {
		end   func(*testing.T, *house, *auth.Principal) error
		other bool // clients are not meant
	}{
		"other sessions": {func(t *testing.T, h *house, p *auth.Principal) error {
			return h.sessions.RevokeOthers(t.Context(), p)
		}, false},
		"all at a resource server": {func(t *testing.T, h *house, p *auth.Principal) error {
			q := *p
			q.Issuer = issuer
			return h.verifier(t, api).RevokeAll(t.Context(), &q)
		}, false},
		"what a client has": {func(t *testing.T, h *house, _ *auth.Principal) error {
			return errors.Join(auth.RevokeClient(t.Context(), h.store, "web"), auth.RevokeClient(t.Context(), h.store, "tv"))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			authtest.At(t, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), func(t *testing.T) {
				h := newHouse(t, memstore.New(), nil, nil)
				v := h.visitor(t)
				shown := v.submit(v.get(authorizeURL("web")), "email", email, "password", good)
				requireShown(t, shown, http.StatusOK, "Allow Web?")
				d := h.waiting(t)
				device := v.get(deviceURL(d.UserCode))
				requireShown(t, device, http.StatusOK, "Allow TV?")
				p, err := h.sessions.Verify(t.Context(), v.cookie("__Host-session").Value)
				require.NoError(t, err)
				authtest.Advance(time.Second)
				require.NoError(t, c.end(t, h, p))
				authtest.Advance(time.Second)
				_, err = h.sessions.Verify(t.Context(), v.cookie("__Host-session").Value)
				require.NoError(t, err, "the session lives")

				requireShown(t, v.submit(shown, "decision", "allow"), http.StatusForbidden, "This page has expired")
				requireShown(t, v.submit(device, "decision", "allow"), http.StatusForbidden, "This page has expired")
				requireError(t, v.get(authorizeURL("web", "prompt", "none")), oauth.ErrLoginRequired)
				requireShown(t, v.get(authorizeURL("opaque")), http.StatusOK, map[bool]string{true: "Allow opaque?", false: "Sign in"}[c.other])
				requireShown(t, v.get(authorizeURL("web")), http.StatusOK, "Sign in")
				asked := v.get(deviceURL(d.UserCode))
				requireShown(t, asked, http.StatusOK, "Sign in")
				requireShown(t, v.submit(asked, "email", email, "password", good), http.StatusOK, "Allow TV?")
				code := requireCode(t, v.submit(v.get(authorizeURL("web")), "decision", "allow"))
				requireGranted(t, h.token(t, "web", "grant_type", "authorization_code", "code", code, "code_verifier", verifierText))
			})
		})
	}
}

// HEAD is answered as GET is.
func TestPagesAnswerHead(t *testing.T) {
	h := newHouse(t, memstore.New(), nil, nil)
	for _, target := range []string{authorizeURL("web"), "/oauth/device"} {
		p := h.visitor(t).do("HEAD", target, nil)
		requireShown(t, p, http.StatusOK, "")
		requirePageHeaders(t, p)
	}
}
