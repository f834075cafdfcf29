package password_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// A store that keeps records keeps users, too.
func ExampleUserRecords() {
	ctx := context.Background()
	store := struct{ auth.Store }{memstore.New()} // any store: it needs no ability
	records := must(password.NewUserRecords(store))
	users := must(password.NewUsers(records, &password.Options{Hasher: exampleHasher}))

	_, err := users.Register(ctx, password.User{Login: "ada@example.com"}, "correct horse battery staple")
	fmt.Println("registered:", err == nil)
	_, err = users.Register(ctx, password.User{Login: "Ada@example.com"}, "incorrect zebra accumulator")
	fmt.Println("the login is taken:", errors.Is(err, auth.ErrExists))
	_, err = users.Verify(ctx, "ada@example.com", "correct horse battery staple")
	fmt.Println("logged in:", err == nil)
	// Output:
	// registered: true
	// the login is taken: true
	// logged in: true
}

// A user is changed from what was read a moment ago, never from what somebody
// remembers: who has been disabled meanwhile stays so.
func ExampleUserRecords_ReplaceUser_mistake() {
	ctx := context.Background()
	records := must(password.NewUserRecords(memstore.New()))
	_ = records.InsertUser(ctx, password.User{ID: "7", Login: "ada", Revision: auth.NewRevision()})

	remembered := must(records.UserByID(ctx, "7"))
	disabled := remembered
	disabled.Disabled = true
	disabled.Revision++
	fmt.Println(records.ReplaceUser(ctx, disabled))

	remembered.Tier = "gold"
	remembered.Revision++
	fmt.Println(records.ReplaceUser(ctx, remembered))
	fmt.Println(must(records.UserByID(ctx, "7")).Disabled)
	// Output:
	// <nil>
	// auth: record has changed
	// true
}

var exampleHasher = must(password.NewHasher(&password.HashOptions{Params: cheap, InsecureParams: true}))
