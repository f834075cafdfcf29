package memstore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// The sizes at which the benchmarks run.
var sizes = []int{1, 1_000_000}

// text is the i-th credential, and numbered its digest.
func text(i int) string { return fmt.Sprintf("ses_%039d", i) }

func numbered(i int) auth.Digest { return auth.DigestOf(auth.KindSession, text(i)) }

// session returns a record like that of a session of the i-th owner.
func session(p *auth.Principal, i int) auth.Record {
	now := time.Now()
	return auth.Record{
		Kind: auth.KindSession, Owner: numbered(-i), Principal: p, Revision: auth.NewRevision(),
		Created: now, Expires: now.Add(time.Hour), KeepUntil: now.Add(25 * time.Hour), Seen: now,
	}
}

var shared = &auth.Principal{Subject: "somebody"}

// filled returns a store of n sessions and their digests.
func filled(tb testing.TB, n int) (*memstore.Store, []auth.Digest) {
	s, digests := memstore.New(), make([]auth.Digest, n)
	for i := range digests {
		digests[i] = numbered(i)
		if err := s.Insert(context.Background(), digests[i], session(shared, i)); err != nil {
			tb.Fatal(err)
		}
	}
	return s, digests
}

// bareMap is the limit that look-ups are held against: sharded maps of pointers
// under a sync.RWMutex each, which know nothing of time.
type bareMap [256]struct {
	mu sync.RWMutex
	m  map[auth.Digest]*auth.Record
	_  [64]byte
}

func (m *bareMap) lookup(d auth.Digest) *auth.Principal {
	sh := &m[d[0]]
	sh.mu.RLock()
	r := sh.m[d]
	sh.mu.RUnlock()
	return r.Principal
}

// lookupKept is the least that a store does which honours KeepUntil.
func (m *bareMap) lookupKept(d auth.Digest, now time.Time) *auth.Principal {
	sh := &m[d[0]]
	sh.mu.RLock()
	r := *sh.m[d]
	sh.mu.RUnlock()
	if !r.KeepUntil.After(now) {
		return nil
	}
	return r.Principal
}

func newBareMap(digests []auth.Digest) *bareMap {
	m := new(bareMap)
	for i, d := range digests {
		sh := &m[d[0]]
		if sh.m == nil {
			sh.m = make(map[auth.Digest]*auth.Record)
		}
		r := session(shared, i)
		sh.m[d] = &r
	}
	return m
}

// shuffled returns some of n credentials, in an order that no cache can foresee.
func shuffled(n int) []string {
	out := make([]string, 1<<16)
	for i := range out {
		out[i] = text(rand.IntN(n))
	}
	return out
}

// BenchmarkLookup compares what a request costs, from a credential's text to its
// Principal, with the limit: SHA-256 and a bare sharded map. Run it with
// -cpu 1,2 to see how both scale.
func BenchmarkLookup(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, n := range sizes {
		s, digests := filled(b, n)
		m := newBareMap(digests)
		texts := shuffled(n)
		run := func(name string, lookup func(auth.Digest) *auth.Principal) {
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for i := rand.IntN(len(texts)); pb.Next(); i++ {
						if lookup(auth.DigestOf(auth.KindSession, texts[i%len(texts)])) == nil {
							b.Error("not found")
						}
					}
				})
			})
		}
		run("memstore", func(d auth.Digest) *auth.Principal {
			r, err := s.Lookup(ctx, d)
			if err != nil {
				return nil
			}
			return r.Principal
		})
		run("limit", m.lookup)
		run("limit-with-clock", func(d auth.Digest) *auth.Principal { return m.lookupKept(d, time.Now()) })
	}
}

// BenchmarkLookupAll is what revocation costs a signed token.
func BenchmarkLookupAll(b *testing.B) {
	ctx := context.Background()
	digests := []auth.Digest{numbered(-1), numbered(-2), numbered(-3)}
	records := make([]auth.Record, len(digests))
	for _, marks := range []int{0, 1} {
		b.Run(fmt.Sprintf("%d-marks", marks), func(b *testing.B) {
			s, _ := filled(b, 1000)
			for i := range marks {
				r := session(nil, i)
				r.Kind = auth.KindMark
				if err := s.Insert(ctx, numbered(1000+i), r); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := s.LookupAll(ctx, auth.KindMark, digests, records); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkInsert compares logins, each of which ends an earlier session, with
// the limit: the same in a bare sharded map.
func BenchmarkInsert(b *testing.B) {
	ctx := context.Background()
	for _, n := range sizes {
		b.Run(fmt.Sprintf("%d/memstore", n), func(b *testing.B) {
			s, _ := filled(b, n)
			r := session(shared, 0)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				r.Owner = numbered(-i)
				if err := s.Insert(ctx, numbered(n+i), r); err != nil {
					b.Fatal(err)
				}
				if _, err := s.Take(ctx, numbered(i)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("%d/limit", n), func(b *testing.B) {
			digests := make([]auth.Digest, n)
			for i := range digests {
				digests[i] = numbered(i)
			}
			m := newBareMap(digests)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				r := session(shared, 0)
				r.Owner = numbered(-i)
				m.insert(numbered(n+i), &r)
				m.remove(numbered(i))
			}
		})
	}
}

func (m *bareMap) insert(d auth.Digest, r *auth.Record) {
	sh := &m[d[0]]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.m == nil {
		sh.m = make(map[auth.Digest]*auth.Record)
	}
	sh.m[d] = r
}

func (m *bareMap) remove(d auth.Digest) {
	sh := &m[d[0]]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	delete(sh.m, d)
}

// BenchmarkCollect measures a full garbage collection beside a million sessions
// that share one Principal, and what each of them takes up.
func BenchmarkCollect(b *testing.B) {
	const n = 1_000_000
	digests := make([]auth.Digest, n)
	for i := range digests {
		digests[i] = numbered(i)
	}
	for name, fill := range map[string]func() any{
		"nothing":  func() any { return nil },
		"memstore": func() any { s, _ := filled(b, n); return s },
		"limit":    func() any { return newBareMap(digests) },
	} {
		b.Run(name, func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			s := fill()
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ResetTimer()
			for range b.N {
				runtime.GC()
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/session")
			runtime.KeepAlive(s)
		})
	}
}
