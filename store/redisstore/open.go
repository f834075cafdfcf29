package redisstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-077cad0b/auth"
)

// Open returns a store on the server or the cluster at a URL, such as
//
//	redis://user:password@host:6379/0
//	rediss://user:password@node1:6379?addr=node2:6379&addr=node3:6379
//
// where the path is the number of a database, and further nodes of a cluster are
// to be asked where the first cannot be reached. o may be nil. Every node is
// asked for its ROLE, and whether it evicts keys, where INFO is allowed.
//
// It fails where o or the URL is not valid, no server can be reached within the
// time-out, which counts although ctx may end earlier, or one would forget what it
// must not. No error quotes the URL.
func Open(ctx context.Context, url string, o *Options) (*Store, error) {
	if o == nil {
		o = &Options{}
	}
	option, err := o.client(url)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	client, err := rueidis.NewClient(option)
	if err != nil {
		return nil, fmt.Errorf("redisstore: %w", err)
	}
	s := &Store{client: client, prefix: o.prefix(), channel: o.prefix() + "changed", timeout: o.timeout()}
	if err := s.inspect(ctx, o); err != nil {
		client.Close()
		return nil, err
	}
	return s, nil
}

// Close ends the connections to the server. What is under way fails. The error is
// always nil.
func (s *Store) Close() error {
	s.client.Close()
	return nil
}

// inspect refuses servers that would forget what they must not. Nobody asks the
// replicas of a cluster.
func (s *Store) inspect(ctx context.Context, o *Options) error {
	nodes, err := s.masters(ctx)
	if err != nil {
		return err
	}
	for address, node := range nodes {
		info, err := node.Do(ctx, node.B().Info().Build()).ToString()
		switch {
		case isRefused(err):
			continue // managed servers may not tell
		case err != nil:
			return s.failed(ctx, err)
		}
		facts := map[string]string{}
		for line := range strings.SplitSeq(info, "\r\n") {
			name, value, _ := strings.Cut(line, ":")
			facts[name] = value
		}
		if policy := facts["maxmemory_policy"]; !o.InsecureEviction && policy != "" && policy != "noeviction" {
			return fmt.Errorf("redisstore: %s has the maxmemory-policy %s, which may evict a revocation; set noeviction", address, policy)
		}
	}
	return nil
}

// isRefused reports whether the server does not allow a command.
func isRefused(err error) bool {
	e, ok := rueidis.IsRedisErr(err)
	return ok && (strings.HasPrefix(e.Error(), "NOPERM") || strings.HasPrefix(e.Error(), "ERR unknown command"))
}

// write asks the node that a command's key is on. Whoever dials does so within
// their own context, and those that wait for them get its error; nothing has been
// sent then, and so they dial themselves.
func (s *Store) write(ctx context.Context, command func() rueidis.Completed) rueidis.RedisResult {
	return s.dialled(ctx, func() rueidis.RedisResult { return s.client.Do(ctx, command()) })
}

// dialled asks as write does.
func (s *Store) dialled(ctx context.Context, ask func() rueidis.RedisResult) rueidis.RedisResult {
	answer := ask()
	if !isOfContext(answer.NonRedisError()) {
		return answer
	}
	for begin := time.Now(); isOfContext(answer.NonRedisError()) && ctx.Err() == nil && time.Since(begin) < s.timeout; {
		answer = ask()
	}
	return answer
}

// read is write for what changes nothing: it is tried again where a connection
// was found closed, as the one before a restart is.
func (s *Store) read(ctx context.Context, command func() rueidis.Completed) rueidis.RedisResult {
	return s.again(ctx, func() rueidis.RedisResult { return s.client.Do(ctx, command()) })
}

// again asks as read does.
func (s *Store) again(ctx context.Context, ask func() rueidis.RedisResult) rueidis.RedisResult {
	answer := s.dialled(ctx, ask)
	for tries := 1; isClosed(answer.NonRedisError()) && tries < maxTries && ctx.Err() == nil; tries++ {
		answer = s.dialled(ctx, ask)
	}
	return answer
}

const maxTries = 4

func isOfContext(err error) bool {
	return err != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// isClosed reports whether a connection has ended, other than by the time-out or
// with the store.
func isClosed(err error) bool {
	if err == nil || err == errReplica || isOfContext(err) {
		return false
	}
	return !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, rueidis.ErrClosing)
}

// failed returns what a method returns for an error of the client: that of the
// context only where it is done, and not where another is.
func (s *Store) failed(ctx context.Context, err error) error {
	switch {
	case rueidis.IsRedisNil(err):
		return auth.ErrNotFound
	case ctx.Err() != nil:
		return ctx.Err()
	case isOfContext(err):
		return fmt.Errorf("redisstore: no answer: %v", err)
	default:
		return fmt.Errorf("redisstore: %w", err)
	}
}
