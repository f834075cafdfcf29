package oauth_test

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/oauth"
)

// What is somebody's work at night stands out, and no secret is written down.
func TestLogTo(t *testing.T) {
	var log bytes.Buffer
	level := new(slog.LevelVar)
	level.Set(slog.LevelDebug)
	w := newWorld(t, func(c *oauth.Config) {
		c.Observe = oauth.LogTo(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level})))
	})
	lines := func() string { defer log.Reset(); return log.String() }

	a := w.signIn(t, "web")
	line := lines()
	for _, want := range []string{"level=INFO", `msg="oauth granted"`, "endpoint=token", "client=web", "grant=authorization_code", "subject=alice", "address=127.0.0.1"} {
		require.Contains(t, line, want)
	}
	require.NotContains(t, line, "error=")
	require.NotContains(t, line, a.AccessToken)
	require.NotContains(t, line, a.RefreshToken)

	w.send(t, request("POST", "/oauth/token", form(credentials...), basicAuth("service", "cs_a-guess-at-it")))
	line = lines()
	for _, want := range []string{"level=WARN", `msg="oauth refused"`, "client=service", "code=invalid_client", "error="} {
		require.Contains(t, line, want)
	}
	require.NotContains(t, line, "cs_a-guess-at-it")

	c := w.device(t, "tv")
	lines()
	for _, code := range []string{"authorization_pending", "slow_down"} {
		w.send(t, w.poll("tv", c))
		line = lines()
		require.Contains(t, line, "level=DEBUG")
		require.Contains(t, line, "code="+code)
		require.NotContains(t, line, c.Device)
	}
	level.Set(slog.LevelInfo)
	w.send(t, w.poll("tv", c))
	require.Empty(t, lines())

	w.outage = errors.New("registry is down")
	w.token(t, "service", credentials...)
	line = lines()
	require.Contains(t, line, "level=ERROR")
	require.Contains(t, line, "registry is down")
}
