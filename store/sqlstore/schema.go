package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

//go:embed migrations
var embedded embed.FS

// A step takes the schema to a version from the one before.
type step struct {
	version  int64
	checksum string
	text     string
}

// steps reads a dialect's migrations, files whose names begin with the numbers 1,
// 2 and so on.
func steps(files fs.FS, folder string) ([]step, error) {
	names, err := fs.Glob(files, "migrations/"+folder+"/*.sql")
	if err != nil {
		return nil, err
	}
	all := make([]step, len(names))
	for _, name := range names {
		var n int
		base := name[strings.LastIndexByte(name, '/')+1:]
		if _, err := fmt.Sscanf(base, "%d_", &n); err != nil || n < 1 || n > len(all) || all[n-1].version != 0 {
			return nil, fmt.Errorf("migration %q is not one of 1 to %d", base, len(all))
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		all[n-1] = step{int64(n), hex.EncodeToString(sum[:]), string(text)}
	}
	return all, nil
}

// Migrate creates the tables of a [Store] or brings them up to date. Processes
// that start at the same time may all call it: one migrates, the others wait for
// it. Where nothing is to be done it only reads, so a program whose role may not
// create tables may call it, too.
//
// It returns an error where the schema is of a later version of this package or
// was made by another dialect. With PostgreSQL and SQLite a migration that fails
// changes nothing; with MySQL it is taken up again by the next call. Of SQLite it
// turns the write-ahead log on, which remains so. MySQL's lock is of one server:
// of a Galera cluster, have all who migrate connect to the same node.
func Migrate(ctx context.Context, db *sql.DB, d Dialect) error {
	g := d.grammar()
	if db == nil || g == nil {
		return fmt.Errorf("sqlstore: Migrate: no database, or no dialect: %v", d)
	}
	all, err := steps(embedded, g.folder)
	if err != nil {
		return fmt.Errorf("sqlstore: Migrate: %w", err)
	}
	return g.migrate(ctx, db, all)
}

func (g *grammar) migrate(ctx context.Context, db *sql.DB, all []step) error {
	switch missing, err := missing(ctx, db, all); {
	case errors.Is(err, ErrSchema):
		return failed(ctx, err)
	case err == nil && len(missing) == 0:
		return nil
	}
	// There is something to do, be it only to find out again what is wrong.
	conn, err := db.Conn(ctx)
	if err != nil {
		return failed(ctx, err)
	}
	defer conn.Close()
	if err := g.locked(ctx, conn, func() error { return g.apply(ctx, conn, all) }); err != nil {
		return failed(ctx, err)
	}
	return nil
}

// failed names what has failed; an error of the context is just that.
func failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return fmt.Errorf("sqlstore: Migrate: %w", err)
}

// apply carries out what is missing, and takes it down.
func (g *grammar) apply(ctx context.Context, conn *sql.Conn, all []step) error {
	if _, err := conn.ExecContext(ctx, migrations); err != nil {
		return err
	}
	missing, err := missing(ctx, conn, all)
	if err != nil {
		return err
	}
	for _, step := range missing {
		for text := range strings.SplitSeq(strings.TrimSpace(step.text), ";\n") {
			if _, err := conn.ExecContext(ctx, strings.TrimSuffix(text, ";")); err != nil {
				return fmt.Errorf("migration %d: %w", step.version, err)
			}
		}
		if _, err := conn.ExecContext(ctx, g.query(migrated).text, step.version, step.checksum, now()); err != nil {
			return fmt.Errorf("migration %d: %w", step.version, err)
		}
	}
	return nil
}

const (
	migrations = `CREATE TABLE IF NOT EXISTS auth_migrations (
		version  BIGINT      NOT NULL PRIMARY KEY,
		checksum VARCHAR(64) NOT NULL, -- the SHA-256 of the migration, in hexadecimal
		applied  BIGINT      NOT NULL  -- microseconds since 1970
	)`
	migrated = "INSERT INTO auth_migrations (version, checksum, applied) VALUES ($1, $2, $3)"
)

