package auth_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// BenchmarkOpaque measures a request with an API key or a session through a
// guard, the principal in the request's context, beside the least that such a
// request can cost: SHA-256 of the credential, a look-up in a sharded map, and
// WithContext. They take turns of a tenth of a millisecond, and medians of those
// are compared, so that a busy machine changes the figures little: x-limit is
// what one costs in terms of the other. Run it with -cpu 1,2.
func BenchmarkOpaque(b *testing.B) {
	for _, size := range []int{1, 1_000_000} {
		for _, kind := range []auth.Kind{auth.KindAPIKey, auth.KindSession} {
			var bench *opaqueBench
			b.Run(fmt.Sprintf("%s/%d", kind, size), func(b *testing.B) {
				if bench == nil {
					bench = newOpaqueBench(b, kind, size)
				}
				b.ReportAllocs()
				var (
					mu           sync.Mutex
					guard, limit []float64
				)
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					g, l := bench.requests(), bench.requests()
					var guards, limits []float64
					const turn = 256
					for more := true; more; {
						start := time.Now()
						for range turn {
							bench.guard.ServeHTTP(nil, g())
							more = more && pb.Next()
						}
						between := time.Now()
						for range turn {
							bench.limit.ServeHTTP(nil, l())
						}
						guards = append(guards, float64(between.Sub(start))/turn)
						limits = append(limits, float64(time.Since(between))/turn)
					}
					mu.Lock()
					defer mu.Unlock()
					guard, limit = append(guard, guards...), append(limit, limits...)
				})
				slices.Sort(guard)
				slices.Sort(limit)
				b.ReportMetric(guard[len(guard)/2], "guard-ns")
				b.ReportMetric(limit[len(limit)/2], "limit-ns")
				b.ReportMetric(guard[len(guard)/2]/limit[len(limit)/2], "x-limit")
			})
		}
	}
}

// BenchmarkOpaqueThroughput measures the guard alone, for -cpu 1,2: two cores
// do at least 1.6 times the work of one.
func BenchmarkOpaqueThroughput(b *testing.B) {
	for _, kind := range []auth.Kind{auth.KindAPIKey, auth.KindSession} {
		bench := newOpaqueBench(b, kind, 1000)
		for name, h := range map[string]http.Handler{"limit": bench.limit, "guard": bench.guard} {
			b.Run(string(kind)+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for next := bench.requests(); pb.Next(); {
						h.ServeHTTP(nil, next())
					}
				})
			})
		}
	}
}

type opaqueBench struct {
	fields []string // of Authorization, in a random order
	limit  *limit
	guard  http.Handler
}

func newOpaqueBench(b *testing.B, kind auth.Kind, size int) *opaqueBench {
	store := memstore.New()
	keys := must(auth.NewAPIKeys(store, "acme_live", nil))
	sessions := must(auth.NewSessions(store, nil))
	b.Cleanup(func() { _, _ = keys.Close(), sessions.Close() })
	o := &opaqueBench{limit: newLimit(looksAtContext)}
	o.guard = auth.NewGuard(auth.Bearer(keys, sessions), nil).Wrap(looksAtContext)
	used := map[auth.Digest]time.Time{}
	for i := range size {
		p := authtest.Principal(fmt.Sprint(i), "read")
		var g *auth.Grant
		if kind == auth.KindAPIKey {
			g = must(keys.Create(context.Background(), p, nil))
		} else {
			g = must(sessions.Issue(context.Background(), p, nil))
		}
		text := g.Token.Reveal()
		o.fields = append(o.fields, "Bearer "+text)
		o.limit.insert(text, g.Principal)
		used[must(auth.ParseDigest(g.Principal.Credential.ID))] = time.Now()
	}
	// In use: each key's last use is written once a minute, and has been.
	must(0, store.Touch(context.Background(), used))
	rand.Shuffle(size, func(i, j int) {
		o.fields[i], o.fields[j] = o.fields[j], o.fields[i]
	})
	return o
}

// requests returns a function that returns requests with one credential after
// the other, from anywhere on. It is one request; its header changes.
func (o *opaqueBench) requests() func() *http.Request {
	field := []string{""}
	r := must(http.NewRequest("GET", "/", nil))
	r.TLS, r.RemoteAddr = &tls.ConnectionState{}, "192.0.2.1:443"
	r.Header["Authorization"] = field
	i := rand.IntN(len(o.fields))
	return func() *http.Request {
		field[0] = o.fields[i]
		if i++; i == len(o.fields) {
			i = 0
		}
		return r
	}
}

// looksAtContext is behind both, and looks whether there is a principal.
var looksAtContext = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
	if r.Context() == context.Background() {
		panic("without a principal")
	}
})

// limit is the bare minimum: no syntax, no expiry, no revocation, no policy.
type limit struct {
	next   http.Handler
	shards [256]struct {
		sync.RWMutex
		principals map[auth.Digest]*auth.Principal
		_          [64]byte
	}
}

func newLimit(next http.Handler) *limit {
	l := &limit{next: next}
	for i := range l.shards {
		l.shards[i].principals = map[auth.Digest]*auth.Principal{}
	}
	return l
}

func (l *limit) insert(credential string, p *auth.Principal) {
	d := hashed(credential)
	l.shards[d[0]].principals[d] = p
}

func (l *limit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d := hashed(r.Header["Authorization"][0][len("Bearer "):])
	shard := &l.shards[d[0]]
	shard.RLock()
	p := shard.principals[d]
	shard.RUnlock()
	if p == nil {
		panic("not found")
	}
	l.next.ServeHTTP(w, r.WithContext(&limitNode{r.Context(), p}))
}

// hashed is SHA-256 without an allocation.
func hashed(credential string) auth.Digest {
	var buf [128]byte
	return sha256.Sum256(buf[:copy(buf[:], credential)])
}

type limitNode struct {
	context.Context
	principal *auth.Principal
}
