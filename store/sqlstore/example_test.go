package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"log"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// Sessions that outlive the program, in a file. Import a driver, such as
//
//	import _ "modernc.org/sqlite"
func ExampleNew() {
	ctx := context.Background()
	db, err := sql.Open("sqlite", "file:auth.db?_pragma=busy_timeout(5000)")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if err := sqlstore.Migrate(ctx, db, sqlstore.SQLite); err != nil {
		log.Fatal(err)
	}
	store, err := sqlstore.New(ctx, db, sqlstore.SQLite, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	sessions, err := auth.NewSessions(store, &auth.SessionOptions{Idle: time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	defer sessions.Close()
}

// Several servers share a PostgreSQL. Changes are told, so that caches in other
// processes drop what has changed, see package store/pglisten. Import
//
//	import _ "github.com/jackc/pgx/v5/stdlib"
func ExampleNew_postgreSQL() {
	ctx := context.Background()
	db, err := sql.Open("pgx", "postgres://app@db.example/app?sslmode=verify-full")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20) // else a busy server keeps connecting anew

	// Each server may migrate when it starts: one does, the others wait.
	if err := sqlstore.Migrate(ctx, db, sqlstore.PostgreSQL); err != nil {
		log.Fatal(err)
	}
	store, err := sqlstore.New(ctx, db, sqlstore.PostgreSQL, &sqlstore.Options{Notify: true})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
}

// A mistake to avoid: taking every error of a look-up for an absent record. An
// outage would log everybody out.
func ExampleStore_Lookup() {
	var store *sqlstore.Store // from New
	exists := func(ctx context.Context, d auth.Digest) (bool, error) {
		switch _, err := store.Lookup(ctx, d); {
		case err == nil:
			return true, nil
		case errors.Is(err, auth.ErrNotFound):
			return false, nil
		default:
			return false, err // the database could not answer: 503, not 401
		}
	}
	_ = exists
}
