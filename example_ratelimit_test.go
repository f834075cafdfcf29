package auth_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-077cad0b/auth"
)

// Sixty an hour, but only three at once: the others are told when to come
// again.
func ExampleNewLimiter() {
	limiter := auth.NewLimiter(60, time.Hour, auth.Burst(3))
	for range 4 {
		q, _ := limiter.Allow(context.Background(), "client", 1)
		fmt.Println(q.Allowed, q.Remaining, q.RetryAfter.Round(time.Minute))
	}
	// Output:
	// true 2 0s
	// true 1 0s
	// true 0 0s
	// false 0 1m0s
}

// A search costs five times as much as a look-up. What was not done is given
// back.
func ExampleMemoryLimiter_Allow() {
	ctx := context.Background()
	limiter := auth.NewLimiter(10, time.Hour)
	for _, cost := range []int{5, 1, 5, -5, 5} {
		q, _ := limiter.Allow(ctx, "client", cost)
		fmt.Println(cost, q.Allowed, q.Remaining)
	}
	// Output:
	// 5 true 5
	// 1 true 4
	// 5 false 4
	// -5 true 9
	// 5 true 4
}

// What goes wrong: a limiter for each request, which has never counted
// anything. It is made once, like a guard.
func ExampleNewLimiter_mistake() {
	admitted := 0
	for range 100 {
		limiter := auth.NewLimiter(1, time.Hour) // inside of a handler
		if q, _ := limiter.Allow(context.Background(), "client", 1); q.Allowed {
			admitted++
		}
	}
	fmt.Println(admitted)
	// Output: 100
}

// cluster is a limiter that all nodes share, and that is down.
type cluster struct{ *auth.MemoryLimiter }

func (cluster) Allow(context.Context, string, int) (auth.Quota, error) {
	return auth.Quota{}, errors.New("connection refused")
}

// While the limiter that three nodes share is down, each admits a third.
func ExampleLocalShare() {
	shared := cluster{auth.NewLimiter(9, time.Hour)}
	limiter := auth.LocalShare(shared, 3, func(_ context.Context, err error) { fmt.Println("down:", err) })
	for range 4 {
		q, err := limiter.Allow(context.Background(), "client", 1)
		fmt.Println(q.Allowed, err)
	}
	// Output:
	// down: connection refused
	// true <nil>
	// down: connection refused
	// true <nil>
	// down: connection refused
	// true <nil>
	// down: connection refused
	// false <nil>
}

// What goes wrong: guesses at passwords are limited by what fails open. Whoever
// brings the limiter down, by calling it often enough, guesses as often as they
// like. A throttle fails closed, which is what guards do by themselves, or has a
// local share.
func ExampleFailOpen_mistake() {
	shared := cluster{auth.NewLimiter(5, time.Minute)}
	report := func(context.Context, error) {}
	guesses := func(l auth.Limiter) int {
		n := 0
		for range 1000 {
			if q, err := l.Allow(context.Background(), "198.51.100.7", 1); err == nil && q.Allowed {
				n++
			}
		}
		return n
	}
	fmt.Println("open:", guesses(auth.FailOpen(shared, report)))
	fmt.Println("closed:", guesses(auth.FailClosed(shared, report)))
	fmt.Println("local share:", guesses(auth.LocalShare(shared, 5, report)))
	// Output:
	// open: 1000
	// closed: 0
	// local share: 1
}
