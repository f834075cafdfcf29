package redisstore_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/redisstore"
)

// Sessions and limits that all processes of an API share.
func Example() {
	ctx := context.Background()
	store, err := redisstore.Open(ctx, os.Getenv("REDIS_URL"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	sessions, err := auth.NewSessions(store, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer sessions.Close()
	requests, err := store.Limiter("requests", auth.Rate{Limit: 100, Per: time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	guard := auth.NewGuard(auth.Bearer(sessions), nil).Limit(requests, auth.ByIdentity())
	http.Handle("GET /api/data", guard.WrapFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello")
	}))
}

// Two limits are two names. Under one name they would charge the same accounts,
// and each request would count twice.
func ExampleStore_Limiter() {
	store, err := redisstore.Open(context.Background(), os.Getenv("REDIS_URL"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	limits := map[string]auth.Rate{
		"per-minute": {Limit: 100, Per: time.Minute},
		"per-day":    {Limit: 10_000, Per: 24 * time.Hour},
	}
	for name, rate := range limits {
		l, err := store.Limiter(name, rate)
		if err != nil {
			log.Fatal(err)
		}
		q, err := l.Allow(context.Background(), "192.0.2.1", 1)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(name, q.Allowed, q.Remaining)
	}
}

// What other clients of Redis take from a URL to loosen TLS is refused, and so is a
// prefix that would put all keys into one slot of a cluster. All that is wrong is
// told at once, and no error tells the password.
func ExampleOpen_mistakes() {
	_, err := redisstore.Open(context.Background(), "rediss://auth:password@redis.internal?skip_verify=true", &redisstore.Options{Prefix: "{auth}:"})
	fmt.Println(err)
	// Output:
	// redisstore: prefix "{auth}:": only letters, digits and ._:- are allowed
	// redisstore: the URL has a parameter other than addr
}
