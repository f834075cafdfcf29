//go:build linux

package integration_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"sync/atomic"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/storetest"
)

// refuseNobodyInOutage has the store fail from the first call of a request on,
// from the second on, and so forth: nobody is let in and nobody is sent away, and
// what was presented is good afterwards.
func refuseNobodyInOutage(w *world) {
	l := newLine()
	faulty := storetest.NewFaulty(w.b.store)
	faulty.Before = l.fault
	failFromEachCallOn(w, w.newServer(faulty), l)
}

// refuseNobodyWithoutAnswer is the same where each call is done and its answer
// is lost.
func refuseNobodyWithoutAnswer(w *world) {
	l := newLine()
	faulty := storetest.NewFaulty(w.b.store)
	faulty.After = l.fault
	failFromEachCallOn(w, w.newServer(faulty), l)
}

func failFromEachCallOn(w *world, s *server, l *line) {
	login := "outage." + w.login
	must(s.users.Register(w.Context(), password.User{Login: login, Scopes: []string{"read"}}, goodPassword))
	person := map[string]string{"login": login, "password": goodPassword}
	logIn := func() credential {
		return bearer(s.do(http.StatusOK, "POST", "/login", credential{}, person).Token)
	}
	session := logIn()
	pair := s.do(http.StatusOK, "POST", "/token", credential{}, person)
	key := apiKey(w.createKey(s, nil).Token.Reveal())
	opened := bearer(s.do(http.StatusOK, "POST", "/key/login", key, nil).Token)

	for _, r := range []struct {
		method, path string
		with         func() credential
		body         any
		calls        int // to the store, at least
	}{
		{"POST", "/login", none, person, 2},
		{"POST", "/token", none, person, 2},
		{"POST", "/token/refresh", none, refreshToken(pair.Refresh), 4},
		{"POST", "/key/login", always(key), nil, 2},
		{"POST", "/platforms/" + w.platform, w.assertion, nil, 4},
		{"GET", "/me", always(key), nil, 1},
		{"GET", "/me", always(session), nil, 1},
		{"GET", "/me", always(opened), nil, 2},
		{"GET", "/me", always(bearer(pair.Token)), nil, 1},
		{"GET", "/sessions", always(session), nil, 2},
		{"POST", "/sign-out", logIn, nil, 2},
	} {
		failures := 0
		for {
			c := r.with()
			l.cutAfter(failures)
			a, err := s.ask(r.method, r.path, c, r.body)
			l.mend()
			require.NoError(w, err)
			if a.status < 300 {
				break
			}
			require.Equal(w, http.StatusServiceUnavailable, a.status, "%s %s after %d calls", r.method, r.path, failures)
			require.Less(w, failures, 20, "%s %s fails without a reason", r.method, r.path)
			failures++
		}
		require.GreaterOrEqual(w, failures, r.calls, "%s %s", r.method, r.path)
	}
}

func none() credential { return credential{} }

func always(c credential) func() credential { return func() credential { return c } }

// A line is what leads to a store: it is cut after some calls, and mended.
type line struct{ left atomic.Int64 }

var errCut = errors.New("dial tcp 192.0.2.7:5432: connect: connection refused")

func newLine() *line {
	l := &line{}
	l.mend()
	return l
}

func (l *line) cutAfter(calls int) { l.left.Store(int64(calls)) }
func (l *line) mend()              { l.left.Store(math.MaxInt64) }

func (l *line) fault(_ context.Context, op string) error {
	// Last uses are written when they are, whatever is asked meanwhile.
	if op != "Touch" && l.left.Add(-1) < 0 {
		return errCut
	}
	return nil
}
