package peers

import (
	"net/http"
	"slices"
	"strings"
)

// A Middleware is what every peer comes down to.
type Middleware = func(http.Handler) http.Handler

// A Check is what is asked of a token: that it is signed with the algorithm by the
// key, is of that issuer, for that audience, and has not expired.
type Check struct {
	Algorithm        string
	KeyID            string // of the tokens' headers
	Private, Public  any    // as the standard library has them; a secret is a []byte, in both
	Issuer, Audience string
}

// A JWT is a library that checks Bearer tokens.
type JWT struct {
	Name, Module string
	Caches       bool // it remembers the tokens that it has checked, 65,536 at least
	Guard        func(Check) (Middleware, error)
}

// JWTs returns the libraries that check Bearer tokens.
func JWTs() []JWT {
	return slices.Concat(golangJWT, goJOSE, jwxJWT, jwtauthJWT, auth0JWT, echoJWT, ginJWT, guardianJWT)
}

// bearer is the few lines that are written around a library that has no
// middleware. What it knows it would hand to the handler, as ours does: the context,
// which costs two allocations, is for those whose own middleware has it so.
func bearer(check func(token string) (claims any, err error)) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if !ok {
				unauthorized(w)
				return
			}
			if _, err := check(token); err != nil {
				unauthorized(w)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func unauthorized(w http.ResponseWriter) {
	http.Error(w, http.StatusText(http.StatusUnauthorized), http.StatusUnauthorized)
}
