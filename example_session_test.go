package auth_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// A user looks at where they are signed in, and ends what they do not know.
func ExampleSessions_List() {
	ctx := context.Background()
	sessions := must(auth.NewSessions(memstore.New(), nil))
	defer sessions.Close()

	user := authtest.Principal("alice")
	login := func(device string) *auth.Principal {
		o := &auth.IssueOptions{Device: auth.Device{Name: device}}
		return must(sessions.Issue(ctx, user, o)).Principal
	}
	phone := login("phone")
	login("laptop")
	login("a laptop in another country")

	show := func() {
		open := 0
		for s, err := range sessions.List(ctx, user) {
			if err != nil {
				panic(err)
			}
			open++
			if s.Device.Name == "a laptop in another country" {
				// The id is public. One of somebody else's ends nothing.
				fmt.Println("ended:", sessions.End(ctx, user, s.ID) == nil)
			}
		}
		fmt.Println(open, "open")
	}
	show()
	show()

	// All but the one that asks; RevokeAll ends that too.
	fmt.Println("others ended:", sessions.RevokeOthers(ctx, phone) == nil)
	show()
	// Output:
	// ended: true
	// 3 open
	// 2 open
	// others ended: true
	// 1 open
}

// A change of privilege gets a new token, as whoever has seen the old one must
// not gain by it.
func ExampleSessions_Renew() {
	ctx := context.Background()
	sessions := must(auth.NewSessions(memstore.New(), nil))
	defer sessions.Close()
	old := must(sessions.Issue(ctx, authtest.Principal("alice", "read"), nil))

	// A second factor was proved just now.
	raised := old.Principal.ProvedAt(time.Now())
	raised.Scopes = []string{"read", "pay"}
	renewed := must(sessions.Renew(ctx, raised))

	_, err := sessions.Verify(ctx, old.Token.Reveal())
	fmt.Println("old token:", err)
	p := must(sessions.Verify(ctx, renewed.Token.Reveal()))
	fmt.Println("new token:", p.Scopes, p.Credential.Expires.Equal(old.Principal.Credential.Expires))
	// Output:
	// old token: auth: invalid_credential
	// new token: [read pay] true
}

// Some clients expect the shape of a UUID. All of its bits are random here.
func ExampleUUIDForm() {
	sessions := must(auth.NewSessions(memstore.New(), &auth.SessionOptions{
		Form:     auth.UUIDForm(),
		Lifetime: 14 * 24 * time.Hour,
		Idle:     24 * time.Hour,
		Limit:    5, // one more login ends the oldest session
	}))
	defer sessions.Close()
	g := must(sessions.Issue(context.Background(), authtest.Principal("alice"), nil))
	fmt.Println(len(g.Token.Reveal()), g.Token)
	// Output: 36 [redacted]
}

// What goes wrong: code that calls Verify itself and issues something for whom
// that proves, without telling when. A key that is revoked between the two could
// leave a session behind, so Issue refuses. [auth.Guard.Exchange] does it right.
func ExamplePrincipal_ProvedAt_mistake() {
	ctx := context.Background()
	keys, sessions, _, key := parts()

	p := must(keys.Verify(ctx, key))
	_, err := sessions.Issue(ctx, p, nil)
	fmt.Println(err)

	start := time.Now() // before Verify
	p = must(keys.Verify(ctx, key))
	_, err = sessions.Issue(ctx, p.ProvedAt(start), nil)
	fmt.Println(err)

	// The other half of it: what is not there is no refusal, and a guard's Fail
	// would answer 503. It is for the handler to say 404.
	fmt.Println(errors.Is(sessions.End(ctx, p, "no such id"), auth.ErrNotFound))
	// Output:
	// auth: principal without a time of proof; see Principal.ProvedAt
	// <nil>
	// true
}
