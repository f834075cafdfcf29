//go:build linux

package oauth_test

import (
	"testing"

	"github.com/seed-077cad0b/auth/internal/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// must returns v, for calls that a test does not expect to fail.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
