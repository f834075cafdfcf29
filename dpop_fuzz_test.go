package auth_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// field is the field as a stranger writes it; header and payload are signed by the
// holder of the key, whose JWK stands for $JWK, the time for $NOW and the token's hash for $ATH.
// Rows 47 and 48: no panic, no 5xx, and nobody admitted but with a proof that
// encoding/json and net/url, too, find good.
func FuzzDPoPProof(f *testing.F) {
	client := newProver("ES256")
	jwk := string(must(json.Marshal(client.jwk)))
	ath := client.draft("GET", "", boundToken).claims["ath"].(string)
	f.Fuzz(func(t *testing.T, field, header, payload string) {
		dpop := newDPoP(t, newStore(t), auth.DPoPOptions{})
		stranger(t, dpop.Source(client.bound(boundToken)), func() *http.Request {
			r := from("POST", "/", "Authorization", "DPoP "+boundToken)
			r.Header["Dpop"] = strings.Split(field, "\n") // a line for each field
			return r
		}, 401)

		fill := strings.NewReplacer("$JWK", jwk, "$ATH", ath, "$NOW", fmt.Sprint(time.Now().Unix()))
		text := client.signText(fill.Replace(header), fill.Replace(payload))
		prove := func() (string, error) { return dpop.Prove(from("GET", "/a%20b?c", "DPoP", text), boundToken) }
		confirmation, err := prove()
		if err != nil {
			require.ErrorIs(t, err, auth.ErrProof)
			require.Empty(t, confirmation)
			return
		}
		require.Equal(t, client.confirmation(), confirmation)
		var claims map[string]any
		require.NoError(t, json.Unmarshal([]byte(decodeText(strings.Split(text, ".")[1])), &claims))
		require.NotEmpty(t, claims["jti"])
		require.Equal(t, "GET", claims["htm"])
		require.Equal(t, ath, claims["ath"])
		u, err := url.Parse(claims["htu"].(string))
		require.NoError(t, err)
		require.Equal(t, "/a b", u.Path)
		require.Equal(t, "api.example.com", strings.ToLower(u.Hostname()))
		_, err = prove()
		require.ErrorIs(t, err, auth.ErrProof, "used up")
	})
}

// Two URIs are one for us only where net/url finds in both the same scheme, host
// and path.
func FuzzDPoPURI(f *testing.F) {
	client := newProver("ES256")
	f.Fuzz(func(t *testing.T, target, htu string) {
		if _, err := url.ParseRequestURI(target); err != nil || !strings.HasPrefix(target, "/") {
			return // no server passes it on
		}
		dpop := newDPoP(t, newStore(t), auth.DPoPOptions{})
		r := from("GET", "/", "DPoP", client.proof("GET", htu, ""))
		r.RequestURI = target
		if _, err := dpop.Prove(r, ""); err != nil {
			require.ErrorIs(t, err, auth.ErrProof)
			return
		}
		u, err := url.Parse(htu)
		require.NoError(t, err)
		require.Equal(t, "https", u.Scheme)
		require.Nil(t, u.User)
		require.Equal(t, "api.example.com", strings.ToLower(u.Hostname()))
		require.Contains(t, []string{"", "443"}, u.Port())
		asked, _, _ := strings.Cut(target, "?")
		path, err := url.PathUnescape(asked)
		require.NoError(t, err)
		if u.Path == "" {
			u.Path = "/"
		}
		require.Equal(t, path, u.Path)
	})
}

// Seeds that vanish are missed by nobody else.
func TestFuzzSeedsOfDPoPAreThere(t *testing.T) {
	for target, want := range map[string]int{"FuzzDPoPProof": 20, "FuzzDPoPURI": 12} {
		seeds, err := os.ReadDir(filepath.Join("testdata", "fuzz", target))
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(seeds), want, target)
	}
}
