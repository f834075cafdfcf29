package auth_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// A spy is a Limiter that notes what was charged how much, and admits it. It is
// no VariableLimiter.
type spy struct {
	charged []string
	answer  auth.Quota
	err     error
}

func (s *spy) Allow(_ context.Context, key string, cost int) (auth.Quota, error) {
	s.charged = append(s.charged, fmt.Sprintf("%s %d", key, cost))
	return s.answer, s.err
}

func newSpy() *spy { return &spy{answer: auth.Quota{Allowed: true}} }

// caller returns a principal with a session, and a quota where rate is not 0.
func caller(subject, tier, session string, rate int) *auth.Principal {
	p := &auth.Principal{
		Subject: subject, Tier: tier,
		Origin:     auth.Origin{Kind: auth.KindAPIKey, ID: "key of " + subject, Time: time.Now()},
		Credential: auth.Credential{Kind: auth.KindSession, ID: session},
	}
	if rate > 0 {
		p.Rate = auth.Rate{Limit: rate, Per: time.Hour}
	}
	return p
}

// asking returns a request with a bearer token from an address.
func asking(token, address string) *http.Request {
	r := from("GET", "/x")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	r.RemoteAddr = address
	return r
}

const here = "127.0.0.1:4242"

// anywhere returns a guard that goes by bearer tokens, from any address.
func anywhere(callers known) *auth.Guard {
	return auth.NewGuard(auth.Bearer(callers), &auth.GuardOptions{InsecureHTTP: true})
}

// Whatever a limit counts by, one caller at the limit keeps out whoever has the
// same account, and nobody else.
func TestLimitCountsBy(t *testing.T) {
	other := caller("alice", "basic", "s5", 0)
	other.Tenant = "another"
	foreign := caller("alice", "basic", "s6", 0)
	foreign.Issuer = "https://another.example"
	callers := known{
		"first":   caller("alice", "basic", "s1", 0),
		"second":  caller("alice", "gold", "s2", 0),
		"bob":     caller("bob", "basic", "s3", 0),
		"key":     &auth.Principal{Subject: "alice", Credential: auth.Credential{Kind: auth.KindAPIKey, ID: "s1"}},
		"tenant":  other,
		"foreign": foreign,
		"quota":   caller("carol", "gold", "s7", 1),
		"shares":  caller("carol", "gold", "s8", 1),
		"apart":   &auth.Principal{Subject: "carol", Rate: auth.Rate{Limit: 1, Per: time.Hour}, Credential: auth.Credential{Kind: auth.KindSession, ID: "s9"}},
		"apart2":  &auth.Principal{Subject: "dave", Rate: auth.Rate{Limit: 1, Per: time.Hour}, Credential: auth.Credential{Kind: auth.KindSession, ID: "s10"}},
		"noID":    &auth.Principal{Subject: "x"},
		"noID2":   &auth.Principal{Subject: "y"},
	}
	byTenant := auth.ByFunc("tenant", func(_ *http.Request, p *auth.Principal) string { return p.Tenant })
	for _, c := range []struct {
		name           string
		key            auth.LimitKey
		first          string
		firstAddress   string
		then           string
		thenAddress    string
		sharesAccounts bool
	}{
		{"address", auth.ByAddress(), "first", "192.0.2.1:1", "bob", "192.0.2.1:2", true},
		{"other address", auth.ByAddress(), "first", "192.0.2.1:1", "first", "192.0.2.2:1", false},
		{"IPv4-mapped", auth.ByAddress(), "first", "192.0.2.1:1", "first", "[::ffff:192.0.2.1]:1", true},
		{"other IPv4-mapped", auth.ByAddress(), "first", "[::ffff:192.0.2.2]:1", "first", "[::ffff:192.0.2.1]:1", false},
		{"IPv6 of a /64", auth.ByAddress(), "first", "[2001:db8::1]:1", "first", "[2001:db8::ffff:ffff:ffff:ffff]:1", true},
		{"other /64", auth.ByAddress(), "first", "[2001:db8::1]:1", "first", "[2001:db8:0:1::1]:1", false},
		{"zones", auth.ByAddress(), "first", "[fe80::1%eth0]:1", "first", "[fe80::2%eth1]:1", true},
		{"unknown addresses", auth.ByAddress(), "first", "@", "bob", "", true},
		{"unknown and known", auth.ByAddress(), "first", "", "first", here, false},

		{"identity", auth.ByIdentity(), "first", "192.0.2.1:1", "second", "192.0.2.2:1", true},
		{"identity, by a key", auth.ByIdentity(), "first", here, "key", here, true},
		{"other subject", auth.ByIdentity(), "first", here, "bob", here, false},
		{"other tenant", auth.ByIdentity(), "first", here, "tenant", here, false},
		{"other issuer", auth.ByIdentity(), "first", here, "foreign", here, false},

		{"credential", auth.ByCredential(), "first", "192.0.2.1:1", "first", "192.0.2.2:1", true},
		{"other credential", auth.ByCredential(), "first", here, "second", here, false},
		{"id of another kind", auth.ByCredential(), "first", here, "key", here, false},
		{"credentials without ids", auth.ByCredential(), "noID", here, "noID2", here, false},

		{"tier", auth.ByTier(), "second", here, "quota", here, true},
		{"other tier", auth.ByTier(), "first", here, "second", here, false},
		{"route", auth.ByRoute(), "first", here, "bob", "192.0.2.9:1", true},
		{"function", byTenant, "first", here, "bob", here, true},
		{"function, otherwise", byTenant, "first", here, "tenant", here, false},

		{"quota of an origin", auth.ByIdentity(), "quota", here, "shares", here, true},
		{"quota of an origin, by credential", auth.ByCredential(), "quota", here, "shares", here, true},
		{"quota without an origin", auth.ByIdentity(), "quota", here, "apart", here, false},
		{"quotas without origins", auth.ByIdentity(), "apart", here, "apart2", here, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := anywhere(callers).Limit(auth.NewLimiter(1, time.Hour), c.key).WrapFunc(hello)
			require.Equal(t, 200, serve(h, asking(c.first, c.firstAddress)).Code)
			require.Equal(t, 429, serve(h, asking(c.first, c.firstAddress)).Code)
			want := map[bool]int{true: 429, false: 200}[c.sharesAccounts]
			require.Equal(t, want, serve(h, asking(c.then, c.thenAddress)).Code)
		})
	}
}

