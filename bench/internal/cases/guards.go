package cases

import (
	"net/http"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
)

// A form is how one of our guards stands before a handler.
type form func(*auth.Guard) peers.Middleware

// handed hands the handler who is calling: ours, where nothing else is said.
func handed(g *auth.Guard) peers.Middleware {
	return func(next http.Handler) http.Handler {
		return g.Handle(func(w http.ResponseWriter, r *http.Request, _ *auth.Principal) { next.ServeHTTP(w, r) })
	}
}

// wrapped puts who is calling into the request's context, where any handler behind
// it finds them.
func wrapped(g *auth.Guard) peers.Middleware { return g.Wrap }

// oursWrapped is the name of ours in that form.
const oursWrapped = "auth, Wrap"

// knownTo is a handler behind one of our guards that answers 401 to who is nobody.
func knownTo(g *auth.Guard, wrap bool) http.Handler {
	if wrap {
		return g.WrapFunc(func(w http.ResponseWriter, r *http.Request) {
			p, _ := auth.FromContext(r.Context())
			refuseNobody(w, p)
		})
	}
	return g.Handle(func(w http.ResponseWriter, _ *http.Request, p *auth.Principal) { refuseNobody(w, p) })
}

func refuseNobody(w http.ResponseWriter, p *auth.Principal) {
	if p == nil || p.Subject == "" {
		w.WriteHeader(http.StatusUnauthorized)
	}
}
