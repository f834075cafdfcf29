package storetest_test

import (
	"testing"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
	"github.com/seed-077cad0b/auth/store/storetest"
)

func TestMemstore(t *testing.T) {
	s := memstore.New()
	storetest.Run(t, func(testing.TB) auth.Store { return s })
}

func TestMemstoreUsers(t *testing.T) {
	s := memstore.New()
	storetest.RunUsers(t, func(testing.TB) password.UserStore { return s })
}

func TestPlatformList(t *testing.T) {
	storetest.RunPlatforms(t, func(tb testing.TB, platforms ...*auth.Platform) auth.PlatformRegistry {
		l, err := auth.NewPlatformList(platforms...)
		if err != nil {
			tb.Fatal(err)
		}
		return l
	})
}

func TestMemoryLimiter(t *testing.T) {
	limiters := map[auth.Rate]auth.Limiter{}
	storetest.RunLimiter(t, func(_ testing.TB, rate auth.Rate) auth.Limiter {
		if limiters[rate] == nil {
			var options []auth.LimiterOption
			if rate.Burst > 0 {
				options = append(options, auth.Burst(rate.Burst))
			}
			limiters[rate] = auth.NewLimiter(rate.Limit, rate.Per, options...)
		}
		return limiters[rate]
	})
}
