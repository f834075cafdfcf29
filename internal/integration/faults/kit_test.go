//go:build linux

package faults

import (
	"bufio"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/servertest"
	"github.com/seed-077cad0b/auth/store/redisstore"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// A backend is what the stores under test can all do.
type backend interface {
	auth.Store
	auth.Lister
	auth.Walker
	Close() error
}

// engines are what records are kept in: how a server of the test's own starts,
// if it is one, and how to open its data from any process.
var engines = map[string]struct {
	start func(testing.TB) *servertest.Server
	open  func(ctx context.Context, url string, conns int) (backend, error)
}{
	"SQLite":     {nil, openSQL("sqlite", sqlstore.SQLite)},
	"PostgreSQL": {servertest.StartPostgreSQL, openSQL("pgx", sqlstore.PostgreSQL)},
	"MariaDB":    {servertest.StartMariaDB, openSQL("mysql", sqlstore.MySQL)},
	"Redis": {servertest.StartRedis, func(ctx context.Context, url string, _ int) (backend, error) {
		s, err := redisstore.Open(ctx, url, nil)
		return client{s}, err
	}},
}

// client is a store whose end cannot fail.
type client struct{ *redisstore.Store }

func (c client) Close() error {
	c.Store.Close()
	return nil
}

// pooled is a store with a pool of connections of its own.
type pooled struct {
	*sqlstore.Store
	db *sql.DB
}

func (p pooled) Close() error { return errors.Join(p.Store.Close(), p.db.Close()) }

func openSQL(driver string, d sqlstore.Dialect) func(context.Context, string, int) (backend, error) {
	return func(ctx context.Context, url string, conns int) (backend, error) {
		db, err := sql.Open(driver, url)
		if err != nil {
			return nil, err
		}
		db.SetMaxOpenConns(conns)
		db.SetMaxIdleConns(conns)
		if err := sqlstore.Migrate(ctx, db, d); err != nil {
			return nil, errors.Join(err, db.Close())
		}
		s, err := sqlstore.New(ctx, db, d, nil)
		if err != nil {
			return nil, errors.Join(err, db.Close())
		}
		return pooled{s, db}, nil
	}
}

// A site is an engine with nothing in it yet, for one test.
type site struct {
	engine string
	url    string
	server *servertest.Server // nil for SQLite
}

func newSite(t *testing.T, engine string) *site {
	t.Helper()
	s := &site{engine: engine}
	if start := engines[engine].start; start != nil {
		s.server = start(t)
		s.url = s.server.URL()
		return s
	}
	s.url = "file:" + filepath.Join(t.TempDir(), "auth.db") + "?_pragma=busy_timeout(10000)"
	return s
}

// open returns a handle as a process of its own would have it.
func (s *site) open(t *testing.T) backend {
	t.Helper()
	b, err := engines[s.engine].open(t.Context(), s.url, 8)
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := b.Close(); !errors.Is(err, driver.ErrBadConn) { // that died with the server
			require.NoError(t, err)
		}
	})
	return b
}

// A job is what another process does: it is this test binary once more. Without
// its parent it ends at the next report, or with its orders.
type job struct {
	Name    string // in jobs
	Engine  string
	URL     string
	Kind    auth.Kind
	Seed    string
	Handles int
	Limit   uint64
}

// jobs are given what the parent says, line by line, and report to it.
var jobs = map[string]func(j job, orders *bufio.Scanner, report func(...any)) error{
	"write":  writeJob,
	"fill":   fillJob,
	"rotate": rotateJob,
	"redeem": redeemJob,
}

const jobVariable = "AUTH_FAULT_JOB"

func TestMain(m *testing.M) {
	_ = mysql.SetLogger(&mysql.NopLogger{}) // it tells of every connection that ends
	text := os.Getenv(jobVariable)
	if text == "" {
		servertest.Main(m)
	}
	var j job
	err := json.Unmarshal([]byte(text), &j)
	if err == nil {
		// One write each: a line that has been begun is whole.
		report := func(words ...any) { _, _ = os.Stdout.WriteString(fmt.Sprintln(words...)) }
		err = jobs[j.Name](j, bufio.NewScanner(os.Stdin), report)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A process does a job.
type process struct {
	*exec.Cmd
	orders io.WriteCloser
	lines  *bufio.Scanner // its reports
}

func (s *site) process(t *testing.T, j job) *process {
	t.Helper()
	j.Engine, j.URL = s.engine, s.url
	p := &process{Cmd: exec.Command(os.Args[0])}
	p.Env = append(os.Environ(), jobVariable+"="+string(must(json.Marshal(j))))
	p.Stderr = os.Stderr
	p.orders = must(p.StdinPipe())
	p.lines = bufio.NewScanner(must(p.StdoutPipe()))
	require.NoError(t, p.Start())
	t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	return p
}

// pause waits without keeping a processor busy.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
