package auth_test

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// Opaque access tokens end when they are told to, at their next use. They go
// beside JSON Web Tokens, as the forms of both are apart.
func ExampleNewOpaqueTokens() {
	ctx := context.Background()
	store := memstore.New() // the one of the authorization server
	tokens := must(auth.NewOpaqueTokens(store, "https://api.example.com", nil))
	guard := auth.NewGuard(auth.Bearer(tokens), nil)
	_ = guard // guard.Wrap(api)

	ada := authtest.Principal("ada", "spaces:read").ProvedAt(time.Now())
	grant := must(tokens.Issue(ctx, ada, &auth.IssueOptions{ClientID: "web-app", Lifetime: 5 * time.Minute}))
	use := func() {
		p, err := tokens.Verify(ctx, grant.Token.Reveal())
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(p.Subject, "by", p.Credential.ClientID)
	}
	use()
	_ = auth.RevokeClient(ctx, store, "web-app") // all that the client holds
	use()
	// Output:
	// ada by web-app
	// auth: revoked_credential
}

// A token of another resource server is none of ours, though both share a store.
// Whoever accepted it could be sent the tokens that somebody else was given.
func ExampleNewOpaqueTokens_mistake() {
	ctx := context.Background()
	store := memstore.New()
	mail := must(auth.NewOpaqueTokens(store, "https://mail.example.com", nil))
	files := must(auth.NewOpaqueTokens(store, "https://files.example.com", nil))

	grant := must(mail.Issue(ctx, authtest.Principal("ada"), nil))
	_, err := files.Verify(ctx, grant.Token.Reveal())
	fmt.Println(err)
	// Output:
	// auth: invalid_credential: token is for another audience
}
