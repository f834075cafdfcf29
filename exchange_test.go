package auth_test

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

var bringKey = []string{"X-Key", "k"}

func keyGuard(o *auth.GuardOptions) *auth.Guard {
	p := alice("read")
	p.Origin = auth.Origin{Kind: auth.KindAPIKey, ID: "key-id"} // proved by the request
	return auth.NewGuard(auth.Header("X-Key", known{"k": p, "down": errOutage}), o)
}

func TestExchangeTradesOneCredentialForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sessions := newLedger()
		o, events := watched(auth.GuardOptions{})
		w := serve(keyGuard(o).Exchange(sessions), from("POST", "/", bringKey...))
		require.Equal(t, 200, w.Code)
		require.JSONEq(t, `{"access_token":"token-1","token_type":"Bearer","expires_in":3600,"scope":"read"}`, w.Body.String())
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		require.Equal(t, "application/json", w.Header().Get("Content-Type"))
		require.Equal(t, []auth.Event{{
			Method: "POST", Address: netip.MustParseAddr("127.0.0.1"),
			Outcome: auth.Admitted, Kind: auth.KindSession, CredentialID: "public-id", Subject: "alice",
			IssuedKind: auth.KindSession, IssuedID: "id-of-token-1",
		}}, *events)
	})
}

// What changes something is no GET, which other sites can cause; nothing is
// even read.
func TestExchangeAnswersPOSTOnly(t *testing.T) {
	sessions := newLedger()
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "TRACE"} {
		w := serve(keyGuard(nil).Exchange(sessions), from(method, "/", bringKey...))
		require.Equal(t, 405, w.Code, method)
		require.Equal(t, "POST", w.Header().Get("Allow"))
	}
	require.Empty(t, sessions.issued)
}

// Issuing comes after every policy and only with a principal.
func TestExchangeRefusesLikeItsGuard(t *testing.T) {
	sessions := newLedger()
	guard := keyGuard(nil)
	for _, c := range []struct {
		name   string
		guard  *auth.Guard
		key    string
		status int
	}{
		{"nothing", guard, "", 401},
		{"nothing, optional", guard.Optional(), "", 401},
		{"unknown", guard, "who", 401},
		{"outage", guard, "down", 503},
		{"policy", guard.With(auth.Scope("write")), "k", 403},
	} {
		w := serve(c.guard.Exchange(sessions), from("POST", "/", "X-Key", c.key))
		require.Equal(t, c.status, w.Code, c.name)
	}
	require.Equal(t, 403, serve(guard.Exchange(sessions), beyond(from("POST", "/", bringKey...))).Code)
	require.Empty(t, sessions.issued)
}

func TestExchangePassesTheIssuersErrorOn(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
	}{
		{auth.ErrSessionLimit, 403}, {auth.ErrReused, 401}, {errOutage, 503}, {auth.ErrNotMine, 503},
		{errors.Join(auth.ErrRevoked, errOutage), 401},
	} {
		o, events := watched(auth.GuardOptions{})
		fail := issuer(func(*auth.Principal, *auth.IssueOptions) (*auth.Grant, error) { return nil, c.err })
		w := serve(keyGuard(o).Exchange(fail), from("POST", "/", bringKey...))
		require.Equal(t, c.status, w.Code)
		require.NotContains(t, w.Body.String(), "10.0.0.7")
		require.Len(t, *events, 1)
		require.ErrorIs(t, (*events)[0].Err, c.err)
		require.Equal(t, "alice", (*events)[0].Subject)
	}
}

// The time of proof is read before anything is proved, so that what is revoked
// in between stays revoked; a time that is known is kept.
func TestExchangeDatesTheProofBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sessions, start := newLedger(), time.Now()
		slow := func(p *auth.Principal) auth.Authenticator {
			return authenticator(func(*http.Request) (*auth.Principal, error) {
				authtest.Advance(time.Minute)
				return p, nil
			})
		}
		key := alice()
		key.Origin = auth.Origin{Kind: auth.KindAPIKey, ID: "key-id"}
		require.Equal(t, 200, serve(auth.NewGuard(slow(key), nil).Exchange(sessions), from("POST", "/")).Code)
		require.True(t, sessions.proved[0].Origin.Time.Equal(start))
		require.Zero(t, key.Origin.Time, "a published principal is not written to")

		known := alice()
		require.Equal(t, 200, serve(auth.NewGuard(slow(known), nil).Exchange(sessions), from("POST", "/")).Code)
		require.Equal(t, known.Origin, sessions.proved[1].Origin)
	})
}

func TestExchangeTellsTheDeviceBounded(t *testing.T) {
	for name, c := range map[string]struct{ agent, want string }{
		"plain":    {"curl/8.0", "curl/8.0"},
		"long":     {strings.Repeat("a", 300), strings.Repeat("a", 256)},
		"cut rune": {strings.Repeat("a", 255) + "é", strings.Repeat("a", 255)},
		"controls": {"a\tb\x7fc\xffd", "abcd"},
	} {
		sessions := newLedger()
		serve(keyGuard(nil).Exchange(sessions), from("POST", "/", "X-Key", "k", "User-Agent", c.agent, "X-Forwarded-For", "192.0.2.9"))
		require.Equal(t, []auth.IssueOptions{{Device: auth.Device{UserAgent: c.want, Address: netip.MustParseAddr("127.0.0.1")}}}, sessions.issued, name)
	}
}

