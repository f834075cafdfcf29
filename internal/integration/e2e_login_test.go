//go:build linux

package integration_test

import (
	"net/http"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

func logInWithPassword(w *world) {
	w.each(func(here, _ *server) { w.admit(w.openSession(here)) })
	c := w.openSession(w.a)
	me := w.b.do(http.StatusOK, "GET", "/me", c, nil)
	require.Equal(w, w.who.Subject, me.Subject)
	require.Equal(w, []string{"read"}, me.Scopes)
}

func beRefusedWithPassword(w *world) {
	w.each(func(here, _ *server) {
		wrong := here.do(http.StatusUnauthorized, "POST", "/login", credential{}, map[string]string{"login": w.login, "password": "not this one"})
		nobody := here.do(http.StatusUnauthorized, "POST", "/login", credential{}, map[string]string{"login": "nobody" + w.login, "password": goodPassword})
		require.Equal(w, wrong, nobody)
		// Whatever a stranger calls themselves is nobody's name, and no outage.
		for _, login := range []string{"'; DROP TABLE auth_users; --", "a\x00b", "*", "\U0001F511", w.login + " x", "A" + w.login} {
			here.do(http.StatusUnauthorized, "POST", "/login", credential{}, map[string]string{"login": login, "password": goodPassword})
		}
		here.do(http.StatusUnauthorized, "GET", "/me", bearer("no-such-token"), nil)
		here.do(http.StatusUnauthorized, "GET", "/me", apiKey(here.keys.Form().New()), nil)
		here.do(http.StatusUnauthorized, "POST", "/token/refresh", credential{}, refreshToken(here.refresh.Form().New()))
	})
}

func changePassword(w *world) {
	const next = "another horse, another staple"
	mine, other := w.openSession(w.a), w.openSession(w.b)
	p := must(w.a.sessions.Verify(w.Context(), mine[1][len("Bearer "):]))
	require.NoError(w, w.a.users.ChangePassword(w.Context(), p, goodPassword, next))
	w.refuse(w.a, other)
	w.admit(mine)
	w.each(func(here, _ *server) {
		here.do(http.StatusUnauthorized, "POST", "/login", credential{}, w.passwordLogin())
		here.do(http.StatusOK, "POST", "/login", credential{}, map[string]string{"login": w.login, "password": next})
	})
}

func disableUser(w *world) {
	c := w.openSession(w.b)
	require.NoError(w, w.a.users.Disable(w.Context(), w.who.Subject))
	w.refuse(w.a, c)
	w.each(func(here, _ *server) {
		a := here.do(http.StatusUnauthorized, "POST", "/login", credential{}, w.passwordLogin())
		require.Equal(w, string(auth.ErrDisabled), a.Code)
	})
	require.NoError(w, w.b.users.Enable(w.Context(), w.who.Subject))
	w.refuse(w.b, c)
	w.admit(w.openSession(w.a))
}

func resetPasswordOnce(w *world) {
	const next = "another horse, another staple"
	c := w.openSession(w.b)
	request := must(w.a.users.ResetToken(w.Context(), w.login))
	done := 0
	for _, a := range w.atOnce(10, func(s *server) (answer, error) {
		switch err := s.users.Reset(w.Context(), request.Token.Reveal(), next); err {
		case nil:
			return answer{status: http.StatusOK}, nil
		case auth.ErrInvalid, auth.ErrRevoked:
			return answer{status: http.StatusUnauthorized}, nil
		default:
			return answer{}, err
		}
	}) {
		if a.status == http.StatusOK {
			done++
		}
	}
	require.Equal(w, 1, done)
	w.settles(func() bool { return must(w.a.ask("GET", "/me", c, nil)).status == http.StatusUnauthorized }, "a session outlives the reset")
	w.refuse(w.a, c)
	w.b.do(http.StatusOK, "POST", "/login", credential{}, map[string]string{"login": w.login, "password": next})
}

func exchangeKey(w *world) {
	w.each(func(here, there *server) {
		key := w.createKey(here, &auth.KeyOptions{Scopes: []string{"read", "admin"}})
		w.admit(apiKey(key.Token.Reveal()))
		session := there.do(http.StatusOK, "POST", "/key/login", apiKey(key.Token.Reveal()), nil)
		me := here.do(http.StatusOK, "GET", "/me", bearer(session.Token), nil)
		require.Equal(w, w.who.Subject, me.Subject)
		require.Equal(w, []string{"read"}, me.Scopes, "what the owner lacks, a key does not grant")
	})
}

func exchangeAssertion(w *world) {
	path := "/platforms/" + w.platform
	w.each(func(here, there *server) {
		session := here.do(http.StatusOK, "POST", path, w.assertion(), nil)
		me := there.do(http.StatusOK, "GET", "/me", bearer(session.Token), nil)
		require.Equal(w, w.platform+":ada@example.com", me.Subject)
		require.Equal(w, []string{"trade"}, me.Scopes)
		here.do(http.StatusUnauthorized, "POST", "/platforms/nobody", w.assertion(), nil)
		bad := w.assertion()
		bad[1] += "A"
		here.do(http.StatusUnauthorized, "POST", path, bad, nil)
	})
}

func exchangePasswordForTokens(w *world) {
	w.each(func(here, there *server) {
		pair := here.do(http.StatusOK, "POST", "/token", credential{}, w.passwordLogin())
		w.admit(bearer(pair.Token))
		there.do(http.StatusUnauthorized, "GET", "/me", bearer(pair.Refresh), nil)
		next := there.do(http.StatusOK, "POST", "/token/refresh", credential{}, refreshToken(pair.Refresh))
		w.admit(bearer(next.Token))
	})
}
