//go:build linux

package integration_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// TestSQLPlansUseIndexes asks the database how it would carry out each statement
// that requests and sweeps depend on, among so many rows that a way without an
// index is the slow one.
func TestSQLPlansUseIndexes(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		said := &transcript{}
		name := e.migrated(t)
		if e.dialect == sqlstore.SQLite {
			name = withParams(name, "_pragma=synchronous(off)")
		}
		db := sql.OpenDB(said.connector(t, e, name))
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		s := e.store(t, db, sqlstore.Options{})
		ctx := t.Context()
		const many = 1000
		digests := make([]auth.Digest, many)
		for i := range digests {
			r := session(i)
			if i%3 == 0 {
				r.KeepUntil = time.Time{}
			}
			digests[i] = auth.DigestOf(r.Kind, fmt.Sprint(i))
			require.NoError(t, s.Insert(ctx, digests[i], r))
			require.NoError(t, s.InsertUser(ctx, password.User{ID: fmt.Sprint(i), Login: fmt.Sprint("login ", i), Revision: 1}))
		}
		plain := e.connect(t, name)
		for _, table := range []string{"auth_records", "auth_users"} {
			text := "ANALYZE " + table
			if e.dialect == sqlstore.MySQL {
				text = "ANALYZE TABLE " + table
			}
			_, err := plain.Exec(text)
			require.NoError(t, err)
		}
		seen := map[auth.Digest]time.Time{digests[1]: time.Now(), digests[2]: time.Now()}
		for method, call := range map[string]func(){
			"Lookup":    func() { _ = must(s.Lookup(ctx, digests[1])) },
			"LookupAll": func() { _ = s.LookupAll(ctx, auth.KindMark, digests[:3], make([]auth.Record, 3)) },
			"Insert":    func() { _ = s.Insert(ctx, digests[1], session(0)) },
			"Replace":   func() { _ = s.Replace(ctx, digests[1], session(0)) },
			"Take":      func() { _, _ = s.Take(ctx, digests[0]) },
			"Touch":     func() { _ = s.Touch(ctx, seen) },
			"Sweep":     func() { _ = must(s.Sweep(ctx, 10)) },
			"List": func() {
				for range s.List(ctx, session(1).Owner, auth.KindSession) {
				}
			},
			"Walk": func() {
				for range s.Walk(ctx, "") {
					return
				}
			},
			"UserByLogin": func() { _, _ = s.UserByLogin(ctx, "login 1") },
			"UserByID":    func() { _, _ = s.UserByID(ctx, "1") },
			"ReplaceUser": func() { _ = s.ReplaceUser(ctx, password.User{ID: "1", Login: "login 1", Revision: 9}) },
		} {
			for _, statement := range said.during(call) {
				plan, good := explain(t, e, plain, statement)
				require.True(t, good, "%s: %s\n%s", method, statement.text, plan)
			}
		}
	})
}

// explain returns how the database would carry out a statement, and whether it
// reads no table or index from end to end.
func explain(t *testing.T, e engine, db *sql.DB, s statement) (plan string, good bool) {
	prefix := map[sqlstore.Dialect]string{sqlstore.SQLite: "EXPLAIN QUERY PLAN "}[e.dialect]
	if prefix == "" {
		prefix = "EXPLAIN "
	}
	rows, err := db.Query(prefix+s.text, s.args...)
	require.NoError(t, err, s.text)
	defer rows.Close()
	columns := must(rows.Columns())
	good = true
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		places := make([]any, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		require.NoError(t, rows.Scan(places...))
		for i, v := range values {
			plan += " " + v.String
			switch {
			case strings.HasPrefix(v.String, "SCAN auth"), strings.Contains(v.String, "Seq Scan"):
				good = false
			case columns[i] == "type" && (v.String == "ALL" || v.String == "index"):
				good = false
			}
		}
		plan += "\n"
	}
	require.NoError(t, rows.Err())
	return plan, good && plan != "" || strings.HasPrefix(s.text, "INSERT")
}
