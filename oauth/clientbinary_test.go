package oauth_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
)

// fullClient has something in every field but Keys.
func fullClient() *oauth.Client {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)
	c := &oauth.Client{
		ID: "client-1", Name: `Web <app> & "friends" 🔑`, Website: "https://app.example.com/about",
		Grants:         []oauth.GrantType{oauth.AuthorizationCode, oauth.RefreshToken, oauth.TokenExchange},
		Scopes:         []string{"spaces:read", "spaces:write"},
		RedirectURIs:   []string{"https://app.example.com/done", "http://127.0.0.1/done"},
		Resources:      []string{"https://api.example.com"},
		Audience:       "https://other.example.com",
		OpaqueTokens:   true,
		AccessLifetime: 5 * time.Minute, RefreshLifetime: 24 * time.Hour,
		RequirePushed: true, RequireDPoP: true,
		Trusted: true, Impersonation: true, Revoked: at, Disabled: true, Created: at,
	}
	for _, end := range []time.Time{{}, at.Add(time.Hour)} {
		_, secret := oauth.NewClientSecret()
		secret.Expires = end
		c.Secrets = append(c.Secrets, secret)
	}
	return c
}

// keyed has keys in place of the secrets, and a certificate in place of DPoP.
func keyed(c *oauth.Client, keys auth.KeySet) *oauth.Client {
	c.Secrets, c.Keys = nil, keys
	c.RequireDPoP, c.RequireCertificate = false, c.RequireDPoP
	return c
}

// requireSameClient compares the keys by what they publish.
func requireSameClient(t testing.TB, want, got *oauth.Client) {
	t.Helper()
	w, g := *want, *got
	require.Equal(t, published(t, w.Keys), published(t, g.Keys))
	w.Keys, g.Keys = nil, nil
	require.Equal(t, w, g)
}

func published(t testing.TB, keys auth.KeySet) string {
	t.Helper()
	if keys == nil {
		return ""
	}
	text, err := keys.(*auth.Keys).MarshalJSON()
	require.NoError(t, err)
	return string(text)
}

func TestClientComesBackFromItsBinaryForm(t *testing.T) {
	for name, c := range map[string]*oauth.Client{
		"full":   fullClient(),
		"public": phoneClient(),
		"keys":   keyed(fullClient(), clientKeys(t, auth.ES256, auth.RS256, auth.EdDSA)),
		"least":  {ID: "c", Public: true},
		"empty lists": {
			ID: "c", Public: true, Grants: []oauth.GrantType{}, Scopes: []string{}, RedirectURIs: []string{}, Resources: []string{},
		},
	} {
		data, err := c.MarshalBinary()
		require.NoError(t, err, name)
		var got oauth.Client
		require.NoError(t, got.UnmarshalBinary(data), name)
		requireSameClient(t, c, &got)
		again, err := got.MarshalBinary()
		require.NoError(t, err, name)
		require.Equal(t, string(data), string(again), "one form")
	}
}

// A field that is forgotten in the form is lost in the store, a restriction with
// it.
func TestBinaryClientHasEveryField(t *testing.T) {
	fields := reflect.TypeFor[oauth.Client]()
	with, without := reflect.ValueOf(fullClient()).Elem(), reflect.ValueOf(keyed(fullClient(), clientKeys(t, auth.ES256))).Elem()
	for i := range fields.NumField() {
		name := fields.Field(i).Name
		if name == "Public" {
			continue // the public client has it
		}
		require.False(t, with.Field(i).IsZero() && without.Field(i).IsZero(), "fullClient has no %s", name)
	}
	data, err := fullClient().MarshalBinary()
	require.NoError(t, err)
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(data, &members))
	require.Len(t, members, fields.NumField()+1, "and the version")
	require.Equal(t, 3, reflect.TypeFor[oauth.ClientSecret]().NumField())
}

// Row 13: what is stored is no credential, and holds none.
func TestBinaryClientHoldsNoSecret(t *testing.T) {
	text, kept := oauth.NewClientSecret()
	imported, err := oauth.ImportClientSecret("from-another-server")
	require.NoError(t, err)
	c := webClient()
	c.Secrets = []oauth.ClientSecret{kept, imported}
	data, err := c.MarshalBinary()
	require.NoError(t, err)
	require.NotContains(t, string(data), text.Reveal())
	require.NotContains(t, string(data), text.Reveal()[3:])
	require.NotContains(t, string(data), "from-another-server")
	require.Contains(t, string(data), kept.Digest.String())
	require.False(t, c.HasSecret(kept.Digest.String(), time.Now()))

	// A set with private keys is refused, and not cut down to their public parts.
	signing, err := auth.GenerateKey(auth.ES256)
	require.NoError(t, err)
	keys, err := auth.NewKeys(nil, signing)
	require.NoError(t, err)
	_, err = keyed(webClient(), keys).MarshalBinary()
	require.ErrorContains(t, err, "can sign")
	_, err = keyed(webClient(), foreignKeys{}).MarshalBinary()
	require.ErrorContains(t, err, "cannot be written down")
}

