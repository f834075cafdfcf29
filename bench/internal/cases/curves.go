package cases

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"runtime"
	"strconv"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// curveCases are how the cost of ours grows with what there is, and with what
// comes.
func curveCases() []measure.Case {
	var (
		entries  = []float64{1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7}
		cores    = []float64{1, 2}
		kib      = []float64{1, 2, 4, 8, 16, 32, 64}
		scopes   = []float64{1, 3, 10, 30, 100, 300, 1000}
		prefixes = []float64{1, 3, 10, 30, 100, 300, 1000}
	)
	return []measure.Case{
		curve("entries", "session", entries, growing(sessionsIn)),
		curve("entries", "API key", entries, growing(apiKeysIn)),
		curve("entries", "limiter key", entries, limiterOf),
		curve("cores", "session", cores, onCores(func() (auth.Verifier, []string, error) { return sessionsIn(1000) })),
		curve("cores", "API key", cores, onCores(func() (auth.Verifier, []string, error) { return apiKeysIn(1000) })),
		curve("cores", "JWT, repeated", cores, onCores(func() (auth.Verifier, []string, error) { return tokensOf(tokenSpec{}, 1000, nil) })),
		curve("cores", "JWT, cold", cores, onCores(func() (auth.Verifier, []string, error) { return tokensOf(tokenSpec{}, 1000, cold) })),
		curve("KiB of token", "HS256, cold", kib, sized("HS256", cold)),
		curve("KiB of token", "ES256, cold", kib, sized("ES256", cold)),
		curve("KiB of token", "repeated", kib, sized("HS256", &auth.JWTOptions{MaxLength: 64 << 10})),
		curve("scopes", "HS256, cold", scopes, growing(func(n int) (auth.Verifier, []string, error) {
			return tokensOf(tokenSpec{Scopes: n}, 1, cold)
		})),
		curve("scopes", "policy Scope", scopes, scopePolicy),
		curve("prefixes", "Networks.Contains", prefixes, networksOf),
	}
}

// cold options of a JWT remember nothing and take the longest tokens.
var cold = &auth.JWTOptions{CacheSize: -1, MaxLength: 64 << 10}

// curve returns a case of which each contender is a place on the axis.
func curve(axis, name string, places []float64, enter func(x float64) (*measure.Entry, error)) measure.Case {
	c := measure.Case{Table: "Curves", Name: name + ", by " + axis, Axis: axis, Full: true,
		Processor: axis != "cores"}
	for _, x := range places {
		c.Contenders = append(c.Contenders, measure.Contender{Name: strconv.FormatFloat(x, 'f', -1, 64), X: x,
			Enter: func() (*measure.Entry, error) { return enter(x) }})
	}
	return c
}

// sessionsIn returns so many sessions of as many users, in a random order.
func sessionsIn(n int) (auth.Verifier, []string, error) {
	sessions, err := auth.NewSessions(memstore.New(), nil)
	if err != nil {
		return nil, nil, err
	}
	texts, err := fill(n, func(i int) (string, error) {
		return token(sessions.Issue(context.Background(), person(i), nil))
	})
	return sessions, shuffled("", texts), err
}

// apiKeysIn returns so many API keys of as many users, in a random order.
func apiKeysIn(n int) (auth.Verifier, []string, error) {
	keys, err := auth.NewAPIKeys(memstore.New(), "acme_live", nil)
	if err != nil {
		return nil, nil, err
	}
	texts, err := fill(n, func(i int) (string, error) {
		return token(keys.Create(context.Background(), person(i), nil))
	})
	return keys, shuffled("", texts), err
}

func token(g *auth.Grant, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return g.Token.Reveal(), nil
}

// A world is a verifier and credentials that it accepts.
type world func() (auth.Verifier, []string, error)

// growing returns entries of worlds of a size.
func growing(in func(n int) (auth.Verifier, []string, error)) func(x float64) (*measure.Entry, error) {
	return func(x float64) (*measure.Entry, error) {
		return looked(func() (auth.Verifier, []string, error) { return in(int(x)) })
	}
}

// looked is an entry that verifies the credentials of a world, one after the other.
func looked(w world) (*measure.Entry, error) {
	v, texts, err := w()
	if err != nil {
		return nil, err
	}
	runtime.GC()
	return &measure.Entry{Round: measure.Timed(verifying(v, texts))}, nil
}

// verifying is work that verifies the credentials, one after the other.
func verifying(v auth.Verifier, texts []string) func(n int) error {
	return oneByOne(texts, func(text string) error {
		_, err := v.Verify(context.Background(), text)
		return err
	})
}

