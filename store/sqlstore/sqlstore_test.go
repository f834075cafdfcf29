package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

var dialects = []sqlstore.Dialect{sqlstore.PostgreSQL, sqlstore.MySQL, sqlstore.SQLite}

func TestNewTellsAllThatIsWrong(t *testing.T) {
	_, err := sqlstore.New(t.Context(), nil, 7, &sqlstore.Options{Notify: true})
	for _, text := range []string{"no database", "Dialect(7)", "Notify is PostgreSQL's"} {
		require.ErrorContains(t, err, text)
	}
	require.Error(t, sqlstore.Migrate(t.Context(), nil, sqlstore.SQLite))
	require.Error(t, sqlstore.Migrate(t.Context(), sql.OpenDB(&stub{}), 0))
	db := sql.OpenDB(&stub{folder: "mysql"})
	for _, d := range []sqlstore.Dialect{sqlstore.MySQL, sqlstore.SQLite} {
		_, err := sqlstore.New(t.Context(), db, d, &sqlstore.Options{Notify: true})
		require.ErrorContains(t, err, "not for "+d.String())
	}
}

// state is how drivers for PostgreSQL tell what has failed.
type state string

func (s state) Error() string    { return "ERROR (SQLSTATE " + string(s) + ")" }
func (s state) SQLState() string { return string(s) }

var (
	errBusy     = errors.New("database is locked (5) (SQLITE_BUSY)")
	errDeadlock = errors.New("Error 1213 (40001): Deadlock found when trying to get lock; try restarting transaction")
	errDown     = errors.New("connection refused")
)

// What the engine has undone is given again, a few times; what may have been
// carried out is not.
func TestOnlyWhatWasUndoneIsGivenAgain(t *testing.T) {
	for _, c := range []struct {
		name    string
		dialect sqlstore.Dialect
		errs    []error
		times   int // that it is given
		err     error
	}{
		{"nothing fails", sqlstore.SQLite, nil, 1, nil},
		{"busy", sqlstore.SQLite, []error{errBusy, errBusy}, 3, nil},
		{"always busy", sqlstore.SQLite, slices.Repeat([]error{errBusy}, 20), 8, errBusy},
		{"a deadlock", sqlstore.MySQL, []error{errDeadlock}, 2, nil},
		{"a deadlock", sqlstore.PostgreSQL, []error{fmt.Errorf("wrapped: %w", state("40P01"))}, 2, nil},
		{"a serialization failure", sqlstore.PostgreSQL, []error{state("40001"), state("40001")}, 3, nil},
		{"another state", sqlstore.PostgreSQL, []error{state("23505")}, 1, state("23505")},
		{"a text of another engine", sqlstore.PostgreSQL, []error{errDeadlock}, 1, errDeadlock},
		{"a text of another engine", sqlstore.MySQL, []error{errBusy}, 1, errBusy},
		{"down", sqlstore.PostgreSQL, []error{errDown}, 1, errDown},
		{"down", sqlstore.MySQL, []error{errDown}, 1, errDown},
		{"down", sqlstore.SQLite, []error{errDown}, 1, errDown},
	} {
		t.Run(fmt.Sprint(c.dialect, " ", c.name), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := &stub{}
				s := db.open(t, c.dialect, nil)
				db.errs = c.errs
				err := s.Touch(t.Context(), map[auth.Digest]time.Time{{1}: time.Now()})
				require.ErrorIs(t, err, c.err)
				require.Len(t, db.said, c.times)
				for _, answer := range []error{auth.ErrNotFound, auth.ErrExists, auth.ErrConflict} {
					require.NotErrorIs(t, err, answer)
				}
			})
		})
	}
}

// Drivers have errors of their own for a context that ends.
func TestTheErrorOfAContextIsItsOwn(t *testing.T) {
	for _, d := range dialects {
		db := &stub{}
		s := db.open(t, d, nil)
		for _, err := range []error{errors.New("interrupted (9)"), errors.New("invalid connection"), errBusy, errDeadlock} {
			ctx, cancel := context.WithCancel(t.Context())
			db.before, db.errs = cancel, []error{err}
			_, err := s.Lookup(ctx, auth.Digest{1})
			require.ErrorIs(t, err, context.Canceled)
		}
		db.before = nil
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		said := len(db.said)
		require.ErrorIs(t, s.Touch(ctx, nil), context.Canceled)
		_, err := s.Sweep(ctx, 0)
		require.ErrorIs(t, err, context.Canceled)
		require.Len(t, db.said, said)
	}
}

// A context that ends while a statement waits to be given again ends the wait.
func TestAContextEndsTheWaitForAnotherTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &stub{}
		s := db.open(t, sqlstore.SQLite, nil)
		db.errs = slices.Repeat([]error{errBusy}, 20)
		ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
		defer cancel()
		start := time.Now()
		require.ErrorIs(t, s.Touch(ctx, map[auth.Digest]time.Time{{1}: start}), context.DeadlineExceeded)
		require.LessOrEqual(t, time.Since(start), time.Nanosecond)
	})
}

