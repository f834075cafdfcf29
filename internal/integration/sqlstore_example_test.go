//go:build linux

package integration_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// A session outlives the program that opened it.
func Example_sqliteFile() {
	ctx := context.Background()
	dir := must(os.MkdirTemp("", ""))
	defer os.RemoveAll(dir)

	start := func() (*auth.Sessions, func()) {
		db := must(sql.Open("sqlite", "file:"+filepath.Join(dir, "auth.db")+"?_pragma=busy_timeout(5000)"))
		if err := sqlstore.Migrate(ctx, db, sqlstore.SQLite); err != nil {
			panic(err)
		}
		store := must(sqlstore.New(ctx, db, sqlstore.SQLite, nil))
		sessions := must(auth.NewSessions(store, nil))
		return sessions, func() { // in the order of what needs what
			sessions.Close()
			store.Close()
			db.Close()
		}
	}
	sessions, stop := start()
	token := must(sessions.Issue(ctx, authtest.Principal("ada"), nil)).Token
	stop()

	sessions, stop = start()
	defer stop()
	p, err := sessions.Verify(ctx, token.Reveal())
	fmt.Println(p.Subject, err)
	// Output: ada <nil>
}

// Mistakes to avoid: New tells of them before a request has to.
func Example_sqliteMistakes() {
	ctx := context.Background()
	dir := must(os.MkdirTemp("", ""))
	defer os.RemoveAll(dir)

	open := func(name string) *sql.DB { return must(sql.Open("sqlite", name)) }
	file := "file:" + filepath.Join(dir, "auth.db")

	db := open(file + "?_pragma=busy_timeout(5000)")
	defer db.Close()
	_, err := sqlstore.New(ctx, db, sqlstore.SQLite, nil)
	fmt.Println("not migrated:", err != nil)
	if err := sqlstore.Migrate(ctx, db, sqlstore.SQLite); err != nil {
		panic(err)
	}

	// Writers would fail whenever they meet.
	db = open(file)
	defer db.Close()
	_, err = sqlstore.New(ctx, db, sqlstore.SQLite, nil)
	fmt.Println(err)

	// Each connection would have a memory of its own.
	db = open("file::memory:?_pragma=busy_timeout(5000)")
	defer db.Close()
	_, err = sqlstore.New(ctx, db, sqlstore.SQLite, nil)
	fmt.Println("in memory:", err != nil)
	// Output:
	// not migrated: true
	// sqlstore: New: connections have no busy timeout: have the driver set one, such as by _pragma=busy_timeout(5000)
	// in memory: true
}
