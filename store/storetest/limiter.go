package storetest
import (
	"testing"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

var (
	userClaims     []claim[func(testing.TB) password.UserStore]
	platformClaims []claim[func(testing.TB, ...*auth.Platform) auth.PlatformRegistry]

	limiterClaims, variableClaims []claim[func(testing.TB, auth.Rate) auth.Limiter]
)

func hourly(n int) auth.Rate { return auth.Rate{Limit: n, Per: time.Duration(n) * time.Hour} }
