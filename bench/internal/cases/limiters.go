package cases

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
	"github.com/seed-077cad0b/auth/bench/internal/nowhere"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// A limiting is a row about limiters.
type limiting struct {
	size
	name   string
	limit  int // in period
	status int // of every answer
	fields bool
	wanted float64
}

// period is so long that no unit comes back while a limiter is timed, and so none
// of its accounts goes.
const period = 300 * 24 * time.Hour

func limiterCases() []measure.Case {
	one := size{n: 1, name: "1"}
	few := size{n: 10_000, name: "10k"}
	many := size{n: million, name: "1M"}
	one.cores, few.cores, many.cores = []int{1, 2}, []int{1}, []int{1, 2}
	alone := func(s size) size { s.cores = []int{1}; return s }
	long := func(s size) size { s.full = true; return s }
	const each, plenty = 100_000, 1_000_000_000 // that a client may ask for, and one that is alone
	var all []measure.Case
	for _, row := range []limiting{
		{one, "admitted", plenty, http.StatusOK, false, 4},
		{few, "admitted", each, http.StatusOK, false, 0},
		{many, "admitted", each, http.StatusOK, false, 4},
		{alone(one), "admitted, with fields", plenty, http.StatusOK, true, 3},
		{alone(many), "admitted, with fields", each, http.StatusOK, true, 3},
		{alone(one), "denied", 1, http.StatusTooManyRequests, false, 0},
		{few, "denied", 1, http.StatusTooManyRequests, false, 0},
		{long(alone(many)), "denied", 1, http.StatusTooManyRequests, false, 0},
	} {
		for _, cores := range row.cores {
			c := measure.Case{Table: "Limiters", Name: row.name + ", " + row.row(cores), Cores: cores, Processor: cores == 1,
				Full: row.full || row.n == million && cores > 1}
			for i, library := range limiters() {
				contender := measure.Contender{Name: library.Name, Module: library.Module,
					Enter: func() (*measure.Entry, error) { return row.enter(library) }}
				if i > 0 {
					contender.Wanted = row.wanted
				}
				c.Contenders = append(c.Contenders, contender)
			}
			if row.n == 1 && cores == 1 {
				in := peers.Limiter{New: ourLimiter(wrapped)}
				c.Contenders = append(c.Contenders, measure.Contender{Name: oursWrapped,
					Enter: func() (*measure.Entry, error) { return row.enter(in) }})
			}
			all = append(all, c)
		}
	}
	return all
}

// limiters are all that bound how often a client may ask, ours first.
func limiters() []peers.Limiter {
	return append([]peers.Limiter{{Name: "auth", Notes: []string{"cell rate"}, New: ourLimiter(handed)}}, peers.Limiters...)
}

// ourLimiter bounds requests before anybody is authenticated, as do the others.
func ourLimiter(f form) func(limit int, per time.Duration, fields bool) (peers.Middleware, error) {
	return func(limit int, per time.Duration, fields bool) (peers.Middleware, error) {
		tokens, err := auth.NewSessions(memstore.New(), nil)
		if err != nil {
			return nil, err
		}
		g := auth.NewGuard(auth.Bearer(tokens), &auth.GuardOptions{RateLimitFields: fields})
		return f(g.Optional().Limit(auth.NewLimiter(limit, per), auth.ByAddress())), nil
	}
}

func (row limiting) enter(library peers.Limiter) (*measure.Entry, error) {
	if err := acceptsLimits(library); err != nil {
		return nil, err
	}
	h, addresses, err := charged(library, row.limit, row.n, row.fields)
	if err != nil {
		return nil, err
	}
	addresses = shuffled("", addresses)
	r := asks("", "")
	return &measure.Entry{Notes: library.Notes, Round: measure.Vary(h, row.status, r, len(addresses), func(r *http.Request) func(int) {
		return func(i int) { r.RemoteAddr = addresses[i] }
	})}, nil
}

// charged returns a handler that so many clients have asked once, and who they are.
func charged(library peers.Limiter, limit, n int, fields bool) (http.Handler, []string, error) {
	m, err := library.New(limit, period, fields)
	if err != nil {
		return nil, nil, err
	}
	h := m(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	like := asks("", "")
	addresses, err := fill(n, func(i int) (string, error) {
		from := netip.AddrPortFrom(address(i), uint16(32768+i%28000)).String()
		if status := statusFrom(h, like, from); status != http.StatusOK {
			return "", fmt.Errorf("the first request is answered %d", status)
		}
		return from, nil
	})
	return h, addresses, err
}

// statusFrom returns how a request that comes from there is answered.
func statusFrom(h http.Handler, like *http.Request, from string) int {
	r := like.WithContext(like.Context())
	r.RemoteAddr = from
	w := nowhere.Writer{Fields: http.Header{}, Status: http.StatusOK}
	h.ServeHTTP(&w, r)
	return w.Status
}

// What a limiter does at a limit of ten.
type limiterFacts struct {
	admitted int  // of fifty who come at once from one address
	other    int  // the status of who comes from elsewhere
	after    int  // and of who comes from there later
	network  bool // an IPv6 network of 64 bits has one account
	fields   bool // there are fields that nobody has asked for
}

func limitsOf(library peers.Limiter) (f limiterFacts, err error) {
	m, err := library.New(10, time.Hour, false)
	if err != nil {
		return f, err
	}
	h := m(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	like := asks("", "")
	like.TLS = &tls.ConnectionState{} // from anywhere
	status := func(from string) int { return statusFrom(h, like, from) }
	var admitted atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if status("192.0.2.1:4242") == http.StatusOK {
				admitted.Add(1)
			}
		})
	}
	wg.Wait()
	f.admitted = int(admitted.Load())
	f.after = status("192.0.2.1:4243")
	f.other = status("192.0.2.2:4242")
	for range 11 {
		status("[2001:db8::1]:4242")
	}
	f.network = status("[2001:db8::2]:4242") == http.StatusTooManyRequests
	w := nowhere.NewWriter()
	h.ServeHTTP(w, asks("", ""))
	f.fields = len(w.Fields) > 0
	return f, nil
}

// acceptsLimits makes sure that a limiter does what it is timed at.
func acceptsLimits(library peers.Limiter) error {
	f, err := limitsOf(library)
	if err != nil {
		return err
	}
	if f.admitted != 10 || f.other != http.StatusOK || f.after != http.StatusTooManyRequests {
		return fmt.Errorf("of a limit of ten, it makes %+v", f)
	}
	return nil
}
