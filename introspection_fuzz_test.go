package auth_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// Whatever a server answers: it admits only where it says so in JSON that
// another reader understands the same way, and refuses only where it says
// something of the token. All else is an outage.
func FuzzIntrospectionResponse(f *testing.F) {
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 100 || status > 999 {
			return // net/http takes no other
		}
		a := &asker{answer: func(*http.Request, string) (int, string, error) { return status, body, nil }}
		p, err := newIntrospection(t, a, auth.IntrospectionOptions{}).Verify(t.Context(), "opaque")
		var told map[string]any // exact names, unlike the fields of a struct
		_ = json.Unmarshal([]byte(body), &told)
		var reason auth.Reason
		switch {
		case err == nil:
			require.Equal(t, 200, status)
			require.Equal(t, true, told["active"])
			require.Contains(t, []any{told["sub"], told["client_id"]}, p.Subject)
			require.NotEmpty(t, p.Subject)
			require.Equal(t, introspectionIssuer, p.Issuer)
			require.Contains(t, []any{nil, introspectionIssuer}, told["iss"])
			require.Contains(t, told["aud"], introspectionAudience)
			require.Contains(t, p.Credential.Audience, introspectionAudience)
			require.Equal(t, body, string(p.Claims))
			require.NotEmpty(t, p.Credential.ID)
			require.Equal(t, auth.KindAccessToken, p.Credential.Kind)
		case errors.As(err, &reason):
			require.Equal(t, 200, status)
			require.Contains(t, []auth.Reason{auth.ErrInvalid, auth.ErrExpired}, reason)
			require.NotContains(t, err.Error(), "opaque")
		default:
			require.NotErrorIs(t, err, auth.ErrNotMine)
			require.Nil(t, p)
		}
	})
}

func TestFuzzSeedsOfIntrospectionAreThere(t *testing.T) {
	seeds, err := os.ReadDir(filepath.Join("testdata", "fuzz", "FuzzIntrospectionResponse"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(seeds), 27)
}
