package oauth_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

// Row 78: the page names the client, the account, each scope in words, and where
// the answer goes.
func TestConsentPageNamesWhatIsGranted(t *testing.T) {
	w := newWorld(t)
	w.change("web", func(c *oauth.Client) { c.Name, c.Website = `<b>"Web"</b>`, "https://about.example/web" })
	p := w.as(t, "alice").get(authorizeURL("web", "scope", "read write", "resource", files))
	requirePageHeaders(t, p)
	for _, part := range []string{
		"Allow &lt;b&gt;&#34;Web&#34;&lt;/b&gt;?", `href="https://about.example/web"`, ">about.example</a>",
		"Read your files <code>read</code>", "<code>write</code>", "<dd>alice</dd>", "<dd>" + files + "</dd>", "<dd>web.example</dd>", "at Example.",
	} {
		require.Contains(t, p.body, part)
	}
	allow, deny := strings.Index(p.body, `value="allow"`), strings.Index(p.body, `value="deny"`)
	require.True(t, 0 < allow && allow < deny, "the first button allows")

	w.change("web", func(c *oauth.Client) { c.Name = "" })
	require.Contains(t, w.as(t, "alice").get(authorizeURL("web")).body, "Allow web?")
	require.Contains(t, w.as(t, "alice").get(authorizeURL("phone")).body, "<dd>the application com.example.phone</dd>")
	loopback := w.as(t, "alice").get(authorizeURL("phone", "redirect_uri", "http://127.0.0.1:5000/done"))
	require.Contains(t, loopback.body, "<dd>an application on this device</dd>")
}

// The policy of a page lets its form lead to where the client is, which is all that
// it opens.
func TestConsentPageLetsTheFormLeadToTheClient(t *testing.T) {
	w := newWorld(t)
	w.change("phone", func(c *oauth.Client) {
		c.RedirectURIs = append(c.RedirectURIs, "http://[::1]/done", "https://phone.example/done")
	})
	for redirect, want := range map[string]string{
		"https://phone.example/done": "form-action 'self' https:;",
		"http://127.0.0.1:5000/done": "form-action 'self' https: http://127.0.0.1:*;",
		"http://[::1]:5000/done":     "form-action 'self' https: http:;",
		"com.example.phone:/done":    "form-action 'self' com.example.phone:;",
	} {
		p := w.as(t, "alice").get(authorizeURL("phone", "redirect_uri", redirect))
		require.Contains(t, p.Header.Get("Content-Security-Policy"), want)
	}
}

func TestConsentIsRemembered(t *testing.T) {
	authtest.At(t, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), func(t *testing.T) {
		w := newWorld(t)
		v := w.as(t, "alice")
		asked := func(pairs ...string) {
			t.Helper()
			requireShown(t, v.get(authorizeURL("web", pairs...)), http.StatusOK, "Allow Web?")
		}
		granted := func(pairs ...string) {
			t.Helper()
			requireCode(t, v.get(authorizeURL("web", pairs...)))
		}
		requireError(t, v.submit(v.get(authorizeURL("web")), "decision", "deny"), oauth.ErrAccessDenied)
		asked() // nothing was granted
		requireCode(t, v.consented(authorizeURL("web")))
		granted()
		asked("scope", "read write")
		asked("resource", files)
		asked("prompt", "consent")
		requireCode(t, v.consented(authorizeURL("web", "scope", "write", "resource", files)))
		granted("scope", "write", "resource", files)
		asked("scope", "read", "resource", files) // that was granted elsewhere
		asked("scope", "write")
		requireCode(t, v.consented(authorizeURL("web", "scope", "read", "resource", files)))
		granted("scope", "read write", "resource", files) // both were granted, one by one
		asked("scope", "read write")
		requireShown(t, v.get(authorizeURL("opaque")), http.StatusOK, "Allow opaque?")
		requireShown(t, w.as(t, "bob").get(authorizeURL("web")), http.StatusOK, "Allow Web?")

		authtest.Advance(time.Minute)
		w.change("web", func(c *oauth.Client) { c.Revoked = time.Now() })
		authtest.Advance(time.Minute)
		w.proved("alice", "")
		asked() // that was before
		requireCode(t, v.consented(authorizeURL("web")))
		granted()
		asked("scope", "write")
	})
}

