//go:build linux

package oauth_test

import (
	"encoding/json"
	"testing"
)

// npm's openid-client goes through the example from its metadata to its API, by
// every grant that it has.
func TestOpenIDClient(t *testing.T) {
	runScript(t, "openid-client.mjs", example(t, "spatialweb").environ()...)
}

// npm's oauth4webapi asks for what the example has no client for.
func TestOAuth4WebAPI(t *testing.T) {
	c := newCluster(t, "memory", 1)
	runScript(t, "oauth4webapi.mjs", "issuer="+c.settings.Issuer, "secret="+c.settings.Secret, "signer="+string(must(json.Marshal(c.signer))))
}

// npm's client of the Model Context Protocol finds its way from the bare URL.
func TestMCPClientOfNPM(t *testing.T) {
	runScript(t, "mcp-client.mjs", example(t, "mcp").environ()...)
}

// An API that others wrote, npm's express-oauth2-jwt-bearer, takes our tokens by
// what our metadata tells.
func TestExpressAPI(t *testing.T) {
	runScript(t, "express-api.mjs", example(t, "spatialweb").environ()...)
}
