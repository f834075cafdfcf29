//go:build linux

package integration_test

import (
	"context"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/storetest"
)

func refreshInTurns(w *world) {
	pair := w.a.do(http.StatusOK, "POST", "/token", credential{}, w.passwordLogin())
	seen := map[string]bool{pair.Refresh: true}
	for range 5 {
		w.each(func(here, _ *server) {
			pair = here.do(http.StatusOK, "POST", "/token/refresh", credential{}, refreshToken(pair.Refresh))
			require.False(w, seen[pair.Refresh], "each token has a successor of its own")
			seen[pair.Refresh] = true
			w.admit(bearer(pair.Token))
		})
	}
}

// refreshAtOnce has a hundred redeem one token, of whom none spends it before all
// have found it live: they all get the same.
func refreshAtOnce(w *world) {
	const all = 100
	var live *gathering
	together := map[*server]*server{}
	for _, s := range []*server{w.a, w.b} {
		faulty := storetest.NewFaulty(s.store)
		faulty.Before = storetest.On("Replace", func(ctx context.Context, _ string) error { return live.come(ctx) })
		together[s] = w.newServer(faulty)
	}
	pair := w.a.do(http.StatusOK, "POST", "/token", credential{}, w.passwordLogin())
	for range 3 {
		live = gather(all)
		answers := w.atOnce(all, func(s *server) (answer, error) {
			return together[s].ask("POST", "/token/refresh", credential{}, refreshToken(pair.Refresh))
		})
		require.Equal(w, map[int]int{http.StatusOK: all}, count(answers))
		next := answers[0].Refresh
		for _, a := range answers {
			require.Equal(w, next, a.Refresh, "one successor")
		}
		w.admit(bearer(answers[all-1].Token))
		pair.Refresh = next
	}
}

// refreshWithCopy has a token come back that was spent, which ends its family.
func refreshWithCopy(w *world) {
	w.each(func(here, there *server) {
		strict := func(s *server) *auth.Refresh {
			return must(auth.NewRefresh(s.store, s.tokens, &auth.RefreshOptions{Grace: -1}))
		}
		at, elsewhere := strict(here), strict(there)
		pair := must(at.Issue(w.Context(), w.who.ProvedAt(time.Now()), nil))
		p := must(at.Verify(w.Context(), pair.RefreshToken.Reveal()))
		copied := must(elsewhere.Verify(w.Context(), pair.RefreshToken.Reveal()))
		next := must(at.Issue(w.Context(), p, nil))
		w.admit(bearer(next.Token.Reveal()))

		_, err := elsewhere.Issue(w.Context(), copied, nil)
		require.ErrorIs(w, err, auth.ErrReused)
		w.refuse(there, bearer(pair.Token.Reveal()))
		w.refuse(there, bearer(next.Token.Reveal()))
		here.do(http.StatusUnauthorized, "POST", "/token/refresh", credential{}, refreshToken(next.RefreshToken.Reveal()))
		there.do(http.StatusUnauthorized, "POST", "/token/refresh", credential{}, refreshToken(next.RefreshToken.Reveal()))
	})
}

func rotateKey(w *world) {
	w.each(func(here, there *server) {
		old := w.createKey(there, nil)
		session := bearer(there.do(http.StatusOK, "POST", "/key/login", apiKey(old.Token.Reveal()), nil).Token)
		next := must(here.keys.Rotate(w.Context(), old.Principal.Credential.ID))
		w.admit(apiKey(old.Token.Reveal()))
		w.admit(apiKey(next.Token.Reveal()))
		w.admit(session)
		require.Equal(w, old.Principal.Credential.Family, next.Principal.Credential.Family)
	})
}

func rotateKeyAtOnce(w *world) {
	w.each(func(here, there *server) {
		old := w.createKey(there, nil)
		w.admit(apiKey(old.Token.Reveal()))
		keys := must(auth.NewAPIKeys(here.store, "acme", &auth.APIKeysOptions{Overlap: -1}))
		next := must(keys.Rotate(w.Context(), old.Principal.Credential.ID))
		require.NoError(w, keys.Close())
		w.refuse(here, apiKey(old.Token.Reveal()))
		w.admit(apiKey(next.Token.Reveal()))
	})
}