// To consent to several resources is to consent to each.
func TestConsentCoversEveryResource(t *testing.T) {
	w := newWorld(t)
	v := w.as(t, "alice")
	both := authorizeURL("web") + "&" + url.Values{"resource": {api, files}}.Encode()
	requireCode(t, v.consented(authorizeURL("web")))
	requireShown(t, v.get(both), http.StatusOK, "Allow Web?")
	requireCode(t, v.consented(both))
	requireCode(t, v.get(both))
	requireCode(t, v.get(authorizeURL("web", "resource", files)))
	for c, err := range w.server.Consents(t.Context(), w.people["alice"]) {
		require.NoError(t, err)
		require.Equal(t, map[string][]string{api: {"read"}, files: {"read"}}, c.Access)
	}
	w.change("opaque", func(c *oauth.Client) { c.Scopes = nil }) // and none is asked for
	bare := authorizeURL("opaque", "scope", "")
	requireShown(t, v.get(bare), http.StatusOK, "Allow opaque?")
	requireCode(t, v.consented(bare))
	requireCode(t, v.get(bare))
	requireShown(t, v.get(authorizeURL("opaque", "scope", "", "resource", files)), http.StatusOK, "Allow opaque?")
}

// A client that has been removed and added again is another one.
func TestConsentIsForTheClientOfThatTime(t *testing.T) {
	authtest.At(t, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), func(t *testing.T) {
		w := newWorld(t)
		created := time.Now()
		w.change("web", func(c *oauth.Client) { c.Created = created })
		authtest.Advance(time.Minute)
		w.proved("alice", "")
		v := w.as(t, "alice")
		requireCode(t, v.consented(authorizeURL("web")))
		requireCode(t, v.get(authorizeURL("web", "prompt", "none")))
		authtest.Advance(time.Minute)
		w.change("web", func(c *oauth.Client) { c.Created = time.Now() })
		authtest.Advance(time.Minute)
		w.proved("alice", "")
		requireError(t, v.get(authorizeURL("web", "prompt", "none")), oauth.ErrConsentRequired)
		requireShown(t, v.get(authorizeURL("web", "scope", "write")), http.StatusOK, "Allow Web?")
		requireCode(t, v.consented(authorizeURL("web", "scope", "write")))
		requireError(t, v.get(authorizeURL("web", "prompt", "none")), oauth.ErrConsentRequired) // nothing is added to what was
	})
}

// Row 78: a client that anybody can claim to be is asked for each time.
func TestConsentIsNotRememberedForWhoCannotProveItself(t *testing.T) {
	w := newWorld(t)
	w.change("phone", func(c *oauth.Client) { c.RedirectURIs = append(c.RedirectURIs, "https://phone.example/done") })
	v := w.as(t, "alice")
	for _, redirect := range []string{"com.example.phone:/done", "http://127.0.0.1:5000/done"} {
		for range 2 {
			p := v.get(authorizeURL("phone", "redirect_uri", redirect))
			requireShown(t, p, http.StatusOK, "Allow phone?")
			requireCode(t, v.submit(p, "decision", "allow"))
		}
	}
	requireCode(t, v.get(authorizeURL("phone", "redirect_uri", "https://phone.example/done"))) // its own host
}

func TestTrustedClientsDoWithoutConsent(t *testing.T) {
	w := newWorld(t)
	w.change("web", func(c *oauth.Client) { c.Trusted = true })
	v := w.as(t, "alice")
	requireCode(t, v.get(authorizeURL("web", "prompt", "none")))
	requireShown(t, v.get(authorizeURL("web", "prompt", "consent")), http.StatusOK, "Allow Web?")
}

