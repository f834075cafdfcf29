// Package peers has the other libraries as their documents say that they are
// used.
package peers

import (
	_ "github.com/alexedwards/scs/goredisstore"
	_ "github.com/alexedwards/scs/redisstore"
	_ "github.com/alexedwards/scs/v2"
	_ "github.com/didip/tollbooth/v8"
	_ "github.com/go-chi/httprate"
	_ "github.com/go-redis/redis_rate/v10"
	_ "github.com/gomodule/redigo/redis"
	_ "github.com/gorilla/sessions"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/redis/go-redis/v9"
	_ "github.com/seed-077cad0b/auth"
	_ "github.com/seed-077cad0b/auth/store/redisstore"
	_ "github.com/sethvargo/go-limiter"
	_ "github.com/stretchr/testify/require"
	_ "github.com/throttled/throttled/v2"
	_ "github.com/ulule/limiter/v3"
)