// oneByOne is work on the texts, one after the other.
func oneByOne(texts []string, do func(text string) error) func(n int) error {
	next := 0
	return func(n int) error {
		for range n {
			if err := do(texts[next]); err != nil {
				return err
			}
			if next++; next == len(texts) {
				next = 0
			}
		}
		return nil
	}
}

// limiterOf charges so many keys.
func limiterOf(x float64) (*measure.Entry, error) {
	limiter := auth.NewLimiter(3600, time.Hour, auth.Burst(30_000_000), auth.MaxKeys(max(int(x), 1<<20)))
	charge := func(key string, cost int) error {
		q, err := limiter.Allow(context.Background(), key, cost)
		if err == nil && !q.Allowed {
			err = auth.ErrRateLimited
		}
		return err
	}
	keys, err := fill(int(x), func(i int) (string, error) {
		key := address(i).String()
		return key, charge(key, 3600) // an hour: what is paid up is as good as gone
	})
	if err != nil {
		return nil, err
	}
	keys = shuffled("", keys)
	runtime.GC()
	return &measure.Entry{Round: measure.Timed(oneByOne(keys, func(key string) error { return charge(key, 1) }))}, nil
}

// onCores returns entries of guarded requests on so many cores.
func onCores(w world) func(x float64) (*measure.Entry, error) {
	return func(x float64) (*measure.Entry, error) {
		runtime.GOMAXPROCS(int(x))
		v, texts, err := w()
		if err != nil {
			return nil, err
		}
		for i := range texts {
			texts[i] = "Bearer " + texts[i]
		}
		h := handed(auth.NewGuard(auth.Bearer(v), nil))(nothing)
		return &measure.Entry{Round: varyField(h, http.StatusOK, "Authorization", texts)}, nil
	}
}

// tokensOf returns a verifier and so many tokens for it.
func tokensOf(spec tokenSpec, n int, o *auth.JWTOptions) (auth.Verifier, []string, error) {
	i, v, err := verified(spec, o)
	if err != nil {
		return nil, nil, err
	}
	return v, i.tokens(n), nil
}

// sized returns entries of tokens that are, as texts, so many KiB or a few bytes less.
func sized(algorithm string, o *auth.JWTOptions) func(float64) (*measure.Entry, error) {
	return func(x float64) (*measure.Entry, error) {
		i, v, err := verified(tokenSpec{Algorithm: algorithm, Pad: 1}, o)
		if err != nil {
			return nil, err
		}
		return looked(func() (auth.Verifier, []string, error) { return v, []string{i.ofLength(int(x) << 10)}, nil })
	}
}

// ofLength returns a good token of n characters, or up to 4 less: base64 has four
// for three bytes.
func (i *issuer) ofLength(n int) string {
	own := *i
	own.spec.Pad += (n - len(own.token("user"))) / 4 * 3
	return own.token("user")
}

// scopePolicy asks for the last of so many scopes.
func scopePolicy(x float64) (*measure.Entry, error) {
	p := person(0)
	p.Scopes = nil
	for i := range int(x) {
		p.Scopes = append(p.Scopes, fmt.Sprintf("data:part%d", i))
	}
	policy := auth.Scope(p.Scopes[len(p.Scopes)-1])
	return &measure.Entry{Round: measure.Timed(func(n int) error {
		for range n {
			if err := policy(nil, p); err != nil {
				return err
			}
		}
		return nil
	})}, nil
}

// networksOf is an allow-list of so many networks, each asked for an address in
// it and one beside it.
func networksOf(x float64) (*measure.Entry, error) {
	var (
		networks  []netip.Prefix
		addresses []netip.Addr
	)
	for i := range int(x) {
		base := netip.AddrFrom4([4]byte{10, byte(i >> 7), byte(i << 1), 0})
		if i%2 == 1 {
			base = netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, byte(i >> 7), byte(i << 1)})
		}
		bits := base.BitLen() / 4 * 3
		if base.Is6() {
			bits = 48
		}
		inside := netip.PrefixFrom(base, bits)
		networks = append(networks, inside)
		addresses = append(addresses, base.Next(), base.Prev())
	}
	set, err := auth.NewNetworks(networks...)
	if err != nil {
		return nil, err
	}
	return &measure.Entry{Round: measure.Timed(func(n int) error {
		for i := range n {
			k := i % len(addresses)
			if set.Contains(addresses[k]) != (k%2 == 0) {
				return fmt.Errorf("wrong about %v", addresses[k])
			}
		}
		return nil
	})}, nil
}