// Consents that are given at once are all kept.
func TestConsentsAtOnce(t *testing.T) {
	w := newWorld(t)
	var scopes []string
	w.change("web", func(c *oauth.Client) { c.Scopes = []string{"read", "write", "admin"}; scopes = c.Scopes })
	var (
		wait  sync.WaitGroup
		begin = make(chan struct{})
	)
	for range 5 {
		for _, scope := range scopes {
			v := w.as(t, "alice")
			shown := v.get(authorizeURL("web", "scope", scope))
			wait.Go(func() {
				<-begin
				v.submit(shown, "decision", "allow")
			})
		}
	}
	close(begin)
	wait.Wait()
	requireCode(t, w.as(t, "alice").get(authorizeURL("web", "scope", "read write admin")))
}

// Whoever is slower adds to what the faster one has written, be it the first record
// or a later one.
func TestConsentThatIsSlower(t *testing.T) {
	for _, op := range []string{"Insert", "Replace"} {
		store := storetest.NewFaulty(memstore.New())
		w := newWorldOver(t, store)
		w.change("web", func(c *oauth.Client) { c.Scopes = []string{"read", "write", "admin"} })
		if op == "Replace" {
			requireCode(t, w.as(t, "alice").consented(authorizeURL("web", "scope", "admin")))
		}
		slow, fast := w.as(t, "alice"), w.as(t, "alice")
		slower, faster := slow.get(authorizeURL("web", "scope", "read")), fast.get(authorizeURL("web", "scope", "write"))
		store.Before = storetest.On(op, storetest.Nth(0, func(context.Context, string) error {
			requireCode(t, fast.submit(faster, "decision", "allow"))
			return nil
		}))
		requireCode(t, slow.submit(slower, "decision", "allow"))
		requireCode(t, w.as(t, "alice").get(authorizeURL("web", "scope", "read write")))
	}
}

// An outage at whichever call grants nothing, and is told.
func TestConsentOverFaults(t *testing.T) {
	for _, lost := range []bool{false, true} {
		for i := 0; ; i++ {
			store := storetest.NewFaulty(memstore.New())
			w := newWorldOver(t, store)
			v := w.as(t, "alice")
			requireCode(t, v.consented(authorizeURL("opaque")))
			shown := v.get(authorizeURL("opaque", "scope", "write"))
			begun := len(store.Calls())
			fault := storetest.Nth(i, storetest.Fail(errStoreDown))
			if lost {
				store.After = fault
			} else {
				store.Before = fault
			}
			p := v.submit(shown, "decision", "allow")
			made := len(store.Calls()) - begun
			store.Before, store.After = nil, nil
			if p.location != nil {
				requireCode(t, p)
				require.GreaterOrEqual(t, i, made)
				break
			}
			requireShown(t, p, http.StatusServiceUnavailable, "Please try again soon")
			requireCode(t, v.submit(shown, "decision", "allow"))
		}
	}
	for i := 0; ; i++ {
		store := storetest.NewFaulty(memstore.New())
		w := newWorldOver(t, store)
		code := requireCode(t, w.as(t, "alice").consented(authorizeURL("web")))
		a := w.token(t, "web", "grant_type", "authorization_code", "code", code, "code_verifier", verifierText)
		begun := len(store.Calls())
		store.Before = storetest.Nth(i, storetest.Fail(errStoreDown))
		err := w.server.Withdraw(t.Context(), w.people["alice"], "web")
		made := len(store.Calls()) - begun
		store.Before = nil
		if i >= made {
			require.NoError(t, err)
			break
		}
		require.ErrorIs(t, err, errStoreDown)
		require.NoError(t, w.server.Withdraw(t.Context(), w.people["alice"], "web"), "again, to the end")
		requireRefused(t, w.token(t, "web", "grant_type", "refresh_token", "refresh_token", a.RefreshToken), 400, oauth.ErrInvalidGrant)
	}
	store := storetest.NewFaulty(memstore.New())
	w := newWorldOver(t, store)
	store.Before = storetest.Fail(errStoreDown)
	requireShown(t, w.as(t, "alice").get(authorizeURL("web")), http.StatusServiceUnavailable, "Please try again soon")
	for _, err := range w.server.Consents(t.Context(), w.people["alice"]) {
		require.ErrorIs(t, err, errStoreDown)
	}
}
