package auth_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// Partners are kept in the store, where operators add and change them while the
// API runs.
func ExamplePlatformRecords() {
	ctx := context.Background()
	store := memstore.New() // or any other
	records := must(auth.NewPlatformRecords(store))
	platforms := must(auth.NewPlatforms(store, records, nil))

	partner := authtest.NewPlatform("acme") // who signs; we know its public key
	signIn := func() error {
		r := httptest.NewRequest("POST", "/authenticate/acme", nil)
		r.SetPathValue("platform", "acme")
		r.Header.Set("Token", partner.Sign("ada@acme.example", time.Now().Add(time.Minute)))
		_, err := platforms.FromHeader("Token", "platform").Authenticate(r)
		return err
	}
	fmt.Println("not a partner yet:", signIn() != nil)

	_ = records.Insert(ctx, partner.Entry())
	fmt.Println("a partner:", signIn() == nil)

	_ = records.Update(ctx, "acme", func(p *auth.Platform) error {
		p.EmailDomains = []string{"bank.example"}
		return nil
	})
	fmt.Println("of another domain:", signIn() != nil)

	for p := range records.Platforms(ctx) {
		fmt.Println(p.ID, p.EmailDomains)
	}
	// Output:
	// not a partner yet: true
	// a partner: true
	// of another domain: true
	// acme [bank.example]
}

// Who removes an entry stops sign-ins, and nothing that is signed in. Suspend the
// platform first.
func ExamplePlatformRecords_Remove_mistake() {
	ctx := context.Background()
	store := memstore.New()
	records := must(auth.NewPlatformRecords(store))
	platforms := must(auth.NewPlatforms(store, records, nil))
	sessions := must(auth.NewSessions(store, nil))
	defer sessions.Close()

	partner := authtest.NewPlatform("acme")
	_ = records.Insert(ctx, partner.Entry())
	r := httptest.NewRequest("POST", "/authenticate/acme", nil)
	r.SetPathValue("platform", "acme")
	r.Header.Set("Token", partner.Sign("ada@acme.example", time.Now().Add(time.Minute)))
	ada := must(platforms.FromHeader("Token", "platform").Authenticate(r))
	session := must(platforms.Issuer(sessions).Issue(ctx, ada.ProvedAt(time.Now()), nil))

	open := func() bool {
		_, err := sessions.Verify(ctx, session.Token.Reveal())
		return err == nil
	}
	_ = records.Remove(ctx, "acme")
	fmt.Println("removed, session open:", open())
	_ = platforms.Suspend(ctx, "acme")
	fmt.Println("suspended, session open:", open())
	// Output:
	// removed, session open: true
	// suspended, session open: false
}
