package peers

import "github.com/golang-jwt/jwt/v5"

const golangModule = "github.com/golang-jwt/jwt/v5"

var golangJWT = []JWT{
	{Name: "golang-jwt, struct", Module: golangModule, Guard: golang(func() jwt.Claims { return &golangClaims{} })},
	{Name: "golang-jwt, map", Module: golangModule, Guard: golang(func() jwt.Claims { return jwt.MapClaims{} })},
}

// golangClaims are what an API wants to know.
type golangClaims struct {
	jwt.RegisteredClaims

	Scope string `json:"scope"`
}

func golang(claims func() jwt.Claims) func(Check) (Middleware, error) {
	return func(c Check) (Middleware, error) {
		parse := golangParser(c)
		return bearer(func(token string) (any, error) {
			into := claims()
			_, err := parse(token, into)
			return into, err
		}), nil
	}
}

// golangParser returns what parses tokens with everything checked. Others use it,
// too, as they leave the parsing to golang-jwt.
func golangParser(c Check) func(token string, into jwt.Claims) (*jwt.Token, error) {
	p := jwt.NewParser(golangOptions(c)...)
	key := func(*jwt.Token) (any, error) { return c.Public, nil }
	return func(token string, into jwt.Claims) (*jwt.Token, error) { return p.ParseWithClaims(token, into, key) }
}

func golangOptions(c Check) []jwt.ParserOption {
	return []jwt.ParserOption{
		jwt.WithValidMethods([]string{c.Algorithm}), jwt.WithIssuer(c.Issuer), jwt.WithAudience(c.Audience),
		jwt.WithExpirationRequired(),
	}
}
