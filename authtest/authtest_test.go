package authtest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

func TestGuardAdmitsAsThePrincipalAndAsksPolicies(t *testing.T) {
	guard := authtest.Guard(authtest.Principal("42", "read"))
	handler := func(w http.ResponseWriter, r *http.Request) {
		p, ok := auth.FromContext(r.Context())
		require.True(t, ok)
		require.Equal(t, "42", p.Subject)
		w.WriteHeader(http.StatusNoContent)
	}
	for scope, status := range map[string]int{"read": http.StatusNoContent, "write": http.StatusForbidden} {
		w := httptest.NewRecorder()
		guard.With(auth.Scope(scope)).WrapFunc(handler).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		require.Equal(t, status, w.Code, scope)
	}
}

func TestWithPrincipalIsSeenByHandlersAndNotBelievedByGuards(t *testing.T) {
	p := authtest.Principal("42")
	r := authtest.WithPrincipal(httptest.NewRequest("GET", "/", nil), p)
	got, ok := auth.FromContext(r.Context())
	require.True(t, ok)
	require.Same(t, p, got)

	other := authtest.Guard(authtest.Principal("43"))
	vouched, err := other.Check(r)
	require.NoError(t, err)
	require.Equal(t, "43", vouched.Subject)
}

func TestAtFixesTheClock(t *testing.T) {
	when := time.Date(2026, 2, 28, 23, 59, 59, 0, time.UTC)
	authtest.At(t, when, func(t *testing.T) {
		require.True(t, time.Now().Equal(when))
		authtest.Advance(time.Second)
		require.Equal(t, time.March, time.Now().UTC().Month())
		require.True(t, authtest.Principal("42").Origin.Time.Equal(when.Add(time.Second)))
	})
}
