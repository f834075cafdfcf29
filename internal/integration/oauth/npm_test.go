//go:build linux

package oauth_test

import "testing"

// npm's openid-client goes through the example from its metadata to its API, by
// every grant that it has.
func TestOpenIDClient(t *testing.T) {
	runScript(t, "openid-client.mjs", example(t, "spatialweb").environ()...)
}

// npm's client of the Model Context Protocol finds its way from the bare URL.
func TestMCPClientOfNPM(t *testing.T) {
	runScript(t, "mcp-client.mjs", example(t, "mcp").environ()...)
}
