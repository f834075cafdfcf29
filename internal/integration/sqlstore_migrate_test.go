//go:build linux

package integration_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// TestSQLMigrateAtOnce has several processes of eight goroutines each migrate
// one empty database, and use it at once.
func TestSQLMigrateAtOnce(t *testing.T) {
	if name := os.Getenv(migrateName); name != "" {
		migrateOften(t, os.Getenv(migrateEngine), name)
		return
	}
	eachEngine(t, func(t *testing.T, e engine) {
		t.Run("from nothing", func(t *testing.T) { migrateTogether(t, e, e.create(t)) })
		t.Run("from version 1", func(t *testing.T) {
			name := e.migrated(t)
			for _, text := range []string{"DROP TABLE auth_users", "DELETE FROM auth_migrations WHERE version = 2"} {
				_, err := e.connect(t, name).Exec(text)
				require.NoError(t, err)
			}
			migrateTogether(t, e, name)
		})
	})
}

// migrateTogether starts processes that run migrateOften.
func migrateTogether(t *testing.T, e engine, name string) {
	var processes sync.WaitGroup
	for range 4 {
		processes.Go(func() {
			c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSQLMigrateAtOnce$", "-test.timeout=2m")
			c.Env = append(os.Environ(), migrateName+"="+name, migrateEngine+"="+e.name)
			out, err := c.CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	processes.Wait()
	db := e.connect(t, name)
	var times, records int
	require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM auth_migrations").Scan(&times))
	require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM auth_records").Scan(&records))
	require.Equal(t, []int{2, 4 * 8}, []int{times, records})
}

const (
	migrateName   = "AUTH_TEST_MIGRATE_NAME"
	migrateEngine = "AUTH_TEST_MIGRATE_ENGINE"
)

func migrateOften(t *testing.T, engine, name string) {
	for _, e := range engines {
		if e.name != engine {
			continue
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				db := e.connect(t, name)
				if err := sqlstore.Migrate(t.Context(), db, e.dialect); err != nil {
					t.Errorf("Migrate: %v", err)
					return
				}
				s, err := sqlstore.New(t.Context(), db, e.dialect, nil)
				if err != nil {
					t.Errorf("New: %v", err)
					return
				}
				defer s.Close()
				if err := s.Insert(t.Context(), anyDigest(), session(0)); err != nil {
					t.Errorf("Insert: %v", err)
				}
			})
		}
		all.Wait()
	}
}

func anyDigest() auth.Digest { return auth.DigestOf("any", rand.Text()) }

// TestSQLMigrateOfWhatIsUpToDate needs no right to create anything.
func TestSQLMigrateOfWhatIsUpToDate(t *testing.T) {
	db := postgres.connect(t, postgres.migrated(t))
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), "CREATE SCHEMA elsewhere")
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	db.SetMaxOpenConns(1)
	_, err = db.Exec("SET default_transaction_read_only = on")
	require.NoError(t, err)
	require.NoError(t, sqlstore.Migrate(t.Context(), db, sqlstore.PostgreSQL))
	_, err = db.Exec("SET search_path = elsewhere")
	require.NoError(t, err)
	require.ErrorContains(t, sqlstore.Migrate(t.Context(), db, sqlstore.PostgreSQL), "read-only")
}

