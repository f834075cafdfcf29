package measure

import (
	"fmt"
	"net/http"
	"runtime"
)

// Vary is Serve for n requests that differ in little: each worker has a request
// like r of its own, and vary returns what makes that the i-th of them. So the
// request is in the caches of the processor, as is one that a server has just
// read; were there as many prebuilt ones, it would be timed how those come from
// memory.
func Vary(h http.Handler, want int, r *http.Request, n int, vary func(r *http.Request) func(i int)) func() (Sample, error) {
	workers := make([]func(int) error, runtime.GOMAXPROCS(0))
	for w := range workers {
		own := r.Clone(r.Context())
		workers[w] = varied(h, want, own, vary(own), w*n/len(workers), n)
	}
	return Timed(workers...)
}

// varied returns a worker that begins with the request at next.
func varied(h http.Handler, want int, r *http.Request, set func(i int), next, all int) func(n int) error {
	w := &writer{header: http.Header{}}
	return func(n int) error {
		for range n {
			clear(w.header)
			w.status = 0
			set(next)
			h.ServeHTTP(w, r)
			if w.status != want && (w.status != 0 || want != http.StatusOK) {
				return fmt.Errorf("answered %d in place of %d", w.status, want)
			}
			if next++; next == all {
				next = 0
			}
		}
		return nil
	}
}
