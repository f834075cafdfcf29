package peers

import (
	"context"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/redisstore"
	"github.com/alexedwards/scs/v2"
	"github.com/go-redis/redis_rate/v10"
	redigo "github.com/gomodule/redigo/redis"
	"github.com/redis/go-redis/v9"
)

// A RedisSessions is a library that keeps sessions in Redis.
type RedisSessions struct {
	Name, Module string
	New          func(url string, conns int) (Keeper, error)
}

// AllRedisSessions have as many connections as there are requests at once: with
// the fewer of their documents they would dial, or wait.
var AllRedisSessions = []RedisSessions{
	{"scs, redisstore", "github.com/alexedwards/scs/redisstore", func(url string, conns int) (Keeper, error) {
		return scsIn(redisstore.New(&redigo.Pool{
			MaxIdle: conns,
			Dial:    func() (redigo.Conn, error) { return redigo.DialURL(url) },
		})), nil
	}},
	{"scs, goredisstore", "github.com/alexedwards/scs/goredisstore", func(url string, conns int) (Keeper, error) {
		client, err := GoRedis(url, conns)
		if err != nil {
			return nil, err
		}
		return scsIn(goredisstore.New(client)), nil
	}},
}

func scsIn(store scs.Store) Keeper {
	s := scs.New()
	s.Store = store
	return scsSessions{s}
}

// GoRedis returns a client that may have so many connections, or its default where that is more.
func GoRedis(url string, conns int) (*redis.Client, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	o.PoolSize = max(o.PoolSize, conns)
	return redis.NewClient(o), nil
}

// RedisRate returns a limiter as redis_rate has it.
func RedisRate(url string, conns, limit int, per time.Duration) (func(ctx context.Context, key string) (bool, error), error) {
	client, err := GoRedis(url, conns)
	if err != nil {
		return nil, err
	}
	l := redis_rate.NewLimiter(client)
	rate := redis_rate.Limit{Rate: limit, Burst: limit, Period: per}
	return func(ctx context.Context, key string) (bool, error) {
		r, err := l.Allow(ctx, key, rate)
		return err == nil && r.Allowed > 0, err
	}, nil
}
