package auth

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// A Revoker ends the credential by which p came. It returns [ErrNotMine] where
// that is not one of its own. [Sessions], [JWT], [Refresh] and [CookieSource]
// are revokers.
type Revoker interface {
	Revoke(ctx context.Context, p *Principal) error
}

// SignOut returns a handler that ends the credential which g admits, with every
// revoker whose own it is, and answers 204. A revoker that is a [CookieSource]
// also clears its cookie, from a refused request of the same origin too. It
// answers no GET, HEAD or OPTIONS, which other sites can cause.
func (g *Guard) SignOut(revokers ...Revoker) http.Handler {
	if len(revokers) == 0 {
		panic("auth: SignOut: no revoker")
	}
	for _, v := range revokers {
		if v == nil {
			panic("auth: SignOut: nil revoker")
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		var v verdict
		f := g.present(r, &v, nil)
		if f == nil {
			if err := revoke(r.Context(), v.principal, revokers); err != nil {
				f = g.failure(err, v.principal)
			}
		}
		g.observe(r, start, &v, nil, f)
		if f == nil || f.Status() == http.StatusUnauthorized {
			for _, v := range revokers {
				// Another site's request carries no SameSite cookie and is
				// refused with 401; it must not sign anybody out.
				if c, ok := v.(*CookieSource); ok && c.sameOrigin(r) == nil {
					c.Clear(w)
				}
			}
		}
		if f != nil {
			g.answer(w, &v, f)
			return
		}
		g.announce(w, &v)
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
	})
}

// revoke has every revoker that knows p's credential end it. That nobody does
// is a refusal: the caller must not believe to be signed out.
func revoke(ctx context.Context, p *Principal, revokers []Revoker) error {
	known := false
	for _, v := range revokers {
		err := v.Revoke(ctx, p)
		if err != nil && !errors.Is(err, ErrNotMine) {
			return err
		}
		known = known || err == nil
	}
	if !known {
		return ErrForbidden
	}
	return nil
}
