package pglisten_test

import (
	"context"
	"database/sql"
	"log"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/seed-077cad0b/auth/store/cachestore"
	"github.com/seed-077cad0b/auth/store/pglisten"
	"github.com/seed-077cad0b/auth/store/sqlstore"
)

// A cache in front of PostgreSQL that hears of what other processes change. Each
// of them sets Notify; one that does not is not heard.
func Example() {
	const url = "postgres://api@db.example/api"
	ctx := context.Background()
	db, err := sql.Open("pgx", url)
	if err != nil {
		log.Fatal(err)
	}
	store, err := sqlstore.New(ctx, db, sqlstore.PostgreSQL, &sqlstore.Options{Notify: true})
	if err != nil {
		log.Fatal(err)
	}
	watcher, err := pglisten.New(db, url)
	if err != nil {
		log.Fatal(err)
	}
	cache, err := cachestore.New(store, &cachestore.Options{Watcher: watcher})
	if err != nil {
		log.Fatal(err)
	}
	defer cache.Close()
}
