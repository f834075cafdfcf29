package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// What a server says of itself decides whether a store works with it.
func TestNewRefusesReplicasAndWhatDoesNotCommit(t *testing.T) {
	const postgres, mysql = "SELECT pg_is_in_recovery()", "SELECT @@autocommit, @@global.read_only"
	for _, c := range []struct {
		name    string
		dialect sqlstore.Dialect
		text    string
		row     []driver.Value
		refused []string // none: it is not
	}{
		{"a primary", sqlstore.PostgreSQL, postgres, []driver.Value{"f"}, nil},
		{"a standby", sqlstore.PostgreSQL, postgres, []driver.Value{true}, []string{"standby", "target_session_attrs=read-write"}},
		{"a primary", sqlstore.MySQL, mysql, []driver.Value{int64(1), int64(0)}, nil},
		{"a primary, by names", sqlstore.MySQL, mysql, []driver.Value{[]byte("1"), []byte("OFF")}, nil},
		{"a replica", sqlstore.MySQL, mysql, []driver.Value{int64(1), int64(1)}, []string{"read_only=1", "primary"}},
		{"a replica, by name", sqlstore.MySQL, mysql, []driver.Value{int64(1), []byte("NO_LOCK")}, []string{"read_only=NO_LOCK"}},
		{"no autocommit", sqlstore.MySQL, mysql, []driver.Value{int64(0), int64(0)}, []string{"autocommit=1"}},
		{"both", sqlstore.MySQL, mysql, []driver.Value{int64(0), int64(1)}, []string{"autocommit=1", "read_only=1"}},
	} {
		t.Run(c.dialect.String()+", "+c.name, func(t *testing.T) {
			stub := &stub{folder: strings.ToLower(c.dialect.String()), rows: map[string][]driver.Value{c.text: c.row}}
			db := sql.OpenDB(stub)
			defer db.Close()
			s, err := sqlstore.New(t.Context(), db, c.dialect, &sqlstore.Options{SweepEvery: -1})
			if c.refused == nil {
				require.NoError(t, err)
				require.NoError(t, s.Close())
				return
			}
			for _, text := range c.refused {
				require.ErrorContains(t, err, text)
			}
		})
	}
}

// MySQL tells whether it has given the lock; who has not got it does nothing.
func TestMigrationsOfMySQLHoldTheirLock(t *testing.T) {
	const ask = "SELECT GET_LOCK(CONCAT('auth_migrations ', MD5(DATABASE())), 31536000)"
	const release = "DO RELEASE_LOCK(CONCAT('auth_migrations ', MD5(DATABASE())))"
	for _, c := range []struct {
		name   string
		answer driver.Value
		held   bool
	}{
		{"held", int64(1), true},
		{"timed out", int64(0), false},
		{"no memory", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			stub := &stub{folder: "none", rows: map[string][]driver.Value{ask: {c.answer}}}
			db := sql.OpenDB(stub)
			defer db.Close()
			err := sqlstore.Migrate(t.Context(), db, sqlstore.MySQL)
			created := slices.ContainsFunc(stub.said, func(text string) bool { return strings.Contains(text, "CREATE ") })
			require.Equal(t, c.held, created)
			require.Equal(t, release, stub.said[len(stub.said)-1])
			if c.held {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "lock")
		})
	}
}

// A record that keeps changing while it is to be taken is an outage after a few
// tries, and no endless loop.
func TestATakeThatNeverGetsThroughEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blob, err := auth.Record{Kind: auth.KindSession}.AppendBinary(nil)
		require.NoError(t, err)
		const look = "SELECT record, seen FROM auth_records WHERE digest = ?"
		db := &stub{deaf: true, rows: map[string][]driver.Value{look: {blob, int64(0)}}}
		s := db.open(t, sqlstore.MySQL, nil)
		start := time.Now()
		_, err = s.Take(t.Context(), auth.Digest{1})
		require.ErrorContains(t, err, "keeps changing")
		for _, answer := range []error{auth.ErrNotFound, auth.ErrExists, auth.ErrConflict} {
			require.NotErrorIs(t, err, answer)
		}
		require.Len(t, db.said, 8)
		require.Positive(t, time.Since(start))

		ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
		defer cancel()
		_, err = s.Take(ctx, auth.Digest{1})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, db.said, 9)
	})
}
