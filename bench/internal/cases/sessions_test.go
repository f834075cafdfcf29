package cases

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
)

var cookieIsAll = sessionFacts{good: true, ended: true, expired: true}

// What libraries accept is told beside their figures, so it is seen here when an
// upgrade changes it.
func TestSessionFacts(t *testing.T) {
	golden := map[string]sessionFacts{"auth": {good: true}, "scs": {good: true}, "gorilla, cookie": cookieIsAll}
	for _, library := range append(keepers(), cookieKeepers()[0]) {
		k := library.New()
		f, err := factsOf(k, known(k), time.Millisecond)
		require.NoError(t, err, library.Name)
		require.Contains(t, golden, library.Name)
		require.Equal(t, golden[library.Name], f, library.Name)
		require.NoError(t, acceptsSessions(library, k, known(k)), library.Name)
	}
	require.Len(t, keepers(), len(golden))
}

// A session in a cookie ends by its own age alone.
func TestCookieAge(t *testing.T) {
	authtest.At(t, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), func(t *testing.T) {
		library := peers.AllSessions[1]
		require.True(t, library.Stateless)
		k := library.New()
		f, err := factsOf(k, known(k), 29*24*time.Hour)
		require.NoError(t, err)
		require.Equal(t, cookieIsAll, f)
		f, err = factsOf(k, known(k), 31*24*time.Hour)
		require.NoError(t, err)
		require.Equal(t, sessionFacts{good: true, ended: true}, f)
	})
}

// Whoever lets everybody in is not timed, nor is who lets nobody.
func TestAcceptsSessions(t *testing.T) {
	library := keepers()[0]
	for _, status := range []int{http.StatusOK, http.StatusUnauthorized} {
		h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		require.ErrorContains(t, acceptsSessions(library, library.New(), h), "in place of")
		require.Error(t, acceptsKeys(h, "acme_live_01234567890123456789"))
	}
}

// Everybody who is timed does what they are timed at, with more entries than one.
func TestSessionContenders(t *testing.T) {
	for _, library := range append(keepers(), cookieKeepers()[0]) {
		e, err := enterSessions(library, 3)
		require.NoError(t, err, library.Name)
		s, err := e.Round()
		require.NoError(t, err, library.Name)
		require.Positive(t, s.Value)
	}
	for _, library := range keyStores() {
		e, err := enterKeys(library, 3)
		require.NoError(t, err, library.Name)
		s, err := e.Round()
		require.NoError(t, err, library.Name)
		require.Positive(t, s.Value)
	}
}

func TestFill(t *testing.T) {
	texts, err := fill(1000, func(i int) (string, error) { return person(i).Subject, nil })
	require.NoError(t, err)
	values := shuffled("Bearer ", texts)
	require.Equal(t, values, shuffled("Bearer ", texts), "the same for all")
	for i, text := range texts {
		texts[i] = "Bearer " + text
	}
	require.NotEqual(t, texts, values)
	require.ElementsMatch(t, texts, values)
	require.Len(t, shuffled("", make([]string, chosen+1)), chosen)

	full := errors.New("full")
	_, err = fill(1000, func(i int) (string, error) {
		if i == 999 {
			return "", full
		}
		return "", nil
	})
	require.ErrorIs(t, err, full)
}
