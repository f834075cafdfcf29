package storetest_test

import (
	"testing"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

func BenchmarkMemstore(b *testing.B) {
	storetest.Bench(b, func(testing.TB) auth.Store { return memstore.New() })
}
