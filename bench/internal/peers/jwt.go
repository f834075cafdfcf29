package peers

import (
	"net/http"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-077cad0b/auth"
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
	Guard        func(Check) (Middleware, error)
}

// JWTs are the libraries that check Bearer tokens.
var JWTs = []JWT{
	{"golang-jwt, struct", "github.com/golang-jwt/jwt/v5", golangJWT(func() jwt.Claims { return &jwt.RegisteredClaims{} })},
	{"golang-jwt, map", "github.com/golang-jwt/jwt/v5", golangJWT(func() jwt.Claims { return jwt.MapClaims{} })},
}

// golangJWT is the few lines that the library's users write around it.
func golangJWT(claims func() jwt.Claims) func(Check) (Middleware, error) {
	return func(c Check) (Middleware, error) {
		parser := jwt.NewParser(jwt.WithValidMethods([]string{c.Algorithm}), jwt.WithIssuer(c.Issuer),
			jwt.WithAudience(c.Audience), jwt.WithExpirationRequired())
		key := func(*jwt.Token) (any, error) { return c.Public, nil }
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
				if !ok {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				if _, err := parser.ParseWithClaims(text, claims(), key); err != nil {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				next.ServeHTTP(w, r)
			})
		}, nil
	}
}

var _ auth.Verifier
