//go:build linux

package integration_test

import (
	"net/http"

	"github.com/stretchr/testify/require"
)

// presentAssertionAtOnce has a hundred present one assertion: one signs in.
func presentAssertionAtOnce(w *world) {
	for range 3 {
		c := w.assertion()
		answers := w.atOnce(100, func(s *server) (answer, error) {
			return s.ask("POST", "/platforms/"+w.platform, c, nil)
		})
		require.Equal(w, map[int]int{http.StatusOK: 1, http.StatusUnauthorized: 99}, count(answers))
	}
}

func presentAssertionAgain(w *world) {
	w.each(func(here, there *server) {
		c := w.assertion()
		here.do(http.StatusOK, "POST", "/platforms/"+w.platform, c, nil)
		there.do(http.StatusUnauthorized, "POST", "/platforms/"+w.platform, c, nil)
		here.do(http.StatusUnauthorized, "POST", "/platforms/"+w.platform, c, nil)
	})
}
