package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// A Dialect is the kind of a database, of which the program imports a driver.
type Dialect int

const (
	PostgreSQL Dialect = iota + 1 // 12 or later
	MySQL                         // 8.0 or later, and MariaDB 10.5 or later; tables are InnoDB's
	SQLite                        // 3.35 or later, see the package's page
)

// String returns the name of the database.
func (d Dialect) String() string {
	if g := d.grammar(); g != nil {
		return g.name
	}
	return fmt.Sprintf("Dialect(%d)", int(d))
}

// A grammar is all that a dialect's statements differ by.
type grammar struct {
	name       string
	folder     string // of the migrations
	positional bool   // a parameter is a ?, not a number
	greatest   string // the function

	// What follows the INSERT of a record and of a user, and whether that added
	// one, as no driver's error is known here.
	unlessPresent, unlessTaken string
	added                      func(sql.Result) (bool, error)

	returning bool   // a DELETE returns what it deletes
	ordered   string // makes rows be locked in the order of their keys; %s: which
	expired   string // the end of the DELETE that sweeps

	// A migration runs between lock and release; undo is for one that fails.
	// Where there is an acquire, it asks for a lock as well, and answers 1 where
	// that is held.
	lock                   []string
	acquire, release, undo string

	settings func(ctx context.Context, db *sql.DB) error // what is wrong with the database; nil: nothing

	busy []string // texts of errors after which nothing has happened
}

// grammar returns nil for what is no dialect.
func (d Dialect) grammar() *grammar {
	switch d {
	case PostgreSQL:
		return &grammar{
			name: "PostgreSQL", folder: "postgresql", greatest: "GREATEST",
			unlessPresent: onConflict, unlessTaken: "ON CONFLICT DO NOTHING", added: oneRow,
			returning: true,
			ordered:   "digest IN (SELECT digest FROM auth_records WHERE %s ORDER BY digest FOR UPDATE)",
			expired: `WHERE digest = ANY (ARRAY(SELECT digest FROM auth_records WHERE keep_until <= $1
				ORDER BY keep_until LIMIT $2 FOR UPDATE SKIP LOCKED))`,
			lock:    []string{"BEGIN ISOLATION LEVEL READ COMMITTED", "SELECT pg_advisory_xact_lock(x'617574685f6d6967'::bigint)"},
			release: "COMMIT", undo: "ROLLBACK",
			settings: postgresSettings,
		}
	case MySQL:
		return &grammar{
			name: "MySQL", folder: "mysql", positional: true, greatest: "GREATEST",
			unlessPresent: onDuplicate, unlessTaken: "ON DUPLICATE KEY UPDATE revision = IF(LAST_INSERT_ID(2), revision, revision)",
			added:   noID,
			ordered: "%s", // as the primary key is
			expired: "WHERE keep_until <= $1 ORDER BY keep_until LIMIT $2",
			acquire: "SELECT GET_LOCK(" + lockName + ", 31536000)",
			release: "DO RELEASE_LOCK(" + lockName + ")", undo: "DO RELEASE_LOCK(" + lockName + ")",
			settings: mysqlSettings,
			busy:     []string{"Error 1213"}, // a deadlock
		}
	case SQLite:
		return &grammar{
			name: "SQLite", folder: "sqlite", positional: true, greatest: "MAX",
			unlessPresent: onConflict, unlessTaken: "ON CONFLICT DO NOTHING", added: oneRow,
			returning: true,
			ordered:   "%s", // as there is one writer at a time
			expired: `WHERE digest IN (SELECT digest FROM auth_records WHERE keep_until <= $1
				ORDER BY keep_until LIMIT $2)`,
			lock:    []string{"PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE"},
			release: "COMMIT", undo: "ROLLBACK",
			settings: settings,
			busy:     []string{"database is locked", "SQLITE_BUSY"},
		}
	}
	return nil
}

// A record that is past its KeepUntil gives way to the one that is inserted, and
// a present one makes that a statement without effect.
const onConflict = `ON CONFLICT (digest) DO UPDATE SET kind = excluded.kind, owner = excluded.owner,
	revision = excluded.revision, keep_until = excluded.keep_until, seen = excluded.seen, record = excluded.record
	WHERE auth_records.keep_until <= $1`

// The same for MySQL. How that counts rows depends on how its driver is set, so
// what became of the INSERT is told by its id, of which these tables have none: 2
// is that nothing was added. Assignments happen in order, so keep_until's is the
// last.
const onDuplicate = `ON DUPLICATE KEY UPDATE
	kind = IF(LAST_INSERT_ID(IF(keep_until <= $1, 1, 2)) = 1, VALUES(kind), kind),
	owner = IF(keep_until <= $1, VALUES(owner), owner),
	revision = IF(keep_until <= $1, VALUES(revision), revision),
	seen = IF(keep_until <= $1, VALUES(seen), seen),
	record = IF(keep_until <= $1, VALUES(record), record),
	keep_until = IF(keep_until <= $1, VALUES(keep_until), keep_until)`

// lockName is of this database, as the locks of MySQL are the server's. A name
// has at most 64 characters.
const lockName = "CONCAT('auth_migrations ', MD5(DATABASE()))"

func oneRow(r sql.Result) (bool, error) {
	n, err := r.RowsAffected()
	return n == 1, err
}

func noID(r sql.Result) (bool, error) {
	id, err := r.LastInsertId()
	return id != 2, err
}

// undone reports whether err tells that the statement was undone, or not begun,
// so that others could go on, and may be given again.
func (g *grammar) undone(err error) bool {
	if state, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err); ok {
		// A serialization failure, and a deadlock.
		return state.SQLState() == "40001" || state.SQLState() == "40P01"
	}
	for _, text := range g.busy {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}
