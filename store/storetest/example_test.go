package storetest_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

// openStore stands for the store that you have written.
func openStore(string) (interface {
	auth.Store
	Close() error
}, error) {
	return nil, os.ErrInvalid
}

// The test of a store that keeps what it has in a file. Each handle is closed by
// its own Cleanup; the file is made once, outside of the function, so that all
// handles are on one backend.
func ExampleRun() {
	_ = func(t *testing.T) { // TestStore
		file := filepath.Join(t.TempDir(), "auth.db")
		storetest.Run(t, func(tb testing.TB) auth.Store {
			s, err := openStore(file)
			if err != nil {
				tb.Fatal(err)
			}
			tb.Cleanup(func() { _ = s.Close() })
			return s
		})
	}
}

// A limiter of one process returns itself at each rate: a new one each time would
// be as many limiters as there are handles, each of which admits all.
func ExampleRunLimiter() {
	_ = func(t *testing.T) { // TestLimiter
		limiters := map[auth.Rate]auth.Limiter{}
		storetest.RunLimiter(t, func(_ testing.TB, rate auth.Rate) auth.Limiter {
			if limiters[rate] == nil {
				limiters[rate] = auth.NewLimiter(rate.Limit, rate.Per, auth.Burst(cmp.Or(rate.Burst, rate.Limit)))
			}
			return limiters[rate]
		})
	}
}

// Each call that an operation makes fails once: what becomes of a sign-out?
func ExampleFaulty() {
	ctx, down := context.Background(), errors.New("connection refused")
	for i := 0; ; i++ {
		store := storetest.NewFaulty(memstore.New())
		sessions, err := auth.NewSessions(store, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		grant, err := sessions.Issue(ctx, authtest.Principal("alice"), nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		before := len(store.Calls())
		store.Before = storetest.Nth(i, storetest.Fail(down))
		err = sessions.Revoke(ctx, grant.Principal)
		calls := store.Calls()[before:]
		if err == nil {
			fmt.Println("all calls:", len(calls))
			return
		}
		store.Before = nil
		_, still := sessions.Verify(ctx, grant.Token.Reveal())
		fmt.Printf("%s fails: told so: %t, still signed in: %t\n", calls[i], errors.Is(err, down), still == nil)
	}
	// Output:
	// Take fails: told so: true, still signed in: true
	// all calls: 1
}
