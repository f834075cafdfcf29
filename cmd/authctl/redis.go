package main

import (
	"context"
	"net/url"
	"strings"

	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/redisstore"
)

func isRedis(store string) bool {
	scheme, _, _ := strings.Cut(store, ":")
	return scheme == "redis" || scheme == "rediss"
}

// redisOptions takes what is not the server's out of a URL: the parameters prefix
// and insecure-eviction, as the API has them in its options.
func redisOptions(store string) (rest string, o *redisstore.Options, err error) {
	u, err := url.Parse(store)
	if err != nil {
		return "", nil, malformed(err)
	}
	q := u.Query()
	o = &redisstore.Options{Prefix: q.Get("prefix"), InsecureEviction: q.Has("insecure-eviction")}
	q.Del("prefix")
	q.Del("insecure-eviction")
	u.RawQuery = q.Encode()
	return u.String(), o, nil
}

func openRedis(ctx context.Context, store string) (*backend, error) {
	store, o, err := redisOptions(store)
	if err != nil {
		return nil, err
	}
	dial, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	s, err := redisstore.Open(dial, store, o)
	if err != nil {
		return nil, &outage{err}
	}
	u, err := password.NewUserRecords(s)
	if err != nil {
		s.Close()
		return nil, err
	}
	return &backend{records: records{s}, users: users{u}, close: func() { _ = s.Close() }}, nil
}
