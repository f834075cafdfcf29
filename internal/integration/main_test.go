//go:build linux

package integration_test

import (
	"testing"

	"github.com/seed-077cad0b/auth/internal/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }
