//go:build !linux

package cases

import "github.com/seed-077cad0b/auth/bench/internal/measure"

// Servers are started on Linux alone.
func serverCases() []measure.Case { return nil }
