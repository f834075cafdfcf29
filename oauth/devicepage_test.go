package oauth_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

// A waiting is a device that waits.
type waiting struct {
	DeviceCode string `json:"device_code"`
	UserCode   string `json:"user_code"`
	Complete   string `json:"verification_uri_complete"`
}

func (w *world) waiting(t testing.TB) waiting {
	t.Helper()
	a := w.send(t, request("POST", "/oauth/device_authorization", form("client_id", "tv")))
	require.Equal(t, http.StatusOK, a.Code, a.Body)
	var d waiting
	require.NoError(t, json.Unmarshal(a.Body.Bytes(), &d))
	return d
}

func (w *world) pollAs(t testing.TB, d waiting) *answer {
	return w.token(t, "tv", "grant_type", string(oauth.DeviceCode), "device_code", d.DeviceCode)
}

func deviceURL(code string) string {
	return "/oauth/device?" + url.Values{"user_code": {code}}.Encode()
}

// RFC 8628 section 3.3, as people see it: they sign in, enter the code, see what it
// stands for, and decide.
func TestDevicePage(t *testing.T) {
	w := newWorld(t)
	d := w.waiting(t)
	v := w.visitor(t)
	p := v.get("/oauth/device")
	requireShown(t, p, http.StatusOK, "sign in, then go to /oauth/device?since=")
	v.signIn("alice")
	p = v.get(strings.TrimPrefix(p.body, "sign in, then go to "))
	requireShown(t, p, http.StatusOK, "Enter the code that your device shows.")
	requirePageHeaders(t, p)
	require.Contains(t, p.body, "You are signed in as alice.")
	require.Contains(t, p.body, `<form method="get" action="/oauth/device">`)

	p = v.get(deviceURL(strings.ToLower(d.UserCode)))
	requireShown(t, p, http.StatusOK, "Allow TV?")
	requirePageHeaders(t, p)
	require.Contains(t, p.body, d.UserCode)
	require.Contains(t, p.body, "Only go on if you started this yourself")
	require.Contains(t, p.body, "Read your files")
	require.NotContains(t, p.body, "Afterwards you go to")
	require.Contains(t, p.Header.Get("Content-Security-Policy"), "form-action 'self';")
	requireRefused(t, w.pollAs(t, d), 400, oauth.ErrAuthorizationPending)

	p = v.submit(p, "decision", "allow")
	requireShown(t, p, http.StatusOK, "Your device is connected")
	requirePageHeaders(t, p)
	e := w.lastEvent(t)
	require.Equal(t, "device", e.Endpoint)
	require.Equal(t, "tv", e.ClientID)
	require.Equal(t, "alice", e.Principal.Subject)
	require.NoError(t, e.Err)
	requireGranted(t, w.pollAs(t, d))

	requireShown(t, v.get(deviceURL(d.UserCode)), http.StatusBadRequest, "This code is not valid.")
}

// The link that a device shows as a picture leads to the same question: it is not
// left out (section 3.3.1), nor remembered.
func TestDevicePageAsksEachTime(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		d := w.waiting(t)
		link := must(url.Parse(d.Complete))
		v := w.as(t, "alice")
		p := v.get(link.RequestURI())
		requireShown(t, p, http.StatusOK, "Allow TV?")
		requireShown(t, v.submit(p, "decision", "allow"), http.StatusOK, "Your device is connected")
	}
}

func TestDevicePageDenies(t *testing.T) {
	w := newWorld(t)
	d := w.waiting(t)
	v := w.as(t, "alice")
	requireShown(t, v.submit(v.get(deviceURL(d.UserCode)), "decision", "deny"), http.StatusOK, "You have declined")
	require.ErrorIs(t, w.lastEvent(t).Err, oauth.ErrAccessDenied)
	requireRefused(t, w.pollAs(t, d), 400, oauth.ErrAccessDenied)
}

