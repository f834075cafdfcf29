//go:build linux

package integration_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/internal/servertest"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// TestSQLStandbyIsRefused makes a standby of a server, and promotes it.
func TestSQLStandbyIsRefused(t *testing.T) {
	server := servertest.StartPostgreSQL(t)
	db := postgres.connect(t, server.URL())
	require.NoError(t, sqlstore.Migrate(t.Context(), db, sqlstore.PostgreSQL))
	postgres.store(t, db, sqlstore.Options{})

	var data string
	require.NoError(t, db.QueryRow("SHOW data_directory").Scan(&data))
	_, err := db.Exec("COPY (SELECT 1) TO '" + data + "/standby.signal'")
	require.NoError(t, err)
	server.Stop()
	server.Start()
	db = postgres.connect(t, server.URL())
	_, err = sqlstore.New(t.Context(), db, sqlstore.PostgreSQL, nil)
	require.ErrorContains(t, err, "is a standby")
	require.NoError(t, sqlstore.Migrate(t.Context(), db, sqlstore.PostgreSQL), "nothing is to be done")

	_, err = db.Exec("SELECT pg_promote()")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		s, err := sqlstore.New(t.Context(), db, sqlstore.PostgreSQL, &sqlstore.Options{SweepEvery: -1})
		return err == nil && s.Insert(t.Context(), anyDigest(), session(0)) == nil && s.Close() == nil
	}, 30*time.Second, 10*time.Millisecond)
}

// TestSQLReadOnlyAndUncommittedAreRefused sets a MySQL as its stores must not
// find it, for all connections and for one pool's.
func TestSQLReadOnlyAndUncommittedAreRefused(t *testing.T) {
	server := servertest.StartMariaDB(t)
	require.NoError(t, sqlstore.Migrate(t.Context(), mariadb.connect(t, server.URL()), sqlstore.MySQL))
	for _, c := range []struct{ name, set, params, refused string }{
		{"as it is", "", "", ""},
		{"read-only", "SET GLOBAL read_only = 1", "", "read_only=1"},
		{"uncommitted, for all", "SET GLOBAL autocommit = 0", "", "autocommit=1"},
		{"uncommitted, by the driver", "", "autocommit=0", "autocommit=1"},
		{"uncommitted for all but these", "SET GLOBAL autocommit = 0", "autocommit=1", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.set != "" {
				admin := mariadb.connect(t, server.URL())
				_, err := admin.Exec(c.set)
				require.NoError(t, err)
				defer func() {
					_, err := admin.Exec("SET GLOBAL read_only = 0, GLOBAL autocommit = 1")
					require.NoError(t, err)
				}()
			}
			db := mariadb.connect(t, withParams(server.URL(), c.params))
			s, err := sqlstore.New(t.Context(), db, sqlstore.MySQL, &sqlstore.Options{SweepEvery: -1})
			if c.refused != "" {
				require.ErrorContains(t, err, c.refused)
				return
			}
			require.NoError(t, err)
			require.NoError(t, s.Close())
		})
	}
	t.Run("before it is migrated", func(t *testing.T) {
		// The last migration is carried out and never taken down.
		name := withParams(servertest.MariaDB(t), "autocommit=0")
		require.NoError(t, sqlstore.Migrate(t.Context(), mariadb.connect(t, name), sqlstore.MySQL))
		_, err := sqlstore.New(t.Context(), mariadb.connect(t, name), sqlstore.MySQL, nil)
		require.ErrorContains(t, err, "autocommit=1")
	})
}
