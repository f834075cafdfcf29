package oauth_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
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
		granted("scope", "read write", "resource", files) // both were granted, one by one
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

// Row 138: people see what they have granted, and take it back.
func TestPeopleWithdrawConsent(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.people["alice"], w.people["bob"]
	tokens := func(name, client string) (access, refresh string) {
		code := requireCode(t, w.as(t, name).consented(authorizeURL(client, "scope", "read write")))
		a := w.token(t, client, "grant_type", "authorization_code", "code", code, "code_verifier", verifierText)
		requireGranted(t, a)
		return a.AccessToken, a.RefreshToken
	}
	access, refresh := tokens("alice", "web")
	opaque, _ := tokens("alice", "opaque")
	bobs, bobsRefresh := tokens("bob", "web")
	pending := requireCode(t, w.as(t, "alice").get(authorizeURL("web")))

	list := func(p *auth.Principal) (clients []string) {
		for c, err := range w.server.Consents(t.Context(), p) {
			require.NoError(t, err)
			require.Equal(t, []string{"read", "write"}, c.Scopes)
			require.Equal(t, []string{api}, c.Resources)
			require.WithinDuration(t, time.Now(), c.Created, time.Minute)
			require.False(t, c.Updated.Before(c.Created))
			clients = append(clients, c.ClientID)
		}
		slices.Sort(clients)
		return clients
	}
	require.Equal(t, []string{"opaque", "web"}, list(alice))
	require.Equal(t, []string{"web"}, list(bob))

	require.NoError(t, w.server.Withdraw(t.Context(), alice, "web"))
	require.Equal(t, []string{"opaque"}, list(alice))
	_, err := w.verifier(t, api).Verify(t.Context(), access)
	require.ErrorIs(t, err, auth.ErrRevoked)
	requireRefused(t, w.token(t, "web", "grant_type", "refresh_token", "refresh_token", refresh), 400, oauth.ErrInvalidGrant)
	requireRefused(t, w.token(t, "web", "grant_type", "authorization_code", "code", pending, "code_verifier", verifierText), 400, oauth.ErrInvalidGrant)
	requireShown(t, w.as(t, "alice").get(authorizeURL("web")), http.StatusOK, "Allow Web?")

	// Others, and other clients, go on.
	_, err = w.opener(t, api).Verify(t.Context(), opaque)
	require.NoError(t, err)
	_, err = w.verifier(t, api).Verify(t.Context(), bobs)
	require.NoError(t, err)
	requireGranted(t, w.token(t, "web", "grant_type", "refresh_token", "refresh_token", bobsRefresh))
	require.NoError(t, w.server.Withdraw(t.Context(), alice, "opaque"))
	_, err = w.opener(t, api).Verify(t.Context(), opaque)
	require.ErrorIs(t, err, auth.ErrRevoked)
	require.NoError(t, w.server.Withdraw(t.Context(), alice, "nobody"), "there was nothing")
}

// What was granted ends by whatever record of it there is: of a device that has not
// asked yet, and of an opaque token alone.
func TestWithdrawingFindsWhatWasGranted(t *testing.T) {
	authtest.At(t, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), func(t *testing.T) {
		w := newWorld(t)
		w.change("opaque", func(c *oauth.Client) { c.Grants = []oauth.GrantType{oauth.AuthorizationCode} })
		v := w.as(t, "alice")
		code := requireCode(t, v.consented(authorizeURL("opaque")))
		a := w.token(t, "opaque", "grant_type", "authorization_code", "code", code, "code_verifier", verifierText)
		requireGranted(t, a)
		authtest.Advance(12 * time.Minute) // the code is forgotten
		d := w.waiting(t)
		requireShown(t, v.submit(v.get(deviceURL(d.UserCode)), "decision", "allow"), http.StatusOK, "Your device is connected")

		_, err := w.opener(t, api).Verify(t.Context(), a.AccessToken)
		require.NoError(t, err)
		for _, client := range []string{"opaque", "tv"} {
			require.NoError(t, w.server.Withdraw(t.Context(), w.people["alice"], client))
		}
		_, err = w.opener(t, api).Verify(t.Context(), a.AccessToken)
		require.ErrorIs(t, err, auth.ErrRevoked)
		requireRefused(t, w.pollAs(t, d), 400, oauth.ErrInvalidGrant)
	})
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
