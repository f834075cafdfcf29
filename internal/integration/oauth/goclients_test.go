//go:build linux

package oauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// golang.org/x/oauth2 gets tokens for a program, and for a person.
func TestXOAuth2(t *testing.T) {
	p := example(t, "spatialweb")
	base := p.values["base_url"]
	for name, style := range map[string]oauth2.AuthStyle{"basic": oauth2.AuthStyleInHeader, "post": oauth2.AuthStyleInParams} {
		t.Run("client credentials, "+name, func(t *testing.T) {
			c := clientcredentials.Config{
				ClientID: p.values["client_id"], ClientSecret: p.values["client_secret"],
				TokenURL: base + "/oauth/token", AuthStyle: style,
				Scopes: []string{"spaces:read", "admin"}, EndpointParams: url.Values{"resource": {base}},
			}
			requireStatus(t, c.Client(t.Context()), base+"/spaces", http.StatusOK)
			requireStatus(t, c.Client(t.Context()), base+"/admin/keys", http.StatusOK)
			c.ClientSecret += "x"
			requireOAuthError(t, "invalid_client", func() error { _, err := c.Token(t.Context()); return err })
		})
	}

	web := &oauth2.Config{
		ClientID: p.values["web_client_id"], ClientSecret: p.values["web_client_secret"],
		RedirectURL: p.values["web_redirect_uri"], Scopes: []string{"spaces:read"},
		Endpoint: oauth2.Endpoint{AuthURL: base + "/oauth/authorize", TokenURL: base + "/oauth/token"},
	}
	app := *web
	app.ClientID, app.ClientSecret, app.RedirectURL = p.values["public_client_id"], "", p.values["public_redirect_uri"]
	for name, c := range map[string]*oauth2.Config{"a web site": web, "an app": &app} {
		t.Run("code, "+name, func(t *testing.T) {
			verifier := oauth2.GenerateVerifier()
			back, page := newPerson(t, p).visit(c.AuthCodeURL("a state", oauth2.S256ChallengeOption(verifier)))
			require.NotNil(t, back, page)
			require.Equal(t, "a state", back.Query().Get("state"))
			token, err := c.Exchange(t.Context(), back.Query().Get("code"), oauth2.VerifierOption(verifier))
			require.NoError(t, err)
			requireStatus(t, c.Client(t.Context(), token), base+"/spaces", http.StatusOK)
			requireStatus(t, c.Client(t.Context(), token), base+"/admin/keys", http.StatusForbidden)

			// One that has expired is refreshed unasked, once.
			token.Expiry = time.Now().Add(-time.Hour)
			next, err := c.TokenSource(t.Context(), token).Token()
			require.NoError(t, err)
			require.NotEqual(t, token.AccessToken, next.AccessToken)
			require.NotEqual(t, token.RefreshToken, next.RefreshToken)
			requireStatus(t, c.Client(t.Context(), next), base+"/spaces", http.StatusOK)

			requireOAuthError(t, "invalid_grant", func() error {
				_, err := c.Exchange(t.Context(), back.Query().Get("code"), oauth2.VerifierOption(verifier))
				return err
			})
			requireStatus(t, oauth2.NewClient(t.Context(), oauth2.StaticTokenSource(next)), base+"/spaces", http.StatusUnauthorized)
		})
	}

	t.Run("a device", func(t *testing.T) {
		c := app
		c.Endpoint.DeviceAuthURL = base + "/oauth/device_authorization"
		asked, err := c.DeviceAuth(t.Context())
		require.NoError(t, err)
		back, _ := newPerson(t, p).visit(asked.VerificationURIComplete)
		require.Nil(t, back)
		token, err := c.DeviceAccessToken(t.Context(), asked)
		require.NoError(t, err)
		requireStatus(t, c.Client(t.Context(), token), base+"/spaces", http.StatusOK)
	})
}

