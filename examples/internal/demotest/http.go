package demotest

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// An Answer is what a program answered.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Do sends a request and returns the answer. Fields are "Name: value"; a body,
// if there is one, is application/json unless they say otherwise.
func (p *Program) Do(t testing.TB, method, path, body string, fields ...string) Answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, p.BaseURL+path, strings.NewReader(body))
	require.NoError(t, err)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		// As it is written, so that a test can choose the case.
		r.Header[name] = append(r.Header[name], value)
	}
	if body != "" && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return send(t, r)
}

func send(t testing.TB, r *http.Request) Answer {
	t.Helper()
	// Answers are looked at as they are, redirects too.
	response, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	a := Answer{response.StatusCode, response.Header, string(text)}

	// What holds of every answer of every program.
	if a.Status == http.StatusUnauthorized {
		require.NotEmpty(t, a.Header.Values("WWW-Authenticate"), "a 401 without a challenge")
	}
	require.Less(t, a.Status, 500)
	return a
}

// Require requires a status and a body, see [Matches].
func (a Answer) Require(t testing.TB, status int, body string) {
	t.Helper()
	require.Equal(t, status, a.Status, a.Body)
	require.True(t, Matches(body, a.Body), "wants: %s\ngot:   %s", body, a.Body)
}

// RequireSecret requires what holds of every answer that carries a credential.
func (a Answer) RequireSecret(t testing.TB) {
	t.Helper()
	require.Equal(t, http.StatusOK, a.Status, a.Body)
	require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	require.Equal(t, "application/json", a.Header.Get("Content-Type"))
}
