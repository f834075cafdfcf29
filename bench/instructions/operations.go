package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/cachestore"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// How often cheap and expensive operations are done.
const (
	often  = 1_000
	few    = 200
	seldom = 20
)

// operations are the hot paths.
var operations = []operation{
	{"JWT, HS256, new", few, verifying(tokens(auth.HS256, -1), good)},
	{"JWT, HS256, forged", few, verifying(tokens(auth.HS256, 0), forged)},
	{"JWT, HS256, seen before", often, verifying(tokens(auth.HS256, 0), good)},
	{"JWT, ES256, new", seldom, verifying(tokens(auth.ES256, -1), good)},
	{"JWT, ES256, seen before, keys fetched", often, verifying(fetchedKeys, good)},
	{"JWT, seen before, marks asked", often, verifying(revocableTokens, good)},
	{"opaque token", few, verifying(opaqueTokens, good)},
	{"session", often, verifying(sessions, good)},
	{"session, of 100,000", often, amongMany},
	{"session, unknown", often, verifying(sessions, forged)},
	{"API key", often, verifying(apiKeys, good)},
	{"API key, mistyped", often, verifying(apiKeys, forged)},
	{"introspection, remembered", often, verifying(introspection, good)},

	{"guard, JWT seen before", often, serving(bearer(tokens(auth.HS256, 0)), good, plain)},
	{"guard, JWT forged", few, serving(bearer(tokens(auth.HS256, 0)), forged, plain)},
	{"guard, session", often, serving(bearer(sessions), good, plain)},
	{"guard, session in a cookie", often, serving(cookie, good, plain)},
	{"guard, API key", often, serving(apiKeyHeader, good, plain)},
	{"guard, nothing presented", few, serving(bearer(known), nothing, plain)},
	{"guard alone", often, serving(bearer(known), good, plain)},
	{"guard, scope", often, serving(bearer(known), good, scoped)},
	{"guard, scope missing", few, serving(bearer(known), good, missing)},
	{"guard, limit by address", often, serving(bearer(known), good, limited(false))},
	{"guard, limit by address, fields", often, serving(bearer(known), good, limited(true))},
	{"guard, refused by a limit", few, serving(bearer(known), good, exhausted)},

	{"limiter, charge", often, charging(1 << 30)},
	{"limiter, refusal", often, charging(1)},
	{"key set fetched, look-up", often, keyLookup},
	{"memstore, Lookup", often, lookups},
	{"memstore, Insert and Take", often, inserts},
	{"cachestore, hit", often, hits},
}

// amongMany verifies sessions of a store that has a hundred thousand others.
var amongMany = sync.OnceValues(func() (func() error, error) {
	store, err := filled(100_000)
	if err != nil {
		return nil, err
	}
	s, err := auth.NewSessions(store, nil)
	if err != nil {
		return nil, err
	}
	texts, i := make([]string, instances*many), 0
	for i := range texts {
		if _, texts[i], err = issued(s, s); err != nil {
			return nil, err
		}
	}
	ctx := context.Background()
	return func() error {
		i = (i + 1) % len(texts)
		_, err := s.Verify(ctx, texts[i])
		return err
	}, nil
})

// charging charges a limiter of n in a year.
func charging(n int) func() (func() error, error) {
	return func() (func() error, error) {
		l, ctx := auth.NewLimiter(n, 300*24*time.Hour), context.Background()
		return func() error {
			_, err := l.Allow(ctx, "192.0.2.1", 1)
			return err
		}, nil
	}
}

func keyLookup() (func() error, error) {
	keys, kid, err := remoteKeys()
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	return func() error {
		found, err := keys.Lookup(ctx, kid, auth.ES256)
		if len(found) != 1 {
			return errors.Join(errors.New("the key is not found"), err)
		}
		return nil
	}, nil
}

// filled returns a store of so many records.
func filled(n int) (*memstore.Store, error) {
	s := memstore.New()
	for i := range n {
		if err := s.Insert(context.Background(), digest(i), record()); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func lookups() (func() error, error) {
	s, err := filled(1_000)
	return inTurn(s.Lookup), err
}

// many is how many are looked up in turn, as how soon a table finds one is a matter
// of chance. Each has been looked up before any is counted.
const many = warmUp

func inTurn(lookup func(context.Context, auth.Digest) (auth.Record, error)) func() error {
	ctx, i := context.Background(), 0
	return func() error {
		i = (i + 1) % many
		_, err := lookup(ctx, digest(i))
		return err
	}
}

// inserts puts in and takes out, so that the store stays as it is.
func inserts() (func() error, error) {
	s, err := filled(1_000)
	ctx, i, r := context.Background(), 1_000, record()
	return func() error {
		i++
		if err := s.Insert(ctx, digest(i), r); err != nil {
			return err
		}
		_, err := s.Take(ctx, digest(i))
		return err
	}, err
}

func hits() (func() error, error) {
	s, err := filled(many)
	if err != nil {
		return nil, err
	}
	c, err := cachestore.New(s, &cachestore.Options{MaxLag: time.Minute})
	return inTurn(c.Lookup), err
}

// digest returns one of many that are spread as digests are.
func digest(i int) (d auth.Digest) {
	x := uint64(i)
	for b := 0; b < len(d); b += 8 {
		x += 0x9e3779b97f4a7c15 // splitmix64
		z := (x ^ x>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		binary.LittleEndian.PutUint64(d[b:], z^z>>31)
	}
	return d
}

var recordPrincipal = principal()

// record is a session's, and in no list.
func record() auth.Record {
	now := time.Now().Truncate(time.Microsecond)
	return auth.Record{
		Kind: auth.KindSession, Principal: recordPrincipal, Revision: 1,
		Created: now, Expires: now.Add(time.Hour), KeepUntil: now.Add(time.Hour), Seen: now,
	}
}

func principal() *auth.Principal {
	p := &auth.Principal{
		Issuer: issuer, Subject: "4f6c1b52-3a55-4f0e-9d0e-d1b6f0a3c9d4", Tenant: "acme", Tier: "gold",
		Scopes:     []string{"data:read", "data:write"},
		Origin:     auth.Origin{Kind: auth.KindPassword, ID: "4f6c1b52-3a55-4f0e-9d0e-d1b6f0a3c9d4"},
		Credential: auth.Credential{Kind: auth.KindPassword, ID: "4f6c1b52-3a55-4f0e-9d0e-d1b6f0a3c9d4"},
	}
	return p.ProvedAt(time.Now())
}

// expect returns an error unless err is the one that is wanted.
func expect(want, err error) error {
	if errors.Is(err, want) {
		return nil
	}
	return fmt.Errorf("%v in place of %v", err, want)
}
