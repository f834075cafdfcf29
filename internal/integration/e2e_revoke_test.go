//go:build linux

package integration_test

import (
	"net/http"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

func signSessionOut(w *world) {
	w.each(func(here, there *server) {
		c, other := w.openSession(there), w.openSession(there)
		w.admit(c)
		here.do(http.StatusNoContent, "POST", "/sign-out", c, nil)
		w.refuse(here, c)
		w.admit(other)
	})
}

func signTokenOut(w *world) {
	w.each(func(here, there *server) {
		pair := there.do(http.StatusOK, "POST", "/token", credential{}, w.passwordLogin())
		other := there.do(http.StatusOK, "POST", "/token", credential{}, w.passwordLogin())
		w.admit(bearer(pair.Token))
		here.do(http.StatusNoContent, "POST", "/sign-out", bearer(pair.Token), nil)
		w.refuse(here, bearer(pair.Token))
		there.do(http.StatusUnauthorized, "POST", "/token/refresh", credential{}, refreshToken(pair.Refresh))
		w.admit(bearer(other.Token))
	})
}

func signOutAtOnce(w *world) {
	c := w.openSession(w.a)
	n := count(w.atOnce(20, func(s *server) (answer, error) { return s.ask("POST", "/sign-out", c, nil) }))
	require.Equal(w, 20, n[http.StatusNoContent]+n[http.StatusUnauthorized], "%v", n)
	require.NotZero(w, n[http.StatusNoContent])
	w.refuse(w.a, c)
}

func endAllSessions(w *world) {
	w.each(func(here, there *server) {
		sessions := []credential{w.openSession(here), w.openSession(there), w.openSession(there)}
		pair := there.do(http.StatusOK, "POST", "/token", credential{}, w.passwordLogin())
		here.do(http.StatusNoContent, "POST", "/sessions/end-all", sessions[1], nil)
		for _, c := range append(sessions, bearer(pair.Token)) {
			w.refuse(here, c)
		}
		there.do(http.StatusUnauthorized, "POST", "/token/refresh", credential{}, refreshToken(pair.Refresh))
		w.admit(w.openSession(there))
	})
}

func endOtherSessions(w *world) {
	w.each(func(here, there *server) {
		mine := w.openSession(there)
		others := []credential{w.openSession(here), w.openSession(there)}
		here.do(http.StatusNoContent, "POST", "/sessions/end-others", mine, nil)
		for _, c := range others {
			w.refuse(here, c)
		}
		w.admit(mine)
	})
}

// endAllUnderWay ends all sessions on one server while the other is slow to open
// some, for logins that were proved before.
func endAllUnderWay(w *world) {
	for range 20 {
		w.each(func(here, there *server) {
			proved := w.who.ProvedAt(time.Now())
			proved.Origin = auth.Origin{Kind: auth.KindPassword, ID: w.who.Subject, Time: proved.Origin.Time}
			grants, errs := make([]*auth.Grant, 4), make([]error, 4)
			var all sync.WaitGroup
			for i := range grants {
				all.Go(func() { grants[i], errs[i] = there.sessions.Issue(w.Context(), proved, nil) })
			}
			require.NoError(w, here.sessions.RevokeAll(w.Context(), w.who))
			all.Wait()
			for i, g := range grants {
				if errs[i] != nil {
					require.ErrorIs(w, errs[i], auth.ErrRevoked)
					continue
				}
				w.refuse(here, bearer(g.Token.Reveal()))
			}
			for v, err := range here.sessions.List(w.Context(), w.who) {
				require.NoError(w, err)
				require.Fail(w, "a session outlives its end", v.ID)
			}
		})
	}
}

func disableKey(w *world) {
	w.each(func(here, there *server) {
		key := w.createKey(there, nil)
		c := apiKey(key.Token.Reveal())
		session := bearer(there.do(http.StatusOK, "POST", "/key/login", c, nil).Token)
		w.admit(c)
		w.admit(session)
		require.NoError(w, here.keys.Disable(w.Context(), key.Principal.Credential.ID))
		// What would outlast the request, the other server decides by what is.
		there.do(http.StatusUnauthorized, "POST", "/key/login", c, nil)
		w.refuse(here, c)
		w.refuse(here, session)

		require.NoError(w, there.keys.Enable(w.Context(), key.Principal.Credential.ID))
		w.settles(func() bool { return must(here.ask("GET", "/me", c, nil)).status == http.StatusOK }, "the key stays disabled")
		w.refuse(there, session)

		require.NoError(w, there.keys.Revoke(w.Context(), key.Principal.Credential.ID))
		w.refuse(there, c)
	})
}

func suspendPlatform(w *world) {
	path := "/platforms/" + w.platform
	w.each(func(here, there *server) {
		session := bearer(there.do(http.StatusOK, "POST", path, w.assertion(), nil).Token)
		w.admit(session)
		require.NoError(w, here.platforms.Suspend(w.Context(), w.platform))
		there.do(http.StatusUnauthorized, "POST", path, w.assertion(), nil)
		here.do(http.StatusUnauthorized, "POST", path, w.assertion(), nil)
		w.refuse(here, session)
		require.NoError(w, there.platforms.Resume(w.Context(), w.platform))
		w.settles(func() bool { return must(here.ask("POST", path, w.assertion(), nil)).status == http.StatusOK }, "the platform stays suspended")
		w.refuse(there, session)
	})
}
