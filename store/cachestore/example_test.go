package cachestore_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/cachestore"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// Every part of the API is given the cache in place of the store, but for
// password.NewUsers where the store keeps users by itself.
func Example() {
	database := memstore.New() // such as a sqlstore or a redisstore
	store, err := cachestore.New(database, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	sessions, err := auth.NewSessions(store, nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	grant, err := sessions.Issue(ctx, authtest.Principal("alice"), nil)
	if err != nil {
		log.Fatal(err)
	}
	before := store.Stats().Loads
	for range 1000 {
		if _, err := sessions.Verify(ctx, grant.Token.Reveal()); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("look-ups in the database:", store.Stats().Loads-before)

	_ = sessions.Revoke(ctx, grant.Principal)
	_, err = sessions.Verify(ctx, grant.Token.Reveal())
	fmt.Println("after the sign-out:", err)
	// Output:
	// look-ups in the database: 1
	// after the sign-out: auth: invalid_credential
}

// Who may bear a longer lag has fewer look-ups, and the other way round.
func ExampleNew() {
	store, err := cachestore.New(memstore.New(), &cachestore.Options{
		Size:   1 << 20,
		MaxLag: time.Second,
		MaxAge: 10 * time.Minute,
		OnLost: func(err error) { log.Printf("watching the store: %v", err) },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	// Output:
}

// A mistake to avoid: to write past the cache. What one part of the program
// changes in the store itself, another one that has the cache sees late, as if
// another process had changed it.
func ExampleNew_pastTheCache() {
	database := memstore.New()
	cache, err := cachestore.New(database, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer cache.Close()
	ctx, d := context.Background(), auth.DigestOf(auth.KindSession, "secret")
	_ = cache.Insert(ctx, d, auth.Record{Kind: auth.KindSession})
	_, _ = cache.Lookup(ctx, d)

	_, _ = database.Take(ctx, d) // wrong: cache.Take
	_, err = cache.Lookup(ctx, d)
	fmt.Println("still there:", err == nil)

	_, _ = cache.Take(ctx, d)
	_, err = cache.Lookup(ctx, d)
	fmt.Println("gone:", errors.Is(err, auth.ErrNotFound))
	// Output:
	// still there: true
	// gone: true
}
