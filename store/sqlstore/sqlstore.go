// Package sqlstore keeps records and users in PostgreSQL, MySQL, MariaDB or
// SQLite, by database/sql and whatever driver the program imports.
//
//	db, err := sql.Open("pgx", url)
//	...
//	if err := sqlstore.Migrate(ctx, db, sqlstore.PostgreSQL); err != nil { ... }
//	store, err := sqlstore.New(ctx, db, sqlstore.PostgreSQL, nil)
//
// Its tables begin with auth_ and may stand beside others in one database or
// schema. A program needs to SELECT, INSERT, UPDATE and DELETE in auth_records and
// auth_users, and to SELECT from auth_migrations; who migrates creates tables.
// Every look-up, alone or of many, is one statement and one round trip.
//
// A Store is the password.UserStore of its database: give password.NewUsers that,
// also where all else is given a cache in front of it. Platforms, see
// auth.NewPlatformRecords, are records like any.
//
// It is tested with PostgreSQL 15 by pgx, MariaDB 10.11 by go-sql-driver/mysql and
// SQLite by modernc.org/sqlite. What is said here of MySQL itself, of other drivers
// and of poolers goes by their documentation.
//
// # Time
//
// Whether a record is past its KeepUntil is judged by the clock of the process
// that asks, as all else in the library is, and not by the database's: what the
// servers' clocks differ by is what they may differ by in that answer. What a Store
// sweeps by itself has been past for a minute, so that a clock which is ahead by
// less takes nothing from the others.
//
// # Errors and contexts
//
// Where the context ends first, the error is the context's. What was being
// written may have been written then, as after every error that does not come
// from the store's contract, or may still be: MySQL goes on with a statement whose
// caller has gone. A statement that the engine undid to let another
// one go on, after a deadlock for example, is given again a few times. Nothing
// else is: database/sql connects anew by itself, and gives a statement again only
// where its driver answers driver.ErrBadConn, which must be of what never left
// alone, as it is with pgx and go-sql-driver/mysql.
//
// # Replicas
//
// A Store reads and writes at the primary. A standby that lags knows sessions that
// have been revoked, so [New] refuses one, but cannot see where later connections
// go: an URL of several hosts needs target_session_attrs=read-write with pgx, or
// what other drivers have instead.
//
// # SQLite
//
// A database file serves the processes of one machine. Let the driver set a busy
// timeout on every connection, which [New] insists on, for example
//
//	file:auth.db?_pragma=busy_timeout(5000)                  modernc.org/sqlite, ncruces/go-sqlite3
//	file:auth.db?_busy_timeout=5000                          mattn/go-sqlite3
//
// [Migrate] turns on the write-ahead log, in which readers never wait. Writers
// queue: inside a Store in order, between processes by the busy timeout. What is
// acknowledged survives the process in any case, and a loss of power with
// synchronous=FULL, which is SQLite's default. With synchronous=NORMAL a write is
// many times cheaper, and a loss of power may undo the last ones, a sign-out
// among them.
//
// The file has hashes of passwords in it, and SQLite makes it as the umask says:
// make it first, empty and its owner's alone, where that lets others read.
//
// # Poolers
//
// Statements are prepared once on each connection. A pooler that hands each
// transaction another one, such as PgBouncer in transaction mode, must know of
// that (max_prepared_statements, since PgBouncer 1.21); for one that does not, set
// [Options.Unprepared] and have the driver do the same, pgx for example with
// default_query_exec_mode=exec.
package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

// A Store keeps records and users in a database. It implements [auth.Store] with
// all of [auth.Lister], [auth.Batcher], [auth.Toucher], [auth.Sweeper] and
// [auth.Walker], and [password.UserStore]. Use [New], and [Store.Close] at the
// end.
//
// Every method is atomic and safe for concurrent use, also with other Stores on
// the same database, in this process and in others. The name of a kind has at most
// 255 bytes.
type Store struct {
	db         *sql.DB
	grammar    *grammar
	says       *statements
	notify     bool
	unprepared bool
	turn       chan struct{} // of the one who writes; nil: all may

	mu         sync.Mutex
	statements []*sql.Stmt // to be closed

	ended   context.Context
	end     context.CancelFunc
	sweeper sync.WaitGroup
}

var (
	_ auth.Store          = (*Store)(nil)
	_ auth.Lister         = (*Store)(nil)
	_ auth.Batcher        = (*Store)(nil)
	_ auth.Toucher        = (*Store)(nil)
	_ auth.Sweeper        = (*Store)(nil)
	_ auth.Walker         = (*Store)(nil)
	_ password.UserStore  = (*Store)(nil)
	_ password.UserWalker = (*Store)(nil)
)

// Channel is where a [Store] with [Options.Notify] tells of changes.
const Channel = "auth_changed"

// Options configure [New]. The zero value is ready for production.
type Options struct {
	// SweepEvery is how often records are removed that have been past their
	// KeepUntil for a minute, by which the clocks of others may be behind. Zero
	// is a minute; negative is never: call [Store.Sweep]. Of several processes each
	// sweeps; they do not wait for each other where the engine allows.
	SweepEvery time.Duration

	// Notify tells each record's digest, as text, on [Channel] by PostgreSQL's
	// NOTIFY when it is inserted, replaced or taken, in the same statement. See
	// package store/pglisten.
	Notify bool

	// Unprepared gives every statement as text, for poolers that do not know
	// prepared ones.
	Unprepared bool

	// Logger is told when sweeping fails; nil is slog.Default().
	Logger *slog.Logger
}

// New returns a Store on the database that db connects to. The database must
// have been brought up to date by [Migrate], and remains the caller's: limit its
// connections as db's other users need. It must take writes and be set as the
// package's page says; a standby, a MySQL with read_only, and connections of MySQL
// without autocommit are refused. o may be nil.
func New(ctx context.Context, db *sql.DB, d Dialect, o *Options) (*Store, error) {
	if o == nil {
		o = &Options{}
	}
	s := &Store{db: db, grammar: d.grammar(), notify: o.Notify, unprepared: o.Unprepared}
	var errs []error
	if db == nil {
		errs = append(errs, errors.New("no database"))
	}
	if s.grammar == nil {
		errs = append(errs, fmt.Errorf("%v is none", d))
	}
	if o.Notify && d != PostgreSQL {
		errs = append(errs, fmt.Errorf("the option Notify is PostgreSQL's, not for %v", d))
	}
	if len(errs) == 0 {
		errs = append(errs, s.grammar.check(ctx, db))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("sqlstore: New: %w", err)
	}
	s.says = s.grammar.statements(o.Notify)
	if d == SQLite {
		s.turn = make(chan struct{}, 1)
	}
	s.ended, s.end = context.WithCancel(context.WithoutCancel(ctx))
	if o.SweepEvery >= 0 {
		every, log := cmp.Or(o.SweepEvery, time.Minute), cmp.Or(o.Logger, slog.Default())
		s.sweeper.Go(func() { s.sweepAll(s.ended, every, log) })
	}
	return s, nil
}

// Close ends the sweeping and closes what was prepared; the database stays open.
// No other method may be running. From then on all return an error.
func (s *Store) Close() error {
	s.end()
	s.sweeper.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, stmt := range s.statements {
		if err := stmt.Close(); !errors.Is(err, driver.ErrBadConn) { // which ended it, too
			errs = append(errs, err)
		}
	}
	s.statements = nil
	return errors.Join(errs...)
}
