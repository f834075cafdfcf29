package peers

import (
	"net/http"

	"github.com/golang-jwt/jwt/v5"
	echojwt "github.com/labstack/echo-jwt/v5"
	"github.com/labstack/echo/v5"
)

var echoJWT = []JWT{{Name: "echo-jwt", Module: "github.com/labstack/echo-jwt/v5", Guard: echo5}}

// echo5 parses with a function of its own, as only so iss and aud are checked.
func echo5(c Check) (Middleware, error) {
	parse := golangParser(c)
	m, err := echojwt.Config{
		ParseTokenFunc: func(_ *echo.Context, token string) (any, error) { return parse(token, jwt.MapClaims{}) },
	}.ToMiddleware()
	if err != nil {
		return nil, err
	}
	return func(next http.Handler) http.Handler {
		e := echo.New()
		e.Use(m)
		e.GET("/", echo.WrapHandler(next))
		return e
	}, nil
}
