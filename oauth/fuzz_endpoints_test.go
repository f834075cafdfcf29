package oauth_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
)

// A client that has been issued nothing, and is no resource, sends any form to the
// endpoints that read tokens, in which $web, $opaque, $refresh and $device stand
// for what others have been issued. Rows 48, 81, 82: no 5xx, nobody's token is told
// about or ended.
func FuzzIntrospectRevoke(f *testing.F) {
	w := newWorld(f)
	w.add(&oauth.Client{ID: "stranger", Grants: []oauth.GrantType{oauth.TokenExchange, oauth.DeviceCode}, Scopes: []string{"read"}})
	web, opaque := w.signIn(f, "web"), w.signIn(f, "opaque")
	device := w.connected(f, "tv")
	others := strings.NewReplacer("$web", web.AccessToken, "$opaque", opaque.AccessToken, "$refresh", web.RefreshToken, "$device", device.Device)
	paths := []string{"/oauth/introspect", "/oauth/revoke", "/oauth/token", "/oauth/device_authorization"}
	f.Fuzz(func(t *testing.T, path uint8, form string) {
		r := httptest.NewRequest("POST", paths[int(path)%len(paths)], strings.NewReader(others.Replace(form)))
		r.RemoteAddr = "127.0.0.1:4242"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		proof := w.basic("stranger")
		r.Header.Set(proof.name, proof.value)
		a := httptest.NewRecorder()
		w.server.ServeHTTP(a, r)
		require.Less(t, a.Code, 500, a.Body)
		switch body := a.Body.String(); {
		case a.Code != http.StatusOK:
			require.True(t, json.Valid(a.Body.Bytes()))
		case r.URL.Path == "/oauth/introspect":
			require.Equal(t, `{"active":false}`, body)
		case r.URL.Path == "/oauth/revoke":
			require.Empty(t, body)
		case r.URL.Path == "/oauth/token":
			t.Fatalf("tokens for nothing: %s", body)
		}
		w.requireOpen(t, web.AccessToken)
		w.requireOpen(t, opaque.AccessToken)
		require.Equal(t, "refresh_token", w.introspect(t, "web", web.RefreshToken)["token_use"])
	})
}

// Whatever the issuer of a subject token says of actors, the answer is no 5xx, the
// client is told as the actor, and the chain is bounded.
func FuzzExchangeClaims(f *testing.F) {
	var claims string
	subject := verifierFunc(func(_ context.Context, text string) (*auth.Principal, error) {
		return &auth.Principal{Issuer: "https://idp.example", Subject: "carol", Scopes: []string{"read"}, Claims: json.RawMessage(claims)}, nil
	})
	w := newExchange(f, func(c *oauth.Config) { c.SubjectTokens = []auth.Verifier{subject} })
	f.Fuzz(func(t *testing.T, text string) {
		claims = text
		for _, opaque := range []bool{false, true} {
			w.change("gateway", func(c *oauth.Client) { c.OpaqueTokens = opaque })
			a := w.send(t, w.exchange("gateway", "token"))
			if a.Code != http.StatusOK {
				requireRefused(t, a, 400, oauth.ErrInvalidRequest)
				continue
			}
			p, err := w.proves(t, api, a.AccessToken)
			require.NoError(t, err)
			by := act(t, p)
			require.Equal(t, "gateway", by.Subject)
			require.Empty(t, by.Issuer)
			n := 0
			for by = by.Act; by != nil; by = by.Act {
				require.NotEmpty(t, by.Issuer)
				n++
			}
			require.LessOrEqual(t, n, 8)
		}
	})
}

// A text is no user code, or the one that is shown.
func FuzzUserCode(f *testing.F) {
	f.Fuzz(func(t *testing.T, typed string) {
		code := oauth.ReadUserCode(typed)
		if code == "" {
			return
		}
		require.Regexp(t, "^[BCDFGHJKLMNPQRSTVWXZ]{8}$", code)
		require.Equal(t, code, oauth.ReadUserCode(code[:4]+"-"+code[4:]))
		require.Equal(t, code, oauth.ReadUserCode(strings.ToLower(code)))
	})
}

func TestFuzzSeedsOfTheEndpointsAreThere(t *testing.T) {
	for target, want := range map[string]int{"FuzzIntrospectRevoke": 18, "FuzzExchangeClaims": 14, "FuzzUserCode": 8} {
		seeds, err := os.ReadDir(filepath.Join("testdata", "fuzz", target))
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(seeds), want, target)
	}
}
