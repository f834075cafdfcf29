//go:build linux

package integration_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/storetest"
)

// TestKit holds every store against every sentence of its contract, and with it
// the users, platforms and limiters that it keeps. The table of these cases is
// what `make matrix` prints.
func TestKit(t *testing.T) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel() // most of it is waiting
			open := s.open(t)
			if s.within > 0 {
				// Handles that lag behind each other by design break sentences. So
				// this is one process; how late it is for others, the tests of
				// cachestore and TestEndToEnd hold.
				alone := open(t)
				storetest.Run(t, func(testing.TB) auth.Store { return alone })
				return
			}
			storetest.Run(t, open)
			storetest.RunUsers(t, func(tb testing.TB) password.UserStore { return usersOf(open(tb)) })
			storetest.RunPlatforms(t, func(tb testing.TB, platforms ...*auth.Platform) auth.PlatformRegistry {
				records := must(auth.NewPlatformRecords(open(tb)))
				for _, p := range platforms {
					require.NoError(tb, records.Insert(tb.Context(), p))
				}
				return records
			})
			if s.limiter != nil {
				storetest.RunLimiter(t, s.limiter(t))
			}
		})
	}
}
