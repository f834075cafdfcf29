package auth_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

var nonceKey = []byte("an example of thirty-two bytes..")

// RFC 9449 sections 8 and 9: who lacks the nonce is told it, whatever process they
// ask, and goes on with it until it is five minutes old.
func TestDPoPNonces(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		c := newProofTrial(t, auth.DPoPOptions{NonceKey: nonceKey})
		twin := auth.NewGuard(newDPoP(t, c.store, auth.DPoPOptions{NonceKey: nonceKey}).Source(c.client.bound(boundToken)), nil)
		told := func(w *httptest.ResponseRecorder) string {
			t.Helper()
			require.Equal(t, 401, w.Code)
			require.Equal(t, "use_dpop_nonce", parseChallenges(t, w.Result())[0].params["error"])
			require.Contains(t, w.Body.String(), `"code":"use_dpop_nonce"`)
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			nonce := w.Header().Get("DPoP-Nonce")
			require.Regexp(t, `^[\x21\x23-\x5B\x5D-\x7E]+$`, nonce, "section 8.1")
			return nonce
		}
		with := func(nonce any) string { return c.client.sign(c.draft().with("nonce", nonce)) }
		proof := c.client.sign(c.draft())
		nonce := told(c.get("/data", proof))
		require.Zero(t, c.store.writes.Load(), "not used up")

		w := c.get("/data", with(nonce))
		require.Equal(t, 200, w.Code)
		require.Empty(t, w.Header().Get("DPoP-Nonce"))
		require.Equal(t, 200, c.get("/data", with(nonce)).Code, "as often as they like")
		r := from("GET", "/data", "Authorization", "DPoP "+boundToken, "DPoP", with(nonce))
		require.Equal(t, 200, serve(twin.WrapFunc(hello), r).Code)

		issued, mac, _ := strings.Cut(nonce, ".")
		for name, bad := range map[string]string{
			"none":             "",
			"of nobody":        "x",
			"no MAC":           issued + ".",
			"another MAC":      issued + "." + strings.Repeat("A", len(mac)),
			"half a MAC":       issued + "." + mac[:22],
			"another time":     issued + "0." + mac,
			"MAC and more":     nonce + ".x",
			"MAC with padding": nonce + "=",
		} {
			told(c.get("/data", with(bad)))
			require.NotEqual(t, nonce, bad, name)
		}
		w = c.get("/data", with(7))
		require.Contains(t, w.Body.String(), "invalid_dpop_proof")

		// Of another key.
		other := newProofTrial(t, auth.DPoPOptions{NonceKey: []byte("another example of 32 bytes.....")})
		told(c.get("/data", with(told(other.get("/data", other.client.sign(other.draft()))))))

		authtest.Advance(5*time.Minute - time.Second)
		require.Equal(t, 200, c.get("/data", with(nonce)).Code)
		authtest.Advance(time.Second)
		next := told(c.get("/data", with(nonce)))
		require.NotEqual(t, nonce, next)
		require.Equal(t, 200, c.get("/data", with(next)).Code)
	})
}

// What else is wrong with a proof is told first: a nonce would not mend it.
func TestDPoPNoncesAreForProofsThatAreGoodOtherwise(t *testing.T) {
	c := newProofTrial(t, auth.DPoPOptions{NonceKey: nonceKey})
	for name, change := range map[string]draft{
		"method": c.draft().with("htm", "POST"), "URI": c.draft().with("htu", apiURL), "token": c.draft().with("ath", nil), "time": c.draft().with("iat", 1),
	} {
		w := c.get("/data", c.client.sign(change))
		require.Equal(t, "invalid_dpop_proof", parseChallenges(t, w.Result())[0].params["error"], name)
		require.Empty(t, w.Header().Get("DPoP-Nonce"))
	}
}

// Nonces of a process whose clock is ahead of ours are good for up to a minute.
func TestDPoPNoncesFromAClockAhead(t *testing.T) {
	var nonce string
	authtest.At(t, begin.Add(time.Minute), func(t *testing.T) {
		c := newProofTrial(t, auth.DPoPOptions{NonceKey: nonceKey})
		nonce = c.get("/data", c.client.sign(c.draft())).Header().Get("DPoP-Nonce")
	})
	for ahead, want := range map[time.Duration]int{time.Minute: 401, time.Minute - time.Second: 200} {
		authtest.At(t, begin.Add(time.Minute-ahead), func(t *testing.T) {
			c := newProofTrial(t, auth.DPoPOptions{NonceKey: nonceKey})
			require.Equal(t, want, c.get("/data", c.client.sign(c.draft().with("nonce", nonce))).Code, ahead)
		})
	}
}

// Without a key, a nonce that somebody else has told is let pass.
func TestDPoPWithoutNonces(t *testing.T) {
	c := newProofTrial(t, auth.DPoPOptions{})
	require.Equal(t, 200, c.get("/data", c.client.sign(c.draft().with("nonce", "of the authorization server"))).Code)
}

// Prove tells the nonce in its error, for answers of one's own.
func TestDPoPProveTellsTheNonce(t *testing.T) {
	client := newProver("ES256")
	dpop := newDPoP(t, newStore(t), auth.DPoPOptions{NonceKey: nonceKey})
	r := from("POST", "/token", "DPoP", client.proof("POST", apiURL+"/token", ""))
	_, err := dpop.Prove(r, "")
	require.ErrorIs(t, err, auth.ErrUseNonce)
	var f *auth.Failure
	require.ErrorAs(t, err, &f)
	r.Header.Set("DPoP", client.sign(client.draft("POST", apiURL+"/token", "").with("nonce", f.Nonce)))
	_, err = dpop.Prove(r, "")
	require.NoError(t, err)
}
