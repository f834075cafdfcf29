//go:build linux

package oauth_test

import "testing"

// npm's openid-client goes through the example from its metadata to its API, by
// every grant that it has.
func TestOpenIDClient(t *testing.T) {
	runScript(t, "openid-client.mjs", example(t, "spatialweb").environ()...)
}