// Row 77: a form counts for the code and the person that it was shown for.
func TestDevicePageCountsForWhatWasShown(t *testing.T) {
	w := newWorld(t)
	d, other := w.waiting(t), w.waiting(t)
	v := w.as(t, "alice")
	shown := v.get(deviceURL(d.UserCode))
	good := shown.hidden().Get("csrf")
	allow := form("csrf", good, "decision", "allow")
	requireShown(t, v.do("POST", deviceURL(other.UserCode), allow), http.StatusForbidden, "This page has expired")
	requireShown(t, w.as(t, "alice").do("POST", deviceURL(d.UserCode), allow), http.StatusForbidden, "This page has expired")
	requireShown(t, w.visitor(t).do("POST", deviceURL(d.UserCode), allow), http.StatusForbidden, "This page has expired")
	requireShown(t, v.do("POST", deviceURL(d.UserCode), allow, header{"Sec-Fetch-Site", "cross-site"}), http.StatusForbidden, "This did not work")
	requireShown(t, v.do("POST", deviceURL(d.UserCode), form("decision", "allow")), http.StatusForbidden, "This page has expired")
	requireShown(t, v.submit(shown, "decision", "maybe"), http.StatusForbidden, "This page has expired")
	v.signIn("bob")
	requireShown(t, v.do("POST", deviceURL(d.UserCode), allow), http.StatusForbidden, "This page has expired")
	for _, waits := range []waiting{d, other} {
		requireRefused(t, w.pollAs(t, waits), 400, oauth.ErrAuthorizationPending)
	}
	for _, method := range []string{"PUT", "DELETE"} {
		requireShown(t, v.do(method, "/oauth/device", nil), http.StatusMethodNotAllowed, "")
	}
	requireShown(t, v.get("/oauth/device?user_code=a&user_code=b"), http.StatusBadRequest, "This did not work")
}

// Guesses are counted, and what was guessed is shown as text.
func TestDevicePageCountsGuesses(t *testing.T) {
	w := newWorld(t)
	v := w.as(t, "alice")
	p := v.get(deviceURL(`"><script>alert(1)</script>`))
	requireShown(t, p, http.StatusBadRequest, "This code is not valid.")
	requirePageHeaders(t, p)
	guesses := 0
	for ; guesses < 50; guesses++ {
		if p = v.get(deviceURL("BCDF-GHJK")); p.StatusCode != http.StatusBadRequest {
			break
		}
	}
	require.Less(t, guesses, 50)
	requireShown(t, p, http.StatusTooManyRequests, "There were too many codes that are not valid.")
	require.NotEmpty(t, p.Header.Get("Retry-After"))
	requireShown(t, v.get(deviceURL(w.waiting(t).UserCode)), http.StatusTooManyRequests, "too many")
}

// Who signed in before the client was revoked signs in again.
func TestDevicePageOfARevokedClient(t *testing.T) {
	w := newWorld(t)
	d := w.waiting(t)
	w.change("tv", func(c *oauth.Client) { c.Revoked = time.Now().Add(-time.Second) })
	v := w.as(t, "alice")
	requireShown(t, v.get(deviceURL(d.UserCode)), http.StatusOK, "sign in, then go to")
	w.proved("alice", "")
	requireShown(t, v.get(deviceURL(d.UserCode)), http.StatusOK, "Allow TV?")
}

// The default login page leads here, too, without a client to be named.
func TestDevicePageAfterPasswordLogin(t *testing.T) {
	h := newHouse(t, memstore.New(), nil, nil)
	d := h.waiting(t)
	v := h.visitor(t)
	p := v.get(deviceURL(d.UserCode))
	requireShown(t, p, http.StatusOK, "Sign in to Example")
	require.NotContains(t, p.body, "to continue to")
	p = v.submit(p, "email", email, "password", good)
	requireShown(t, p, http.StatusOK, "Allow TV?")
	requireShown(t, v.submit(p, "decision", "allow"), http.StatusOK, "Your device is connected")
}

// An outage at whichever call lets no device in without telling.
func TestDevicePageOverFaults(t *testing.T) {
	for i := 0; ; i++ {
		store := storetest.NewFaulty(memstore.New())
		w := newWorldOver(t, store)
		d := w.waiting(t)
		v := w.as(t, "alice")
		shown := v.get(deviceURL(d.UserCode))
		store.Before = storetest.Nth(i, storetest.Fail(errStoreDown))
		p := v.submit(shown, "decision", "allow")
		store.Before = nil
		if p.StatusCode == http.StatusOK {
			requireGranted(t, w.pollAs(t, d))
			require.Positive(t, i)
			break
		}
		requireShown(t, p, http.StatusServiceUnavailable, "Please try again soon")
		requireRefused(t, w.pollAs(t, d), 400, oauth.ErrAuthorizationPending)
		requireShown(t, v.submit(shown, "decision", "allow"), http.StatusOK, "Your device is connected")
	}
}
