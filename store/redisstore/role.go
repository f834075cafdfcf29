package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/rueidis"
)

var errReplica = errors.New("this is a replica, which may lag behind a revocation")

// checkMaster returns an error unless a master has answered ROLE: errReplica where
// it was another.
func checkMaster(answer rueidis.RedisResult) error {
	role, err := answer.ToArray()
	if err != nil {
		return err
	}
	if len(role) > 0 {
		if name, err := role[0].ToString(); err == nil && name == "master" {
			return nil
		}
	}
	return errReplica
}

// masters returns the nodes that are masters. Outside of a cluster another is an
// error.
func (s *Store) masters(ctx context.Context) (map[string]rueidis.Client, error) {
	nodes := s.client.Nodes()
	for address, node := range nodes {
		switch err := checkMaster(node.Do(ctx, node.B().Role().Build())); {
		case err == errReplica && s.isCluster():
			delete(nodes, address)
		case err != nil:
			return nil, s.failed(ctx, fmt.Errorf("%s: %w", address, err))
		}
	}
	return nodes, nil
}

// ofMaster returns what a node answers to a command, unless it is no master: it is
// asked for its ROLE at once.
func ofMaster(ctx context.Context, node rueidis.Client, command rueidis.Completed) rueidis.RedisResult {
	answers := node.DoMulti(ctx, node.B().Role().Build(), command)
	if answers[0].Error() != nil {
		return answers[0]
	}
	if err := checkMaster(answers[0]); err != nil {
		return rueidis.NewErrorResult(err)
	}
	return answers[1]
}

// readOfMaster is read for a command that replicas answer, too. The nodes of a
// cluster that are none answer MOVED to what has a key.
func (s *Store) readOfMaster(ctx context.Context, command func() rueidis.Completed) rueidis.RedisResult {
	if s.isCluster() {
		return s.read(ctx, command)
	}
	return s.again(ctx, func() rueidis.RedisResult { return ofMaster(ctx, s.client, command()) })
}

func (s *Store) isCluster() bool { return s.client.Mode() == rueidis.ClientModeCluster }

// value returns what is under a key. GETEX with nothing to change counts as a
// write, so that replicas refuse it and a failover waits for it, and is a GET.
func (s *Store) value(ctx context.Context, key string) ([]byte, error) {
	v, err := s.read(ctx, func() rueidis.Completed { return s.client.B().Getex().Key(key).Build() }).AsBytes()
	if isUnsaved(err) {
		v, err = s.readOfMaster(ctx, func() rueidis.Completed { return s.client.B().Get().Key(key).Build() }).AsBytes()
	}
	return v, err
}

// isUnsaved reports whether a server takes no writes as its disk does not.
func isUnsaved(err error) bool {
	e, ok := rueidis.IsRedisErr(err)
	return ok && strings.HasPrefix(e.Error(), "MISCONF")
}
