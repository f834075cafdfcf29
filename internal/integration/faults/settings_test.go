//go:build linux

package faults

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// Settings that trade what is acknowledged last for speed. A server that is
// killed may forget that, but it forgets whole writes and leaves no halves, and
// lists agree with what there is. How much it was is told, see
// docs/reliability.md.
var weaker = map[string]map[string]func(t *testing.T, s *site){
	"PostgreSQL": {
		"synchronous_commit=off": statement("pgx", "ALTER ROLE auth SET synchronous_commit = off"),
	},
	"MariaDB": {
		"innodb_flush_log_at_trx_commit=2": statement("mysql", "SET GLOBAL innodb_flush_log_at_trx_commit = 2"),
		"innodb_flush_log_at_trx_commit=0": statement("mysql", "SET GLOBAL innodb_flush_log_at_trx_commit = 0"),
	},
	"Redis": {
		"appendfsync everysec": config("appendfsync everysec"),
		"appendonly no":        config("appendonly no"),
	},
}

func promisesLess(t *testing.T, s *site) {
	for name, set := range weaker[s.engine] {
		t.Run(name, func(t *testing.T) {
			b := newBook()
			b.lenient = true
			for round := range rounds(t, 1) {
				set(t, s) // a restart undoes it
				store := s.open(t)
				killServer(t, s, b, store, fmt.Sprint("round ", round, ":"))
				b.check(t, store)
			}
			b.tell(t)
		})
	}
}

// statement returns a setting that one statement makes.
func statement(driver, text string) func(*testing.T, *site) {
	return func(t *testing.T, s *site) {
		t.Helper()
		db, err := sql.Open(driver, s.url)
		require.NoError(t, err)
		defer db.Close()
		_, err = db.ExecContext(context.Background(), text)
		require.NoError(t, err)
	}
}

// config returns a setting of Redis.
func config(setting string) func(*testing.T, *site) {
	return func(t *testing.T, s *site) {
		t.Helper()
		u, err := url.Parse(s.url)
		require.NoError(t, err)
		conn, err := net.Dial("tcp", u.Host)
		require.NoError(t, err)
		defer conn.Close()
		password, _ := u.User.Password()
		_, err = fmt.Fprintf(conn, "AUTH %s\r\nCONFIG SET %s\r\n", password, setting)
		require.NoError(t, err)
		answers := bufio.NewScanner(conn)
		for range 2 {
			require.True(t, answers.Scan())
			require.Equal(t, "+OK", answers.Text())
		}
	}
}
