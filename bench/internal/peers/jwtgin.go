package peers

import (
	"net/http"

	ginjwt "github.com/appleboy/gin-jwt/v3"
	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v5"
)

var ginJWT = []JWT{{Name: "gin-jwt", Module: "github.com/appleboy/gin-jwt/v3", Guard: ginGuard}}

func ginGuard(c Check) (Middleware, error) {
	gin.SetMode(gin.ReleaseMode)
	m, err := ginjwt.New(&ginjwt.GinJWTMiddleware{
		KeyFunc:      func(*jwt.Token) (any, error) { return c.Public, nil },
		ParseOptions: golangOptions(c),
		IdentityKey:  "sub",
	})
	if err != nil {
		return nil, err
	}
	return func(next http.Handler) http.Handler {
		e := gin.New()
		e.Use(m.MiddlewareFunc())
		e.GET("/", gin.WrapH(next))
		return e
	}, nil
}
