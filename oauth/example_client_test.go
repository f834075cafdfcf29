package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// Clients are kept in the store, where operators add and change them while the
// server runs. Authctl does the same from a command line.
func ExampleClientRecords() {
	ctx := context.Background()
	clients, err := oauth.NewClientRecords(memstore.New()) // or any other store
	if err != nil {
		log.Fatal(err)
	}
	secret, kept := oauth.NewClientSecret()
	err = clients.Insert(ctx, &oauth.Client{
		ID:           "web-app",
		Name:         "Web app",
		Secrets:      []oauth.ClientSecret{kept},
		Grants:       []oauth.GrantType{oauth.AuthorizationCode, oauth.RefreshToken},
		Scopes:       []string{"spaces:read"},
		RedirectURIs: []string{"https://app.example.com/done"},
		Created:      time.Now(),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("shown once, and to nobody by accident:", secret)

	err = clients.Update(ctx, "web-app", func(c *oauth.Client) error {
		c.RedirectURIs = append(c.RedirectURIs, "https://*.example.com/done")
		return nil
	})
	fmt.Println("a wildcard is refused:", err != nil)

	for c, err := range clients.Clients(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(c.ID, c.RedirectURIs)
	}
	// Output:
	// shown once, and to nobody by accident: [redacted]
	// a wildcard is refused: true
	// web-app [https://app.example.com/done]
}

// The old secret goes on for a day, in which the client is given the new one. For
// a secret that has leaked there is no overlap.
func ExampleClientRecords_RotateSecret() {
	ctx := context.Background()
	clients, err := oauth.NewClientRecords(memstore.New())
	if err != nil {
		log.Fatal(err)
	}
	_, kept := oauth.NewClientSecret()
	if err := clients.Insert(ctx, &oauth.Client{ID: "worker", Secrets: []oauth.ClientSecret{kept}}); err != nil {
		log.Fatal(err)
	}
	show := func() {
		c, err := clients.Client(ctx, "worker")
		if err != nil {
			log.Fatal(err)
		}
		for _, s := range c.Secrets {
			fmt.Println("a secret that ends by itself:", !s.Expires.IsZero())
		}
	}
	if _, err := clients.RotateSecret(ctx, "worker", 24*time.Hour); err != nil {
		log.Fatal(err)
	}
	show()
	if _, err := clients.RotateSecret(ctx, "worker", 0); err != nil {
		log.Fatal(err)
	}
	show()
	// Output:
	// a secret that ends by itself: true
	// a secret that ends by itself: false
	// a secret that ends by itself: false
}

// Who removes an entry stops what the client asks for, and nothing that it holds.
// Disable it first: that is one call for both.
func ExampleClientRecords_Remove_mistake() {
	ctx := context.Background()
	store := memstore.New()
	clients, err := oauth.NewClientRecords(store)
	if err != nil {
		log.Fatal(err)
	}
	tokens, err := auth.NewOpaqueTokens(store, "https://api.example.com", nil)
	if err != nil {
		log.Fatal(err)
	}
	ada := authtest.Principal("ada").ProvedAt(time.Now())
	held := func(client string) auth.Secret {
		_, kept := oauth.NewClientSecret()
		if err := clients.Insert(ctx, &oauth.Client{ID: client, Secrets: []oauth.ClientSecret{kept}}); err != nil {
			log.Fatal(err)
		}
		g, err := tokens.Issue(ctx, ada, &auth.IssueOptions{ClientID: client})
		if err != nil {
			log.Fatal(err)
		}
		return g.Token
	}
	removed, disabled := held("removed"), held("disabled")
	if err := errors.Join(clients.Remove(ctx, "removed"), clients.Disable(ctx, "disabled")); err != nil {
		log.Fatal(err)
	}
	_, err = tokens.Verify(ctx, removed.Reveal())
	fmt.Println("removed:", err)
	_, err = tokens.Verify(ctx, disabled.Reveal())
	fmt.Println("disabled:", err)
	// Output:
	// removed: <nil>
	// disabled: auth: revoked_credential
}

// A secret that was made elsewhere, such as one in the environment, for a list of
// clients that is written down. A file may have added a line end: that is refused
// here, and not found out when the client is.
func ExampleImportClientSecret() {
	fromEnvironment := "6f7d0a2b64a1c7f0d2a55e0e8e7fa13c" // 128 random bits or more
	_, err := oauth.ImportClientSecret(fromEnvironment + "\n")
	fmt.Println("with a line end:", err != nil)

	kept, err := oauth.ImportClientSecret(fromEnvironment)
	if err != nil {
		log.Fatal(err)
	}
	_, err = oauth.NewClientList(&oauth.Client{
		ID:      "worker",
		Secrets: []oauth.ClientSecret{kept},
		Grants:  []oauth.GrantType{oauth.ClientCredentials},
		Scopes:  []string{"spaces:read"},
	})
	fmt.Println("the list:", err)
	// Output:
	// with a line end: true
	// the list: <nil>
}
