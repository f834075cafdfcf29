//go:build linux

package cases

import (
	"errors"
	"fmt"
	"testing"

	"github.com/seed-077cad0b/auth/bench/internal/measure"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
	"github.com/seed-077cad0b/auth/internal/servertest"
)

// kept is how many sessions and keys there are.
const kept = 1024

// What is looked up in a real server, on the same machine: one by one, where most
// of the time is the round trip, and by 128 at once.
func serverCases() []measure.Case {
	var all []measure.Case
	add := func(name string, wanted float64, contenders func(conns int, wanted float64) []measure.Contender) {
		for _, processor := range []bool{false, true} {
			for _, conns := range []int{1, 128} {
				c := measure.Case{Table: "Servers", Name: name + ", one at a time", Cores: 2, Processor: processor, Contenders: contenders(conns, 0)}
				if conns > 1 {
					c.Name = fmt.Sprintf("%s, %d at once", name, conns)
					c.Contenders = contenders(conns, wanted)
				}
				if processor {
					c.Name += ", processor time"
				}
				all = append(all, c)
			}
		}
	}
	add("Redis session", 2, redisSessions)
	add("Redis limiter", 0, redisLimiters)
	add("PostgreSQL session", 0, postgresSessions)
	return all
}

func redisSessions(conns int, wanted float64) []measure.Contender {
	all := []measure.Contender{{Name: "auth", Enter: inServer(servertest.Redis, conns, ourRedisSessions)}}
	for _, p := range peers.AllRedisSessions {
		all = append(all, measure.Contender{Name: p.Name, Module: p.Module, Wanted: wanted, Enter: inServer(servertest.Redis, conns,
			func(url string, conns int) ([]func(int) error, error) {
				k, err := p.New(url, conns)
				if err != nil {
					return nil, err
				}
				return lookingUp(k, conns)
			})})
	}
	return append(all, measure.Contender{
		Name: "GET, go-redis", Enter: inServer(servertest.Redis, conns, redisGet),
	})
}

func redisLimiters(conns int, wanted float64) []measure.Contender {
	return []measure.Contender{
		{Name: "auth", Enter: inServer(servertest.Redis, conns, ourRedisLimiter)},
		{Name: "redis_rate", Module: "github.com/go-redis/redis_rate/v10", Wanted: wanted, Enter: inServer(servertest.Redis, conns, redisRate)},
	}
}

func postgresSessions(conns int, wanted float64) []measure.Contender {
	return []measure.Contender{
		{Name: "auth", Enter: inServer(servertest.PostgreSQL, conns, ourPostgresSessions)},
		{Name: "SELECT, pgx", Wanted: wanted, Enter: inServer(servertest.PostgreSQL, conns, postgresSelect)},
	}
}

// inServer starts a server, and has as many as conns work with it at once. It ends
// with this process.
func inServer(
	server func(testing.TB) string, conns int, workers func(url string, conns int) ([]func(int) error, error),
) func() (*measure.Entry, error) {
	return func() (*measure.Entry, error) {
		url, err := started(server)
		if err != nil {
			return nil, err
		}
		all, err := workers(url, conns)
		if err != nil {
			return nil, err
		}
		return &measure.Entry{Round: measure.Timed(all...)}, nil
	}
}

// started returns how to reach a server of the kind that tests start, or with
// which command to install it.
func started(server func(testing.TB) string) (url string, err error) {
	defer func() {
		if failure, ok := recover().(unstarted); ok {
			err = failure
		}
	}()
	return server(noTest{}), nil
}

// noTest is as much of a test as starting a server takes.
type noTest struct{ testing.TB }

type unstarted struct{ error }

func (noTest) Helper()        {}
func (noTest) Cleanup(func()) {} // the server goes with what is in it
func (noTest) Fatal(args ...any) {
	panic(unstarted{errors.New(fmt.Sprint(args...))})
}
