//go:build linux

package integration_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/servertest"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/sqlstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

// An engine is a database that sqlstore works with.
type engine struct {
	name    string
	dialect sqlstore.Dialect
	driver  string
	create  func(testing.TB) string // the name of a new empty database, for the driver
}

var (
	sqlite   = engine{"SQLite", sqlstore.SQLite, "sqlite", sqliteFile}
	postgres = engine{"PostgreSQL", sqlstore.PostgreSQL, "pgx", servertest.PostgreSQL}
	mariadb  = engine{"MariaDB", sqlstore.MySQL, "mysql", servertest.MariaDB}
	engines  = []engine{sqlite, postgres, mariadb}
)

func sqliteFile(tb testing.TB) string {
	return "file:" + filepath.Join(tb.TempDir(), "auth.db") + "?_pragma=busy_timeout(5000)"
}

// eachEngine runs f for every engine.
func eachEngine(t *testing.T, f func(t *testing.T, e engine)) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) { f(t, e) })
	}
}

// connect returns a pool of connections to a database.
func (e engine) connect(tb testing.TB, name string) *sql.DB {
	tb.Helper()
	db, err := sql.Open(e.driver, name)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	return db
}

// migrated returns the name of a new database with the tables.
func (e engine) migrated(tb testing.TB) string {
	tb.Helper()
	name := e.create(tb)
	require.NoError(tb, sqlstore.Migrate(tb.Context(), e.connect(tb, name), e.dialect))
	return name
}

// store returns a store on db that does not sweep by itself.
func (e engine) store(tb testing.TB, db *sql.DB, o sqlstore.Options) *sqlstore.Store {
	tb.Helper()
	o.SweepEvery = -1
	s, err := sqlstore.New(tb.Context(), db, e.dialect, &o)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

// open returns a new store on a new database.
func (e engine) open(tb testing.TB) *sqlstore.Store {
	tb.Helper()
	return e.store(tb, e.connect(tb, e.migrated(tb)), sqlstore.Options{})
}

// TestSQLStoreHoweverItIsSet runs the kit with settings of drivers and stores
// other than those that [TestKit] has.
func TestSQLStoreHoweverItIsSet(t *testing.T) {
	for _, c := range []struct {
		name    string
		engine  engine
		params  string // of the driver
		options sqlstore.Options
		conns   int
	}{
		{"SQLite, one connection", sqlite, "", sqlstore.Options{}, 1},
		{"PostgreSQL, telling changes", postgres, "", sqlstore.Options{Notify: true}, 16},
		{"PostgreSQL, nothing prepared", postgres, "default_query_exec_mode=exec", sqlstore.Options{Unprepared: true, Notify: true}, 16},
		{"PostgreSQL, serializable", postgres, "default_transaction_isolation=serializable", sqlstore.Options{}, 16},
		{"MariaDB, rows found are counted", mariadb, "clientFoundRows=true", sqlstore.Options{}, 16},
		{"MariaDB, as text", mariadb, "interpolateParams=true", sqlstore.Options{Unprepared: true}, 16},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name := c.engine.migrated(t)
			if c.params != "" {
				name = withParams(name, c.params)
			}
			open := func(tb testing.TB) *sqlstore.Store {
				db := c.engine.connect(tb, name)
				db.SetMaxOpenConns(c.conns)
				return c.engine.store(tb, db, c.options)
			}
			storetest.Run(t, func(tb testing.TB) auth.Store { return open(tb) })
			storetest.RunUsers(t, func(tb testing.TB) password.UserStore { return open(tb) })
		})
	}
}

// withParams adds parameters to the name of a database.
func withParams(name, params string) string {
	if strings.Contains(name, "?") {
		return name + "&" + params
	}
	return name + "?" + params
}
