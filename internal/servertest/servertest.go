//go:build linux

// Package servertest starts the real servers that tests run against: PostgreSQL,
// MariaDB and Redis, from the packages of the system, on free ports of this host,
// in a temporary folder, and as nobody where the tests run as root.
//
// A server that is not installed fails the test, with the command that installs
// it. No server and no folder outlives the test binary, however that ends.
//
// AUTH_TEST_POSTGRES_DSN, AUTH_TEST_MYSQL_DSN and AUTH_TEST_REDIS_URL name servers
// that exist already, in the form that [PostgreSQL], [MariaDB] and [Redis] return;
// the first two are of a user that may create databases. Servers of a test's own
// and clusters are started all the same.
package servertest

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// Main runs the tests, stops the servers that they shared, and exits. It is for
// TestMain. Without it those are stopped a moment after the tests.
func Main(m *testing.M) {
	code := m.Run()
	if yard, err := openYard(); err == nil {
		yard.close()
	}
	os.Exit(code)
}

// PostgreSQL returns the postgres:// URL of a new database on a server that the
// tests of this binary share, or on that of AUTH_TEST_POSTGRES_DSN. It is dropped
// when the test ends. What is acknowledged there does not survive a crash.
func PostgreSQL(tb testing.TB) string {
	tb.Helper()
	server := os.Getenv("AUTH_TEST_POSTGRES_DSN")
	if server == "" {
		server = share(tb, sharedPostgreSQL)
	}
	return newDatabase(tb, server, postgresQuery, postgresDatabase, "WITH (FORCE)")
}

// MariaDB is [PostgreSQL] for MariaDB. It returns a data source name of
// go-sql-driver/mysql, without parameters, or that of AUTH_TEST_MYSQL_DSN with its
// own.
func MariaDB(tb testing.TB) string {
	tb.Helper()
	server := os.Getenv("AUTH_TEST_MYSQL_DSN")
	if server == "" {
		server = share(tb, sharedMariaDB)
	}
	return newDatabase(tb, server, mariadbQuery, mariadbDatabase, "")
}

// Redis returns the redis:// URL of a server that the tests of this binary share,
// or AUTH_TEST_REDIS_URL. Tests keep apart by the prefixes of their keys.
func Redis(tb testing.TB) string {
	tb.Helper()
	if server := os.Getenv("AUTH_TEST_REDIS_URL"); server != "" {
		return server
	}
	return share(tb, sharedRedis)
}

// RedisCluster returns the addresses, as host:port, of a cluster of three nodes
// that the tests of this binary share. It asks for no password.
func RedisCluster(tb testing.TB) []string {
	tb.Helper()
	addresses, err := sharedCluster()
	if err != nil {
		tb.Fatal(err)
	}
	return addresses
}

// StartPostgreSQL starts a server of the test's own, which keeps what it has
// acknowledged through a crash and is stopped when the test ends. Its URL names
// the database postgres.
func StartPostgreSQL(tb testing.TB) *Server {
	tb.Helper()
	return own(tb, postgreSQL)
}

// StartMariaDB is [StartPostgreSQL] for MariaDB. Its URL names the database auth.
func StartMariaDB(tb testing.TB) *Server {
	tb.Helper()
	return own(tb, mariaDB)
}

// StartRedis is [StartPostgreSQL] for Redis.
func StartRedis(tb testing.TB) *Server {
	tb.Helper()
	return own(tb, redis)
}

// The servers that tests share start when one is first asked for.
var (
	sharedPostgreSQL = sync.OnceValues(func() (*Server, error) { return start(postgreSQL, false) })
	sharedMariaDB    = sync.OnceValues(func() (*Server, error) { return start(mariaDB, false) })
	sharedRedis      = sync.OnceValues(func() (*Server, error) { return start(redis, false) })
	sharedCluster    = sync.OnceValues(startCluster)
)

func share(tb testing.TB, server func() (*Server, error)) (url string) {
	tb.Helper()
	s, err := server()
	if err != nil {
		tb.Fatal(err)
	}
	return s.URL()
}

// newDatabase creates a database on a server and drops it when the test ends.
func newDatabase(
	tb testing.TB, server string,
	query func(ctx context.Context, server, statement string) (string, error),
	at func(server, database string) string,
	drop string,
) string {
	tb.Helper()
	// A server that is busy with other tests takes its time to copy a template.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	name := "auth_" + strings.ToLower(rand.Text())
	if _, err := query(ctx, server, "CREATE DATABASE "+name); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := query(ctx, server, "DROP DATABASE "+name+" "+drop); err != nil {
			tb.Error(err)
		}
	})
	return at(server, name)
}
