package password_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// Guesses are stopped, here sooner than by default. Who has logged in from
// somewhere lately gets in from there all the same.
func ExampleThrottle() {
	store := memstore.New()
	users, err := password.NewUsers(store, &password.Options{
		Throttle: &password.Throttle{Login: auth.NewLimiter(60, time.Hour, auth.Burst(10))},
		Notify: func(_ context.Context, e password.Event) {
			if e.Kind == password.EventThrottled {
				fmt.Println("somebody guesses at the password of", e.Login)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	if _, err := users.Register(ctx, password.User{Login: "ada@example.com"}, "correct horse battery staple"); err != nil {
		log.Fatal(err)
	}
	home := netip.MustParseAddr("192.0.2.1")
	if _, err := users.VerifyFrom(ctx, home, "ada@example.com", "correct horse battery staple"); err != nil {
		log.Fatal(err)
	}

	stranger := netip.MustParseAddr("198.51.100.1")
	for {
		_, err = users.VerifyFrom(ctx, stranger, "ada@example.com", "password1")
		stranger = stranger.Next()
		if !errors.Is(err, auth.ErrInvalid) {
			break
		}
	}
	fmt.Println(err)
	_, err = users.VerifyFrom(ctx, home, "ada@example.com", "correct horse battery staple")
	fmt.Println(err)
	// Output:
	// somebody guesses at the password of ada@example.com
	// auth: rate_limit_exceeded
	// <nil>
}

// Processes that serve the same users share limiters, and choose what becomes of
// logins while those are down: see auth.FailClosed and its kin.
func ExampleThrottle_shared() {
	shared := func(n int, per time.Duration, burst int) auth.Limiter {
		return auth.NewLimiter(n, per, auth.Burst(burst)) // or one of a database
	}
	throttle := &password.Throttle{
		Address: shared(60, time.Minute, 60),
		Pair:    shared(45, time.Minute, 45),
		Login:   shared(60, time.Hour, 90),
		Known:   shared(1, 30*24*time.Hour, 2),
	}
	store := memstore.New()
	var processes []*password.Users
	for range 2 {
		users, err := password.NewUsers(store, &password.Options{Throttle: throttle})
		if err != nil {
			log.Fatal(err)
		}
		processes = append(processes, users)
	}
	// What is used up at one of them is used up at the other.
	guesser := netip.MustParseAddr("192.0.2.1")
	for _, users := range processes {
		guesses := 0
		for {
			_, err := users.VerifyFrom(context.Background(), guesser, "ada", "")
			if !errors.Is(err, auth.ErrInvalid) {
				fmt.Println(guesses, err)
				break
			}
			guesses++
		}
	}
	// Output:
	// 45 auth: rate_limit_exceeded
	// 0 auth: rate_limit_exceeded
}

// A mistake to avoid: a program behind a proxy that it has not been told of. All
// its clients have the proxy's address, and one who guesses keeps all out.
func ExampleThrottle_mistake() {
	store := memstore.New()
	users, err := password.NewUsers(store, &password.Options{
		Throttle: &password.Throttle{Address: auth.NewLimiter(5, time.Minute)},
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := users.Register(context.Background(), password.User{Login: "ada"}, "correct horse battery staple"); err != nil {
		log.Fatal(err)
	}
	proxies, err := auth.ParseNetworks("127.0.0.1, ::1")
	if err != nil {
		log.Fatal(err)
	}
	admitted := func(http.ResponseWriter, *http.Request) {}
	for _, o := range []*auth.GuardOptions{nil, {TrustedProxies: proxies}} {
		h := auth.NewGuard(users.Basic(), o).WrapFunc(admitted)
		status := func(client, login, password string) int {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = "127.0.0.1:1234" // the proxy's
			r.Header.Set("X-Forwarded-For", client)
			r.Header.Set("X-Forwarded-Proto", "https")
			r.SetBasicAuth(login, password)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Code
		}
		for i := range 5 {
			status("198.51.100.1", fmt.Sprint("user", i), "password1")
		}
		fmt.Println(status("192.0.2.1", "ada", "correct horse battery staple"))
	}
	// Output:
	// 429
	// 200
}
