package auth_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// What a guard answers again is answered to the same cause alone: another source
// has another challenge, and how long to wait is told as it is by then.
func TestAnswersAreKeptApart(t *testing.T) {
	v := known{}
	guard := auth.NewGuard(auth.First(auth.Bearer(v), auth.Header("X-API-Key", v)), nil)
	h := guard.WrapFunc(hello)
	for range 3 {
		requireOwnChallenges(t, h, "forged")
	}
	authtest.At(t, epoch, func(t *testing.T) {
		h := guard.Optional().Limit(auth.NewLimiter(1, time.Minute), auth.ByAddress()).WrapFunc(hello)
		serve(h, from("GET", "/x"))
		for _, wait := range []string{"60", "50"} {
			w := serve(h, from("GET", "/x")).Header()
			require.Equal(t, []string{wait}, w["Retry-After"])
			require.Equal(t, []string{`"address";r=0;t=` + wait}, w["Ratelimit"])
			authtest.Advance(10 * time.Second)
		}
	})
}

// What is around a guard may edit an answer in place: that one, and no other.
func TestAnswersAreNotShared(t *testing.T) {
	v := known{"good": alice("read")}
	o := &auth.GuardOptions{RateLimitFields: true}
	guard := auth.NewGuard(auth.First(auth.Bearer(v), auth.Header("X-API-Key", v)), o).
		Optional().Limit(auth.NewLimiter(1<<40, 366*24*time.Hour), auth.ByAddress())
	h := guard.WrapFunc(hello)
	for token, names := range map[string][]string{
		"forged": {"Www-Authenticate", "Content-Type", "Cache-Control"},
		"good":   {"Ratelimit-Policy"},
	} {
		ask := func(name string) []string {
			return serve(h, from("GET", "/x", "Authorization", "Bearer "+token)).Header()[name]
		}
		for _, name := range names {
			first, want := ask(name), slices.Clone(ask(name))
			require.NotEmpty(t, first, name)
			for i := range first {
				first[i] = "edited"
			}
			_ = append(first, "added")
			require.Equal(t, want, ask(name), name)
		}
	}
}

// requireOwnChallenges asks with a credential as a bearer token and as an API key:
// the challenge of that source, and no other's, tells what is wrong.
func requireOwnChallenges(t *testing.T, h http.Handler, credential string) {
	t.Helper()
	bearer := serve(h, from("GET", "/x", "Authorization", "Bearer "+credential)).Header()["Www-Authenticate"]
	key := serve(h, from("GET", "/x", "X-API-Key", credential)).Header()["Www-Authenticate"]
	require.Contains(t, bearer[0], "error=")
	require.NotContains(t, bearer[1], "error=")
	require.NotContains(t, key[0], "error=")
	require.Contains(t, key[1], "error=")
}

// What a policy refuses is answered with the challenge of what the caller came by,
// whoever was refused before.
func TestAnswersOfPoliciesAreKeptApart(t *testing.T) {
	p := func(kind auth.Kind) known {
		return known{"good": &auth.Principal{Subject: "alice", Credential: auth.Credential{Kind: kind}}}
	}
	guard := auth.NewGuard(auth.First(
		auth.Bearer(kinded{p("one"), "one"}),
		auth.Header("X-API-Key", kinded{p("two"), "two"}),
	), nil)
	for _, reason := range []auth.Reason{auth.ErrInsufficientScope, auth.ErrStale} {
		h := guard.With(func(*http.Request, *auth.Principal) error { return reason }).WrapFunc(hello)
		for range 3 {
			requireOwnChallenges(t, h, "good")
		}
	}
}

// Whom a credential over plain HTTP belongs to, nothing tells the client: not what
// a format is given, and not which source it came by.
func TestExposedCredentialsChangeNoFailure(t *testing.T) {
	p := &auth.Principal{Subject: "alice", Credential: auth.Credential{Kind: "two"}}
	told := 0
	o := &auth.GuardOptions{
		OnExposed: func(context.Context, *auth.Principal) { told++ },
		Format:    &auth.Format{Error: func(f *auth.Failure) any { return f.Scheme }},
	}
	guard := auth.NewGuard(auth.First(
		auth.Bearer(kinded{known{}, "one"}),
		auth.Header("X-API-Key", kinded{known{"good": p}, "two"}),
	), o)
	h := guard.WrapFunc(hello)
	forged := beyond(from("GET", "/x", "X-API-Key", "forged"))
	good := beyond(from("GET", "/x", "X-API-Key", "good"))
	require.Equal(t, serve(h, forged).Body.String(), serve(h, good).Body.String())
	_, refused := guard.Check(forged)
	_, exposed := guard.Check(good)
	require.Equal(t, refused, exposed)
	require.Equal(t, 2, told)
}
