package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/spf13/cobra"
	_ "modernc.org/sqlite"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// dialWithin bounds how long a store may take to answer for the first time.
const dialWithin = 10 * time.Second

// A backend is the store that a command works on.
type backend struct {
	records
	users   users
	strays  *users       // of the other place where a store may keep them; nil: there is none, or it was chosen
	sweeper auth.Sweeper // nil: it forgets by itself
	close   func()
}

// with returns what runs a command on the store.
func (a *app) with(do func(ctx context.Context, s *backend, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		s, err := a.open(c.Context())
		if err != nil {
			return err
		}
		defer s.close()
		return do(c.Context(), s, args)
	}
}

func (a *app) storeURL() string {
	if a.store != "" {
		return a.store
	}
	return a.env("AUTH_STORE")
}

// open opens the store that the URL names.
func (a *app) open(ctx context.Context) (*backend, error) {
	if err := a.checkUserPlace(); err != nil {
		return nil, err
	}
	if isRedis(a.storeURL()) {
		return openRedis(ctx, a.storeURL())
	}
	db, dialect, err := openSQL(a.storeURL(), false)
	if err != nil {
		return nil, err
	}
	db.SetMaxIdleConns(writers) // else most would connect anew for each write
	dial, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	if err := db.PingContext(dial); err != nil {
		return nil, errors.Join(&outage{err}, db.Close())
	}
	// Where the engine can tell the API's caches what has changed, it does.
	o := &sqlstore.Options{SweepEvery: -1, Notify: dialect == sqlstore.PostgreSQL && !a.untold}
	s, err := sqlstore.New(dial, db, dialect, o)
	if err != nil {
		return nil, errors.Join(schema(err), db.Close())
	}
	b := &backend{records: records{s}, sweeper: s, close: func() { _, _ = s.Close(), db.Close() }}
	return b, a.placeUsers(b, s)
}

// schema tells what to do about a schema that is not as this program needs it.
func schema(err error) error {
	if errors.Is(err, sqlstore.ErrSchema) {
		return fmt.Errorf("%w\nthe store is newer than this authctl: use a newer authctl", err)
	}
	return fmt.Errorf("%w\nauthctl migrate makes or updates the tables", err)
}

var errNoStore = errors.New("no store: set AUTH_STORE or --store, such as sqlite:auth.db; see authctl --help")

// openSQL returns a database, without asking it anything. A file of SQLite is
// made only where create says so: a name that is mistyped has nothing in it.
func openSQL(store string, create bool) (*sql.DB, sqlstore.Dialect, error) {
	if store == "" {
		return nil, 0, usage(errNoStore)
	}
	scheme, rest, _ := strings.Cut(store, ":")
	switch scheme {
	case "postgres", "postgresql":
		if _, err := pgx.ParseConfig(store); err != nil {
			return nil, 0, malformed(err)
		}
		db, err := sql.Open("pgx", store)
		return db, sqlstore.PostgreSQL, malformed(err)
	case "mysql", "mariadb":
		dsn, err := mysqlDSN(store)
		if err != nil {
			return nil, 0, malformed(err)
		}
		db, err := sql.Open("mysql", dsn)
		return db, sqlstore.MySQL, malformed(err)
	case "sqlite":
		db, err := openSQLite(rest, create)
		return db, sqlstore.SQLite, err
	default:
		return nil, 0, usagef("the URL of the store begins with none of sqlite:, postgres:, mysql:, redis: and rediss:")
	}
}

// malformed is what is said of a URL that a driver does not take: the driver's
// own words may show it.
func malformed(err error) error {
	if err != nil {
		return usagef("the URL of the store is malformed; see authctl --help")
	}
	return nil
}

// mysqlDSN returns what the driver calls a data source name, which may also stand
// behind mysql: as it is.
func mysqlDSN(store string) (string, error) {
	if _, dsn, _ := strings.Cut(store, ":"); !strings.HasPrefix(dsn, "//") {
		return dsn, nil
	}
	u, err := url.Parse(store)
	if err != nil {
		return "", err
	}
	parameters := ""
	if u.RawQuery != "" {
		parameters = "?" + u.RawQuery
	}
	c, err := mysql.ParseDSN("tcp(" + u.Host + ")/" + strings.TrimPrefix(u.EscapedPath(), "/") + parameters)
	if err != nil {
		return "", err
	}
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	return c.FormatDSN(), nil
}

func openSQLite(file string, create bool) (*sql.DB, error) {
	if file == "" {
		return nil, usagef("sqlite: without a file")
	}
	mode := "rw"
	if create {
		mode = "rwc"
	} else if _, err := os.Stat(file); err != nil {
		return nil, notFound("there is no file %q; authctl migrate makes one", file)
	}
	u := url.URL{Scheme: "file", Opaque: url.PathEscape(file), RawQuery: url.Values{
		"mode":    {mode},
		"_pragma": {"busy_timeout(10000)"},
	}.Encode()}
	return sql.Open("sqlite", u.String())
}

func (a *app) migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Make the tables of a SQL store, or bring them up to date",
		Long: `Migrate makes the tables, or brings them up to date. It may be repeated, and run
by many at once. Redis needs none. Of SQLite it makes the file as well, for the
eyes of its owner alone.`,
		Args: arguments(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if isRedis(a.storeURL()) {
				a.note("Redis needs no migration")
				return nil
			}
			if err := a.newFile(); err != nil {
				return err
			}
			db, dialect, err := openSQL(a.storeURL(), true)
			if err != nil {
				return err
			}
			defer db.Close()
			switch err := sqlstore.Migrate(c.Context(), db, dialect); {
			case errors.Is(err, sqlstore.ErrSchema):
				return schema(err)
			case err != nil:
				return &outage{err}
			}
			a.note("the tables are up to date")
			return nil
		},
	}
}

// newFile makes the file of SQLite, which the engine would let others read.
func (a *app) newFile() error {
	file, ok := strings.CutPrefix(a.storeURL(), "sqlite:")
	if !ok || file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}
