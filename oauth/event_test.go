package oauth_test

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
)

// Who watches for guesses needs to know at whose secret, and from where.
func TestEventOfWhatIsRefusedNamesTheClient(t *testing.T) {
	w := newWorld(t)
	w.change("partner", func(c *oauth.Client) { c.Disabled = true })
	for _, path := range []string{"/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/par", "/oauth/device_authorization"} {
		for _, test := range []struct {
			name, id string
			r        *http.Request
		}{
			{"wrong secret", "web", request("POST", path, form(), basicAuth("web", "cs_of-somebody-else"))},
			{"wrong secret in the form", "web", request("POST", path, form("client_id", "web", "client_secret", "cs_of-somebody-else"))},
			{"unknown", "nobody", request("POST", path, form(), basicAuth("nobody", "cs_of-somebody-else"))},
			{"disabled", "partner", request("POST", path, form(), w.basic("partner"))},
			{"no proof", "web", request("POST", path, form("client_id", "web"))},
			{"no id", "", request("POST", path, form("client_id", "a\nline"))},
			{"nobody", "", request("POST", path, form())},
		} {
			t.Run(path+" "+test.name, func(t *testing.T) {
				test.r.RemoteAddr = "[::1]:4242"
				requireRefused(t, w.send(t, test.r), http.StatusUnauthorized, oauth.ErrInvalidClient)
				e := w.lastEvent(t)
				require.Equal(t, test.id, e.ClientID)
				require.Equal(t, netip.MustParseAddr("::1"), e.Address)
				require.Equal(t, oauth.ErrInvalidClient, e.Code)
			})
		}
	}
}

func TestEventOfAStolenCode(t *testing.T) {
	w := newWorld(t)
	code := w.code(t, "web", nil)
	requireGranted(t, w.send(t, w.redeem("web", code)))
	requireRefused(t, w.send(t, w.redeem("web", code)), http.StatusBadRequest, oauth.ErrInvalidGrant)
	e := w.lastEvent(t)
	require.ErrorIs(t, e.Err, auth.ErrReused)
	require.Equal(t, "web", e.ClientID)
	require.NotNil(t, e.Principal)
}

// Such as one whose redirect URI somebody tries to replace.
func TestEventOfAnAuthorizationRequestThatIsRefused(t *testing.T) {
	w := newWorld(t)
	for id, named := range map[string]string{"web": "web", "nobody": "nobody", "a b": ""} {
		p := w.as(t, "alice").get(authorizeURL(id, "redirect_uri", "https://evil.example"))
		require.Nil(t, p.location)
		e := w.lastEvent(t)
		require.Equal(t, named, e.ClientID)
		require.True(t, e.Address.IsValid())
		require.Error(t, e.Err)
	}
}
