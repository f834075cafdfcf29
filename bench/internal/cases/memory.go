package cases

import (
	"context"
	"runtime"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
	"github.com/seed-077cad0b/auth/bench/internal/peers"
	"github.com/seed-077cad0b/auth/store/memstore"
)

func memoryCases() []measure.Case {
	return []measure.Case{
		{Table: "Memory", Name: "a session of 1M", Unit: "B/entry", Cores: 2, Contenders: keptSessions(0, taken)},
		{Table: "Memory", Name: "a session of 1M, beside its Principal", Unit: "B/entry", Cores: 2, Contenders: []measure.Contender{
			{Name: "auth", Enter: besidePrincipals},
			bound("at most", 200),
		}},
		{Table: "Memory", Name: "an account of a limiter of 1M", Unit: "B/entry", Cores: 2, Contenders: keptAccounts()},
		{Table: "Memory", Name: "a remembered JWT of 1M", Unit: "B/entry", Cores: 2, Contenders: []measure.Contender{
			{Name: "auth", Enter: func() (*measure.Entry, error) { return taken(remembered(false)) }},
		}},
		{Table: "Memory", Name: "a remembered JWT of 1M, by its digest", Unit: "B/entry", Cores: 2, Full: true, Contenders: []measure.Contender{
			{Name: "auth", Enter: func() (*measure.Entry, error) { return taken(remembered(true)) }},
		}},
		{Table: "Memory", Name: "full collection at 1M sessions", Unit: "ms", Cores: 2, Contenders: append(keptSessions(10, collected),
			measure.Contender{Name: "nothing", Enter: func() (*measure.Entry, error) {
				return collected(func() (any, error) { return nil, nil })
			}})},
	}
}

// keptSessions are those who keep sessions in this process, each of whom is
// measured with a million.
func keptSessions(wanted float64, with func(fill func() (any, error)) (*measure.Entry, error)) []measure.Contender {
	var all []measure.Contender
	for _, library := range keepers() {
		if library.Stateless {
			continue
		}
		c := measure.Contender{Name: library.Name, Module: library.Module}
		if library.Name == "scs" {
			c.Wanted = wanted
		}
		c.Enter = func() (*measure.Entry, error) {
			return with(func() (any, error) { return opened(library) })
		}
		all = append(all, c)
	}
	return all
}

// opened returns a million open sessions.
func opened(library peers.Sessions) (peers.Keeper, error) {
	k := library.New()
	return k, each(million, func(i int) error {
		_, err := k.Open(person(i), device(i), 24*time.Hour)
		return err
	})
}

// besidePrincipals tells how much more memory a session takes than its Principal
// takes where nothing keeps it but a list.
func besidePrincipals() (*measure.Entry, error) {
	const pointer = 8 // in the list
	sessions, err := entrySize(func() (any, error) {
		s := memstore.New()
		return s, issueTo(s, func(int, *auth.Principal) {})
	})
	if err != nil {
		return nil, err
	}
	principals, err := entrySize(func() (any, error) {
		all := make([]*auth.Principal, million)
		return all, issueTo(forgetful{memstore.New()}, func(i int, p *auth.Principal) { all[i] = p })
	})
	return &measure.Entry{Round: constant(sessions - (principals - pointer))}, err
}

// issueTo opens a million sessions, which do not know the device, and tells whose.
func issueTo(store auth.Store, opened func(i int, p *auth.Principal)) error {
	s, err := auth.NewSessions(store, nil)
	if err != nil {
		return err
	}
	return each(million, func(i int) error {
		g, err := s.Issue(context.Background(), person(i), nil)
		if err == nil {
			opened(i, g.Principal)
		}
		return err
	})
}

// A forgetful store keeps nothing.
type forgetful struct{ *memstore.Store }

func (forgetful) Insert(context.Context, auth.Digest, auth.Record) error { return nil }

// keptAccounts are the limiters, each with a million clients.
func keptAccounts() []measure.Contender {
	var all []measure.Contender
	for _, library := range limiters() {
		all = append(all, measure.Contender{Name: library.Name, Module: library.Module, Enter: func() (*measure.Entry, error) {
			return taken(func() (any, error) {
				h, _, err := charged(library, 100, million, false)
				return h, err
			})
		}})
	}
	return all
}

// remembered returns a verifier that has verified a million tokens. There is room
// for twice as many, so that it remembers them all.
func remembered(digests bool) func() (any, error) {
	return func() (any, error) {
		i, j, err := verified(tokenSpec{}, &auth.JWTOptions{CacheSize: 2 * million, CacheDigests: digests})
		if err != nil {
			return nil, err
		}
		ctx := context.Background()
		return j, each(million, func(k int) error {
			_, err := j.Verify(ctx, i.token(person(k).Subject))
			return err
		})
	}
}

// taken tells how much memory each of a million entries takes.
func taken(fill func() (any, error)) (*measure.Entry, error) {
	size, err := entrySize(fill)
	return &measure.Entry{Round: constant(size)}, err
}

func entrySize(fill func() (any, error)) (float64, error) {
	before := heap()
	kept, err := fill()
	size := float64(heap()-before) / million
	runtime.KeepAlive(kept)
	return size, err
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// collected times full collections beside what is kept.
func collected(fill func() (any, error)) (*measure.Entry, error) {
	kept, err := fill()
	if err != nil {
		return nil, err
	}
	runtime.GC() // the first one also sweeps up what filling has left
	return &measure.Entry{Round: func() (measure.Sample, error) {
		start := time.Now()
		runtime.GC()
		took := time.Since(start)
		runtime.KeepAlive(kept)
		return measure.Sample{Value: took.Seconds() * 1000}, nil
	}}, nil
}

// bound is a contender that is a number which is not to be exceeded.
func bound(name string, value float64) measure.Contender {
	return measure.Contender{Name: name, Wanted: 1, Enter: func() (*measure.Entry, error) {
		return &measure.Entry{Round: constant(value)}, nil
	}}
}

func constant(value float64) func() (measure.Sample, error) {
	return func() (measure.Sample, error) { return measure.Sample{Value: value}, nil }
}