func requireStatus(t *testing.T, c *http.Client, address string, status int) {
	t.Helper()
	r := must(http.NewRequestWithContext(t.Context(), "GET", address, nil))
	response, err := c.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, status, response.StatusCode, string(must(io.ReadAll(response.Body))))
}

func requireOAuthError(t *testing.T, code string, do func() error) {
	t.Helper()
	var refused *oauth2.RetrieveError
	require.ErrorAs(t, do(), &refused)
	require.Equal(t, code, refused.ErrorCode)
}

// go-oidc verifies our access tokens by the keys that we publish, as it does ID
// tokens.
func TestGoOIDC(t *testing.T) {
	p := example(t, "spatialweb")
	base := p.values["base_url"]
	c := clientcredentials.Config{
		ClientID: p.values["client_id"], ClientSecret: p.values["client_secret"],
		TokenURL: base + "/oauth/token", Scopes: []string{"spaces:read"},
	}
	token, err := c.Token(t.Context())
	require.NoError(t, err)
	keys := oidc.NewRemoteKeySet(t.Context(), base+"/.well-known/jwks.json")
	verify := func(audience, text string) (*oidc.IDToken, error) {
		config := &oidc.Config{ClientID: audience, SupportedSigningAlgs: []string{oidc.ES256}}
		return oidc.NewVerifier(base, keys, config).Verify(t.Context(), text)
	}
	read, err := verify(base, token.AccessToken)
	require.NoError(t, err)
	require.Equal(t, p.values["client_id"], read.Subject)
	var claims struct {
		ClientID string `json:"client_id"`
		Scope    string `json:"scope"`
		ID       string `json:"jti"`
	}
	require.NoError(t, read.Claims(&claims))
	require.Equal(t, p.values["client_id"], claims.ClientID)
	require.Equal(t, "spaces:read", claims.Scope)
	require.NotEmpty(t, claims.ID)

	_, err = verify("https://another.example", token.AccessToken)
	require.Error(t, err)
	parts := strings.Split(token.AccessToken, ".")
	_, err = verify(base, parts[0]+"."+parts[1]+"."+strings.Repeat("A", len(parts[2])))
	require.Error(t, err)
}

// The client of the Model Context Protocol's own SDK goes from the bare URL to a
// tool, and asks for another scope when a tool needs it.
func TestMCPClientOfGo(t *testing.T) {
	p := example(t, "mcp")
	const redirect = "http://127.0.0.1:45679/callback"
	var asked []string
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		PreregisteredClient: &oauthex.ClientCredentials{ClientID: p.values["client_id"]},
		RedirectURL:         redirect,
		AuthorizationCodeFetcher: func(_ context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			query := must(url.Parse(args.URL)).Query()
			require.Equal(t, p.values["mcp_url"], query.Get("resource"))
			require.Equal(t, "S256", query.Get("code_challenge_method"))
			asked = append(asked, query.Get("scope"))
			back, page := newPerson(t, p).visit(args.URL)
			if back == nil {
				return nil, errors.New(page)
			}
			q := back.Query()
			return &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state"), Iss: q.Get("iss")}, nil
		},
	})
	require.NoError(t, err)
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).
		Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: p.values["mcp_url"], OAuthHandler: handler}, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, session.Close()) }()
	require.Equal(t, []string{"notes:read"}, asked)

	call := func(tool string, arguments map[string]any) any {
		result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: arguments})
		require.NoError(t, err)
		require.False(t, result.IsError, result.Content)
		return result.StructuredContent
	}
	require.Equal(t, map[string]any{"notes": []any{}}, call("list_notes", nil))
	require.Len(t, asked, 1)
	require.Equal(t, map[string]any{"notes": []any{"Buy milk"}}, call("add_note", map[string]any{"text": "Buy milk"}))
	require.Len(t, asked, 2)
	require.ElementsMatch(t, []string{"notes:read", "notes:write"}, strings.Fields(asked[1]))
	require.Equal(t, map[string]any{"notes": []any{"Buy milk"}}, call("list_notes", nil))
}