func TestLimitByRouteGoesByThePattern(t *testing.T) {
	guard := anywhere(known{"a": caller("alice", "", "s", 0)}).Limit(auth.NewLimiter(1, time.Hour), auth.ByRoute())
	mux := http.NewServeMux()
	mux.Handle("GET /one/{id}", guard.WrapFunc(hello))
	mux.Handle("GET /two", guard.WrapFunc(hello))
	for _, c := range []struct {
		path   string
		status int
	}{{"/one/1", 200}, {"/one/2", 429}, {"/two", 200}, {"/two", 429}} {
		require.Equal(t, c.status, serve(mux, from("GET", c.path, "Authorization", "Bearer a")).Code, c.path)
	}
}

// A rateSpy is a spy that is a VariableLimiter, too.
type rateSpy struct{ *spy }

func (rateSpy) Rate() auth.Rate { return auth.Rate{Limit: 1, Per: time.Hour} }
func (s rateSpy) AllowRate(ctx context.Context, key string, cost int, rate auth.Rate) (auth.Quota, error) {
	return s.Allow(ctx, fmt.Sprintf("%d/%v %s", rate.Limit, rate.Per, key), cost)
}

// One limiter may serve limits of every kind: nobody can make their account
// another's. All keys are text, as the store of a distributed limiter may want.
func TestLimitKeysAreApart(t *testing.T) {
	l := rateSpy{newSpy()}
	odd := caller("5:alice:", "address:127.0.0.1", "s1:", 0)
	odd.Issuer, odd.Tenant = "a:1:b", "7:session"
	callers := known{"alice": caller("alice", "gold", "s1", 0), "odd": odd, "quota": caller("alice", "", "s2", 7)}
	guard := anywhere(callers).Optional()
	for _, key := range []auth.LimitKey{
		auth.ByAddress(), auth.ByRoute(), auth.ByIdentity(), auth.ByCredential(), auth.ByTier(),
		auth.ByFunc("f", func(*http.Request, *auth.Principal) string { return "127.0.0.1" }),
	} {
		guard = guard.Limit(l, key)
	}
	for _, token := range []string{"alice", "odd", "quota", ""} {
		require.Equal(t, 200, serve(guard.WrapFunc(hello), asking(token, here)).Code)
	}
	slices.Sort(l.charged)
	require.Equal(t, []string{
		"7/1h0m0s credential:origin:7:api_key:12:key of alice: 1",
		"7/1h0m0s identity:origin:7:api_key:12:key of alice: 1",
		"address:127.0.0.1 1",
		"credential:7:session:2:s1: 1",
		"credential:7:session:3:s1:: 1",
		"credential:address:127.0.0.1 1",
		"func:f:127.0.0.1 1",
		"identity:0::0::5:alice: 1",
		"identity:5:a:1:b:9:7:session:8:5:alice:: 1",
		"identity:address:127.0.0.1 1",
		"route: 1",
		"tier:0:: 1",
		"tier:17:address:127.0.0.1: 1",
		"tier:4:gold: 1",
		"tier:address:127.0.0.1 1",
	}, slices.Compact(l.charged))
	require.Equal(t, "address:127.0.0.1", auth.AddressKey(netip.MustParseAddr("::ffff:127.0.0.1")))
	require.Equal(t, "address:", auth.AddressKey(netip.Addr{}))
}