// The token travels in the cookie and nowhere else.
func TestExchangeIntoACookieShowsNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(keyGuard(nil).Exchange(auth.Cookie("__Host-s", newLedger(), nil)), from("POST", "/", bringKey...))
		require.JSONEq(t, `{"expires_in":3600,"scope":"read"}`, w.Body.String())
		require.Equal(t, "token-1", onlyCookie(t, w).Value)
	})
}

// Row 23: a login never adopts the session that came along, it ends it.
func TestExchangeEndsThePresentedCookie(t *testing.T) {
	sessions := newLedger()
	cookie := auth.Cookie("__Host-s", sessions, nil)
	login := keyGuard(nil).Exchange(cookie)
	planted := onlyCookie(t, serve(login, from("POST", "/", bringKey...))).Value
	fresh := onlyCookie(t, serve(login, from("POST", "/", append(bringKey, "Cookie", "__Host-s="+planted)...))).Value

	require.NotEqual(t, planted, fresh)
	require.Equal(t, []string{planted}, sessions.ended)
	guard := auth.NewGuard(cookie, nil)
	require.Equal(t, 401, serve(guard.WrapFunc(hello), from("GET", "/", "Cookie", "__Host-s="+planted)).Code)
	require.Equal(t, 200, serve(guard.WrapFunc(hello), from("GET", "/", "Cookie", "__Host-s="+fresh)).Code)

	made := onlyCookie(t, serve(login, from("POST", "/", append(bringKey, "Cookie", "__Host-s=made-up")...))).Value
	require.NotEqual(t, "made-up", made)
	require.Len(t, sessions.ended, 1, "what is no session needs no end")
}

// An outage between the new session and the end of the old leaves the caller
// with what they had.
func TestExchangeThatCannotEndTheOldGivesNoNew(t *testing.T) {
	sessions := newLedger()
	cookie := auth.Cookie("__Host-s", sessions, nil)
	login := keyGuard(nil).Exchange(cookie)
	old := onlyCookie(t, serve(login, from("POST", "/", bringKey...))).Value

	sessions.known["unclear"] = errOutage
	w := serve(login, from("POST", "/", append(bringKey, "Cookie", "__Host-s=unclear")...))
	require.Equal(t, 503, w.Code)
	require.Empty(t, w.Header()["Set-Cookie"])
	require.Equal(t, []string{"token-2"}, sessions.ended, "the new one, which nobody has seen")

	sessions.down = errOutage
	w = serve(login, from("POST", "/", append(bringKey, "Cookie", "__Host-s="+old)...))
	require.Equal(t, 503, w.Code)
	require.Empty(t, w.Header()["Set-Cookie"])
}

// A page of another origin cannot log a visitor in as somebody else.
func TestExchangeIntoACookieRefusesCrossOrigin(t *testing.T) {
	sessions := newLedger()
	login := keyGuard(nil).Exchange(auth.Cookie("__Host-s", sessions, nil))
	require.Equal(t, 403, serve(login, from("POST", "/", append(bringKey, "Sec-Fetch-Site", "cross-site")...)).Code)
	require.Equal(t, 403, serve(login, from("POST", "/", append(bringKey, "Origin", "https://evil.example")...)).Code)
	require.Empty(t, sessions.issued)

	toBody := keyGuard(nil).Exchange(sessions)
	require.Equal(t, 200, serve(toBody, from("POST", "/", append(bringKey, "Sec-Fetch-Site", "cross-site")...)).Code,
		"a token in the body is for whoever asked")
}

func TestExchangeTellsTheAddressAsPeopleKnowIt(t *testing.T) {
	for remote, want := range map[string]string{"[::ffff:127.0.0.1]:9": "127.0.0.1", "[::1]:9": "::1"} {
		sessions := newLedger()
		r := from("POST", "/", bringKey...)
		r.RemoteAddr = remote
		serve(keyGuard(nil).Exchange(sessions), r)
		require.Equal(t, netip.MustParseAddr(want), sessions.issued[0].Device.Address)
	}
}

func TestStatus(t *testing.T) {
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := alice("read", "write")
	p.Issuer = "https://issuer.example"
	p.Credential.Created, p.Credential.Expires = created, created.Add(time.Hour)
	guard := auth.NewGuard(auth.First(auth.Bearer(known{"good": p, "bare": alice(), "down": errOutage}), auth.JSONField("t", known{})), nil)
	for _, c := range []struct {
		name, authorization string
		guard               *auth.Guard
		status              int
		body                string
	}{
		{"good", "Bearer good", guard, 200,
			`{"active":true,"iss":"https://issuer.example","sub":"alice","scope":"read write","iat":1767323045,"exp":1767326645}`},
		{"bare", "Bearer bare", guard, 200, `{"active":true,"sub":"alice"}`},
		{"nothing", "", guard, 401, `{"active":false}`},
		{"nothing, optional", "", guard.Optional(), 401, `{"active":false}`},
		{"unknown", "Bearer who", guard, 401, `{"active":false}`},
		{"outage", "Bearer down", guard, 503, ""},
		{"policy", "Bearer good", guard.With(auth.Tier("gold")), 403, ""},
	} {
		w := serve(c.guard.Status(), from("GET", "/", "Authorization", c.authorization))
		require.Equal(t, c.status, w.Code, c.name)
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		if c.body != "" {
			require.JSONEq(t, c.body, w.Body.String(), c.name)
		} else {
			require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		}
	}
}
