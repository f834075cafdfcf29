package auth_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

func perMinute(n int) auth.Rate { return auth.Rate{Limit: n, Per: time.Minute} }

// passed returns how many of at most a hundred requests in a row are admitted.
func passed(h http.Handler, token string) int {
	for n := range 100 {
		if serve(h, asking(token, here)).Code != 200 {
			return n
		}
	}
	return 100
}

func TestTierRates(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		tiers := must(auth.NewTierRates(map[string]auth.Rate{"basic": perMinute(10), "gold": perMinute(30)}))
		callers := known{"basic": caller("b", "basic", "s1", 0), "gold": caller("g", "gold", "s2", 0), "other": caller("o", "", "s3", 0)}
		h := anywhere(callers).Limit(auth.NewLimiter(2, time.Minute), auth.ByIdentity().WithRates(tiers.Of)).WrapFunc(hello)
		require.Equal(t, 10, passed(h, "basic"))
		require.Equal(t, 30, passed(h, "gold"))
		require.Equal(t, 2, passed(h, "other"), "the limiter's own")

		authtest.Advance(time.Minute)
		require.NoError(t, tiers.Set("basic", perMinute(20)))
		require.NoError(t, tiers.Set("gold", auth.Rate{}))
		require.NoError(t, tiers.Set("", auth.Rate{Limit: 60, Per: time.Minute, Burst: 7}))
		require.Equal(t, 20, passed(h, "basic"), "raised")
		require.Equal(t, 2, passed(h, "gold"), "removed")
		require.Equal(t, 7, passed(h, "other"), "added")

		// What is spent is spent, in proportion; what comes back comes back at
		// the new rate at once.
		require.NoError(t, tiers.Set("basic", perMinute(60)))
		authtest.Advance(time.Second)
		require.Equal(t, 1, passed(h, "basic"))
		require.NoError(t, tiers.Set("basic", perMinute(6)))
		authtest.Advance(9 * time.Second)
		require.Equal(t, 0, passed(h, "basic"), "lowered")
		authtest.Advance(time.Second)
		require.Equal(t, 1, passed(h, "basic"))

		// Who has used up a day is not kept waiting for it.
		require.NoError(t, tiers.Set("basic", auth.Rate{Limit: 10, Per: 24 * time.Hour}))
		authtest.Advance(24 * time.Hour)
		require.Equal(t, 10, passed(h, "basic"))
		require.NoError(t, tiers.Set("basic", perMinute(60)))
		require.Equal(t, 0, passed(h, "basic"))
		authtest.Advance(time.Second)
		require.Equal(t, 1, passed(h, "basic"))
	})
}

func TestTierRatesRefuseWhatIsNoRate(t *testing.T) {
	_, err := auth.NewTierRates(map[string]auth.Rate{"b": {}, "a": {Limit: -1, Per: 1}, "c": perMinute(1)})
	require.ErrorContains(t, err, "auth: tier \"a\": auth: rate: limit -1 is not positive\nauth: tier \"b\"")
	require.NotContains(t, err.Error(), `"c"`)

	var tiers auth.TierRates // the zero value knows of none
	require.Zero(t, tiers.Of(&auth.Principal{Tier: "a"}))
	require.Error(t, tiers.Set("a", auth.Rate{Limit: 1}))
	require.Zero(t, tiers.Of(&auth.Principal{Tier: "a"}))
	require.NoError(t, tiers.Set("a", perMinute(1)))
	require.Equal(t, perMinute(1), tiers.Of(&auth.Principal{Tier: "a"}))

	given := map[string]auth.Rate{"a": perMinute(1)}
	own := must(auth.NewTierRates(given))
	given["a"] = perMinute(2)
	require.Equal(t, perMinute(1), own.Of(&auth.Principal{Tier: "a"}))
}

// A rate that cannot be is an outage: nobody is let in without one.
func TestRatesThatAreNone(t *testing.T) {
	bad := caller("alice", "", "s", 0)
	bad.Rate = auth.Rate{Limit: 5}
	broken := func(*auth.Principal) auth.Rate { return auth.Rate{Burst: 5} }
	for token, g := range map[string]*auth.Guard{
		"bad":  anywhere(known{"bad": bad}).Limit(auth.NewLimiter(5, time.Hour), auth.ByIdentity()),
		"good": anywhere(known{"good": alice()}).Limit(auth.NewLimiter(5, time.Hour), auth.ByTier().WithRates(broken)),
		// A quota of one's own, and a limiter that cannot apply it.
		"quota": anywhere(known{"quota": caller("alice", "", "s", 3)}).Limit(newSpy(), auth.ByIdentity()),
	} {
		w := serve(g.WrapFunc(hello), asking(token, here))
		require.Equal(t, 503, w.Code, token)
		require.Equal(t, "5", w.Header().Get("Retry-After"))
	}
	// It is charged by identity and by credential, not otherwise.
	l := newSpy()
	g := anywhere(known{"quota": caller("alice", "", "s", 3)}).Limit(l, auth.ByTier()).Limit(l, auth.ByRoute()).Limit(l, auth.ByAddress())
	require.Equal(t, 200, serve(g.WrapFunc(hello), asking("quota", here)).Code)
	require.Len(t, l.charged, 3)
}

