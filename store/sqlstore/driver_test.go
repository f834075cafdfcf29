package sqlstore_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// A stub is a database that is up to date, holds nothing, and fails as told.
// What real ones do is tested by internal/integration.
type stub struct {
	mu     sync.Mutex
	folder string
	errs   []error // of the statements to come, but for SELECTs of the schema
	said   []string
	before func()                    // runs ahead of a statement
	rows   map[string][]driver.Value // what a text is answered by
	deaf   bool                      // no statement changes anything
}

func (s *stub) open(t *testing.T, d sqlstore.Dialect, o *sqlstore.Options) *sqlstore.Store {
	t.Helper()
	s.folder = map[sqlstore.Dialect]string{
		sqlstore.PostgreSQL: "postgresql", sqlstore.MySQL: "mysql", sqlstore.SQLite: "sqlite",
	}[d]
	db := sql.OpenDB(s)
	if o == nil {
		o = &sqlstore.Options{}
	}
	o.SweepEvery = -1
	store, err := sqlstore.New(t.Context(), db, d, o)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, store.Close())
		require.NoError(t, db.Close())
	})
	return store
}

func (s *stub) Connect(context.Context) (driver.Conn, error) { return stubConn{s}, nil }
func (s *stub) Driver() driver.Driver                        { return nil }

// answer answers a statement.
func (s *stub) answer(text string) (*stubRows, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.rows[text] != nil:
		return &stubRows{[][]driver.Value{s.rows[text]}}, nil
	case strings.Contains(text, "auth_migrations") && !strings.Contains(text, "_LOCK("):
		var rows [][]driver.Value
		files, err := filepath.Glob("migrations/" + s.folder + "/*.sql")
		for i, file := range files {
			rows = append(rows, []driver.Value{int64(i + 1), sum(file)})
		}
		return &stubRows{rows}, err
	case text == "PRAGMA journal_mode":
		return &stubRows{[][]driver.Value{{"wal"}}}, nil
	case text == "PRAGMA busy_timeout":
		return &stubRows{[][]driver.Value{{int64(1)}}}, nil
	case text == "SELECT pg_is_in_recovery()":
		return &stubRows{[][]driver.Value{{false}}}, nil
	case text == "SELECT @@autocommit, @@global.read_only":
		return &stubRows{[][]driver.Value{{int64(1), int64(0)}}}, nil
	}
	s.said = append(s.said, text)
	if s.before != nil {
		s.before()
	}
	if len(s.errs) == 0 {
		return &stubRows{}, nil
	}
	err := s.errs[0]
	s.errs = s.errs[1:]
	return &stubRows{}, err
}

func sum(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	h := sha256.Sum256(text)
	return hex.EncodeToString(h[:])
}

type stubConn struct{ *stub }

func (c stubConn) Prepare(text string) (driver.Stmt, error) { return stubStmt{c.stub, text}, nil }
func (c stubConn) Close() error                             { return nil }
func (c stubConn) Begin() (driver.Tx, error)                { return nil, errors.New("no transaction is needed") }

type stubStmt struct {
	*stub
	text string
}

func (s stubStmt) Close() error  { return nil }
func (s stubStmt) NumInput() int { return -1 }
func (s stubStmt) Exec([]driver.Value) (driver.Result, error) {
	_, err := s.answer(s.text)
	if s.deaf {
		return driver.RowsAffected(0), err
	}
	return driver.RowsAffected(1), err
}
func (s stubStmt) Query([]driver.Value) (driver.Rows, error) {
	rows, err := s.answer(s.text)
	return rows, err
}

type stubRows struct{ rows [][]driver.Value }

func (r *stubRows) Columns() []string {
	if len(r.rows) == 0 {
		return nil
	}
	return make([]string, len(r.rows[0]))
}
func (r *stubRows) Close() error { return nil }
func (r *stubRows) Next(dest []driver.Value) error {
	if len(r.rows) == 0 {
		return io.EOF
	}
	copy(dest, r.rows[0])
	r.rows = r.rows[1:]
	return nil
}
