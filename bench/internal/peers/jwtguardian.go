package peers

import (
	"net/http"
	"time"

	"github.com/shaj13/go-guardian/v2/auth"
	"github.com/shaj13/go-guardian/v2/auth/strategies/jwt"
	"github.com/shaj13/libcache"
	_ "github.com/shaj13/libcache/lru"
)

const guardianModule = "github.com/shaj13/go-guardian/v2"

var guardianJWT = []JWT{
	{Name: "go-guardian", Module: guardianModule, Guard: guardian(func() auth.Cache { return forgetful{} })},
	{Name: "go-guardian, cache", Module: guardianModule, Caches: true,
		Guard: guardian(func() auth.Cache { return libcache.LRU.New(1 << 17) })},
}

func guardian(cache func() auth.Cache) func(Check) (Middleware, error) {
	return func(c Check) (Middleware, error) {
		keeper := jwt.StaticSecret{ID: c.KeyID, Secret: c.Public, Algorithm: c.Algorithm}
		strategy := jwt.New(cache(), keeper, jwt.SetIssuer(c.Issuer), jwt.SetAudience(c.Audience))
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				user, err := strategy.Authenticate(r.Context(), r)
				if err != nil {
					unauthorized(w)
					return
				}
				next.ServeHTTP(w, auth.RequestWithUser(user, r))
			})
		}, nil
	}
}

// forgetful is a cache that remembers nothing: the strategy wants one.
type forgetful struct{}

func (forgetful) Load(any) (any, bool)                   { return nil, false }
func (forgetful) Store(_, _ any)                         {}
func (forgetful) StoreWithTTL(_, _ any, _ time.Duration) {}
func (forgetful) Delete(any)                             {}
