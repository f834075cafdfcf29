//go:build linux

package integration_test

import (
	"context"
	"database/sql"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// TestSQLLostAnswerIsAnOutage loses the answer to what has been committed. Only
// the caller can know whether that was theirs, so it is told as the outage that
// it is, and not as a conflict with what they have written themselves.
func TestSQLLostAnswerIsAnOutage(t *testing.T) {
	for _, c := range []struct {
		engine
		open func(t *testing.T, name string, l *losing) *sql.DB
	}{
		{postgres, func(t *testing.T, name string, l *losing) *sql.DB {
			config := must(pgx.ParseConfig(name))
			config.DialFunc = l.dial
			// Else what is lost, of a machine that is slow, is the answer to a ping.
			return stdlib.OpenDB(*config, stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false }))
		}},
		{mariadb, func(t *testing.T, name string, l *losing) *sql.DB {
			config := must(mysql.ParseDSN(name))
			config.DialFunc = l.dial
			return sql.OpenDB(must(mysql.NewConnector(config)))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &losing{}
			db := c.open(t, c.migrated(t), l)
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			s := c.store(t, db, sqlstore.Options{})
			ctx := t.Context()

			now := time.Now().UTC().Truncate(time.Microsecond)
			u := password.User{ID: "1", Login: "ada", Created: now, Changed: now, Revision: 1}
			require.NoError(t, s.InsertUser(ctx, u))
			d, r := anyDigest(), session(0)
			require.NoError(t, s.Insert(ctx, d, r))
			replaceUser := func() error { u.Revision++; return s.ReplaceUser(ctx, u) }
			replace := func() error { r.Revision++; return s.Replace(ctx, d, r) }
			for _, f := range []func() error{replaceUser, replace} {
				require.NoError(t, f()) // which prepares what it says
				l.next.Store(true)
				err := f()
				require.False(t, l.next.Load())
				require.Error(t, err)
				for _, answer := range []error{auth.ErrConflict, auth.ErrExists, auth.ErrNotFound} {
					require.NotErrorIs(t, err, answer)
				}
			}
			require.Equal(t, u, must(s.UserByID(ctx, "1")), "it was committed")
			require.Equal(t, r, must(s.Lookup(ctx, d)), "it was committed")

			// What answers an error otherwise does so still.
			u.Revision += 2
			require.ErrorIs(t, s.ReplaceUser(ctx, u), auth.ErrConflict)
		})
	}
}

// Losing are connections of which one loses the next answer, and breaks.
type losing struct{ next atomic.Bool }

func (l *losing) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	return losingConn{conn, l}, err
}

type losingConn struct {
	net.Conn
	*losing
}

func (c losingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == nil && c.next.CompareAndSwap(true, false) {
		_ = c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}
