// Package authtest helps to test handlers that a guard protects.
package authtest

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-077cad0b/auth"
)

// Principal returns a principal as a login with a password yields it, proved
// just now.
func Principal(subject string, scopes ...string) *auth.Principal {
	p := &auth.Principal{
		Subject:    subject,
		Scopes:     scopes,
		Origin:     auth.Origin{Kind: auth.KindPassword, ID: subject},
		Credential: auth.Credential{ID: subject, Kind: auth.KindPassword},
	}
	return p.ProvedAt(time.Now())
}

// Guard returns a guard that admits every request as p, over plain HTTP too.
// Derive from it what the handler needs: its policies are asked as ever.
func Guard(p *auth.Principal) *auth.Guard {
	return auth.NewGuard(always{p}, &auth.GuardOptions{InsecureHTTP: true})
}

type always struct{ principal *auth.Principal }

func (a always) Authenticate(*http.Request) (*auth.Principal, error) { return a.principal, nil }

// WithPrincipal returns r with p in its context, as a guard leaves it, for
// calling a handler without its guard.
func WithPrincipal(r *http.Request, p *auth.Principal) *http.Request {
	return r.WithContext(auth.NewContext(r.Context(), p))
}

// At runs f with the clock fixed at when, which is after the year 2000. Time
// moves only by [Advance], and while everything in f waits for it. See
// testing/synctest for what a test may do inside.
func At(t *testing.T, when time.Time, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := time.Until(when)
		if d < 0 {
			t.Fatalf("authtest.At: %v is before the clock's beginning", when)
		}
		Advance(d)
		f(t)
	})
}

// Advance moves the clock of [At] forward by d and lets what was due happen.
func Advance(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
