package oauth_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// What an operator changes counts at the client's next request, and for what it
// holds: the secret rolls over, and one call ends it all.
func TestClientRecordsOfAServer(t *testing.T) {
	authtest.At(t, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), func(t *testing.T) {
		store := memstore.New()
		records := newClientRecords(t, store)
		w := newWorldOver(t, store, func(c *oauth.Config) { c.Clients = records })
		for _, id := range []string{"opaque", "service"} {
			require.NoError(t, records.Insert(t.Context(), w.clients[id]))
		}
		ask := func(id, secret string) *answer {
			return w.send(t, request("POST", "/oauth/token", form("grant_type", "client_credentials"), basicAuth(id, secret)))
		}
		first := w.secrets["opaque"]
		requireGranted(t, ask("opaque", first))
		second, err := records.RotateSecret(t.Context(), "opaque", time.Hour)
		require.NoError(t, err)
		requireGranted(t, ask("opaque", first))
		held := ask("opaque", second.Reveal())
		requireGranted(t, held)
		authtest.Advance(time.Hour)
		requireRefused(t, ask("opaque", first), 401, oauth.ErrInvalidClient)

		held = ask("opaque", second.Reveal())
		_, err = w.opener(t, api).Verify(t.Context(), held.AccessToken)
		require.NoError(t, err)
		require.NoError(t, records.Disable(t.Context(), "opaque"))
		requireRefused(t, ask("opaque", second.Reveal()), 401, oauth.ErrInvalidClient)
		_, err = w.opener(t, api).Verify(t.Context(), held.AccessToken)
		require.Error(t, err)
		requireGranted(t, ask("service", w.secrets["service"]))

		authtest.Advance(time.Second)
		require.NoError(t, records.Enable(t.Context(), "opaque"))
		authtest.Advance(time.Second)
		requireGranted(t, ask("opaque", second.Reveal()))
		_, err = w.opener(t, api).Verify(t.Context(), held.AccessToken)
		require.Error(t, err, "what has ended stays so")
		require.NoError(t, records.Remove(t.Context(), "opaque"))
		requireRefused(t, ask("opaque", second.Reveal()), 401, oauth.ErrInvalidClient)
	})
}