// A limit by address is charged before anything is looked at, the others are
// not charged for who is refused, and policies come last.
func TestLimitsComeInTheirOrder(t *testing.T) {
	asked := 0
	callers := authenticator(func(r *http.Request) (*auth.Principal, error) {
		asked++
		return auth.Bearer(known{"a": alice("read")}).Authenticate(r)
	})
	early, late := newSpy(), newSpy()
	base := auth.NewGuard(callers, nil)
	guard := base.With(auth.Scope("write")).Limit(late, auth.ByIdentity()).Limit(early, auth.ByAddress())
	status := func(token string) int { return serve(guard.WrapFunc(hello), asking(token, here)).Code }

	require.Equal(t, 401, status("wrong"))
	require.Equal(t, 401, status(""))
	require.Len(t, early.charged, 2)
	require.Empty(t, late.charged)
	require.Equal(t, 403, status("a"))
	require.Len(t, early.charged, 3)
	require.Len(t, late.charged, 1)

	early.answer.Allowed = false
	asked = 0
	require.Equal(t, 429, status("a"))
	require.Zero(t, asked, "no credential is looked at")
	require.Len(t, late.charged, 1)

	// Nor is a body read.
	early.charged = nil
	login := auth.NewGuard(auth.JSONField("key", known{}), nil).Limit(early, auth.ByAddress())
	r := from("POST", "/x", "Content-Type", "application/json")
	r.Body = unread{t}
	require.Equal(t, 429, serve(login.Exchange(newLedger()), r).Code)
	require.Len(t, early.charged, 1)

	// A request from elsewhere is not charged, nor one that is in the clear.
	none := must(auth.NewNetworks())
	require.Equal(t, 403, serve(guard.From(none).WrapFunc(hello), asking("a", here)).Code)
	require.Equal(t, 403, serve(guard.WrapFunc(hello), beyond(asking("a", here))).Code)
	require.Len(t, early.charged, 1)
}

// unread is the body of a request that is refused before it is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) { u.t.Error("the body was read"); return 0, errOutage }
func (u unread) Close() error             { return nil }