// TestSQLSchemaThatIsNotOurs opens databases that this version must not use.
func TestSQLSchemaThatIsNotOurs(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		other := sqlstore.SQLite
		if e.dialect == other {
			other = sqlstore.PostgreSQL
		}
		for _, c := range []struct {
			name, change string
			dialect      sqlstore.Dialect
			refused      string // by New
			migrated     string // why Migrate refuses; empty: it helps
		}{
			{"none", "DROP TABLE auth_migrations", e.dialect, "Migrate", "auth_records"},
			{"an older one", "DELETE FROM auth_migrations WHERE version = 2", e.dialect, "of version 1 and not of 2: call Migrate", "auth_users"},
			{"a later one", "INSERT INTO auth_migrations VALUES (3, 'x', 0)", e.dialect, "of version 3, and", "version 3"},
			{"another one", "UPDATE auth_migrations SET checksum = 'x' WHERE version = 2", e.dialect, "not this program's migration 2", "migration 2"},
			{"another dialect's", "DELETE FROM auth_migrations WHERE version = 3", other, "not this program's migration 1", "migration 1"},
		} {
			t.Run(c.name, func(t *testing.T) {
				db := e.connect(t, e.migrated(t))
				_, err := db.Exec(c.change)
				require.NoError(t, err)
				_, err = sqlstore.New(t.Context(), db, c.dialect, nil)
				require.ErrorContains(t, err, c.refused)
				err = sqlstore.Migrate(t.Context(), db, c.dialect)
				if e.dialect == sqlstore.MySQL && strings.HasPrefix(c.migrated, "auth_") {
					require.NoError(t, err) // it takes up what a crash has left
					_, err = sqlstore.New(t.Context(), db, c.dialect, &sqlstore.Options{SweepEvery: -1})
					require.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, c.migrated)
			})
		}
	})
}

func TestSQLMigrateEndsWithItsContext(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		name := e.create(t)
		holder, err := e.connect(t, name).Conn(t.Context())
		require.NoError(t, err)
		defer holder.Close()
		for _, text := range map[string][]string{
			"SQLite":     {"PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE"},
			"PostgreSQL": {"SELECT pg_advisory_lock(x'617574685f6d6967'::bigint)"},
			"MariaDB":    {"DO GET_LOCK(CONCAT('auth_migrations ', MD5(DATABASE())), 10)"},
		}[e.name] {
			_, err := holder.ExecContext(t.Context(), text)
			require.NoError(t, err)
		}
		db := e.connect(t, name)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, sqlstore.Migrate(ctx, db, e.dialect), context.DeadlineExceeded)

		// Whoever held it is gone.
		require.ErrorIs(t, holder.Raw(func(any) error { return driver.ErrBadConn }), driver.ErrBadConn)
		require.NoError(t, sqlstore.Migrate(t.Context(), db, e.dialect)) // and it holds nothing itself
	})
}

// TestSQLiteMustBeSet opens files that are not set as stores need them.
func TestSQLiteMustBeSet(t *testing.T) {
	bare := func(t *testing.T, name string) *sql.DB {
		db := sqlite.connect(t, name)
		db.SetMaxOpenConns(1)
		return db
	}
	file := func(t *testing.T) string { return "file:" + t.TempDir() + "/auth.db" }
	t.Run("no busy timeout", func(t *testing.T) {
		db := bare(t, file(t))
		require.NoError(t, sqlstore.Migrate(t.Context(), db, sqlstore.SQLite))
		_, err := sqlstore.New(t.Context(), db, sqlstore.SQLite, nil)
		require.ErrorContains(t, err, "busy_timeout(5000)")
	})
	t.Run("another journal", func(t *testing.T) {
		db := bare(t, file(t)+"?_pragma=busy_timeout(5000)")
		require.NoError(t, sqlstore.Migrate(t.Context(), db, sqlstore.SQLite))
		_, err := db.Exec("PRAGMA journal_mode = DELETE")
		require.NoError(t, err)
		_, err = sqlstore.New(t.Context(), db, sqlstore.SQLite, nil)
		require.ErrorContains(t, err, `"delete"`)
	})
	t.Run("in memory", func(t *testing.T) {
		db := bare(t, "file::memory:?_pragma=busy_timeout(5000)")
		require.NoError(t, sqlstore.Migrate(t.Context(), db, sqlstore.SQLite))
		_, err := sqlstore.New(t.Context(), db, sqlstore.SQLite, nil)
		require.ErrorContains(t, err, "memstore")
	})
}
