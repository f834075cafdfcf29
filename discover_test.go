package auth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// Metadata is looked for in both places, the one after the path, the other
// between host and path.
func TestDiscoverPlaces(t *testing.T) {
	key := generate(t, auth.ES256)
	for _, path := range []string{"", "/", "/tenant", "/tenant/", "/a/b%2Fc"} {
		appended := strings.TrimSuffix(path, "/") + "/.well-known/openid-configuration"
		between := "/.well-known/oauth-authorization-server" + strings.TrimSuffix(path, "/")
		for _, at := range []string{appended, between} {
			for name, elsewhere := range map[string]http.HandlerFunc{
				"nothing": nil,
				"a page":  func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<!DOCTYPE html>") },
				"another": func(w http.ResponseWriter, _ *http.Request) {
					_, _ = fmt.Fprint(w, `{"issuer":"https://other.example","jwks_uri":"https://other.example"}`)
				},
			} {
				p := newProvider(t, key)
				origin := p.issuer
				p.issuer += path
				p.page(oidcPath, nil)
				p.page(unescape(appended), elsewhere)
				p.page(unescape(between), elsewhere)
				p.text(unescape(at), fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, p.issuer, origin+keysPath))
				who := good(t, p.jwt(p.discover(auth.RemoteKeysOptions{})), p.token(key))
				require.Equal(t, p.issuer, who.Issuer, "%s at %s, %s elsewhere", path, at, name)
			}
		}
	}
}

func unescape(path string) string { return strings.ReplaceAll(path, "%2F", "/") }

// The metadata must be the issuer's own, to the byte, and what it says decides
// only over where the keys are.
func TestDiscoverRefusesMetadata(t *testing.T) {
	key := generate(t, auth.ES256)
	p := newProvider(t, key)
	uri := fmt.Sprintf(`"jwks_uri":%q`, p.issuer+keysPath)
	own := fmt.Sprintf(`"issuer":%q`, p.issuer)
	token := p.token(key)
	for metadata, want := range map[string]string{
		`{` + own + `,` + uri + `}`:                                  "",
		`{"x":[{"y":null}],` + uri + `,` + own + `}`:                 "",
		`{` + uri + `}`:                                              "another issuer",
		`{"issuer":"",` + uri + `}`:                                  "another issuer",
		`{"issuer":"` + p.issuer + `/",` + uri + `}`:                 "another issuer",
		`{"issuer":"` + strings.ToUpper(p.issuer) + `",` + uri + `}`: "another issuer",
		`{"Issuer":"` + p.issuer + `",` + uri + `}`:                  "another issuer",
		`{"issuer":["` + p.issuer + `"],` + uri + `}`:                "not the metadata",
		`{"issuer":null,` + uri + `}`:                                "not the metadata",
		`{` + own + `,` + own + `,` + uri + `}`:                      "appears twice",
		`{` + own + `}`:                                              "jwks_uri: URL is malformed",
		`{` + own + `,"jwks_uri":""}`:                                "jwks_uri: URL is malformed",
		`{` + own + `,"jwks_uri":"/keys"}`:                           "jwks_uri: URL is malformed",
		`{` + own + `,"jwks_uri":7}`:                                 "not the metadata",
		`{` + own + `,"JWKS_URI":"` + p.issuer + keysPath + `"}`:     "jwks_uri: URL is malformed",
		`{` + own + `,"jwks_uri":"http://idp.example/keys"}`:         "neither https",
		`{` + own + `,"jwks_uri":"http://127.0.0.1:1/keys"}`:         "plain HTTP",
		`{` + own + `,"jwks_uri":"file:///etc/keys"}`:                "URL is malformed",
		`{` + own + `,"jwks_uri":"https://u:p@idp.example/keys"}`:    "has a user",
		`{` + own + `,"jwks_uri":"https://idp.example/keys#x"}`:      "has a fragment",
		`[]`:   "not one JSON object",
		``:     "not one JSON object",
		`{`:    "not one JSON object",
		`null`: "not one JSON object",
		`{` + own + `,` + uri + `,"x":"` + strings.Repeat("x", 1<<20) + `"}`: "too large",
	} {
		p.text(oidcPath, metadata)
		before := p.fetched()
		j := p.jwt(p.discover(auth.RemoteKeysOptions{}))
		if want == "" {
			good(t, j, token)
			continue
		}
		require.ErrorContains(t, outage(t, j, token), want, metadata)
		require.Equal(t, before, p.fetched(), "no keys are fetched by it")
	}

	// Nor is a redirect to another place of truth followed.
	p.page(oidcPath, redirect("https://other.example/"))
	require.ErrorContains(t, outage(t, p.jwt(p.discover(auth.RemoteKeysOptions{})), token), "another origin")
}

// Keys may be with another host than the metadata, as the metadata says so.
func TestDiscoverKeysAtAnotherHost(t *testing.T) {
	key := generate(t, auth.ES256)
	p, other := newProvider(t), newProvider(t, key)
	p.text(oidcPath, fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, p.issuer, other.issuer+keysPath))
	good(t, p.jwt(p.discover(auth.RemoteKeysOptions{})), p.token(key))
	require.Equal(t, 1, other.fetched())
}

// Keys that move are followed: with the next refresh, and at once where they are
// no longer where they were.
func TestDiscoverFollowsKeysThatMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := generate(t, auth.ES256), generate(t, auth.ES256)
		p := newPipedProvider(t, old)
		j := p.jwt(p.discover(auth.RemoteKeysOptions{}))
		seen := p.token(old)
		good(t, j, seen)
		move := func(to string, k *auth.Key) {
			p.text(to, jwks(t, k))
			p.text(oidcPath, fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, p.issuer, p.issuer+to))
		}
		move("/moved", next)
		authtest.Advance(15 * time.Minute)
		good(t, j, p.token(next))
		bad(t, j, seen)

		move("/again", old)
		p.page("/moved", nil)
		outage(t, j, seen)
		good(t, j, seen)

		// Metadata that is taken away leaves the keys to grow stale.
		p.page(oidcPath, nil)
		authtest.Advance(23 * time.Hour)
		good(t, j, seen)
		authtest.Advance(2 * time.Hour)
		outage(t, j, seen)
	})
}

// Row 48: whatever an issuer says of itself, what is believed of it is a URL
// that may be asked.
func FuzzProviderMetadata(f *testing.F) {
	const issuer = "https://idp.example"
	f.Fuzz(func(t *testing.T, document []byte) {
		uri, err := auth.ReadMetadata(document, issuer)
		if err != nil {
			require.Empty(t, uri)
			return
		}
		var members map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(document, &members))
		var claimed, named string
		require.NoError(t, errors.Join(json.Unmarshal(members["issuer"], &claimed), json.Unmarshal(members["jwks_uri"], &named)))
		require.Equal(t, issuer, claimed)
		require.Equal(t, named, uri)
		require.True(t, strings.HasPrefix(strings.ToLower(uri), "https://"), uri)
		keys, err := auth.NewRemoteKeys(uri, nil)
		require.NoError(t, err, "it would do as an author's own")
		require.NoError(t, keys.Close())
		_, err = auth.ReadMetadata(document, issuer+"/")
		require.Error(t, err)
	})
}
