package oauth_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
)

// Anybody can say that they are a public client: what that has the server keep is
// bounded, by the address. A client that proves who it is is not counted.
func TestNobodyFillsTheStore(t *testing.T) {
	authtest.At(t, whenever, func(t *testing.T) {
		w := newWorld(t)
		for range 15 {
			require.Equal(t, http.StatusCreated, w.push(t, "phone", authorizeQuery("phone")).Code)
			w.device(t, "tv")
		}
		kept := w.count(t, oauth.KindPushedRequest)
		p := w.push(t, "phone", authorizeQuery("phone"))
		require.Equal(t, http.StatusTooManyRequests, p.Code)
		require.Equal(t, "2", p.Header().Get("Retry-After"))
		require.Equal(t, netip.MustParseAddr("127.0.0.1"), w.lastEvent(t).Address)
		d := w.to("/oauth/device_authorization", "tv")
		requireRefused(t, w.send(t, d), http.StatusTooManyRequests, oauth.ErrTemporarilyUnavailable)
		require.Equal(t, kept, w.count(t, oauth.KindPushedRequest))

		d = w.to("/oauth/device_authorization", "tv")
		d.RemoteAddr = "[::1]:4242"
		require.Equal(t, http.StatusOK, w.send(t, d).Code, "another address")
		for range 40 {
			require.Equal(t, http.StatusCreated, w.push(t, "web", authorizeQuery("web")).Code)
		}
		authtest.Advance(2 * time.Second)
		require.Equal(t, http.StatusCreated, w.push(t, "phone", authorizeQuery("phone")).Code)
	})
}

func TestPushedRequestsOfPublicClientsAreShort(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("s", 4<<10)
	a := w.push(t, "phone", authorizeQuery("phone", "state", long))
	require.Equal(t, http.StatusBadRequest, a.Code)
	require.Equal(t, string(oauth.ErrInvalidRequest), a.Error)
	require.Equal(t, http.StatusCreated, w.push(t, "web", authorizeQuery("web", "state", long)).Code)
}
