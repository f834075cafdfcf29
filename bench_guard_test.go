package auth_test

import (
	"net/http"
	"testing"

	"github.com/seed-077cad0b/auth"
)

// BenchmarkGuard is what a guard costs, beside "limit": the principal put into
// the request's context and nothing else.
func BenchmarkGuard(b *testing.B) {
	h := newHouse(b)
	w := nowhere{http.Header{}}
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = auth.FromContext(r.Context()) })
	run := func(name string, h http.Handler, r *http.Request) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
	p := alice("read")
	run("limit", bare(handler, p), from("GET", "/"))
	for _, c := range []struct {
		name  string
		v     auth.Verifier
		token string
	}{
		{"fake", known{"good": p}, "good"},
		{"session", h.sessions, open(b, h.sessions, "read")},
		{"key", h.keys, h.key(b, "read")},
		{"jwt", h.tokens, open(b, h.tokens, "read")},
	} {
		guard := auth.NewGuard(auth.Bearer(c.v), nil).With(auth.Scope("read"))
		r := from("GET", "/", "Authorization", "Bearer "+c.token)
		run(c.name+"/wrap", guard.Wrap(handler), r)
		run(c.name+"/handle", guard.Handle(func(http.ResponseWriter, *http.Request, *auth.Principal) {}), r)
	}
}

// bare puts p into the context of every request. It is not inlined, for then h
// would be known and the copy of the request cost nothing.
//
//go:noinline
func bare(h http.Handler, p *auth.Principal) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(auth.NewContext(r.Context(), p)))
	})
}

// nowhere is a ResponseWriter that costs nothing.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n nowhere) WriteHeader(int)             {}
