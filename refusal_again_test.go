package auth_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// What a guard answers again is answered to the same cause alone: another source
// has another challenge, and how long to wait is told as it is by then.
func TestAnswersAreKeptApart(t *testing.T) {
	v := known{}
	guard := auth.NewGuard(auth.First(auth.Bearer(v), auth.Header("X-API-Key", v)), nil)
	h := guard.WrapFunc(hello)
	for range 3 {
		bearer := serve(h, from("GET", "/x", "Authorization", "Bearer forged")).Header()["Www-Authenticate"]
		key := serve(h, from("GET", "/x", "X-API-Key", "forged")).Header()["Www-Authenticate"]
		require.Contains(t, bearer[0], "error=")
		require.NotContains(t, bearer[1], "error=")
		require.NotContains(t, key[0], "error=")
		require.Contains(t, key[1], "error=")
	}
	authtest.At(t, epoch, func(t *testing.T) {
		h := guard.Optional().Limit(auth.NewLimiter(1, time.Minute), auth.ByAddress()).WrapFunc(hello)
		serve(h, from("GET", "/x"))
		for _, wait := range []string{"60", "50"} {
			w := serve(h, from("GET", "/x")).Header()
			require.Equal(t, []string{wait}, w["Retry-After"])
			require.Equal(t, []string{`"address";r=0;t=` + wait}, w["Ratelimit"])
			authtest.Advance(10 * time.Second)
		}
	})
}
