//go:build linux

package integration_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// TestSQLStatementsOfARequest counts what a guarded request says to the
// database, once everything is prepared: each is one round trip.
func TestSQLStatementsOfARequest(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		said := &transcript{}
		db := sql.OpenDB(said.connector(t, e, e.migrated(t)))
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		db.SetMaxOpenConns(1) // so that each statement is prepared once
		store := e.store(t, db, sqlstore.Options{})

		sessions := must(auth.NewSessions(store, nil))
		keys := must(auth.NewAPIKeys(store, "acme_live", nil))
		secret := must(auth.NewHMACKey("k", auth.HS256, []byte(strings.Repeat("s", 32))))
		tokens := must(auth.NewJWT("https://issuer.example", "api", must(auth.NewKeys(secret)), &auth.JWTOptions{Revocation: store}))
		guard := auth.NewGuard(auth.Bearer(tokens, keys, sessions), &auth.GuardOptions{InsecureHTTP: true})
		handler := guard.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))

		who := authtest.Principal("ada")
		key := must(keys.Create(t.Context(), who, nil))
		byKey := must(keys.Verify(t.Context(), key.Token.Reveal())).ProvedAt(who.Origin.Time)
		for _, c := range []struct {
			credential string
			grant      *auth.Grant
			statements int
		}{
			{"a session", must(sessions.Issue(t.Context(), who, nil)), 1},
			{"an API key", key, 1},
			{"a session that a key opened", must(sessions.Issue(t.Context(), byKey, nil)), 2},
			{"a token that can be revoked", must(tokens.Issue(t.Context(), who, nil)), 1},
		} {
			request := func() {
				r := httptest.NewRequest("GET", "/x", nil)
				r.Header.Set("Authorization", "Bearer "+c.grant.Token.Reveal())
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				require.Equal(t, http.StatusOK, w.Code, c.credential)
			}
			request()
			require.Len(t, said.during(request), c.statements, c.credential)
		}
	})
}

// TestSQLStatementsOfAMethod counts the statements of each method.
func TestSQLStatementsOfAMethod(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		said := &transcript{}
		db := sql.OpenDB(said.connector(t, e, e.migrated(t)))
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		db.SetMaxOpenConns(1)
		s := e.store(t, db, sqlstore.Options{})
		ctx := t.Context()

		digests := make([]auth.Digest, 600)
		seen := map[auth.Digest]time.Time{}
		owner := auth.DigestOf("owner", "everybody")
		for i := range digests {
			r := session(i)
			r.Owner = owner
			digests[i] = auth.DigestOf(auth.KindSession, fmt.Sprint(i))
			seen[digests[i]] = time.Now()
			require.NoError(t, s.Insert(ctx, digests[i], r))
		}
		few := map[auth.Digest]time.Time{digests[0]: time.Now(), digests[1]: time.Now()}
		takes := 1
		if e.dialect == sqlstore.MySQL {
			takes = 2 // to look and to remove
		}
		all := func(owner auth.Digest) {
			for _, err := range s.List(ctx, owner, auth.KindSession) {
				require.NoError(t, err)
			}
		}
		for _, c := range []struct {
			method     string
			statements int
			call       func()
		}{
			{"Lookup", 1, func() { _ = must(s.Lookup(ctx, digests[0])) }},
			{"Insert", 1, func() { _ = s.Insert(ctx, digests[0], session(0)) }},
			{"Replace, stale", 2, func() { _ = s.Replace(ctx, digests[0], session(0)) }},
			{"LookupAll of 3", 1, func() { _ = s.LookupAll(ctx, auth.KindSession, digests[:3], make([]auth.Record, 3)) }},
			{"LookupAll of 600", 3, func() { _ = s.LookupAll(ctx, auth.KindSession, digests, make([]auth.Record, 600)) }},
			{"Touch of 2", 1, func() { _ = s.Touch(ctx, few) }},
			{"Touch of 600", 3, func() { _ = s.Touch(ctx, seen) }},
			{"List of none", 1, func() { all(digests[0]) }},
			{"List of 600", 2 + 4, func() { all(owner) }}, // the first 128, the digests of the others, and those in 4 pages
			{"Sweep", 1, func() { _ = must(s.Sweep(ctx, 10)) }},
			{"Take", takes, func() { _ = must(s.Take(ctx, digests[0])) }},
		} {
			require.Len(t, said.during(c.call), c.statements, c.method)
		}
	})
}

// A transcript is what was said to a database, but for what was prepared.
type transcript struct {
	mu   sync.Mutex
	said []statement
}

type statement struct {
	text string
	args []any
}

func (tr *transcript) note(text string, args []driver.NamedValue) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	s := statement{text: text}
	for _, arg := range args {
		s.args = append(s.args, arg.Value)
	}
	tr.said = append(tr.said, s)
}

// during returns what is said while f runs.
func (tr *transcript) during(f func()) []statement {
	tr.mu.Lock()
	before := len(tr.said)
	tr.mu.Unlock()
	f()
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return slices.Clone(tr.said[before:])
}

// connector connects to a database by the engine's driver, and writes down what
// is said.
func (tr *transcript) connector(tb testing.TB, e engine, name string) driver.Connector {
	d := e.connect(tb, name).Driver()
	return heardConnector{d, name, tr}
}

type heardConnector struct {
	driver driver.Driver
	name   string
	heard  *transcript
}

func (c heardConnector) Driver() driver.Driver { return c.driver }

func (c heardConnector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.name)
	if err != nil {
		return nil, err
	}
	return heardConn{conn, c.heard}, nil
}

// A heardConn can do less than the drivers' own: what database/sql then does by
// itself is counted as well.
type heardConn struct {
	driver.Conn
	heard *transcript
}

func (c heardConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	stmt, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	return heardStmt{stmt, text, c.heard}, nil
}

func (c heardConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

type heardStmt struct {
	driver.Stmt
	text  string
	heard *transcript
}

func (s heardStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.heard.note(s.text, args)
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

func (s heardStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.heard.note(s.text, args)
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
}
