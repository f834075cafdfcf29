package auth_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// What is issued may outlive what an outer guard went by: who is no longer good
// by then is issued nothing. A limit that the outer guard has charged is charged
// once.
func TestAnExchangeInsideAGuardDecidesAnew(t *testing.T) {
	sessions := must(auth.NewSessions(newStore(t), nil))
	callers, l := known{"a": caller("alice", "", "s", 0)}, newSpy()
	guard := anywhere(callers).Limit(l, auth.ByAddress()).Limit(l, auth.ByIdentity())
	meanwhile := func() {}
	exchange := guard.Limit(l, auth.ByTier()).Exchange(sessions)
	h := guard.WrapFunc(func(w http.ResponseWriter, r *http.Request) {
		meanwhile()
		exchange.ServeHTTP(w, r)
	})
	post := func() int { return serve(h, from("POST", "/", "Authorization", "Bearer a")).Code }
	require.Equal(t, 200, post())
	require.Len(t, l.charged, 3)
	meanwhile = func() { delete(callers, "a") }
	require.Equal(t, 401, post())
}
