package cachestore_test

import (
	"testing"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/cachestore"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

// Through one cache, as through one process, the contract holds to the letter.
// Every handle is therefore the same one.
func TestKit(t *testing.T) {
	for name, o := range map[string]*cachestore.Options{
		"remembering": nil,
		"crowded":     {Size: 8},
		"forgetful":   {MaxLag: 1, MaxAge: 1},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := cachestore.New(memstore.New(), o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			storetest.Run(t, func(testing.TB) auth.Store { return c })
		})
	}
}
