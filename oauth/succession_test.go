package oauth_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// Who is registered under the id of a client that was removed is another client:
// it gets nothing by what that one held.
func TestNextClientOfAnIDInheritsNothing(t *testing.T) {
	authtest.At(t, whenever, func(t *testing.T) {
		store := memstore.New()
		records := newClientRecords(t, store)
		w := newWorldOver(t, store, func(c *oauth.Config) { c.Clients = records })
		for _, id := range []string{"web", "phone", "tv"} {
			c := *w.clients[id]
			require.NoError(t, records.Insert(t.Context(), &c))
			require.Zero(t, c.Created, "the caller's own")
		}
		held := w.signIn(t, "web")
		code := w.code(t, "web", nil)
		device := w.device(t, "tv")
		pushed := w.push(t, "phone", authorizeQuery("phone"))
		require.Equal(t, true, w.introspect(t, "web", held.AccessToken)["active"])

		authtest.Advance(time.Second)
		for _, id := range []string{"web", "phone", "tv"} {
			require.NoError(t, records.Remove(t.Context(), id))
			c := *w.clients[id]
			require.NoError(t, records.Insert(t.Context(), &c))
			next, err := records.Client(t.Context(), id)
			require.NoError(t, err)
			require.True(t, next.Created.Equal(time.Now()))
		}
		requireRefused(t, w.send(t, w.renew("web", held.RefreshToken)), 400, oauth.ErrInvalidGrant)
		requireRefused(t, w.send(t, w.redeem("web", code)), 400, oauth.ErrInvalidGrant)
		requireRefused(t, w.send(t, w.poll("tv", device)), 400, oauth.ErrInvalidGrant)
		requireShown(t, w.as(t, "alice").get(pushedURL("phone", pushed.RequestURI)), 400, "has expired")
		require.Equal(t, false, w.introspect(t, "web", held.AccessToken)["active"])

		// What it is given itself, in the very moment too, is its own.
		own := w.signIn(t, "web")
		require.Equal(t, true, w.introspect(t, "web", own.AccessToken)["active"])
		requireGranted(t, w.send(t, w.renew("web", own.RefreshToken)))
	})
}
