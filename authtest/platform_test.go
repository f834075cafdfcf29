package authtest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
)

func TestPlatform(t *testing.T) {
	partner := authtest.NewPlatform("partner")
	entry := partner.Entry()
	entry.Scopes = []string{"trade"}
	registry, err := auth.NewPlatformList(entry)
	require.NoError(t, err)
	platforms, err := auth.NewPlatforms(memstore.New(), registry, nil)
	require.NoError(t, err)
	guard := auth.NewGuard(platforms.FromHeader("Token", "platform"), nil)

	present := func(assertion string) (*auth.Principal, error) {
		r := httptest.NewRequest("POST", "/", nil)
		r.RemoteAddr = "127.0.0.1:4242"
		r.SetPathValue("platform", "partner")
		r.Header.Set("Token", assertion)
		return guard.Check(r)
	}
	expire := time.Now().Add(time.Minute)
	p, err := present(partner.Sign("ada@example.com", expire))
	require.NoError(t, err)
	require.Equal(t, "partner:ada@example.com", p.Subject)
	require.Equal(t, []string{"trade"}, p.Scopes)
	_, err = present(partner.Sign("ada@example.com", expire))
	require.ErrorIs(t, err, auth.ErrInvalid, "the same assertion")
	_, err = present(partner.SignClaims(map[string]any{"email": "ada@example.com", "expire": expire.Unix(), "nonce": 1}))
	require.NoError(t, err)
	_, err = present(partner.SignClaims(map[string]any{"email": "ada@example.com"}))
	require.ErrorIs(t, err, auth.ErrInvalid)
	_, err = present(authtest.NewPlatform("partner").Sign("eve@example.com", expire))
	require.ErrorIs(t, err, auth.ErrInvalid, "another key")
	var failure *auth.Failure
	require.ErrorAs(t, err, &failure)
	require.Equal(t, http.StatusUnauthorized, failure.Status())
}
