package peers

import (
	"net/http"

	"github.com/go-chi/jwtauth/v5"
	"github.com/lestrrat-go/jwx/v2/jwt"
)

var jwtauthJWT = []JWT{{Name: "jwtauth", Module: "github.com/go-chi/jwtauth/v5", Guard: chi}}

// chi looks into the Authorization field alone: its default is a cookie, too.
func chi(c Check) (Middleware, error) {
	a := jwtauth.New(c.Algorithm, c.Private, c.Public,
		jwt.WithIssuer(c.Issuer), jwt.WithAudience(c.Audience), jwt.WithRequiredClaim(jwt.ExpirationKey))
	verify, authenticate := jwtauth.Verify(a, jwtauth.TokenFromHeader), jwtauth.Authenticator(a)
	return func(next http.Handler) http.Handler { return verify(authenticate(next)) }, nil
}