// Nobody in particular is counted by address, apart from all that address is
// charged otherwise.
func TestLimitsOfOptionalGuards(t *testing.T) {
	for _, key := range []auth.LimitKey{auth.ByIdentity(), auth.ByCredential(), auth.ByTier()} {
		l := auth.NewLimiter(1, time.Hour)
		guard := anywhere(known{"a": caller("alice", "", "s", 0)}).Optional()
		h := guard.Limit(l, key.WithRates((&auth.TierRates{}).Of)).Limit(l, auth.ByAddress().WithCost(1)).WrapFunc(hello)
		require.Equal(t, 200, serve(h, asking("", "192.0.2.1:1")).Code)
		require.Equal(t, 429, serve(h, asking("", "192.0.2.1:2")).Code)
		require.Equal(t, 200, serve(h, asking("", "192.0.2.2:1")).Code)
		require.Equal(t, 200, serve(h, asking("a", "192.0.2.3:1")).Code)
		require.Equal(t, 401, serve(h, asking("wrong", "192.0.2.4:1")).Code)
	}
	saw := 0
	of := func(_ *http.Request, p *auth.Principal) string {
		require.Nil(t, p)
		saw++
		return ""
	}
	free := func(_ *http.Request, p *auth.Principal) int { require.Nil(t, p); return 1 }
	guard := anywhere(known{}).Optional().Limit(newSpy(), auth.ByFunc("f", of).WithCostFunc(free))
	require.Equal(t, 200, serve(guard.WrapFunc(hello), asking("", here)).Code)
	require.Equal(t, 1, saw)
}

func TestLimitCosts(t *testing.T) {
	cost := 0
	of := func(*http.Request, *auth.Principal) int { return cost }
	h := anywhere(known{"a": caller("alice", "", "s", 0)}).Limit(auth.NewLimiter(10, time.Hour), auth.ByIdentity().WithCostFunc(of)).WrapFunc(hello)
	for _, c := range []struct{ cost, status int }{
		{0, 200}, {-5, 200}, {math.MinInt, 200},
		{11, 429}, {math.MaxInt, 429}, // never, but nothing is charged
		{7, 200}, {4, 429}, {3, 200}, {1, 429},
		{0, 200}, // free
	} {
		cost = c.cost
		w := serve(h, asking("a", here))
		require.Equal(t, c.status, w.Code, "%d", c.cost)
		require.Equal(t, c.status == 429, w.Header().Get("Retry-After") != "")
	}

	l := newSpy()
	serve(anywhere(known{"a": alice()}).Limit(l, auth.ByTier().WithCost(3)).WrapFunc(hello), asking("a", here))
	require.Equal(t, []string{"tier:7:premium: 3"}, l.charged)
}

// By address a caller is not known yet, and so they are for an inner guard.
func TestCostByAddressKnowsNobody(t *testing.T) {
	of := func(_ *http.Request, p *auth.Principal) int { require.Nil(t, p); return 2 }
	l := newSpy()
	guard := anywhere(known{"a": alice()})
	h := guard.Wrap(guard.Limit(l, auth.ByAddress().WithCostFunc(of)).WrapFunc(hello))
	require.Equal(t, 200, serve(h, asking("a", here)).Code)
	require.Equal(t, []string{"address:127.0.0.1 2"}, l.charged)
}

func TestLimitPanicsOnMistakes(t *testing.T) {
	guard, l := anywhere(known{}), auth.NewLimiter(1, time.Second)
	rates := func(*auth.Principal) auth.Rate { return auth.Rate{} }
	for want, f := range map[string]func(){
		"auth: Limit: nil limiter": func() { guard.Limit(nil, auth.ByAddress()) },
		"auth: Limit: zero key":    func() { guard.Limit(l, auth.LimitKey{}) },
		"auth: Limit: rates of callers by address, before they are known":                          func() { guard.Limit(l, auth.ByAddress().WithRates(rates)) },
		"auth: Limit: rates, but *auth_test.spy is no VariableLimiter":                             func() { guard.Limit(newSpy(), auth.ByTier().WithRates(rates)) },
		"auth: ByFunc: nil function":                                                               func() { auth.ByFunc("x", nil) },
		"auth: LimitKey: cost 0 is not positive":                                                   func() { auth.ByTier().WithCost(0) },
		`auth: LimitKey: name "a b" is not 1 to 64 letters, digits, dots, hyphens and underscores`: func() { auth.ByTier().WithName("a b") },
		`auth: LimitKey: name "" is not 1 to 64 letters, digits, dots, hyphens and underscores`:    func() { auth.ByTier().WithName("") },
		"auth: NewGuard: Throttle is a nil pointer": func() {
			auth.NewGuard(auth.Bearer(known{}), &auth.GuardOptions{Throttle: (*auth.MemoryLimiter)(nil)})
		},
	} {
		require.PanicsWithValue(t, want, f)
	}
	require.Panics(t, func() { guard.Limit((*auth.MemoryLimiter)(nil), auth.ByAddress()) })
	require.NotPanics(t, func() {
		guard.Limit(l, auth.ByTier().WithName("A.b-c_9").WithCost(2).WithRates(rates))
		guard.Limit(newSpy(), auth.ByTier().WithRates(nil).WithCostFunc(nil))
	})
}

