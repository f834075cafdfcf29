//go:build linux

package integration_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// TestSQLNotifyTellsWhatChanges listens as another process does: what changes is
// told, and nothing else.
func TestSQLNotifyTellsWhatChanges(t *testing.T) {
	name := postgres.migrated(t)
	listener, err := pgx.Connect(t.Context(), name)
	require.NoError(t, err)
	defer listener.Close(context.Background())
	_, err = listener.Exec(t.Context(), "LISTEN "+sqlstore.Channel)
	require.NoError(t, err)

	s := postgres.store(t, postgres.connect(t, name), sqlstore.Options{Notify: true})
	silent := postgres.store(t, postgres.connect(t, name), sqlstore.Options{})
	ctx := t.Context()
	a, b, r := anyDigest(), anyDigest(), session(0)
	gone := session(0)
	gone.KeepUntil = time.Now().Add(-time.Hour)
	next := r
	next.Revision++

	told := []auth.Digest{}
	tell := func(d auth.Digest, err error) {
		require.NoError(t, err)
		told = append(told, d)
	}
	tell(a, s.Insert(ctx, a, r))
	require.ErrorIs(t, s.Insert(ctx, a, r), auth.ErrExists)
	require.ErrorIs(t, s.Replace(ctx, a, r), auth.ErrConflict)
	tell(a, s.Replace(ctx, a, next))
	require.ErrorIs(t, s.Replace(ctx, b, next), auth.ErrNotFound)
	require.NoError(t, s.Touch(ctx, map[auth.Digest]time.Time{a: time.Now()}))
	require.NoError(t, silent.Insert(ctx, anyDigest(), r))
	tell(b, s.Insert(ctx, b, gone))
	_, err = s.Take(ctx, b)
	require.ErrorIs(t, err, auth.ErrNotFound)
	tell(b, s.Insert(ctx, b, gone)) // over what is past
	require.Equal(t, 1, must(s.Sweep(ctx, 10)))
	_, err = s.Take(ctx, a)
	tell(a, err)
	end := anyDigest()
	tell(end, s.Insert(ctx, end, r))

	for _, want := range told {
		got, err := listener.WaitForNotification(ctx)
		require.NoError(t, err)
		require.Equal(t, want.String(), got.Payload)
		require.Equal(t, "auth_changed", got.Channel)
	}
}
