package storetest

import (
	"testing"

	"github.com/seed-077cad0b/auth"
)

// Bench measures what requests and their kin cost in fixed shapes, so that
// stores can be compared.
func Bench(b *testing.B, open func(tb testing.TB) auth.Store) {}