// Contract 1: a limiter that is down is an outage, whatever it calls that, and
// nobody gets in.
func TestLimiterOutage(t *testing.T) {
	for _, down := range []error{errOutage, auth.ErrInvalid, &auth.Failure{Reason: auth.ErrForbidden}, auth.ErrNoCredential, context.Canceled} {
		l := &spy{err: down}
		o, events := watched(auth.GuardOptions{})
		guard := auth.NewGuard(auth.Bearer(known{"a": alice()}), o)
		throttled := auth.NewGuard(auth.Bearer(known{"a": alice()}), &auth.GuardOptions{Throttle: l, Observe: o.Observe})
		for _, g := range []*auth.Guard{guard.Limit(l, auth.ByAddress()), guard.Limit(l, auth.ByTier()), guard.Optional().Limit(l, auth.ByTier()), throttled} {
			w := serve(g.WrapFunc(func(http.ResponseWriter, *http.Request) { t.Error("admitted") }), asking("a", here))
			require.Equal(t, 503, w.Code)
			require.Equal(t, "5", w.Header().Get("Retry-After"))
			e := (*events)[len(*events)-1]
			require.Equal(t, auth.Unavailable, e.Outcome)
			require.ErrorIs(t, e.Err, down)
			_, err := g.Check(asking("a", here))
			require.ErrorIs(t, err, auth.ErrUnavailable)
		}
	}
}

// A reason to wait that does not say how long is told as one all the same.
func TestRateLimitedByAnAuthorsOwnMeans(t *testing.T) {
	policy := func(*http.Request, *auth.Principal) error { return auth.ErrRateLimited }
	w := serve(anywhere(known{"a": alice()}).With(policy).WrapFunc(hello), asking("a", here))
	require.Equal(t, 429, w.Code)
	require.Equal(t, "5", w.Header().Get("Retry-After"))
	require.Empty(t, w.Header()["Ratelimit"])
	require.Contains(t, w.Body.String(), "docs/errors.md#rate_limit_exceeded")
}

// Row 96: an operator learns which limit refused whom.
func TestEventOfALimit(t *testing.T) {
	o, events := watched(auth.GuardOptions{})
	guard := auth.NewGuard(auth.Bearer(known{"a": alice()}), o)
	l := &spy{}
	serve(guard.Limit(l, auth.ByAddress()).WrapFunc(hello), asking("a", here))
	serve(guard.Limit(l, auth.ByIdentity().WithName("per-user")).WrapFunc(hello), asking("a", here))
	early, late := (*events)[0], (*events)[1]
	require.Equal(t, auth.ErrRateLimited, early.Reason)
	require.Equal(t, auth.Refused, early.Outcome)
	require.Equal(t, "address", early.Limit)
	require.Equal(t, netip.MustParseAddr("127.0.0.1"), early.Address)
	require.Empty(t, early.Subject)
	require.Equal(t, "per-user", late.Limit)
	require.Equal(t, "alice", late.Subject)
	require.Equal(t, "public-id", late.CredentialID)

	var log bytes.Buffer
	auth.LogTo(slog.New(slog.NewTextHandler(&log, nil)))(t.Context(), late)
	require.Contains(t, log.String(), "level=WARN")
	require.Contains(t, log.String(), "reason=rate_limit_exceeded limit=per-user")
}
