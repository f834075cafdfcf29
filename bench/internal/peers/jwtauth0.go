package peers

import (
	"context"

	jwtmiddleware "github.com/auth0/go-jwt-middleware/v3"
	"github.com/auth0/go-jwt-middleware/v3/validator"
)

var auth0JWT = []JWT{{Name: "auth0", Module: "github.com/auth0/go-jwt-middleware/v3", Guard: auth0}}

func auth0(c Check) (Middleware, error) {
	v, err := validator.New(
		validator.WithKeyFunc(func(context.Context) (any, error) { return c.Public, nil }),
		validator.WithAlgorithm(validator.SignatureAlgorithm(c.Algorithm)),
		validator.WithIssuer(c.Issuer),
		validator.WithAudience(c.Audience),
		validator.WithRegisteredClaimsValidator(func(claims validator.RegisteredClaims) error {
			if claims.Expiry == 0 {
				return errNoExpiry
			}
			return nil
		}),
	)
	if err != nil {
		return nil, err
	}
	m, err := jwtmiddleware.New(jwtmiddleware.WithValidator(v))
	if err != nil {
		return nil, err
	}
	return m.CheckJWT, nil
}
