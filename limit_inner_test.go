package auth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// Inside one another, guards of one NewGuard charge each limit once, whatever
// else they add, leave out, and in what order.
func TestInnerGuardsChargeWhatWasAdded(t *testing.T) {
	callers := known{"a": caller("alice", "basic", "s", 0)}
	base := anywhere(callers)
	var l *spy
	limit := func(name string) auth.LimitKey {
		return auth.ByFunc(name, func(*http.Request, *auth.Principal) string { return "" })
	}
	all := must(auth.ParseNetworks("0.0.0.0/0"))
	for _, c := range []struct {
		name   string
		guards func() []*auth.Guard // from the outermost in
		token  string
		want   []string
	}{
		{"one", func() []*auth.Guard {
			return []*auth.Guard{base.Limit(l, limit("x"))}
		}, "a", []string{"x"}},
		{"the same twice", func() []*auth.Guard {
			g := base.Limit(l, limit("x"))
			return []*auth.Guard{g, g}
		}, "a", []string{"x"}},
		{"one more", func() []*auth.Guard {
			g := base.Limit(l, limit("x"))
			return []*auth.Guard{g, g.Limit(l, limit("y"))}
		}, "a", []string{"x", "y"}},
		{"fewer", func() []*auth.Guard {
			g := base.Limit(l, limit("x"))
			return []*auth.Guard{g.Limit(l, limit("y")), g, base}
		}, "a", []string{"x", "y"}},
		{"fewer, and all again", func() []*auth.Guard {
			g := base.Limit(l, limit("x"))
			return []*auth.Guard{g, base, g.With(auth.Tier("basic"))}
		}, "a", []string{"x"}},
		{"siblings", func() []*auth.Guard {
			g := base.Limit(l, limit("x"))
			return []*auth.Guard{g.Limit(l, limit("y")), g.Limit(l, limit("z"))}
		}, "a", []string{"x", "y", "z"}},
		{"policies in between", func() []*auth.Guard {
			g := base.With(auth.Tier("basic")).Limit(l, limit("x")).From(all)
			return []*auth.Guard{g, g.With(auth.Kinds(auth.KindSession)).Limit(l, limit("y")).From(all).With(auth.Tier("basic"))}
		}, "a", []string{"x", "y"}},
		{"a limit that an equal one does not stand for", func() []*auth.Guard {
			return []*auth.Guard{base.Limit(l, limit("x")), base.Limit(l, limit("x"))}
		}, "a", []string{"x", "x"}},
		{"of another NewGuard", func() []*auth.Guard {
			return []*auth.Guard{base.Limit(l, limit("x")), anywhere(callers).Limit(l, limit("x"))}
		}, "a", []string{"x", "x"}},
		{"for nobody in particular", func() []*auth.Guard {
			g := base.Optional().Limit(l, auth.ByAddress().WithName("w")).Limit(l, limit("x"))
			return []*auth.Guard{g, g.Limit(l, limit("y"))}
		}, "", []string{"address", "x", "y"}},
		{"by address, for somebody", func() []*auth.Guard {
			g := base.Limit(l, auth.ByAddress()).Limit(l, auth.ByTier())
			return []*auth.Guard{g, g.Optional()}
		}, "a", []string{"address", "tier"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l = newSpy()
			guards := c.guards()
			var h http.Handler = http.HandlerFunc(hello)
			for i := len(guards) - 1; i >= 0; i-- {
				h = guards[i].Wrap(h)
			}
			require.Equal(t, 200, serve(h, asking(c.token, here)).Code)
			var names []string
			for _, key := range l.charged {
				kind, rest, _ := strings.Cut(key, ":")
				if kind == "func" {
					kind, _, _ = strings.Cut(rest, ":")
				}
				names = append(names, kind)
			}
			require.Equal(t, c.want, names)
		})
	}
}

