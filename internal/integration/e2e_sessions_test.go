//go:build linux

package integration_test

import (
	"errors"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

func listSessions(w *world) {
	w.each(func(here, there *server) {
		here.do(http.StatusNoContent, "POST", "/sessions/end-all", w.openSession(here), nil)
		mine, other := w.openSession(here), w.openSession(there)
		p := must(here.sessions.Verify(w.Context(), other[1][len("Bearer "):]))
		for _, s := range []*server{here, there} {
			list := s.do(http.StatusOK, "GET", "/sessions", mine, nil).Sessions
			require.Len(w, list, 2)
			require.Contains(w, list, p.Credential.ID)
		}
		require.NoError(w, there.sessions.End(w.Context(), w.who, p.Credential.ID))
		for _, s := range []*server{here, there} {
			require.Len(w, s.do(http.StatusOK, "GET", "/sessions", mine, nil).Sessions, 1)
		}
		w.refuse(there, other)
	})
}

// limited returns sessions of which each server admits some of one owner.
func (s *server) limited(o auth.SessionOptions) *auth.Sessions {
	sessions := must(auth.NewSessions(s.store, &o))
	s.t.Cleanup(func() { _ = sessions.Close() })
	return sessions
}

func limitSessions(w *world) {
	a, b := w.a.limited(auth.SessionOptions{Limit: 3}), w.b.limited(auth.SessionOptions{Limit: 3})
	var tokens []credential
	for range 3 {
		for _, s := range []*auth.Sessions{a, b} {
			g := must(s.Issue(w.Context(), w.who.ProvedAt(time.Now()), nil))
			tokens = append(tokens, bearer(g.Token.Reveal()))
			w.tick(g)
		}
	}
	for _, c := range tokens[:3] {
		w.refuse(w.b, c)
	}
	for _, c := range tokens[3:] {
		w.admit(c)
	}

	full := w.a.limited(auth.SessionOptions{Limit: 3, RefuseNewest: true})
	_, err := full.Issue(w.Context(), w.who.ProvedAt(time.Now()), nil)
	require.ErrorIs(w, err, auth.ErrSessionLimit)
	for _, c := range tokens[3:] {
		w.admit(c)
	}
}

// tick waits until the clock is past the birth of what was granted: the oldest
// is told by that.
func (w *world) tick(g *auth.Grant) {
	for !time.Now().Truncate(time.Microsecond).After(g.Principal.Credential.Created) {
		<-time.After(time.Microsecond)
	}
}

func limitSessionsAtOnce(w *world) {
	a, b := w.a.limited(auth.SessionOptions{Limit: 3}), w.b.limited(auth.SessionOptions{Limit: 3})
	w.atOnce(20, func(s *server) (answer, error) {
		sessions := a
		if s == w.b {
			sessions = b
		}
		_, err := sessions.Issue(w.Context(), w.who.ProvedAt(time.Now()), nil)
		if errors.Is(err, auth.ErrSessionLimit) {
			err = nil // the one that is too many, by the time it counts
		}
		return answer{}, err
	})
	n := 0
	for _, err := range b.List(w.Context(), w.who) {
		require.NoError(w, err)
		n++
	}
	require.LessOrEqual(w, n, 3)
	require.Positive(w, n)
}

// endIdleSession lets a session lie unused for longer than the hour that it may,
// and has the other server tell that it was used.
func endIdleSession(w *world) {
	w.each(func(here, there *server) {
		c := w.openSession(here)
		d := auth.DigestOf(auth.KindSession, c[1][len("Bearer "):])
		w.age(here, d, 2*time.Hour)
		w.refuse(here, c)

		toucher, ok := auth.StoreAbility[auth.Toucher](there.store)
		require.True(w, ok)
		require.NoError(w, toucher.Touch(w.Context(), map[auth.Digest]time.Time{d: time.Now()}))
		w.admit(c)
	})
}

// age makes a record's last use longer ago.
func (w *world) age(s *server, d auth.Digest, by time.Duration) {
	w.Helper()
	r := must(s.store.Take(w.Context(), d))
	r.Seen = r.Seen.Add(-by)
	require.NoError(w, s.store.Insert(w.Context(), d, r))
}

func rememberLastUse(w *world) {
	key := w.createKey(w.a, nil)
	id := key.Principal.Credential.ID
	require.Zero(w, must(w.b.keys.Lookup(w.Context(), id)).LastUsed)
	before := time.Now().Truncate(time.Microsecond)
	w.a.do(http.StatusOK, "GET", "/me", apiKey(key.Token.Reveal()), nil)
	require.NoError(w, w.a.keys.Close())
	w.settles(func() bool {
		used := must(w.b.keys.Lookup(w.Context(), id)).LastUsed
		return !used.Before(before) && !used.After(time.Now())
	}, "the other server does not know of the use")
}
