package memstore_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// record returns a record with something in every field, of a revision of its
// own.
func record() auth.Record {
	at := time.Date(2030, 1, 2, 3, 4, 5, 6000, time.UTC)
	return auth.Record{
		Kind: auth.KindSession, Owner: numbered(999_999), Principal: shared, Revision: auth.NewRevision(),
		Created: at, Expires: at.Add(time.Hour), KeepUntil: at.Add(1000 * time.Hour), Seen: at.Add(time.Minute),
		Data: []byte("data"),
	}
}

// shapes returns records with the values that stores lose.
func shapes() []auth.Record {
	change := func(f func(*auth.Record)) auth.Record {
		r := record()
		f(&r)
		return r
	}
	return []auth.Record{
		record(),
		{Revision: 1},
		change(func(r *auth.Record) { r.Data = nil }),
		change(func(r *auth.Record) { r.Data = []byte{} }),
		change(func(r *auth.Record) { r.Data = bytes.Repeat([]byte{0, 0xff}, 32<<10) }),
		change(func(r *auth.Record) { r.Kind = "" }),
		change(func(r *auth.Record) { r.Kind = "of its\x00 own 🗝" }),
		change(func(r *auth.Record) { r.Disabled = true }),
		change(func(r *auth.Record) { r.Principal = nil }),
		change(func(r *auth.Record) { r.Owner = auth.Digest{} }),
		change(func(r *auth.Record) { r.Revision = 1<<64 - 1 }),
		change(func(r *auth.Record) {
			r.Seen, r.Expires, r.KeepUntil, r.Created = time.Time{}, time.Time{}, time.Time{}, time.Time{}
		}),
		change(func(r *auth.Record) { r.Created = time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC) }),
		change(func(r *auth.Record) { r.KeepUntil = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC) }),
	}
}

func requireAbsent(t *testing.T, ctx context.Context, s auth.Store, d auth.Digest) {
	t.Helper()
	r, err := s.Lookup(ctx, d)
	require.ErrorIs(t, err, auth.ErrNotFound)
	require.Zero(t, r)
}

func requirePresent(t *testing.T, ctx context.Context, s auth.Store, d auth.Digest, want auth.Record) {
	t.Helper()
	r, err := s.Lookup(ctx, d)
	require.NoError(t, err)
	require.Equal(t, want, r)
}

func list(t *testing.T, s auth.Lister, owner auth.Digest, k auth.Kind) (digests []auth.Digest) {
	t.Helper()
	for e, err := range s.List(t.Context(), owner, k) {
		require.NoError(t, err)
		require.Equal(t, owner, e.Record.Owner)
		require.Equal(t, k, e.Record.Kind)
		digests = append(digests, e.Digest)
	}
	return digests
}

func second[A any](_ A, err error) error { return err }
