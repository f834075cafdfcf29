// Package peers has the other libraries as their documents say that they are
// used.
package peers

import (
	_ "github.com/alexedwards/scs/goredisstore"
	_ "github.com/alexedwards/scs/redisstore"
	_ "github.com/alexedwards/scs/v2"
	_ "github.com/appleboy/gin-jwt/v3"
	_ "github.com/auth0/go-jwt-middleware/v3"
	_ "github.com/didip/tollbooth/v8"
	_ "github.com/gin-gonic/gin"
	_ "github.com/go-chi/httprate"
	_ "github.com/go-chi/jwtauth/v5"
	_ "github.com/go-jose/go-jose/v4"
	_ "github.com/go-redis/redis_rate/v10"
	_ "github.com/golang-jwt/jwt/v5"
	_ "github.com/gomodule/redigo/redis"
	_ "github.com/gorilla/sessions"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/labstack/echo-jwt/v5"
	_ "github.com/labstack/echo/v5"
	_ "github.com/lestrrat-go/jwx/v3"
	_ "github.com/redis/go-redis/v9"
	_ "github.com/seed-077cad0b/auth"
	_ "github.com/seed-077cad0b/auth/store/redisstore"
	_ "github.com/sethvargo/go-limiter"
	_ "github.com/shaj13/go-guardian/v2/auth"
	_ "github.com/shaj13/libcache"
	_ "github.com/stretchr/testify/require"
	_ "github.com/throttled/throttled/v2"
	_ "github.com/ulule/limiter/v3"
)
