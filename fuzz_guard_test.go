package auth_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// stranger serves r as somebody who holds no credential of the house: refused
// with one of the statuses, whatever it is that r brings, and told by the rules
// of HTTP. Row 48: no panic and no 5xx.
func stranger(t *testing.T, source auth.Authenticator, request func() *http.Request, statuses ...int) {
	t.Helper()
	guard := auth.NewGuard(source, nil)
	nobody := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, ok := auth.FromContext(r.Context())
		require.False(t, ok, "a stranger was admitted")
	})
	w := serve(guard.Wrap(nobody), request())
	require.Contains(t, statuses, w.Code)
	challenged := parseChallenges(t, w.Result())
	if w.Code == http.StatusUnauthorized {
		require.NotEmpty(t, challenged)
	}
	for _, h := range []http.Handler{guard.Exchange(newLedger()), guard.Status(), guard.SignOut(newLedger())} {
		require.Contains(t, append(statuses, http.StatusMethodNotAllowed), serve(h, request()).Code)
	}
	w = serve(guard.Optional().Wrap(nobody), request())
	require.Contains(t, append(statuses, http.StatusOK), w.Code)
}

func FuzzAuthorization(f *testing.F) {
	h := newHouse(f)
	source := auth.First(auth.Bearer(h.tokens, h.sessions, h.keys), auth.Header("X-API-Key", h.keys, h.tokens, known{}))
	f.Fuzz(func(t *testing.T, field string) {
		for _, name := range []string{"Authorization", "X-Api-Key"} {
			stranger(t, source, func() *http.Request {
				r := from("POST", "/")
				r.Header[name] = strings.Split(field, "\n") // a line for each field
				return r
			}, 400, 401)
		}
	})
}

func FuzzCookie(f *testing.F) {
	h := newHouse(f)
	source := auth.Cookie("__Host-session", h.sessions, nil)
	f.Fuzz(func(t *testing.T, field, site, origin string) {
		stranger(t, source, func() *http.Request {
			r := from("POST", "/", "Sec-Fetch-Site", site, "Origin", origin)
			r.Header["Cookie"] = strings.Split(field, "\n")
			return r
		}, 400, 401, 403)
	})
}

func FuzzJSONField(f *testing.F) {
	h := newHouse(f)
	source := auth.JSONField("api_key", h.keys, h.tokens, h.sessions)
	f.Fuzz(func(t *testing.T, contentType, body string) {
		stranger(t, source, func() *http.Request {
			return sending("POST", "/", body, "Content-Type", contentType)
		}, 400, 401, 413)
	})
}

func FuzzRemoteAddr(f *testing.F) {
	guard := auth.NewGuard(authenticator(func(*http.Request) (*auth.Principal, error) { return alice(), nil }), nil)
	f.Fuzz(func(t *testing.T, address string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = address
		switch status := serve(guard.WrapFunc(hello), r).Code; status {
		case http.StatusForbidden:
		case http.StatusOK:
			local, err := netip.ParseAddrPort(address)
			require.NoError(t, err)
			require.True(t, local.Addr().Unmap().IsLoopback())
		default:
			t.Fatalf("%d for %q", status, address)
		}
	})
}

// Seeds that vanish are missed by nobody else.
func TestFuzzSeedsOfTheGuardAreThere(t *testing.T) {
	for target, want := range map[string]int{"FuzzAuthorization": 18, "FuzzCookie": 12, "FuzzJSONField": 14, "FuzzRemoteAddr": 14} {
		seeds, err := os.ReadDir(filepath.Join("testdata", "fuzz", target))
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(seeds), want, target)
	}
}
