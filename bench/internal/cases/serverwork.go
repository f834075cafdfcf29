//go:build linux

package cases

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
	"github.com/seed-077cad0b/auth/store/redisstore"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// lookingUp returns workers that show each its own of the sessions to a keeper's
// middleware, in a context that may end, as those of a server do.
func lookingUp(k peers.Keeper, workers int) ([]func(int) error, error) {
	h := known(k)
	field, prefix := k.Field()
	if accepted(h, asks(field, prefix+"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")) {
		return nil, errors.New("accepts a session that nobody has opened")
	}
	texts, err := fill(kept, func(i int) (string, error) { return k.Open(person(i), device(i), 24*time.Hour) })
	if err != nil {
		return nil, err
	}
	requests := make([]*http.Request, len(texts))
	for i, text := range texts {
		ctx, cancel := context.WithCancel(context.Background())
		_ = cancel // it lives as long as the process
		requests[i] = asks(field, prefix+text).WithContext(ctx)
	}
	var all []func(int) error
	each := len(requests) / workers
	for i := range workers {
		all = append(all, measure.Servers(1, h, http.StatusOK, requests[i*each:(i+1)*each]...)...)
	}
	return all, nil
}

// asking returns workers that do something with one number after the other.
func asking(workers int, do func(ctx context.Context, i int) error) []func(int) error {
	all := make([]func(int) error, workers)
	for w := range all {
		ctx, cancel := context.WithCancel(context.Background())
		_ = cancel // it lives as long as the process
		next := w * kept / workers
		all[w] = func(n int) error {
			for range n {
				if err := do(ctx, next%kept); err != nil {
					return err
				}
				next++
			}
			return nil
		}
	}
	return all
}

func ourRedisSessions(url string, workers int) ([]func(int) error, error) {
	store, err := redisstore.Open(context.Background(), url, nil)
	if err != nil {
		return nil, err
	}
	return ourSessionsIn(store, workers)
}

func ourSessionsIn(store auth.Store, workers int) ([]func(int) error, error) {
	s, err := auth.NewSessions(store, nil)
	if err != nil {
		return nil, err
	}
	return lookingUp(ourSessions{s, auth.NewGuard(auth.Bearer(s), nil), "Authorization", "Bearer ", false}, workers)
}

// recordSize is about what a session of ours takes in a store.
const recordSize = 400

// redisGet is the least that a look-up can be with that client.
func redisGet(url string, workers int) ([]func(int) error, error) {
	client, err := peers.GoRedis(url, workers)
	if err != nil {
		return nil, err
	}
	keys, err := fill(kept, func(i int) (string, error) {
		key := fmt.Sprintf("auth:r:%043d", i)
		return key, client.Set(context.Background(), key, make([]byte, recordSize), time.Hour).Err()
	})
	if err != nil {
		return nil, err
	}
	return asking(workers, func(ctx context.Context, i int) error {
		_, err := client.Get(ctx, keys[i]).Bytes()
		return err
	}), nil
}

// The rate of the limiters admits all that is asked for.
const (
	serverLimit = 1_000_000_000
	serverPer   = 24 * time.Hour
)

func ourRedisLimiter(url string, workers int) ([]func(int) error, error) {
	store, err := redisstore.Open(context.Background(), url, nil)
	if err != nil {
		return nil, err
	}
	l, err := store.Limiter("bench", auth.Rate{Limit: serverLimit, Per: serverPer})
	if err != nil {
		return nil, err
	}
	return charging(workers, func(ctx context.Context, key string) (bool, error) {
		q, err := l.Allow(ctx, key, 1)
		return q.Allowed, err
	}), nil
}

func redisRate(url string, workers int) ([]func(int) error, error) {
	allow, err := peers.RedisRate(url, workers, serverLimit, serverPer)
	if err != nil {
		return nil, err
	}
	return charging(workers, allow), nil
}

func charging(workers int, allow func(ctx context.Context, key string) (bool, error)) []func(int) error {
	keys := make([]string, kept)
	for i := range keys {
		keys[i] = address(i).String()
	}
	return asking(workers, func(ctx context.Context, i int) error {
		ok, err := allow(ctx, keys[i])
		if err == nil && !ok {
			err = errors.New("refuses what is within the rate")
		}
		return err
	})
}

func ourPostgresSessions(url string, workers int) ([]func(int) error, error) {
	db, err := pool(url)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	if err := sqlstore.Migrate(ctx, db, sqlstore.PostgreSQL); err != nil {
		return nil, err
	}
	store, err := sqlstore.New(ctx, db, sqlstore.PostgreSQL, nil)
	if err != nil {
		return nil, err
	}
	return ourSessionsIn(store, workers)
}

// pool has as many connections as a server of this size is given.
func pool(url string) (*sql.DB, error) {
	const conns = 16
	db, err := sql.Open("pgx", url)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// postgresSelect is the least that a look-up can be.
func postgresSelect(url string, workers int) ([]func(int) error, error) {
	db, err := pool(url)
	if err != nil {
		return nil, err
	}
	if _, err := db.Exec(`CREATE TABLE kept (k bytea PRIMARY KEY, data bytea NOT NULL)`); err != nil {
		return nil, err
	}
	keys, err := fill(kept, func(i int) (string, error) {
		key := fmt.Sprintf("%032d", i)
		_, err := db.Exec(`INSERT INTO kept (k, data) VALUES ($1, $2)`, []byte(key), make([]byte, recordSize))
		return key, err
	})
	if err != nil {
		return nil, err
	}
	look, err := db.Prepare(`SELECT data FROM kept WHERE k = $1`)
	if err != nil {
		return nil, err
	}
	return asking(workers, func(ctx context.Context, i int) error {
		var data []byte
		return look.QueryRowContext(ctx, []byte(keys[i])).Scan(&data)
	}), nil
}
