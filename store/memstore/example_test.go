package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// Programs hand the store to NewSessions and its kin. By itself it is a map
// whose entries are inserted, replaced if unchanged, and taken once.
func Example() {
	ctx := context.Background()
	store := memstore.New()

	d := auth.DigestOf("invitation", "the text that only the invited person knows")
	_ = store.Insert(ctx, d, auth.Record{
		Kind:      "invitation",
		Principal: &auth.Principal{Subject: "alice"},
		Revision:  auth.NewRevision(),
		KeepUntil: time.Now().Add(24 * time.Hour),
	})

	r, err := store.Take(ctx, d)
	fmt.Println(r.Principal.Subject, err)
	_, err = store.Take(ctx, d)
	fmt.Println(errors.Is(err, auth.ErrNotFound))
	// Output:
	// alice <nil>
	// true
}
