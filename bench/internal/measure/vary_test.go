package measure_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/bench/internal/measure"
)

// Every variant is served, and an answer other than the wanted one ends the round.
func TestVary(t *testing.T) {
	var mu sync.Mutex
	served := map[string]int{}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		served[r.RemoteAddr]++
		if r.RemoteAddr == "c" {
			w.WriteHeader(http.StatusTeapot)
		}
	})
	vary := func(addresses ...string) error {
		clear(served)
		_, err := measure.Vary(h, http.StatusOK, httptest.NewRequest("GET", "/", nil), len(addresses),
			func(r *http.Request) func(int) { return func(i int) { r.RemoteAddr = addresses[i] } })()
		return err
	}
	require.NoError(t, vary("a", "b"))
	require.Len(t, served, 2)
	require.InDelta(t, served["a"], served["b"], 64, "in turn")
	require.ErrorContains(t, vary("a", "b", "c"), "answered 418 in place of 200")
}
