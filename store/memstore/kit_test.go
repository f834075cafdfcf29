package memstore_test

import (
	"testing"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

func TestStore(t *testing.T) {
	s := memstore.New()
	storetest.Run(t, func(testing.TB) auth.Store { return s })
}

func TestUsers(t *testing.T) {
	s := memstore.New()
	storetest.RunUsers(t, func(testing.TB) password.UserStore { return s })
}
