package storetest_test

import (
	"testing"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

func TestMemstore(t *testing.T) {
	s := memstore.New()
	storetest.Run(t, func(testing.TB) auth.Store { return s })
}
