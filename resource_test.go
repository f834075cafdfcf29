package auth_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

func newResource(t testing.TB, o *auth.ResourceOptions) *auth.Resource {
	t.Helper()
	r, err := auth.NewResource("https://api.example/mcp", []string{"https://login.example"}, o)
	require.NoError(t, err)
	return r
}

// Row 116: every member that RFC 9728 section 2 names here, under its name, and
// none that was not asked for.
func TestResourceMetadata(t *testing.T) {
	for name, c := range map[string]struct {
		o    *auth.ResourceOptions
		want string
	}{
		"least": {nil, `{
			"resource": "https://api.example/mcp",
			"authorization_servers": ["https://login.example"],
			"bearer_methods_supported": ["header"]}`},
		"most": {&auth.ResourceOptions{
			Scopes: []string{"data:read", "data:write"}, Name: `The "API" <1>`,
			DocumentationURL: "https://docs.example/a?b=c&d#e", PolicyURL: "https://docs.example/policy",
			TermsURL: "https://docs.example/terms", JWKSURL: "https://api.example/jwks",
			DPoPAlgorithms: []auth.Algorithm{auth.ES256, auth.EdDSA}, DPoPRequired: true, CertificateBound: true,
		}, `{
			"resource": "https://api.example/mcp",
			"authorization_servers": ["https://login.example"],
			"jwks_uri": "https://api.example/jwks",
			"scopes_supported": ["data:read", "data:write"],
			"bearer_methods_supported": ["header"],
			"resource_name": "The \"API\" <1>",
			"resource_documentation": "https://docs.example/a?b=c&d#e",
			"resource_policy_uri": "https://docs.example/policy",
			"resource_tos_uri": "https://docs.example/terms",
			"tls_client_certificate_bound_access_tokens": true,
			"dpop_signing_alg_values_supported": ["ES256", "EdDSA"],
			"dpop_bound_access_tokens_required": true}`},
	} {
		w := serve(newResource(t, c.o), from("GET", "/"))
		require.Equal(t, 200, w.Code, name)
		require.JSONEq(t, c.want, w.Body.String(), name)
	}
}

// RFC 9728 section 3.1: the well-known text goes between host and path.
func TestResourceIsFoundWhereItsIdentifierSays(t *testing.T) {
	const at = "/.well-known/oauth-protected-resource"
	for identifier, want := range map[string][2]string{
		"https://api.example":               {at, "https://api.example" + at},
		"https://api.example/":              {at, "https://api.example" + at},
		"https://api.example:8443/mcp":      {at + "/mcp", "https://api.example:8443" + at + "/mcp"},
		"https://api.example/a/b/":          {at + "/a/b/", "https://api.example" + at + "/a/b/"},
		"https://api.example/a%2Fb/%7Bc%7D": {at + "/a%2Fb/%7Bc%7D", "https://api.example" + at + "/a%2Fb/%7Bc%7D"},
		"http://localhost:8080/mcp":         {at + "/mcp", "http://localhost:8080" + at + "/mcp"},
		"http://127.0.0.1:8080":             {at, "http://127.0.0.1:8080" + at},
		"http://[::1]:8080":                 {at, "http://[::1]:8080" + at},
	} {
		r, err := auth.NewResource(identifier, []string{"https://login.example/tenant"}, nil)
		require.NoError(t, err, identifier)
		require.Equal(t, want, [2]string{r.MetadataPath(), r.MetadataURL()}, identifier)
		require.Equal(t, identifier, r.Identifier())

		mux := http.NewServeMux()
		mux.Handle(r.MetadataPath(), r)
		w := serve(mux, from("GET", r.MetadataPath()))
		require.Equal(t, 200, w.Code, identifier)
		var got struct{ Resource string }
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
		require.Equal(t, identifier, got.Resource, "byte for byte, RFC 9728 section 3.3")
	}
}

func TestNewResourceRefuses(t *testing.T) {
	const good = "https://login.example"
	for _, identifier := range []string{"", "api.example", "/mcp", "urn:api", "ftp://api.example", "https://", "https:///mcp",
		"http://api.example", "http://192.0.2.1", "http://localhost.example", "http://127.0.0.1.example", "http://[::2]",
		"https://api.example/mcp#", "https://api.example/#a", "https://api.example?", "https://api.example/?a=b",
		"https://user@api.example", "https://user:secret@api.example", "https://@api.example",
		"HTTPS://api.example", "https://API.example", "https://api.example:443", "http://localhost:80", "https://api.example:",
		"https://api.example/a//b", "https://api.example//", "https://api.example/a/../b", "https://api.example/a/./b", "https://api.example/%2e%2e/b",
		"https://api.example/a b", "https://api.example/\"", "https://api.example/\\", "https://api.example/é", "https://api.example/\r\nX: y",
		"https://api.example/%zz", " https://api.example"} {
		r, err := auth.NewResource(identifier, []string{good}, nil)
		require.ErrorContains(t, err, "NewResource: identifier: ", "%q", identifier)
		require.NotContains(t, err.Error(), "secret", "%q", identifier)
		require.Nil(t, r)
	}
	for _, issuer := range []string{"", "login", "http://login.example", "https://login.example/?a", "https://login.example/#", "https://a@login.example"} {
		_, err := auth.NewResource("https://api.example", []string{good, issuer}, nil)
		require.ErrorContains(t, err, "authorization server 1: ", "%q", issuer)
	}
	_, err := auth.NewResource("ftp://api.example", []string{good, "x", good}, &auth.ResourceOptions{
		Scopes: []string{"a", "a b", "", "é", `"`, "a"}, DocumentationURL: "docs", PolicyURL: "http://docs.example", TermsURL: "https://", JWKSURL: "https://a@b",
		DPoPAlgorithms: []auth.Algorithm{auth.ES256, auth.HS256, "none", ""},
	})
	for _, want := range []string{"identifier", "server 1: ", "server 2 is named twice", "scope 1 ", "scope 2 ", "scope 3 ", "scope 4 ", "scope 5 is named twice",
		"DocumentationURL", "PolicyURL", "TermsURL", "JWKSURL", `"HS256"`, `"none"`, `""`} {
		require.ErrorContains(t, err, want, "all at once")
	}
	_, err = auth.NewResource("https://api.example", nil, nil)
	require.ErrorContains(t, err, "no authorization server")
	require.Panics(t, func() { auth.NewGuard(auth.Bearer(known{}), &auth.GuardOptions{Resource: &auth.Resource{}}) })
}

