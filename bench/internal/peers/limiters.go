package peers

import (
	"net"
	"net/http"
	"time"

	"github.com/didip/tollbooth/v8"
	"github.com/didip/tollbooth/v8/limiter"
	"github.com/go-chi/httprate"
	"github.com/sethvargo/go-limiter/httplimit"
	"github.com/sethvargo/go-limiter/memorystore"
	"github.com/throttled/throttled/v2"
	throttledstore "github.com/throttled/throttled/v2/store/memstore"
	ulule "github.com/ulule/limiter/v3"
	"github.com/ulule/limiter/v3/drivers/middleware/stdlib"
	ululestore "github.com/ulule/limiter/v3/drivers/store/memory"
)

// A Limiter is a library that bounds how often a client may ask, by its address.
type Limiter struct {
	Name, Module string
	Notes        []string // how it counts, first of all

	// New returns a middleware that admits so many requests at once, and in that
	// time. The fields that tell how the client stands are left out where they
	// are not asked for, if that is possible.
	New func(limit int, per time.Duration, fields bool) (Middleware, error)
}

const (
	always = "always writes its fields"
	whole  = "counts every address of an IPv6 network by itself"
)

// Limiters are the libraries that bound how often a client may ask.
var Limiters = []Limiter{
	{"httprate", "github.com/go-chi/httprate", []string{"a sliding window, estimated from two fixed ones"}, newHTTPRate},
	{"ulule", "github.com/ulule/limiter/v3", []string{"fixed windows", always, whole}, newUlule},
	{"go-limiter", "github.com/sethvargo/go-limiter", []string{"fixed windows", always, whole}, newGoLimiter},
	{"tollbooth", "github.com/didip/tollbooth/v8", []string{"a token bucket", always}, newTollbooth},
	{"throttled", "github.com/throttled/throttled/v2", []string{"cell rate", always, whole, "forgets nobody"}, newThrottled},
}

// newHTTPRate goes by the address as its documents have it for programs without a
// proxy.
func newHTTPRate(limit int, per time.Duration, fields bool) (Middleware, error) {
	var options []httprate.Option
	if !fields {
		options = append(options, httprate.WithResponseHeaders(httprate.ResponseHeaders{}))
	}
	return httprate.LimitBy(limit, per, func(r *http.Request) (string, error) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		return httprate.CanonicalizeIP(host), err
	}, options...), nil
}

func newUlule(limit int, per time.Duration, _ bool) (Middleware, error) {
	rate := ulule.Rate{Period: per, Limit: int64(limit)}
	return stdlib.NewMiddleware(ulule.New(ululestore.NewStore(), rate)).Handler, nil
}

func newGoLimiter(limit int, per time.Duration, _ bool) (Middleware, error) {
	store, err := memorystore.New(&memorystore.Config{Tokens: uint64(limit), Interval: per})
	if err != nil {
		return nil, err
	}
	m, err := httplimit.NewMiddleware(store, httplimit.IPKeyFunc())
	if err != nil {
		return nil, err
	}
	return m.Handle, nil
}

// newTollbooth leaves the path out of its keys, where it would be by default.
func newTollbooth(limit int, per time.Duration, _ bool) (Middleware, error) {
	l := tollbooth.NewLimiter(float64(limit)/per.Seconds(), nil).SetBurst(limit).
		SetIPLookup(limiter.IPLookup{Name: "RemoteAddr"}).SetIgnoreURL(true)
	return tollbooth.HTTPMiddleware(l), nil
}

func newThrottled(limit int, per time.Duration, _ bool) (Middleware, error) {
	store, err := throttledstore.NewCtx(0)
	if err != nil {
		return nil, err
	}
	l, err := throttled.NewGCRARateLimiterCtx(store, throttled.RateQuota{
		MaxRate: throttled.PerDuration(limit, per), MaxBurst: limit - 1,
	})
	if err != nil {
		return nil, err
	}
	m := throttled.HTTPRateLimiterCtx{RateLimiter: l, VaryBy: &throttled.VaryBy{RemoteAddr: true}}
	return m.RateLimit, nil
}
