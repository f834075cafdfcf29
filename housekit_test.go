package auth_test

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// A house is the real parts over one store, as an author puts them together.
type house struct {
	store    *breakable
	sessions *auth.Sessions
	keys     *auth.APIKeys
	tokens   *auth.JWT
	signing  *auth.Keys
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{store: &breakable{Store: memstore.New()}}
	key, err := auth.GenerateKey(auth.ES256)
	require.NoError(t, err)
	h.signing, err = auth.NewKeys(key)
	require.NoError(t, err)
	h.tokens, err = auth.NewJWT("https://issuer.example", "api", h.signing, &auth.JWTOptions{Revocation: h.store})
	require.NoError(t, err)
	h.sessions, err = auth.NewSessions(h.store, nil)
	require.NoError(t, err)
	h.keys, err = auth.NewAPIKeys(h.store, "acme", nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, errors.Join(h.sessions.Close(), h.keys.Close()))
	})
	return h
}

// key creates an API key of alice.
func (h *house) key(t testing.TB, scopes ...string) string {
	t.Helper()
	g, err := h.keys.Create(t.Context(), &auth.Principal{Subject: "alice", Scopes: scopes}, nil)
	require.NoError(t, err)
	return g.Token.Reveal()
}

// keyID returns the public id of alice's only key.
func (h *house) keyID(t testing.TB) (id string) {
	t.Helper()
	for k, err := range h.keys.List(t.Context(), &auth.Principal{Subject: "alice"}) {
		require.NoError(t, err)
		id = k.ID
	}
	return id
}

// open opens something for alice.
func open(t testing.TB, with auth.Issuer, scopes ...string) (token string) {
	t.Helper()
	g, err := with.Issue(t.Context(), alice(scopes...), nil)
	require.NoError(t, err)
	return g.Token.Reveal()
}

// A breakable store answers every call with an error, while one is set, and
// counts what is written.
type breakable struct {
	*memstore.Store
	err    atomic.Pointer[error]
	writes atomic.Int64
}

// fail sets the error; nil mends the store.
func (b *breakable) fail(err error) {
	if err == nil {
		b.err.Store(nil)
		return
	}
	b.err.Store(&err)
}

func (b *breakable) broken() error {
	if err := b.err.Load(); err != nil {
		return *err
	}
	return nil
}

func (b *breakable) Lookup(ctx context.Context, d auth.Digest) (auth.Record, error) {
	if err := b.broken(); err != nil {
		return auth.Record{}, err
	}
	return b.Store.Lookup(ctx, d)
}

func (b *breakable) Insert(ctx context.Context, d auth.Digest, r auth.Record) error {
	b.writes.Add(1)
	if err := b.broken(); err != nil {
		return err
	}
	return b.Store.Insert(ctx, d, r)
}

func (b *breakable) Replace(ctx context.Context, d auth.Digest, r auth.Record) error {
	b.writes.Add(1)
	if err := b.broken(); err != nil {
		return err
	}
	return b.Store.Replace(ctx, d, r)
}

func (b *breakable) Take(ctx context.Context, d auth.Digest) (auth.Record, error) {
	b.writes.Add(1)
	if err := b.broken(); err != nil {
		return auth.Record{}, err
	}
	return b.Store.Take(ctx, d)
}

func (b *breakable) List(ctx context.Context, owner auth.Digest, k auth.Kind) iter.Seq2[auth.Entry, error] {
	if err := b.broken(); err != nil {
		return func(yield func(auth.Entry, error) bool) { yield(auth.Entry{}, err) }
	}
	return b.Store.List(ctx, owner, k)
}

func (b *breakable) LookupAll(ctx context.Context, k auth.Kind, digests []auth.Digest, records []auth.Record) error {
	if err := b.broken(); err != nil {
		return err
	}
	return b.Store.LookupAll(ctx, k, digests, records)
}

// unwrapped yields err and every error within it.
func unwrapped(err error) iter.Seq[error] {
	return func(yield func(error) bool) {
		var walk func(error) bool
		walk = func(err error) bool {
			if err == nil {
				return true
			}
			if !yield(err) {
				return false
			}
			switch e := err.(type) {
			case interface{ Unwrap() error }:
				return walk(e.Unwrap())
			case interface{ Unwrap() []error }:
				for _, err := range e.Unwrap() {
					if !walk(err) {
						return false
					}
				}
			}
			return true
		}
		walk(err)
	}
}
