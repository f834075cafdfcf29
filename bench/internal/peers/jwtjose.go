package peers

import (
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

var goJOSE = []JWT{{Name: "go-jose", Module: "github.com/go-jose/go-jose/v4", Guard: jose4}}

// joseClaims are what an API wants to know.
type joseClaims struct {
	jwt.Claims

	Scope string `json:"scope"`
}

func jose4(c Check) (Middleware, error) {
	algorithms := []jose.SignatureAlgorithm{jose.SignatureAlgorithm(c.Algorithm)}
	audience := jwt.Audience{c.Audience}
	return bearer(func(token string) (any, error) {
		parsed, err := jwt.ParseSigned(token, algorithms)
		if err != nil {
			return nil, err
		}
		var claims joseClaims
		if err := parsed.Claims(c.Public, &claims); err != nil {
			return nil, err
		}
		if claims.Expiry == nil {
			return nil, errNoExpiry
		}
		return &claims, claims.Validate(jwt.Expected{Issuer: c.Issuer, AnyAudience: audience, Time: time.Now()})
	}), nil
}

var errNoExpiry = errors.New("exp is missing")