// What a later version of this package writes may restrict what this one does not
// know of.
func TestBinaryClientIsTakenWholeOrNotAtAll(t *testing.T) {
	data, err := keyed(fullClient(), clientKeys(t, auth.ES256)).MarshalBinary()
	require.NoError(t, err)
	secret, err := fullClient().MarshalBinary()
	require.NoError(t, err)
	replaced := func(data []byte, old, new string) string {
		require.Contains(t, string(data), old)
		return strings.Replace(string(data), old, new, 1)
	}
	kept := oauth.Client{ID: "kept"}
	for n := range data {
		require.Error(t, kept.UnmarshalBinary(data[:n]), "cut after %d of %d bytes", n, len(data))
	}
	for name, form := range map[string]string{
		"another version":  replaced(data, `"version":1`, `"version":2`),
		"no version":       replaced(data, `"version":1,`, ``),
		"an unknown field": replaced(data, `"version":1`, `"version":1,"require_mfa":true`),
		"something behind": string(data) + "{}",
		"another type":     replaced(data, `"disabled":true`, `"disabled":"no"`),
		"not valid":        replaced(data, `"id":"client-1"`, `"id":"a b"`),
		"a symmetric key":  replaced(data, `"keys":{"keys":[`, `"keys":{"keys":[{"kty":"oct","alg":"HS256","k":"`+strings.Repeat("A", 43)+`"},`),
		"no keys":          replaced(data, `"keys":{`, `"keys":[],"x":{`),
		"a short digest":   replaced(secret, `"digest":"`, `"digest":"AAAA`),
		"null":             "null", "an array": "[]", "empty": "",
	} {
		err := kept.UnmarshalBinary([]byte(form))
		require.Error(t, err, name)
		require.ErrorContains(t, err, "oauth: malformed or unknown binary form of a client", name)
		require.Equal(t, oauth.Client{ID: "kept"}, kept, name)
	}
	require.ErrorContains(t, kept.UnmarshalBinary([]byte(replaced(data, `"version":1`, `"version":2`))), `"client-1": version 2`)
	require.ErrorContains(t, kept.UnmarshalBinary([]byte(`{"version":2,"id":"new","require_mfa":true}`)), "version")

	none := append([]byte(nil), data...)
	require.NoError(t, kept.UnmarshalBinary(none))
	clear(none)
	require.Equal(t, "client-1", kept.ID, "something of the form was kept")
}

// storedClient is how version 1 keeps a client in databases.
const storedClient = `{"version":1,"id":"web","name":"Web app","website":"","public":false,"secrets":[{"digest":"zyJ-zWjl9bAPKC45xX0cvqOdeqQ1B1n5gg871wXJg7U",` +
	`"created":"2026-03-01T12:00:00.123456Z","expires":"0001-01-01T00:00:00Z"}],"keys":null,"grants":["authorization_code","refresh_token"],"scopes":["spaces:read"],` +
	`"redirect_uris":["https://app.example.com/done"],"resources":null,"audience":"","opaque_tokens":false,"access_lifetime":300000000000,"refresh_lifetime":0,` +
	`"require_pushed":false,"require_dpop":true,"require_certificate":false,"trusted":false,"impersonation":false,"revoked":"0001-01-01T00:00:00Z",` +
	`"disabled":false,"created":"2026-03-01T12:00:00Z"}`

func TestStoredClientsStayReadable(t *testing.T) {
	var c oauth.Client
	require.NoError(t, c.UnmarshalBinary([]byte(storedClient)))
	require.True(t, c.HasSecret("from-another-server", time.Now()))
	require.True(t, c.RequireDPoP)
	require.Equal(t, 5*time.Minute, c.AccessLifetime)
	data, err := c.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, storedClient, string(data))
}

func FuzzClientBinary(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		var c, again oauth.Client
		if c.UnmarshalBinary(data) != nil {
			return
		}
		require.NoError(t, c.Validate())
		form, err := c.MarshalBinary()
		require.NoError(t, err)
		require.NoError(t, again.UnmarshalBinary(form))
		second, err := again.MarshalBinary()
		require.NoError(t, err)
		require.True(t, bytes.Equal(form, second))
	})
}

// FuzzRedirectURI holds what may be registered against the rules, read another
// way: what is admitted is an absolute URI whose text is all that decides where
// a browser goes.
func FuzzRedirectURI(f *testing.F) {
	f.Fuzz(func(t *testing.T, uri string) {
		web, phone := webClient(), phoneClient()
		web.RedirectURIs, phone.RedirectURIs = []string{uri}, []string{uri}
		isWeb := strings.HasPrefix(strings.ToLower(uri), "https://") || strings.HasPrefix(strings.ToLower(uri), "http://127.0.0.1") ||
			strings.HasPrefix(strings.ToLower(uri), "http://[::1]")
		scheme, _, _ := strings.Cut(uri, ":/")
		if web.Validate() == nil {
			require.True(t, isWeb, "%q", uri)
			require.NoError(t, phone.Validate(), "%q", uri)
		}
		if phone.Validate() == nil {
			require.True(t, isWeb || strings.Contains(scheme, ".") && !strings.ContainsAny(scheme, "/?@"), "%q", uri)
			require.False(t, strings.ContainsAny(uri, " \t\r\n\x00#*\"<>\\"), "%q", uri)
		}
	})
}

func TestFuzzSeedsOfClientsAreThere(t *testing.T) {
	for target, want := range map[string]int{"FuzzClientBinary": 6, "FuzzRedirectURI": 12} {
		seeds, err := os.ReadDir(filepath.Join("testdata", "fuzz", target))
		require.NoError(t, err)
		require.Len(t, seeds, want, target)
	}
}
