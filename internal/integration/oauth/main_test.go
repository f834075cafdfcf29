//go:build linux

package oauth_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/seed-077cad0b/auth/internal/servertest"
)

// TestMain runs the tests or, in a process that [child] has started, a server.
func TestMain(m *testing.M) {
	if s := os.Getenv(settingsVariable); s != "" {
		fmt.Fprintln(os.Stderr, serve(s))
		os.Exit(1)
	}
	servertest.Main(m)
}

// must returns v, for calls that a test does not expect to fail.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
