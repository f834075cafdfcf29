package cases

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
)

const million = 1_000_000

// A size is how many entries there are, and on how many cores they are looked up.
type size struct {
	n     int
	name  string
	cores []int
	full  bool
}

// sizes are those of sessions and API keys.
var sizes = []size{
	{1, "1", []int{1, 2}, false},
	{100_000, "100k", []int{1}, false},
	{million, "1M", []int{1, 2}, false},
	{10 * million, "10M", []int{1}, true},
}

func (s size) row(cores int) string {
	if cores > 1 {
		return fmt.Sprintf("%s, %d cores", s.name, cores)
	}
	return s.name
}

// person returns the i-th user, who has signed in a moment ago.
func person(i int) *auth.Principal {
	return &auth.Principal{
		Issuer:  "https://issuer.example",
		Tenant:  fmt.Sprintf("tenant-%04d", i%1000),
		Subject: fmt.Sprintf("user-%08x-%012d", i*2654435761%(1<<32), i),
		Tier:    "premium",
		Scopes:  []string{"data:read", "data:write", "profile"},
		Origin:  auth.Origin{Kind: auth.KindPassword, Time: time.Now()},
	}
}

// device returns where the i-th user signed in.
func device(i int) auth.Device {
	return auth.Device{
		Name:      fmt.Sprintf("Phone %d", i%100),
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
		Address:   address(i),
	}
}

// address returns the i-th of 16 million, all of this host: from beyond it, a guard
// wants HTTPS, and tells browsers so in a field that others do not write.
func address(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, byte(i >> 16), byte(i >> 8), byte(i)})
}

// fill has n entries made, on all cores whatever the contender is timed on, and
// returns their texts.
func fill(n int, open func(i int) (string, error)) ([]string, error) {
	texts := make([]string, n)
	return texts, each(n, func(i int) (err error) {
		texts[i], err = open(i)
		return err
	})
}

// each does something for each of n, on all cores. Where there are so many that the
// memory of all contenders together is tight, what is left over on the way is freed
// early, and all of it given back at the end.
func each(n int, do func(i int) error) error {
	cores := runtime.NumCPU()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	if n > million {
		defer debug.FreeOSMemory()
		defer debug.SetGCPercent(debug.SetGCPercent(25))
	}
	errs := make([]error, cores)
	var wg sync.WaitGroup
	for c := range cores {
		wg.Go(func() {
			for i := c; i < n && errs[c] == nil; i += cores {
				errs[c] = do(i)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// chosen is how many entries are asked for, in turn, of however many there are.
const chosen = 65_536

// shuffled returns the texts of as many entries as are asked for, behind a prefix:
// a choice and an order that no cache foresees, and that are the same for all. They
// lie in memory in that order, so that what is waited for is what they are looked
// up in.
func shuffled(prefix string, texts []string) []string {
	order := rand.New(rand.NewPCG(1, 2)).Perm(len(texts))
	order = order[:min(chosen, len(order))]
	var b strings.Builder
	for _, i := range order {
		b.WriteString(prefix)
		b.WriteString(texts[i])
	}
	all, out := b.String(), make([]string, len(order))
	for at, i := range order {
		n := len(prefix) + len(texts[i])
		out[at], all = all[:n], all[n:]
	}
	return out
}

// asks returns a request from this host with one field.
func asks(field, value string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "127.0.0.1:4242"
	if field != "" {
		r.Header[http.CanonicalHeaderKey(field)] = []string{value}
	}
	return r
}

// varyField times a handler on requests with a field that has one value after the
// other.
func varyField(h http.Handler, want int, field string, values []string) func() (measure.Sample, error) {
	field = http.CanonicalHeaderKey(field)
	return measure.Vary(h, want, asks(field, values[0]), len(values), func(r *http.Request) func(int) {
		own := r.Header[field]
		return func(i int) { own[0] = values[i] }
	})
}
