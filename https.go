package auth

import "net/http"

// HTTPSOnly returns a handler that refuses plain HTTP from beyond this host to
// all of h, with 403 and never a redirect: to pages and files that need no
// guard, and to what a mux answers by itself. Other answers carry
// Strict-Transport-Security where they go over HTTPS. It authenticates nobody;
// guards inside of it decide as ever.
//
// Of o, which may be nil, it takes the proxies, Format, InsecureHTTP and
// Observe, which is told of refusals. Give it the options of the guards inside.
// It panics on a nil handler, and where [NewGuard] does.
func HTTPSOnly(h http.Handler, o *GuardOptions) http.Handler {
	if h == nil {
		panic("auth: HTTPSOnly: nil handler")
	}
	if o != nil {
		own := *o
		own.OnExposed = nil // there is no credential to look at
		o = &own
	}
	g := NewGuard(anybody{}, o)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := g.begin()
		var v verdict
		if err := g.enter(r, &v); err != nil {
			if g.base.Observe != nil {
				g.observe(r, start, &v, nil, g.refusal(&v, err))
			}
			g.refuse(w, &v, err)
			return
		}
		g.announce(w, &v)
		h.ServeHTTP(w, r)
	})
}

// anybody authenticates nobody.
type anybody struct{}

func (anybody) Authenticate(*http.Request) (*Principal, error) { return nil, ErrNoCredential }
