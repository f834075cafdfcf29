//go:build !race

package auth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// Contract 6 holds for bearer tokens as ever, and for what is bound to a
// certificate.
func TestConfirmationAllocations(t *testing.T) {
	c := selfSigned("mine")
	for name, confirmation := range map[string]string{"bearer": "", "certificate": auth.CertificateConfirmation(c.Leaf)} {
		guard := auth.NewGuard(auth.Bearer(boundTo("token", confirmation)), nil)
		r := overTLS(from("GET", "/", "Authorization", "Bearer token"), c)
		var err error
		require.Zero(t, testing.AllocsPerRun(500, func() { _, err = guard.Check(r) }), name)
		require.NoError(t, err)
	}
}

// What an attempt to pass without the key costs is bounded, whatever is sent.
func TestDPoPRefusalAllocations(t *testing.T) {
	trial := newProofTrial(t, auth.DPoPOptions{})
	for name, c := range map[string]struct {
		proof string
		most  float64
	}{
		"none":       {"", 6},
		"too long":   {string(make([]byte, 1<<20)), 6},
		"no JWS":     {"..", 6},
		"other key":  {newProver("ES256").proof("GET", apiURL+"/", boundToken), 60},
		"other hash": {trial.client.proof("GET", apiURL+"/", "another"), 90},
	} {
		r := from("GET", "/", "Authorization", "DPoP "+boundToken, "DPoP", c.proof)
		var err error
		n := testing.AllocsPerRun(200, func() { _, err = trial.guard.Check(r) })
		require.LessOrEqual(t, n, c.most, name)
		require.Error(t, err)
	}
}
