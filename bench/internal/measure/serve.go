package measure

import (
	"fmt"
	"net/http"
	"runtime"

	"github.com/seed-077cad0b/auth/bench/internal/nowhere"
)

// Serve times a handler on prebuilt requests, which it answers in turn, on as many
// goroutines as there are cores. Every answer must have the status want. The
// ResponseWriter keeps nothing but the header, and is used again and again.
func Serve(h http.Handler, want int, requests ...*http.Request) func() (Sample, error) {
	return Timed(Servers(runtime.GOMAXPROCS(0), h, want, requests...)...)
}

// Servers returns so many workers that do what Serve times.
func Servers(n int, h http.Handler, want int, requests ...*http.Request) []func(int) error {
	workers := make([]func(int) error, n)
	for i := range workers {
		workers[i] = server(h, want, requests, i*len(requests)/n)
	}
	return workers
}

// server returns a worker with requests of its own, as some handlers change them.
// It begins with the one at next.
func server(h http.Handler, want int, requests []*http.Request, next int) func(n int) error {
	own := make([]*http.Request, len(requests))
	for i, r := range requests {
		own[i] = r.Clone(r.Context())
	}
	w := nowhere.NewWriter()
	return func(n int) error {
		for range n {
			if err := ask(h, w, own[next], want); err != nil {
				return err
			}
			if next++; next == len(own) {
				next = 0
			}
		}
		return nil
	}
}

// ask has a handler answer a request, and returns an error where the status is
// another than want.
func ask(h http.Handler, w *nowhere.Writer, r *http.Request, want int) error {
	clear(w.Fields)
	w.Status = 0
	h.ServeHTTP(w, r)
	if w.Status != want && (w.Status != 0 || want != http.StatusOK) {
		return fmt.Errorf("answered %d in place of %d", w.Status, want)
	}
	return nil
}
