package oauth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

func (w *world) metadata(t testing.TB, path string) map[string]any {
	t.Helper()
	a := httptest.NewRecorder()
	w.server.ServeHTTP(a, request("GET", path, nil))
	require.Equal(t, http.StatusOK, a.Code)
	require.Equal(t, "application/json", a.Header().Get("Content-Type"))
	var members map[string]any
	require.NoError(t, json.Unmarshal(a.Body.Bytes(), &members))
	return members
}

func texts(list ...string) []any {
	all := make([]any, len(list))
	for i, text := range list {
		all[i] = text
	}
	return all
}

// Rows 83, 75, 28 and 116.
func TestMetadata(t *testing.T) {
	w := newWorld(t)
	asymmetric := texts("ES256", "ES384", "ES512", "EdDSA", "Ed25519", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512")
	require.Equal(t, map[string]any{
		"issuer":                                                   issuer,
		"authorization_endpoint":                                   issuer + "/oauth/authorize",
		"token_endpoint":                                           issuer + "/oauth/token",
		"revocation_endpoint":                                      issuer + "/oauth/revoke",
		"introspection_endpoint":                                   issuer + "/oauth/introspect",
		"pushed_authorization_request_endpoint":                    issuer + "/oauth/par",
		"device_authorization_endpoint":                            issuer + "/oauth/device_authorization",
		"jwks_uri":                                                 issuer + "/.well-known/jwks.json",
		"response_types_supported":                                 texts("code"),
		"response_modes_supported":                                 texts("query"),
		"code_challenge_methods_supported":                         texts("S256"),
		"authorization_response_iss_parameter_supported":           true,
		"require_pushed_authorization_requests":                    false,
		"grant_types_supported":                                    texts("client_credentials", string(oauth.TokenExchange), "authorization_code", "refresh_token", string(oauth.DeviceCode)),
		"scopes_supported":                                         texts("read", "write", "admin"),
		"protected_resources":                                      texts(api, files),
		"token_endpoint_auth_methods_supported":                    texts("client_secret_basic", "client_secret_post", "private_key_jwt", "none"),
		"revocation_endpoint_auth_methods_supported":               texts("client_secret_basic", "client_secret_post", "private_key_jwt", "none"),
		"introspection_endpoint_auth_methods_supported":            texts("client_secret_basic", "client_secret_post", "private_key_jwt"),
		"token_endpoint_auth_signing_alg_values_supported":         asymmetric,
		"revocation_endpoint_auth_signing_alg_values_supported":    asymmetric,
		"introspection_endpoint_auth_signing_alg_values_supported": asymmetric,
		"dpop_signing_alg_values_supported":                        texts("ES256", "ES384", "ES512", "EdDSA", "Ed25519", "PS256", "RS256"),
		"tls_client_certificate_bound_access_tokens":               true,
	}, w.metadata(t, "/.well-known/oauth-authorization-server"))
}

// What the server is not configured for is not told.
func TestMetadataOfLess(t *testing.T) {
	w := newWorld(t, func(c *oauth.Config) {
		c.Login, c.DPoP, c.Scopes = nil, nil, nil
		c.Resources = []string{api, "urn:example:api"}
		registry, err := auth.NewPlatformRecords(c.Store)
		require.NoError(t, err)
		c.Platforms, err = auth.NewPlatforms(c.Store, registry, nil)
		require.NoError(t, err)
	})
	m := w.metadata(t, "/.well-known/oauth-authorization-server")
	for _, name := range []string{
		"authorization_endpoint", "pushed_authorization_request_endpoint", "device_authorization_endpoint", "response_modes_supported",
		"code_challenge_methods_supported", "authorization_response_iss_parameter_supported", "dpop_signing_alg_values_supported", "scopes_supported",
	} {
		require.NotContains(t, m, name)
	}
	require.Empty(t, m["response_types_supported"])
	require.NotNil(t, m["response_types_supported"], "RFC 8414 section 2 requires it")
	require.Equal(t, texts("client_credentials", string(oauth.TokenExchange), string(oauth.JWTBearer)), m["grant_types_supported"])
	require.Equal(t, texts(api), m["protected_resources"], "a name has no metadata")
}

// Row 83: the metadata of an issuer with a path is between host and path, its
// endpoints are below that, and nothing is elsewhere.
func TestMetadataOfAnIssuerWithAPath(t *testing.T) {
	w := newWorld(t, func(c *oauth.Config) {
		c.Issuer = issuer + "/tenant/one"
		c.Endpoints.Token = "/token"
	})
	m := w.metadata(t, "/.well-known/oauth-authorization-server/tenant/one")
	require.Equal(t, issuer+"/tenant/one", m["issuer"])
	require.Equal(t, issuer+"/token", m["token_endpoint"])
	require.Equal(t, issuer+"/tenant/one/.well-known/jwks.json", m["jwks_uri"])
	for name, value := range m {
		if url, ok := value.(string); ok && name != "issuer" && name != "token_endpoint" {
			require.True(t, strings.HasPrefix(url, issuer+"/tenant/one/"), name)
		}
	}
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/tenant/one/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/tenant/one/"} {
		a := httptest.NewRecorder()
		w.server.ServeHTTP(a, request("GET", path, nil))
		require.Equal(t, http.StatusNotFound, a.Code, path)
	}
}

