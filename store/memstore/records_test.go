package memstore_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
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

// Nothing that is handed out has room to append to: two who did would write to the
// same memory. That holds for what is copied, and for what is kept apart.
func TestNothingHandedOutHasRoomToAppend(t *testing.T) {
	s := memstore.New()
	anywhere, err := auth.ParseNetworks("0.0.0.0/0")
	require.NoError(t, err)
	for i, c := range []struct {
		p    *auth.Principal
		size int
	}{{nil, 3}, {nil, 20_000}, {&auth.Principal{Subject: "s"}, 3}, {&auth.Principal{Subject: "s", Networks: anywhere}, 3}} {
		r := session(c.p, i)
		r.Data = make([]byte, c.size, 2*c.size)
		require.NoError(t, s.Insert(t.Context(), numbered(i), r))
		got, err := s.Lookup(t.Context(), numbered(i))
		require.NoError(t, err)
		require.Len(t, got.Data, c.size)
		require.Equal(t, len(got.Data), cap(got.Data))
	}
	p := &auth.Principal{Subject: "s", Scopes: make([]string, 1, 9), Claims: make([]byte, 1, 9)}
	p.Credential.Audience = make([]string, 1, 9)
	require.NoError(t, s.Insert(t.Context(), numbered(9), session(p, 9)))
	got, err := s.Lookup(t.Context(), numbered(9))
	require.NoError(t, err)
	require.Equal(t, []int{1, 1, 1}, []int{cap(got.Principal.Scopes), cap(got.Principal.Claims), cap(got.Principal.Credential.Audience)})
}
