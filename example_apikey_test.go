package auth_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// The life of a key: made, shown once, found again by its public id, switched
// off and on, and revoked.
func ExampleNewAPIKeys() {
	ctx := context.Background()
	keys := must(auth.NewAPIKeys(memstore.New(), "acme_live", nil))
	defer keys.Close() // writes when keys were last used

	owner := &auth.Principal{Subject: "alice", Tier: "premium", Scopes: []string{"data:read"}}
	grant := must(keys.Create(ctx, owner, &auth.KeyOptions{Name: "nightly export", Lifetime: 90 * 24 * time.Hour}))
	text, id := grant.Token.Reveal(), grant.Principal.Credential.ID
	fmt.Println(strings.HasPrefix(text, "acme_live_"), len(text))

	key := must(keys.Lookup(ctx, id))
	fmt.Println(key.Principal.Credential.Name, strings.HasPrefix(text, key.Hint), key.LastUsed.IsZero())

	try := func(what string) {
		p, err := keys.Verify(ctx, text)
		if err != nil {
			fmt.Println(what, err)
			return
		}
		fmt.Println(what, p.Subject, p.Tier, p.Scopes)
	}
	try("created:")
	fmt.Println(keys.Disable(ctx, id))
	try("disabled:")
	fmt.Println(keys.Enable(ctx, id))
	try("enabled:")
	fmt.Println(keys.Revoke(ctx, id))
	try("revoked:")
	// Output:
	// true 59
	// nightly export true true
	// created: alice premium [data:read]
	// <nil>
	// disabled: auth: disabled_credential
	// <nil>
	// enabled: alice premium [data:read]
	// <nil>
	// revoked: auth: invalid_credential
}

// A successor is rolled out while the old key goes on for the overlap.
func ExampleAPIKeys_Rotate() {
	ctx := context.Background()
	keys := must(auth.NewAPIKeys(memstore.New(), "acme_live", &auth.APIKeysOptions{Overlap: 48 * time.Hour}))
	defer keys.Close()
	owner := &auth.Principal{Subject: "alice"}
	old := must(keys.Create(ctx, owner, &auth.KeyOptions{Name: "ci"}))

	next := must(keys.Rotate(ctx, old.Principal.Credential.ID))
	for _, g := range []*auth.Grant{old, next} {
		p := must(keys.Verify(ctx, g.Token.Reveal()))
		if c := p.Credential; c.Expires.IsZero() {
			fmt.Println(c.Name, "goes on for ever")
		} else {
			fmt.Println(c.Name, "goes on for", time.Until(c.Expires).Round(time.Hour))
		}
	}
	open := 0
	for range keys.List(ctx, owner) {
		open++
	}
	fmt.Println(open, "keys")
	// Output:
	// ci goes on for 48h0m0s
	// ci goes on for ever
	// 2 keys
}

// What goes wrong: a key without scopes is taken for one that may do anything.
// It may do nothing that asks for a scope.
func ExampleAPIKeys_Create_mistake() {
	ctx := context.Background()
	keys := must(auth.NewAPIKeys(memstore.New(), "acme_live", nil))
	defer keys.Close()
	key := must(keys.Create(ctx, &auth.Principal{Subject: "alice"}, nil))

	guard := auth.NewGuard(auth.Header("X-API-Key", keys), nil)
	r := from("GET", "/data", "X-API-Key", key.Token.Reveal())
	_, err := guard.Check(r)
	fmt.Println("known:", err)
	_, err = guard.With(auth.Scope("data:read")).Check(r)
	fmt.Println("may read:", err)
	// Output:
	// known: <nil>
	// may read: auth: insufficient_scope
}
