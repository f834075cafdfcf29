package auth_test

import (
	"context"
	"fmt"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// Somebody has found a key in public and sends its text. The id follows from that;
// which of several prefixes it has does not matter.
func ExampleAPIKeyID() {
	ctx := context.Background()
	keys, err := auth.NewAPIKeys(memstore.New(), "acme_live", nil)
	if err != nil {
		panic(err)
	}
	defer keys.Close()
	grant, err := keys.Create(ctx, &auth.Principal{Subject: "42"}, nil)
	if err != nil {
		panic(err)
	}
	found := grant.Token.Reveal()

	id, err := auth.APIKeyID(found)
	if err != nil {
		panic(err)
	}
	fmt.Println(keys.Revoke(ctx, id))
	_, err = keys.Verify(ctx, found)
	fmt.Println(err)

	// A mistake: to take whatever is sent for a key, and log it where it is none.
	// It may be another secret.
	_, err = auth.APIKeyID("correct horse battery staple")
	fmt.Println(err)
	// Output:
	// <nil>
	// auth: invalid_credential
	// auth: credential is not of this form
}
