package auth_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// The proofs of RFC 9449: of the token requests in sections 4.1 and 5, and of the
// request to a protected resource in section 7.1.
const (
	rfc9449Header = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpD" +
		"a0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19."
	rfc9449TokenProof = rfc9449Header + "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4" +
		"YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FN" +
		"yJK70nfbV37xRZT3Lg"
	rfc9449RefreshProof = rfc9449Header + "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLm" +
		"V4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjY1Mjk2fQ.pAqut2IRDm_De6PR93SYmGBPXpwrAk90e8cP2hjiaG5QsGSuKDYW7_X620BxqhvYC8" +
		"ynrrvZLTk41mSRroapUA"
	rfc9449ResourceProof = rfc9449Header + "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZ" +
		"S5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1" +
		"OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
	rfc9449Token        = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
	rfc9449Confirmation = "jkt:0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" // section 6.1
)

func TestDPoPVectorsOfTheRFC(t *testing.T) {
	for iat, proof := range map[int64]string{1562262616: rfc9449TokenProof, 1562265296: rfc9449RefreshProof} {
		authtest.At(t, time.Unix(iat, 0), func(t *testing.T) {
			dpop := newDPoP(t, newStore(t), auth.DPoPOptions{BaseURL: "https://server.example.com"})
			confirmation, err := dpop.Prove(from("POST", "/token", "DPoP", proof), "")
			require.NoError(t, err)
			require.Equal(t, rfc9449Confirmation, confirmation)
		})
	}
	authtest.At(t, time.Unix(1562262618, 0), func(t *testing.T) {
		dpop := newDPoP(t, newStore(t), auth.DPoPOptions{BaseURL: "https://resource.example.org"})
		guard := auth.NewGuard(dpop.Source(boundTo(rfc9449Token, rfc9449Confirmation)), nil)
		r := from("GET", "/protectedresource", "Authorization", "DPoP "+rfc9449Token, "DPoP", rfc9449ResourceProof)
		require.Equal(t, 200, serve(guard.WrapFunc(hello), r).Code)
		require.Equal(t, 401, serve(guard.WrapFunc(hello), r).Code)
	})
}
