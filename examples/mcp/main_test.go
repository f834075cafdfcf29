package main

import (
	"net/http"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/examples/internal/demotest"
)

func TestMain(m *testing.M) { os.Exit(demotest.Main(m)) }

func TestREADME(t *testing.T) { demotest.Start(t).RunREADME(t) }

func TestLines(t *testing.T) {
	p := demotest.Start(t)
	require.Equal(t, []string{"base_url", "mcp_url", "client_id", "redirect_uri", "email", "password", "ready"}, p.Names)
	p.RequireLines(t)
}

func TestEndsOnInterrupt(t *testing.T) { demotest.Start(t).Stop(syscall.SIGINT) }

// Another program's tokens are good where it is named as the issuer, if they are
// for this server, which then is no authorization server itself.
func TestIssuer(t *testing.T) {
	issuer := demotest.Start(t)
	p := demotest.Start(t, "-issuer", issuer.BaseURL)
	require.Equal(t, []string{"base_url", "mcp_url", "ready"}, p.Names)
	a := p.Do(t, "GET", "/.well-known/oauth-protected-resource/mcp", "")
	a.Require(t, http.StatusOK, `{"resource":"`+p.Values["mcp_url"]+`","authorization_servers":["`+issuer.BaseURL+`"],…}`)
	require.Equal(t, http.StatusNotFound, p.Do(t, "GET", "/.well-known/oauth-authorization-server", "").Status)
	require.Contains(t, demotest.RequireFailure(t, "-issuer", "http://issuer.example"), "https")
}

// Nobody gets past the guard without a token, whatever tool it is about, and
// however large the message.
func TestGuard(t *testing.T) {
	p := demotest.Start(t)
	for _, body := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add_note","arguments":{"text":"x"}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, `[]`, `x`,
	} {
		a := p.Do(t, "POST", "/mcp", body)
		require.Equal(t, http.StatusUnauthorized, a.Status)
		require.Contains(t, a.Header.Get("WWW-Authenticate"), `resource_metadata="`+p.BaseURL+`/.well-known/oauth-protected-resource/mcp"`)
		require.Equal(t, http.StatusUnauthorized, p.Do(t, "POST", "/mcp", body, "Authorization: Bearer eyJhbGciOiJub25lIn0.e30.").Status)
	}
}