// Who comes to be somebody behind an optional guard, because something in
// between has moved their credential, is charged as that.
func TestLimitsMeetWhoAnOptionalGuardDidNotKnow(t *testing.T) {
	l := newSpy()
	guard := anywhere(known{"a": caller("alice", "", "s", 0)}).Limit(l, auth.ByAddress()).Limit(l, auth.ByIdentity())
	inner := guard.WrapFunc(hello)
	h := guard.Optional().WrapFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+r.FormValue("token"))
		inner.ServeHTTP(w, r)
	})
	w := serve(h, from("GET", "/?token=a"))
	require.Equal(t, "hello alice", w.Body.String())
	require.Equal(t, []string{"address:127.0.0.1 1", "identity:address:127.0.0.1 1", "identity:0::0::5:alice: 1"}, l.charged)
}

// Guards are derived from by many at once: none sees what another adds.
func TestDerivedGuardsShareNoRoom(t *testing.T) {
	base := anywhere(known{"a": caller("alice", "", "s", 0)})
	for range 3 {
		base = base.Limit(newSpy(), auth.ByTier()).With(auth.Origins(auth.KindAPIKey)).From(must(auth.ParseNetworks("127.0.0.0/8")))
	}
	spies := make([]*spy, 8)
	guards := make([]*auth.Guard, len(spies))
	var wg sync.WaitGroup
	for i := range spies {
		spies[i] = newSpy()
		wg.Go(func() { guards[i] = base.Limit(spies[i], auth.ByIdentity()) })
	}
	wg.Wait()
	for i, g := range guards {
		require.Equal(t, 200, serve(g.WrapFunc(hello), asking("a", here)).Code)
		for j, s := range spies {
			require.Len(t, s.charged, map[bool]int{true: 1, false: 0}[j <= i], "%d %d", i, j)
		}
	}
}

// Row 61: of six times as many at once as the limit admits, as many pass as it
// admits: over real connections, whatever it counts by.
func TestLimitIsExactUnderConcurrency(t *testing.T) {
	const n = 25
	callers := known{}
	for i := range n {
		callers[fmt.Sprint(i)] = caller("alice", "gold", fmt.Sprint("s", i), 0)
	}
	callers["own"] = caller("bob", "gold", "s", n)
	for name, c := range map[string]struct {
		key    auth.LimitKey
		tokens int
	}{
		"address":       {auth.ByAddress(), n},
		"identity":      {auth.ByIdentity(), n},
		"credential":    {auth.ByCredential(), 1},
		"tier":          {auth.ByTier(), n},
		"quota":         {auth.ByIdentity(), 0},
		"distributed":   {auth.ByIdentity(), n},
		"rates by tier": {auth.ByIdentity().WithRates(must(auth.NewTierRates(map[string]auth.Rate{"gold": {Limit: n, Per: time.Hour}})).Of), n},
	} {
		t.Run(name, func(t *testing.T) {
			var l auth.Limiter = auth.NewLimiter(n, time.Hour)
			switch name {
			case "rates by tier", "quota":
				l = auth.NewLimiter(1, time.Hour)
			case "distributed": // as far as the guard can tell
				l = struct{ auth.Limiter }{l}
			}
			server := httptest.NewServer(anywhere(callers).Limit(l, c.key).WrapFunc(hello))
			defer server.Close()
			var admitted, refused atomic.Int64
			var wg sync.WaitGroup
			for i := range 6 * n {
				token := "own"
				if c.tokens > 0 {
					token = fmt.Sprint(i % c.tokens)
				}
				r := to(t, "GET", server.URL, "Authorization", "Bearer "+token)
				wg.Go(func() {
					answer, err := server.Client().Do(r)
					if err != nil {
						t.Error(err)
						return
					}
					_ = answer.Body.Close()
					switch answer.StatusCode {
					case 200:
						admitted.Add(1)
					case 429:
						refused.Add(1)
					}
				})
			}
			wg.Wait()
			require.EqualValues(t, n, admitted.Load())
			require.EqualValues(t, 5*n, refused.Load())
		})
	}
}
