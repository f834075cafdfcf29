package peers

import (
	"fmt"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

var jwxJWT = []JWT{{Name: "jwx", Module: "github.com/lestrrat-go/jwx/v3", Guard: jwx}}

func jwx(c Check) (Middleware, error) {
	alg, ok := jwa.LookupSignatureAlgorithm(c.Algorithm)
	if !ok {
		return nil, fmt.Errorf("jwx: no %s", c.Algorithm)
	}
	options := []jwt.ParseOption{
		jwt.WithKey(alg, c.Public), jwt.WithValidate(true), jwt.WithIssuer(c.Issuer), jwt.WithAudience(c.Audience),
		jwt.WithRequiredClaim(jwt.ExpirationKey),
	}
	return bearer(func(token string) (any, error) { return jwt.ParseString(token, options...) }), nil
}