// ErrSchema is wrapped by what [New] and [Migrate] return where the schema has had
// migrations that this package does not know: those of a later version, which the
// program then has to be built with, or of another dialect.
var ErrSchema = errors.New("the schema is not ours")

// missing returns those of all migrations that the database has not had, or
// ErrSchema where it has had others.
func missing(ctx context.Context, db interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}, all []step) ([]step, error) {
	rows, err := db.QueryContext(ctx, "SELECT version, checksum FROM auth_migrations ORDER BY version")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	had := 0
	for ; rows.Next(); had++ {
		var s step
		if err := rows.Scan(&s.version, &s.checksum); err != nil {
			return nil, err
		}
		switch {
		case had == len(all):
			return nil, fmt.Errorf("%w: it is of version %d, and this program knows it up to %d only", ErrSchema, s.version, len(all))
		case s.version != all[had].version || s.checksum != all[had].checksum:
			return nil, fmt.Errorf("%w: its migration %d is not this program's migration %d", ErrSchema, s.version, all[had].version)
		}
	}
	return all[had:], rows.Err()
}

// migrateTries bounds how long a migration waits for SQLite's file by itself, at
// a pause of migratePause: the switch to the write-ahead log knows no busy
// timeout.
const (
	migrateTries = 500
	migratePause = 20 * time.Millisecond
)

// locked calls f while no other process migrates. What f has done on conn stays
// only if it returns nil.
func (g *grammar) locked(ctx context.Context, conn *sql.Conn, f func() error) error {
	for _, text := range g.lock {
		_, err := conn.ExecContext(ctx, text)
		for try := 1; err != nil && g.undone(err) && try < migrateTries; try++ {
			if err = pause(ctx, migratePause); err == nil {
				_, err = conn.ExecContext(ctx, text)
			}
		}
		if err != nil {
			_ = g.unlock(ctx, conn, g.undo)
			return err
		}
	}
	if err := g.acquired(ctx, conn); err != nil {
		_ = g.unlock(ctx, conn, g.undo)
		return err
	}
	if err := f(); err != nil {
		_ = g.unlock(ctx, conn, g.undo)
		return err
	}
	return g.unlock(ctx, conn, g.release)
}

// acquired asks for the lock that answers whether it is held. NULL is that the
// server could not tell.
func (g *grammar) acquired(ctx context.Context, conn *sql.Conn) error {
	if g.acquire == "" {
		return nil
	}
	var held sql.NullInt64
	if err := conn.QueryRowContext(ctx, g.acquire).Scan(&held); err != nil {
		return err
	}
	if held.Int64 != 1 {
		return errors.New("the lock of migrations was not to be had")
	}
	return nil
}

// unlock gives the statement that ends a migration. Where that fails the
// connection goes, and with it the lock.
func (g *grammar) unlock(ctx context.Context, conn *sql.Conn, text string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockWithin)
	defer cancel()
	_, err := conn.ExecContext(ctx, text)
	if err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	return err
}

const unlockWithin = 5 * time.Second

// check reports what of the database a Store cannot work with.
func (g *grammar) check(ctx context.Context, db *sql.DB) error {
	all, err := steps(embedded, g.folder)
	if err != nil {
		return err
	}
	missing, err := missing(ctx, db, all)
	if err != nil {
		return fmt.Errorf("not as Migrate leaves it: %w", err)
	}
	// These come first: with MySQL they may be why Migrate was of no use.
	if err := g.settings(ctx, db); err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("the schema is of version %d and not of %d: call Migrate", len(all)-len(missing), len(all))
	}
	return nil
}

// settings reports what is wrong with how SQLite is set.
func settings(ctx context.Context, db *sql.DB) error {
	var journal string
	var busy int
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, "PRAGMA busy_timeout").Scan(&busy); err != nil {
		return err
	}
	var errs []error
	if journal != "wal" {
		errs = append(errs, fmt.Errorf("its journal mode is %q and not \"wal\": call Migrate; a database in memory has no other, use store/memstore", journal))
	}
	if busy <= 0 {
		errs = append(errs, errors.New("connections have no busy timeout: have the driver set one, such as by _pragma=busy_timeout(5000)"))
	}
	return errors.Join(errs...)
}
