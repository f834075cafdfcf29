package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/nowhere"
)

// A carrier is where a credential sits in a request.
type carrier func() (a auth.Authenticator, text string, field func(text string) (name, value string), err error)

// A guarding is what a guard is derived and what it answers, of a credential that
// is good.
type guarding struct {
	options auth.GuardOptions
	derive  func(*auth.Guard) *auth.Guard
	status  int
}

var (
	plain     = guarding{derive: func(g *auth.Guard) *auth.Guard { return g }}
	scoped    = guarding{derive: func(g *auth.Guard) *auth.Guard { return g.With(auth.Scope("data:read")) }}
	missing   = guarding{derive: func(g *auth.Guard) *auth.Guard { return g.With(auth.Scope("admin")) }, status: http.StatusForbidden}
	exhausted = guarding{derive: limit(1), status: http.StatusTooManyRequests}
)

func limited(fields bool) guarding {
	return guarding{options: auth.GuardOptions{RateLimitFields: fields}, derive: limit(1 << 30)}
}

func limit(n int) func(*auth.Guard) *auth.Guard {
	return func(g *auth.Guard) *auth.Guard {
		return g.Limit(auth.NewLimiter(n, 300*24*time.Hour), auth.ByAddress())
	}
}

// serving sends a request through a guard to a handler that looks who it is.
func serving(c carrier, s showing, d guarding) func() (func() error, error) {
	return func() (func() error, error) {
		a, text, field, err := c()
		if err != nil {
			return nil, err
		}
		r, err := http.NewRequest("GET", "/data/rates", nil)
		if err != nil {
			return nil, err
		}
		r.TLS, r.RemoteAddr = &tls.ConnectionState{}, "192.0.2.1:443"
		if text = s.change(text); text != "" {
			r.Header.Set(field(text))
		}
		status := d.status
		if s.want != nil {
			status = http.StatusUnauthorized
		}
		d.options.Observe = func(context.Context, auth.Event) {}
		h := d.derive(auth.NewGuard(a, &d.options)).Wrap(handler)
		w, first := nowhere.NewWriter(), true
		return func() error {
			clear(w.Fields)
			w.Status = 0
			h.ServeHTTP(w, r)
			if w.Status != status && !(first && status == http.StatusTooManyRequests) {
				return fmt.Errorf("answered %d in place of %d", w.Status, status)
			}
			first = false
			return nil
		}, nil
	}
}

var handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if _, ok := auth.FromContext(r.Context()); !ok {
		w.WriteHeader(http.StatusInternalServerError)
	}
})

func bearer(k kind) carrier {
	return func() (auth.Authenticator, string, func(string) (string, string), error) {
		v, text, err := k()
		if err != nil {
			return nil, "", nil, err
		}
		return auth.Bearer(v), text, func(text string) (string, string) { return "Authorization", "Bearer " + text }, nil
	}
}

func apiKeyHeader() (auth.Authenticator, string, func(string) (string, string), error) {
	v, text, err := apiKeys()
	if err != nil {
		return nil, "", nil, err
	}
	return auth.Header("X-API-Key", v), text, func(text string) (string, string) { return "X-Api-Key", text }, nil
}

func cookie() (auth.Authenticator, string, func(string) (string, string), error) {
	v, text, err := sessions()
	if err != nil {
		return nil, "", nil, err
	}
	return auth.Cookie("__Host-session", v, nil), text,
		func(text string) (string, string) { return "Cookie", "theme=dark; __Host-session=" + text }, nil
}

// known verifies without any work, so that what is counted is the guard.
func known() (auth.Verifier, string, error) { return one{principal()}, "good", nil }

type one struct{ principal *auth.Principal }

func (o one) Kind() auth.Kind { return auth.KindSession }

func (o one) Form() auth.Form {
	return auth.Form{New: func() string { return "good" }, Match: func(text string) bool { return text == "good" }}
}

func (o one) Verify(_ context.Context, text string) (*auth.Principal, error) {
	if text != "good" {
		return nil, auth.ErrNotMine
	}
	return o.principal, nil
}
