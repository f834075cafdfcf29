package oauth_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
)

// Row 12, as far as codes that people type can have it: each letter is as likely as
// another, at each place.
func TestUserCodesAreRandom(t *testing.T) {
	const n = 40000
	var places [8]map[byte]int
	letters, seen := map[byte]int{}, map[string]bool{}
	for i := range places {
		places[i] = map[byte]int{}
	}
	for range n {
		code := oauth.NewUserCode()
		if len(code) != len(places) {
			t.Fatalf("%q is not of 8 letters", code)
		}
		seen[code] = true
		for i := range places {
			places[i][code[i]]++
			letters[code[i]]++
		}
	}
	require.Greater(t, len(seen), n-5)
	// Six standard deviations: what a byte modulo 20 would do is beyond.
	require.Len(t, letters, 20)
	for letter, times := range letters {
		require.Contains(t, "BCDFGHJKLMNPQRSTVWXZ", string(letter))
		require.InDelta(t, 8*n/20, times, 740, "%c", letter)
	}
	for _, place := range places {
		for letter, times := range place {
			require.InDelta(t, n/20, times, 262, "%c", letter)
		}
	}
}

// RFC 8628 section 6.1: how a code is typed makes no difference, what is typed does.
func TestReadUserCode(t *testing.T) {
	for typed, want := range map[string]string{
		"WDJB-MJHT":                           "WDJBMJHT",
		"wdjb-mjht":                           "WDJBMJHT",
		"WDJBMJHT":                            "WDJBMJHT",
		" wd jb mj ht ":                       "WDJBMJHT",
		"w.d.j.b.m.j.h.t":                     "WDJBMJHT",
		"WDJB\u2010MJHT":                      "WDJBMJHT",
		"WDJB_MJHT":                           "WDJBMJHT",
		"":                                    "",
		"WDJB-MJH":                            "",
		"WDJB-MJHTT":                          "",
		"WDJB-MJHA":                           "", // a vowel
		"WDJB-MJH0":                           "",
		"\u0174DJB-MJHT":                      "",
		"WDJBMJH\u017f":                       "",
		"WDJBMJHT\x00":                        "",
		strings.Repeat("-", 64):               "",
		strings.Repeat(" ", 100) + "WDJBMJHT": "",
	} {
		require.Equal(t, want, oauth.ReadUserCode(typed), "%q", typed)
	}
}

// Row 13: neither code is kept, and neither digest is a code.
func TestDeviceCodesAtRest(t *testing.T) {
	w := newWorld(t)
	c := w.connected(t, "tv")
	waiting := w.device(t, "tv")
	walker, _ := auth.StoreAbility[auth.Walker](w.store)
	for e, err := range walker.Walk(t.Context(), "") {
		require.NoError(t, err)
		text, err := e.Record.AppendBinary(nil)
		require.NoError(t, err)
		for _, secret := range []string{c.Device, c.User, waiting.Device, waiting.User, oauth.ReadUserCode(waiting.User)} {
			require.NotContains(t, string(text), secret)
			require.NotContains(t, string(text), strings.TrimPrefix(secret, "dc_"))
		}
		requireRefused(t, w.send(t, w.poll("tv", codes{Device: e.Digest.String()})), 400, oauth.ErrInvalidGrant)
		requireRefused(t, w.send(t, w.poll("tv", codes{Device: "dc_" + e.Digest.String()})), 400, oauth.ErrInvalidGrant)
	}
	requireGranted(t, w.send(t, w.poll("tv", c)))
}