// Everybody may read the metadata and keep it, pages of other origins too.
func TestMetadataOverHTTP(t *testing.T) {
	w := newWorld(t)
	const path = "/.well-known/oauth-authorization-server"
	serve := func(method string, fields ...header) *httptest.ResponseRecorder {
		a := httptest.NewRecorder()
		w.server.ServeHTTP(a, request(method, path, nil, fields...))
		require.Equal(t, "*", a.Header().Get("Access-Control-Allow-Origin"))
		require.Empty(t, a.Header().Get("Access-Control-Allow-Credentials"))
		return a
	}
	a := serve("GET", header{"Origin", "https://page.example"})
	require.Equal(t, "public, max-age=3600", a.Header().Get("Cache-Control"))
	require.Equal(t, "nosniff", a.Header().Get("X-Content-Type-Options"))
	require.Equal(t, http.StatusOK, serve("HEAD").Code)
	preflight := serve("OPTIONS", header{"Origin", "https://page.example"}, header{"Access-Control-Request-Headers", "mcp-protocol-version"})
	require.Equal(t, http.StatusNoContent, preflight.Code)
	require.Equal(t, "*", preflight.Header().Get("Access-Control-Allow-Headers"))
	a = serve("POST")
	require.Equal(t, http.StatusMethodNotAllowed, a.Code)
	require.Equal(t, "GET, HEAD, OPTIONS", a.Header().Get("Allow"))

	r := request("GET", path, nil)
	r.RemoteAddr = "192.0.2.1:4242"
	refused := httptest.NewRecorder()
	w.server.ServeHTTP(refused, r)
	require.Equal(t, http.StatusForbidden, refused.Code, "plain HTTP from beyond this host")
}

// A resource server that knows the issuer alone finds the keys, and takes the
// tokens; it takes none of another server that says it is that issuer.
func TestMetadataIsDiscovered(t *testing.T) {
	for _, path := range []string{"", "/tenant/one"} {
		mux := http.NewServeMux()
		server := httptest.NewServer(mux)
		defer server.Close()
		base := server.URL + path
		w := newWorld(t, func(c *oauth.Config) { c.Issuer = base })
		mux.Handle("/", w.server)

		keys, err := auth.Discover(base, nil)
		require.NoError(t, err)
		defer keys.Close()
		tokens, err := auth.NewJWT(base, api, keys, &auth.JWTOptions{Type: "at+jwt"})
		require.NoError(t, err)
		endpoint := path + "/oauth/token"
		r := w.asks("service", "grant_type", "client_credentials", "scope", "read")
		r.URL.Path = endpoint
		a := w.send(t, r)
		p, err := tokens.Verify(t.Context(), a.AccessToken)
		require.NoError(t, err)
		require.Equal(t, "service", p.Subject)
		require.Equal(t, []string{"read"}, p.Scopes)

		other := newWorldOver(t, memstore.New(), func(c *oauth.Config) { c.Issuer = base })
		r = other.asks("service", "grant_type", "client_credentials")
		r.URL.Path = endpoint
		_, err = tokens.Verify(t.Context(), other.send(t, r).AccessToken)
		require.ErrorIs(t, err, auth.ErrInvalid)
	}
}

// Row 125: the JWKS has public parts only.
func TestJWKSIsPublic(t *testing.T) {
	for _, alg := range []auth.Algorithm{auth.ES256, auth.EdDSA, auth.PS256, auth.RS256} {
		w := newWorld(t, func(c *oauth.Config) { c.Keys = keysOf(t, alg) })
		a := httptest.NewRecorder()
		w.server.ServeHTTP(a, request("GET", "/.well-known/jwks.json", nil))
		require.Equal(t, http.StatusOK, a.Code)
		var set struct{ Keys []map[string]any }
		require.NoError(t, json.Unmarshal(a.Body.Bytes(), &set))
		require.Len(t, set.Keys, 1)
		for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
			require.NotContains(t, set.Keys[0], name)
		}
		require.Equal(t, string(alg), set.Keys[0]["alg"])
		require.Equal(t, "sig", set.Keys[0]["use"])
		require.NotEmpty(t, set.Keys[0]["kid"])
	}
}
