package oauth_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
)

// webClient is a client with a secret that people send somewhere.
func webClient() *oauth.Client {
	_, secret := oauth.NewClientSecret()
	return &oauth.Client{
		ID: "web", Name: "Web app", Secrets: []oauth.ClientSecret{secret},
		Grants:       []oauth.GrantType{oauth.AuthorizationCode, oauth.RefreshToken},
		Scopes:       []string{"spaces:read"},
		RedirectURIs: []string{"https://app.example.com/done"},
		Created:      time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
}

// phoneClient is a public one.
func phoneClient() *oauth.Client {
	return &oauth.Client{
		ID: "phone", Name: "Phone app", Public: true,
		Grants:       []oauth.GrantType{oauth.AuthorizationCode},
		RedirectURIs: []string{"com.example.app:/done"},
		Created:      time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
}

// clientKeys are the public parts of a new key of each algorithm.
func clientKeys(t testing.TB, algorithms ...auth.Algorithm) *auth.Keys {
	t.Helper()
	var all []*auth.Key
	for _, alg := range algorithms {
		k, err := auth.GenerateKey(alg)
		require.NoError(t, err)
		all = append(all, k)
	}
	set, err := auth.NewKeys(nil, all...)
	require.NoError(t, err)
	text, err := set.MarshalJSON()
	require.NoError(t, err)
	public, err := auth.ParseJWKS(text)
	require.NoError(t, err)
	set, err = auth.NewKeys(nil, public...)
	require.NoError(t, err)
	return set
}

// foreignKeys is a set of keys of somebody's own making, such as one that is
// fetched.
type foreignKeys struct{}

func (foreignKeys) Lookup(context.Context, string, auth.Algorithm) ([]*auth.Key, error) {
	return nil, nil
}

func (foreignKeys) Contains(*auth.Key) bool { return false }

func TestClientValidate(t *testing.T) {
	public := clientKeys(t, auth.ES256)
	signing, err := auth.GenerateKey(auth.ES256)
	require.NoError(t, err)
	canSign, err := auth.NewKeys(signing)
	require.NoError(t, err)
	private, err := auth.NewKeys(nil, signing)
	require.NoError(t, err)
	hmac, err := auth.NewHMACKey("", auth.HS256, []byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	symmetric, err := auth.NewKeys(nil, hmac)
	require.NoError(t, err)

	for _, test := range []struct {
		want   string // empty: it is good
		base   func() *oauth.Client
		change func(*oauth.Client)
	}{
		{"", webClient, func(*oauth.Client) {}},
		{"", phoneClient, func(*oauth.Client) {}},
		{"", webClient, func(c *oauth.Client) { c.ID, c.Name = strings.Repeat("~", 128), strings.Repeat("n", 256) }},
		{"", webClient, func(c *oauth.Client) { c.Name, c.Website = "Ünïcode 🔑", "https://example.com/about?lang=en" }},
		{"", webClient, func(c *oauth.Client) { c.Secrets, c.Keys = nil, public }},
		{"", webClient, func(c *oauth.Client) { c.Secrets, c.Keys = nil, foreignKeys{} }},
		{"", webClient, func(c *oauth.Client) { c.Trusted, c.Impersonation, c.Audience = true, true, "https://api.example.com" }},
		{"", webClient, func(c *oauth.Client) { c.Resources = []string{} }},
		{"", webClient, func(c *oauth.Client) { c.AccessLifetime, c.RefreshLifetime = 24*time.Hour, 400*24*time.Hour }},
		{"", webClient, func(c *oauth.Client) {
			c.Grants, c.RedirectURIs = []oauth.GrantType{oauth.ClientCredentials, oauth.JWTBearer, oauth.DeviceCode, oauth.TokenExchange}, nil
		}},
		{"", webClient, func(c *oauth.Client) { c.Grants, c.RedirectURIs = nil, nil }},

		{"id is not", webClient, func(c *oauth.Client) { c.ID = "" }},
		{"id is not", webClient, func(c *oauth.Client) { c.ID = strings.Repeat("a", 129) }},
		{"id is not", webClient, func(c *oauth.Client) { c.ID = "a b" }},
		{"other than blanks and colons", webClient, func(c *oauth.Client) { c.ID = "a:b" }},
		{"id is not", webClient, func(c *oauth.Client) { c.ID = "é" }},
		{"id is not", webClient, func(c *oauth.Client) { c.ID = "a\x7f" }},
		{"name is not", webClient, func(c *oauth.Client) { c.Name = strings.Repeat("n", 257) }},
		{"name is not", webClient, func(c *oauth.Client) { c.Name = "\xff" }},
		{"name is not", webClient, func(c *oauth.Client) { c.Name = "Web\napp" }},
		{"website", webClient, func(c *oauth.Client) { c.Website = "http://example.com" }},
		{"website", webClient, func(c *oauth.Client) { c.Website = "https://user@example.com" }},
		{"website", webClient, func(c *oauth.Client) { c.Website = "javascript:alert(1)" }},
		{"both RequireDPoP and RequireCertificate", webClient, func(c *oauth.Client) { c.RequireDPoP, c.RequireCertificate = true, true }},
		{"neither public nor", webClient, func(c *oauth.Client) { c.Secrets = nil }},
		{"both secrets and keys", webClient, func(c *oauth.Client) { c.Keys = public }},
		{"without a digest", webClient, func(c *oauth.Client) { c.Secrets = make([]oauth.ClientSecret, 1) }},
		{"more than 4 secrets", webClient, func(c *oauth.Client) { c.Secrets = slices.Repeat(c.Secrets, 5) }},
		{"can sign", webClient, func(c *oauth.Client) { c.Secrets, c.Keys = nil, canSign }},
		{"can sign", webClient, func(c *oauth.Client) { c.Secrets, c.Keys = nil, private }},
		{"can sign", webClient, func(c *oauth.Client) { c.Secrets, c.Keys = nil, struct{ *auth.Keys }{public} }},
		{"no public part", webClient, func(c *oauth.Client) { c.Secrets, c.Keys = nil, symmetric }},
		{"no key", webClient, func(c *oauth.Client) { c.Secrets, c.Keys = nil, (*auth.Keys)(nil) }},
		{`unknown grant "implicit"`, webClient, func(c *oauth.Client) { c.Grants = []oauth.GrantType{"implicit"} }},
		{`unknown grant "password"`, webClient, func(c *oauth.Client) { c.Grants = []oauth.GrantType{"password"} }},
		{`"a b" is not a scope`, webClient, func(c *oauth.Client) { c.Scopes = []string{"a b"} }},
		{`"" is not a scope`, webClient, func(c *oauth.Client) { c.Scopes = []string{""} }},
		{"more than 256 scopes", webClient, func(c *oauth.Client) { c.Scopes = slices.Repeat([]string{"a"}, 257) }},
		{"more than 64 redirect URIs", webClient, func(c *oauth.Client) { c.RedirectURIs = slices.Repeat(c.RedirectURIs, 65) }},
		{"needs a redirect URI", webClient, func(c *oauth.Client) { c.RedirectURIs = nil }},
		{"resource", webClient, func(c *oauth.Client) { c.Resources = []string{"/relative"} }},
		{"more than 64 resources", webClient, func(c *oauth.Client) { c.Resources = slices.Repeat([]string{"https://a.example"}, 65) }},
		{"audience", webClient, func(c *oauth.Client) { c.Audience = "https://api.example.com#fragment" }},
		{"AccessLifetime", webClient, func(c *oauth.Client) { c.AccessLifetime = -1 }},
		{"AccessLifetime", webClient, func(c *oauth.Client) { c.AccessLifetime = 24*time.Hour + 1 }},
		{"RefreshLifetime", webClient, func(c *oauth.Client) { c.RefreshLifetime = -1 }},
		{"RefreshLifetime", webClient, func(c *oauth.Client) { c.RefreshLifetime = 400*24*time.Hour + 1 }},

		// Whom anybody can claim to be.
		{"public, but has a secret", phoneClient, func(c *oauth.Client) { c.Secrets = webClient().Secrets }},
		{"public, but has a secret or a key", phoneClient, func(c *oauth.Client) { c.Keys = public }},
		{"cannot be trusted", phoneClient, func(c *oauth.Client) { c.Trusted = true }},
		{"are not for it", phoneClient, func(c *oauth.Client) { c.Grants = []oauth.GrantType{oauth.ClientCredentials} }},
		{"are not for it", phoneClient, func(c *oauth.Client) { c.Grants = []oauth.GrantType{oauth.TokenExchange} }},
		{"cannot impersonate", phoneClient, func(c *oauth.Client) { c.Impersonation = true }},
		{"cannot be a resource", phoneClient, func(c *oauth.Client) { c.Audience = "https://api.example.com" }},
	} {
		c := test.base()
		test.change(c)
		_, listed := oauth.NewClientList(c)
		if test.want == "" {
			require.NoError(t, c.Validate())
			require.NoError(t, listed)
			continue
		}
		require.ErrorContains(t, c.Validate(), test.want)
		require.ErrorContains(t, listed, test.want)
		require.NotContains(t, listed.Error(), "%!")
	}
	require.Error(t, (*oauth.Client)(nil).Validate())

	joined := (&oauth.Client{Grants: []oauth.GrantType{"x"}, Scopes: []string{""}}).Validate()
	for _, want := range []string{"id", "neither", "grant", "scope"} {
		require.ErrorContains(t, joined, want, "all that is wrong is told")
	}
}

// Rows 17 and 131: what may be registered, of a confidential client and of a
// public one.
func TestClientRedirectURIs(t *testing.T) {
	for uri, want := range map[string]struct{ confidential, public bool }{
		"https://app.example.com/done":         {true, true},
		"https://app.example.com":              {true, true},
		"https://app.example.com:8443/a?b=c&d": {true, true},
		"https://localhost/done":               {true, true},
		"http://127.0.0.1/done":                {true, true},
		"http://127.0.0.1:8080/done":           {true, true},
		"http://[::1]:3000/done":               {true, true},
		"com.example.app:/done":                {false, true},
		"com.example.app://done":               {false, true},

		"": {}, "/done": {}, "app.example.com/done": {}, "//app.example.com/done": {},
		"http://app.example.com/done":                          {},
		"http://localhost:8080/done":                           {}, // a name may lead elsewhere
		"http://127.0.0.2/done":                                {},
		"http://127.0.0.1.example.com/done":                    {},
		"http://[::1%25lo]/done":                               {},
		"http://2130706433/done":                               {},
		"https://app.example.com/done#":                        {},
		"https://app.example.com/done#fragment":                {},
		"https://user@app.example.com/done":                    {},
		"https://user:pw@app.example.com/done":                 {},
		"https://@app.example.com/done":                        {},
		"https:app.example.com":                                {},
		"https:///done":                                        {},
		"https://:443/done":                                    {},
		"https://*.example.com/done":                           {},
		"https://app.example.com/*":                            {},
		"com.example.app:/*":                                   {},
		"https://app.example.com/{id}":                         {},
		`https://app.example.com\@evil.example`:                {},
		"https://app.example.com/a b":                          {},
		"https://app.example.com/\n":                           {},
		" https://app.example.com/":                            {},
		"https://äpp.example.com/":                             {},
		"https://%c3%a4pp.example.com/":                        {},
		"https://app.example.com/%zz":                          {},
		`https://app.example.com/"onload="`:                    {},
		"https://app.example.com/<script>":                     {},
		"javascript:alert(1)":                                  {},
		"javascript://app.example.com/%0aalert":                {},
		"data:text/html,x":                                     {},
		"vbscript:x":                                           {},
		"file:///etc/passwd":                                   {},
		"myapp:/done":                                          {}, // no dot: anybody's
		"com.example.app:done":                                 {},
		"com.example.app://user@done":                          {},
		"com.example.app:/done#fragment":                       {},
		"urn:ietf:wg:oauth:2.0:oob":                            {},
		"https://app.example.com/" + strings.Repeat("a", 2048): {},
	} {
		web, phone := webClient(), phoneClient()
		web.RedirectURIs, phone.RedirectURIs = []string{uri}, []string{uri}
		require.Equal(t, want.confidential, web.Validate() == nil, "confidential: %q", uri)
		require.Equal(t, want.public, phone.Validate() == nil, "public: %q", uri)
	}
}

func TestClientList(t *testing.T) {
	a, b := webClient(), phoneClient()
	_, err := oauth.NewClientList(a, nil, &oauth.Client{}, a)
	require.ErrorContains(t, err, "nil")
	require.ErrorContains(t, err, "neither public nor")
	require.ErrorContains(t, err, `two clients have the id "web"`)

	l, err := oauth.NewClientList(a, b)
	require.NoError(t, err)
	got, err := l.Client(t.Context(), "web")
	require.NoError(t, err)
	require.Equal(t, a, got)
	a.Disabled = true
	require.False(t, got.Disabled, "the list's own")
	for _, id := range []string{"", "Web", "web2"} {
		_, err := l.Client(t.Context(), id)
		require.ErrorIs(t, err, auth.ErrNotFound)
	}
	_, err = oauth.NewClientList()
	require.NoError(t, err)
}