// What is told can be changed by nobody afterwards.
func TestResourceKeepsItsOwnCopy(t *testing.T) {
	scopes, servers := []string{"read"}, []string{"https://login.example"}
	r, err := auth.NewResource("https://api.example", servers, &auth.ResourceOptions{Scopes: scopes})
	require.NoError(t, err)
	scopes[0], servers[0] = "write", "https://evil.example"
	body := serve(r, from("GET", "/")).Body.String()
	require.NotContains(t, body, "evil")
	require.NotContains(t, body, "write")
}

// Any page may read the metadata and caches may keep it; there is nothing to
// write to.
func TestResourceAnswersByMethod(t *testing.T) {
	server := httptest.NewServer(newResource(t, nil))
	defer server.Close()
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "OPTIONS": 204, "POST": 405, "PUT": 405, "DELETE": 405, "BREW": 405} {
		r, err := http.NewRequest(method, server.URL, strings.NewReader(""))
		require.NoError(t, err)
		r.Header.Set("Origin", "https://page.example")
		answer, err := server.Client().Do(r)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, want, answer.StatusCode, method)
		require.Equal(t, "*", answer.Header.Get("Access-Control-Allow-Origin"), method)
		require.Empty(t, answer.Header.Get("Access-Control-Allow-Credentials"), "%s: nothing here is anybody's own", method)
		require.Equal(t, method == "GET", len(body) > 0, method)
		switch want {
		case 200:
			require.Equal(t, "application/json", answer.Header.Get("Content-Type"), method)
			require.Equal(t, "public, max-age=3600", answer.Header.Get("Cache-Control"), method)
			require.Equal(t, "nosniff", answer.Header.Get("X-Content-Type-Options"), method)
		case 204:
			require.Equal(t, "GET, HEAD", answer.Header.Get("Access-Control-Allow-Methods"))
			require.Equal(t, "*", answer.Header.Get("Access-Control-Allow-Headers"))
		default:
			require.Equal(t, "GET, HEAD, OPTIONS", answer.Header.Get("Allow"), method)
		}
	}
}

// Row 116: whatever is refused for want of a token, or of a better one, tells
// where the metadata is, in the challenges of OAuth 2.0 and in no other.
func TestChallengesTellOfTheResource(t *testing.T) {
	v := verdicts()
	dpop := told{auth.Scheme{Name: "DPoP", In: auth.InHeader, Field: "Authorization"}}
	guard := auth.NewGuard(auth.First(auth.Bearer(v), dpop, auth.Header("X-API-Key", v)), &auth.GuardOptions{Resource: newResource(t, nil), Realm: "the API"})
	bearer := []string{"Authorization", "Bearer good"}
	for name, c := range map[string]struct {
		guard  *auth.Guard
		bring  []string
		status int
	}{
		"nothing":   {guard, nil, 401},
		"not good":  {guard, []string{"Authorization", "Bearer who"}, 401},
		"expired":   {guard, []string{"Authorization", "Bearer expired"}, 401},
		"another":   {guard, []string{"X-API-Key", "who"}, 401},
		"malformed": {guard, []string{"Authorization", "Bearer a", "Authorization", "Bearer b"}, 400},
		"scope":     {guard.With(auth.Scope("admin")), bearer, 403},
		"stale":     {guard.With(auth.Fresh(-time.Hour)), bearer, 401},
		"way":       {guard.With(auth.ACR("strong")), bearer, 401},
	} {
		w := serve(c.guard.WrapFunc(hello), from("GET", "/", c.bring...))
		require.Equal(t, c.status, w.Code, name)
		all := parseChallenges(t, w.Result())
		require.Len(t, all, 3, name)
		for _, challenge := range all {
			want := "https://api.example/.well-known/oauth-protected-resource/mcp"
			if challenge.scheme == "ApiKey" {
				want = ""
			}
			require.Equal(t, want, challenge.params["resource_metadata"], "%s: %s", name, challenge.scheme)
			require.Equal(t, "the API", challenge.params["realm"], name)
		}
	}
	silent := auth.NewGuard(authenticator(func(*http.Request) (*auth.Principal, error) { return nil, auth.ErrNoCredential }),
		&auth.GuardOptions{Resource: newResource(t, nil)})
	require.NotEmpty(t, parseChallenges(t, serve(silent.WrapFunc(hello), from("GET", "/")).Result())[0].params["resource_metadata"])
	without := serve(auth.NewGuard(auth.Bearer(v), nil).WrapFunc(hello), from("GET", "/"))
	require.Equal(t, "Bearer", without.Header().Get("WWW-Authenticate"))
}
