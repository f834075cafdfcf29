package measure

import (
	"net/http"
	"runtime"

	"github.com/seed-077cad0b/auth/bench/internal/nowhere"
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
	w := nowhere.NewWriter()
	return func(n int) error {
		for range n {
			set(next)
			if err := ask(h, w, r, want); err != nil {
				return err
			}
			if next++; next == all {
				next = 0
			}
		}
		return nil
	}
}