func TestAClosedStoreAnswersNothing(t *testing.T) {
	db := &stub{}
	s := db.open(t, sqlstore.MySQL, nil)
	_, err := s.Lookup(t.Context(), auth.Digest{1})
	require.ErrorIs(t, err, auth.ErrNotFound)
	require.NoError(t, s.Close())
	_, err = s.Lookup(t.Context(), auth.Digest{1})
	require.ErrorContains(t, err, "closed")
	require.NotErrorIs(t, err, auth.ErrNotFound)
	said := len(db.said)
	_, err = s.Sweep(t.Context(), 1) // which was never prepared, and is not now
	require.ErrorContains(t, err, "closed")
	require.Len(t, db.said, said)
	require.NoError(t, s.Close())
}

// What a value of the caller's is never becomes part of a statement: the same
// few are given, whatever is asked.
func TestStatementsHoldNoValues(t *testing.T) {
	const hostile = "'; DROP TABLE auth_records; --"
	for _, d := range dialects {
		db := &stub{}
		s := db.open(t, d, &sqlstore.Options{Unprepared: true, Notify: d == sqlstore.PostgreSQL})
		ctx := t.Context()
		r := auth.Record{Kind: hostile, Principal: &auth.Principal{Subject: hostile}, Owner: auth.Digest{1}, Data: []byte(hostile)}
		_ = s.Insert(ctx, auth.Digest{1}, r)
		_ = s.Replace(ctx, auth.Digest{1}, r)
		_ = s.LookupAll(ctx, hostile, []auth.Digest{{1}}, make([]auth.Record, 1))
		_, _ = s.UserByLogin(ctx, hostile)
		_, _ = s.UserByID(ctx, hostile)
		for range s.List(ctx, auth.Digest{1}, hostile) {
		}
		for range s.Walk(ctx, hostile) {
		}
		require.GreaterOrEqual(t, len(db.said), 7)
		for _, text := range db.said {
			require.NotContains(t, text, "DROP")
		}
	}
}

// A migration waits for a file that others have locked, and is undone where it
// fails.
func TestMigrationsOfSQLite(t *testing.T) {
	for _, c := range []struct {
		name string
		errs []error
		said []string // but for the migrations
		err  error
		kept int // connections
	}{
		{"at once", nil, []string{"PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE", "COMMIT"}, nil, 1},
		{
			"locked", []error{errBusy, nil, errBusy},
			[]string{"PRAGMA journal_mode = WAL", "PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE", "BEGIN IMMEDIATE", "COMMIT"}, nil, 1,
		},
		{"failed", []error{nil, nil, errDown}, []string{"PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE", "ROLLBACK"}, errDown, 1},
		{
			"failed, and not undone", []error{nil, nil, errDown, errDown},
			[]string{"PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE", "ROLLBACK"}, errDown, 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stub := &stub{folder: "none", errs: c.errs}
				db := sql.OpenDB(stub)
				defer db.Close()
				require.ErrorIs(t, sqlstore.Migrate(t.Context(), db, sqlstore.SQLite), c.err)
				said := slices.DeleteFunc(stub.said, func(text string) bool { return strings.Contains(text, "CREATE ") })
				require.Equal(t, c.said, said)
				require.Equal(t, c.kept, db.Stats().OpenConnections)
			})
		})
	}
}

// A migration that was published has been applied somewhere: it stays as it is,
// and what is to change goes into the next.
func TestMigrationsStayAsTheyWere(t *testing.T) {
	want := map[string]string{
		"mysql/1_records.sql":      "7c5ab057b330c0ed78fdc57d8910ccf915f711b2fcaa1f57bcef17058735c43c",
		"mysql/2_users.sql":        "bc6638d643cff10dca1df8dba8c588823d0c2b856d48407120f7fb40a236a9e2",
		"postgresql/1_records.sql": "f6cd61c79f628083b2357bd6d45f1a6e5c2bb6faaede25c8af21428f33047d30",
		"postgresql/2_users.sql":   "be89d5b5a204f8a22dedf49d7ab8dae39797f44cf38eb7c62bd39a1216c6158e",
		"sqlite/1_records.sql":     "4717257d211624c94b65c1e157aa5e350064930280a99d4133c77a0521d4e2d9",
		"sqlite/2_users.sql":       "b49d1097a92d2cfaa200fb419eb78f176cf4ecdd5cab5f5286ec4c00125cfb0f",
	}
	files, err := filepath.Glob("migrations/*/*.sql")
	require.NoError(t, err)
	require.Len(t, files, len(want))
	for _, file := range files {
		require.Equal(t, want[strings.TrimPrefix(filepath.ToSlash(file), "migrations/")], sum(file), file)
	}
}