// RFC 8628 section 5.1: guesses are counted, by account and by address; what is a
// code, or none by its form, is no guess.
func TestUserCodeGuesses(t *testing.T) {
	authtest.At(t, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), func(t *testing.T) {
		w := newWorld(t)
		from := func(address string) *http.Request {
			r := request("POST", "/oauth/device", nil)
			r.RemoteAddr = address + ":4242"
			return r
		}
		ask := func(address, who, code string) error {
			_, _, err := w.server.DeviceOf(from(address), code, w.people[who])
			return err
		}
		c := w.device(t, "tv")
		for range 30 {
			require.NoError(t, ask("127.0.0.1", "alice", c.User))
			require.ErrorIs(t, ask("127.0.0.1", "alice", "nonsense"), oauth.ErrInvalidRequest)
		}
		for range 10 {
			require.ErrorIs(t, ask("127.0.0.1", "alice", "BBBB-BBBB"), oauth.ErrInvalidRequest)
		}
		for _, code := range []string{"BBBB-BBBB", c.User} {
			err := ask("127.0.0.2", "alice", code) // the account, wherever it is
			require.ErrorIs(t, err, auth.ErrRateLimited)
			var f *auth.Failure
			require.True(t, errors.As(err, &f))
			require.Positive(t, f.RetryAfter)
			require.ErrorIs(t, ask("127.0.0.1", "bob", code), auth.ErrRateLimited) // the address, whoever it is
		}
		for range 12 { // a guess that was not made is none
			require.ErrorIs(t, ask("127.0.0.1", "bob", "BBBB-BBBB"), auth.ErrRateLimited)
		}
		require.NoError(t, ask("127.0.0.2", "bob", c.User))
		require.ErrorIs(t, w.server.ApproveDevice(from("127.0.0.1"), c.User, w.people["alice"], true), auth.ErrRateLimited)

		authtest.Advance(time.Minute)
		require.NoError(t, ask("127.0.0.1", "alice", c.User))
		require.ErrorIs(t, ask("127.0.0.1", "alice", "BBBB-BBBB"), oauth.ErrInvalidRequest)
		require.ErrorIs(t, ask("127.0.0.1", "alice", c.User), auth.ErrRateLimited)
	})
}

// What a code stands for is what the client may have today, and the person has.
func TestDeviceOfLess(t *testing.T) {
	w := newWorld(t)
	w.add(&oauth.Client{ID: "radio", Grants: []oauth.GrantType{oauth.DeviceCode}, Scopes: []string{"read", "write"}})
	page := request("GET", "/oauth/device", nil)
	w.people["bob"].Scopes = []string{"write"}
	c := w.device(t, "radio")
	_, scopes, err := w.server.DeviceOf(page, c.User, w.people["bob"])
	require.NoError(t, err)
	require.Equal(t, []string{"write"}, scopes)
	require.NoError(t, w.decide("bob", c.User, true))
	a := w.send(t, w.poll("radio", c))
	require.Equal(t, "write", a.Scope)

	// No more than was asked for and shown; and the code is used up.
	c = w.device(t, "radio", "scope", "read")
	require.NoError(t, w.decide("alice", c.User, true))
	require.Equal(t, "read", w.send(t, w.poll("radio", c)).Scope)
	walker, _ := auth.StoreAbility[auth.Walker](w.store)
	for range walker.Walk(t.Context(), oauth.KindUserCode) {
		t.Fatal("a code is left that leads nowhere")
	}

	w.people["bob"].Scopes = nil
	c = w.device(t, "radio")
	require.ErrorIs(t, w.decide("bob", c.User, true), oauth.ErrAccessDenied)
	require.NoError(t, w.decide("alice", c.User, true))

	for _, change := range []func(*oauth.Client){
		func(c *oauth.Client) { c.Scopes = []string{"read"} },
		func(c *oauth.Client) { c.Disabled = true },
	} {
		c = w.device(t, "radio")
		before := *w.clients["radio"]
		w.change("radio", change)
		require.ErrorIs(t, w.decide("alice", c.User, true), oauth.ErrInvalidRequest)
		w.clients["radio"] = &before
	}
	w.mu.Lock()
	w.outage = errors.New("down")
	w.mu.Unlock()
	require.ErrorIs(t, w.decide("alice", c.User, true), w.outage)
}