// The race detector watches: rates change while requests are in flight, and
// each request sees one or the other.
func TestTierRatesChangeInFlight(t *testing.T) {
	tiers := must(auth.NewTierRates(map[string]auth.Rate{"premium": perMinute(1000)}))
	var mu sync.Mutex
	seen := map[auth.Rate]bool{}
	rates := func(p *auth.Principal) auth.Rate {
		r := tiers.Of(p)
		mu.Lock()
		seen[r] = true
		mu.Unlock()
		return r
	}
	h := anywhere(known{"a": alice()}).Limit(auth.NewLimiter(1000, time.Minute), auth.ByIdentity().WithRates(rates)).WrapFunc(hello)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				if i < 4 {
					serve(h, asking("a", here))
					continue
				}
				if err := tiers.Set("premium", perMinute(2000)); err != nil {
					t.Error(err)
				}
				if err := tiers.Set(fmt.Sprint(i), perMinute(j+1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	delete(seen, perMinute(1000))
	delete(seen, perMinute(2000))
	require.Empty(t, seen)
	for i := 4; i < 8; i++ {
		require.Equal(t, perMinute(50), tiers.Of(&auth.Principal{Tier: fmt.Sprint(i)}), "no write was lost")
	}
}

// A key's own quota overrides its tier's, and is the key's: what it opens shares
// it, however much that is, and another key of the same identity has another.
func TestQuotaOfAnAPIKeyTravels(t *testing.T) {
	h := newHouse(t)
	refresh := must(auth.NewRefresh(h.store, h.sessions, nil))
	owner := &auth.Principal{Subject: "alice", Tier: "basic"}
	key := func(n int) string {
		o := &auth.KeyOptions{}
		if n > 0 {
			o.Rate = auth.Rate{Limit: n, Per: time.Hour}
		}
		return must(h.keys.Create(t.Context(), owner, o)).Token.Reveal()
	}
	tiers := must(auth.NewTierRates(map[string]auth.Rate{"basic": {Limit: 5, Per: time.Hour}}))
	guard := auth.NewGuard(auth.First(auth.Bearer(h.tokens, h.sessions), auth.Header("X-API-Key", h.keys)), nil)
	api := guard.Limit(auth.NewLimiter(1, time.Hour), auth.ByIdentity().WithRates(tiers.Of)).WrapFunc(hello)
	login := func(key string, with auth.Issuer) string {
		p := must(h.keys.Verify(t.Context(), key)).ProvedAt(time.Now())
		g := must(with.Issue(t.Context(), p, nil))
		if !g.RefreshToken.IsZero() { // and once around
			p = must(refresh.Verify(t.Context(), g.RefreshToken.Reveal()))
			g = must(refresh.Issue(t.Context(), p, nil))
		}
		require.Equal(t, p.Rate, g.Principal.Rate)
		return g.Token.Reveal()
	}

	own, other, plain := key(12), key(3), key(0)
	for i := range 12 {
		r := from("GET", "/x", "X-API-Key", own)
		if with := []auth.Issuer{nil, h.sessions, h.tokens, refresh}[i%4]; with != nil {
			r = from("GET", "/x", "Authorization", "Bearer "+login(own, with))
		}
		require.Equal(t, 200, serve(api, r).Code, i)
	}
	for _, with := range []auth.Issuer{h.sessions, h.tokens, refresh} {
		require.Equal(t, 429, serve(api, from("GET", "/x", "Authorization", "Bearer "+login(own, with))).Code)
	}
	session := must(h.sessions.Verify(t.Context(), login(own, h.sessions)))
	renewed := must(h.sessions.Renew(t.Context(), session)).Token.Reveal()
	require.Equal(t, 429, serve(api, from("GET", "/x", "Authorization", "Bearer "+renewed)).Code)

	require.Equal(t, 3, passed(api, login(other, h.sessions)))
	require.Equal(t, 5, passed(api, login(plain, h.sessions)), "the tier's")
	require.Equal(t, 0, passed(api, login(plain, h.tokens)), "of the identity")
}

// And so do the networks of a key.
func TestNetworksOfAnAPIKeyTravel(t *testing.T) {
	h := newHouse(t)
	refresh := must(auth.NewRefresh(h.store, h.tokens, nil))
	o := &auth.KeyOptions{Networks: must(auth.ParseNetworks("192.0.2.0/24"))}
	key := must(h.keys.Create(t.Context(), &auth.Principal{Subject: "alice"}, o)).Principal.ProvedAt(time.Now())
	verifyOnly := must(auth.NewKeys(nil, must(auth.ParseJWK(publicJWK(t, h.signing.Signing())))))
	elsewhere := must(auth.NewJWT("https://issuer.example", "api", verifyOnly, nil))
	for name, c := range map[string]struct {
		issuer   auth.Issuer
		verifier auth.Verifier
	}{
		"session":                {h.sessions, h.sessions},
		"token":                  {h.tokens, h.tokens},
		"token that is verified": {h.tokens, elsewhere},
		"after a refresh":        {refresh, elsewhere},
	} {
		g := must(c.issuer.Issue(t.Context(), key, nil))
		if name == "after a refresh" {
			g = must(refresh.Issue(t.Context(), must(refresh.Verify(t.Context(), g.RefreshToken.Reveal())), nil))
		}
		guard := auth.NewGuard(auth.Bearer(c.verifier), &auth.GuardOptions{InsecureHTTP: true})
		for address, status := range map[string]int{"192.0.2.7:1": 200, "198.51.100.7:1": 403, "": 403} {
			require.Equal(t, status, serve(guard.WrapFunc(hello), asking(g.Token.Reveal(), address)).Code, name)
		}
	}
}
