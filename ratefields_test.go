package auth_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// A member is one of a list: a String with Integers as parameters.
type member struct {
	name       string
	parameters map[string]int64
}

// parseList reads a List of Strings with Integer parameters, which is all that
// the RateLimit fields are here, as strictly as RFC 9651 section 4.2 says.
func parseList(t testing.TB, lines []string) []member {
	t.Helper()
	rest := strings.Join(lines, ", ") // section 4.2: lines are one list
	take := func(while func(c byte) bool) string {
		i := 0
		for i < len(rest) && while(rest[i]) {
			i++
		}
		taken := rest[:i]
		rest = rest[i:]
		return taken
	}
	expect := func(text string) {
		t.Helper()
		require.True(t, strings.HasPrefix(rest, text), "%q wants %q", rest, text)
		rest = rest[len(text):]
	}
	blank := func(c byte) bool { return c == ' ' || c == '\t' }
	var list []member
	for {
		m := member{parameters: map[string]int64{}}
		expect(`"`)
		m.name = take(func(c byte) bool { return c >= ' ' && c < 0x7f && c != '"' && c != '\\' })
		expect(`"`)
		for strings.HasPrefix(rest, ";") {
			expect(";")
			take(blank)
			require.NotEmpty(t, rest)
			require.True(t, rest[0] == '*' || rest[0] >= 'a' && rest[0] <= 'z', rest)
			key := take(func(c byte) bool {
				return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("_-.*", c) >= 0
			})
			expect("=")
			digits := take(func(c byte) bool { return c == '-' || c >= '0' && c <= '9' })
			require.LessOrEqual(t, len(strings.TrimPrefix(digits, "-")), 15)
			n, err := strconv.ParseInt(digits, 10, 64)
			require.NoError(t, err)
			require.NotContains(t, m.parameters, key)
			m.parameters[key] = n
		}
		list = append(list, m)
		take(blank)
		if rest == "" {
			return list
		}
		expect(",")
		take(blank)
	}
}

// fieldsOf returns the RateLimit fields of an answer, whose form it checks: rows
// 106, 108 and 109.
func fieldsOf(t testing.TB, w *httptest.ResponseRecorder) (limits, policies []member) {
	t.Helper()
	for name := range w.Header() {
		require.Equal(t, http.CanonicalHeaderKey(name), name)
		require.NotRegexp(t, `(?i)ratelimit-(limit|remaining|reset)`, name)
	}
	lines := w.Header().Values("RateLimit")
	require.Equal(t, len(lines), len(w.Header().Values("RateLimit-Policy")))
	if len(lines) == 0 {
		return nil, nil
	}
	limits, policies = parseList(t, lines), parseList(t, w.Header().Values("RateLimit-Policy"))
	require.Equal(t, len(limits), len(policies))
	for i, m := range limits {
		require.Equal(t, policies[i].name, m.name)
		require.Len(t, m.parameters, 2)
		require.GreaterOrEqual(t, m.parameters["r"], int64(0))
		require.GreaterOrEqual(t, m.parameters["t"], int64(0))
		require.GreaterOrEqual(t, policies[i].parameters["q"], int64(0))
		for name, value := range policies[i].parameters {
			require.Contains(t, []string{"q", "w"}, name, "no pk")
			require.False(t, name == "w" && value < 1)
		}
		if w.Code == http.StatusTooManyRequests {
			require.GreaterOrEqual(t, int64(retryAfterOf(t, w)/time.Second), m.parameters["t"])
		}
	}
	return limits, policies
}

func retryAfterOf(t testing.TB, w *httptest.ResponseRecorder) time.Duration {
	t.Helper()
	text := w.Header().Get("Retry-After")
	require.Regexp(t, `^[1-9][0-9]{0,9}$`, text)
	seconds, err := strconv.Atoi(text)
	require.NoError(t, err)
	return time.Duration(seconds) * time.Second
}

func TestRateLimitFields(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		callers := known{"a": alice("read"), "b": caller("bob", "", "s", 3)}
		guard := func(tell bool) *auth.Guard {
			g := auth.NewGuard(auth.Bearer(callers), &auth.GuardOptions{RateLimitFields: tell})
			return g.Limit(auth.NewLimiter(60, time.Minute), auth.ByAddress()).
				Limit(auth.NewLimiter(2, 5*time.Second, auth.Burst(4)), auth.ByIdentity().WithName("per-user").WithCost(2))
		}
		for _, tell := range []bool{false, true} {
			g := guard(tell)
			h := g.WrapFunc(hello)
			text := func(w *httptest.ResponseRecorder, status int) string {
				t.Helper()
				require.Equal(t, status, w.Code)
				fieldsOf(t, w)
				return strings.Join(w.Header()["Ratelimit"], ", ") + " of " + strings.Join(w.Header()["Ratelimit-Policy"], ", ")
			}
			told := func(text string) string { return map[bool]string{true: text, false: " of "}[tell] }

			require.Equal(t, told(`"address";r=59;t=1, "per-user";r=2;t=3 of "address";q=60;w=60, "per-user";q=2;w=5`),
				text(serve(h, asking("a", here)), 200))
			authtest.Advance(100 * time.Millisecond)
			require.Equal(t, told(`"address";r=58;t=1, "per-user";r=0;t=3 of "address";q=60;w=60, "per-user";q=2;w=5`),
				text(serve(h, asking("a", here)), 200))
			refused := serve(h, asking("a", here))
			require.Equal(t, `"per-user";r=0;t=3 of "per-user";q=2;w=5`, text(refused, 429), "always")
			require.Equal(t, "5", refused.Header().Get("Retry-After"))
			require.Equal(t, told(`"address";r=56;t=1 of "address";q=60;w=60`), text(serve(h, asking("wrong", here)), 401))
			require.Equal(t, told(`"address";r=55;t=1 of "address";q=60;w=60`), text(serve(g.Status(), asking("wrong", here)), 401))
			require.Equal(t, told(`"address";r=54;t=1, "per-user";r=1;t=1200 of "address";q=60;w=60, "per-user";q=3;w=3600`),
				text(serve(g.Status(), asking("b", here)), 200), "a rate of their own")

			// What an inner guard adds is beside it, and a refusal tells its own.
			inner := g.Limit(auth.NewLimiter(1, 1500*time.Millisecond), auth.ByTier())
			authtest.Advance(time.Minute)
			nested := g.Wrap(inner.WrapFunc(hello))
			require.Equal(t, told(`"address";r=59;t=1, "per-user";r=2;t=3, "tier";r=0;t=2 of "address";q=60;w=60, "per-user";q=2;w=5, "tier";q=1`),
				text(serve(nested, asking("a", here)), 200))
			require.Equal(t, `"tier";r=0;t=2 of "tier";q=1`, text(serve(nested, asking("a", here)), 429))
		}
	})
}

// Callers with rates of their own are told those, beside others and after them.
func TestRateLimitPolicyIsThatOfTheCaller(t *testing.T) {
	callers := known{"a": alice(), "b": caller("bob", "gold", "s", 0), "c": caller("carol", "", "t", 7)}
	rates := func(p *auth.Principal) (r auth.Rate) {
		if p.Tier == "gold" {
			r = auth.Rate{Limit: 5, Per: time.Minute, Burst: 1}
		}
		return r
	}
	h := auth.NewGuard(auth.Bearer(callers), &auth.GuardOptions{RateLimitFields: true}).
		Limit(auth.NewLimiter(2, time.Minute, auth.Burst(1)), auth.ByIdentity().WithRates(rates)).WrapFunc(hello)
	for _, status := range []int{200, 429} { // told of what is left, and that it is too much
		for token, want := range map[string]string{"a": "2;w=60", "b": "5;w=60"} {
			w := serve(h, asking(token, here))
			require.Equal(t, status, w.Code)
			require.Equal(t, []string{`"identity";q=` + want}, w.Header()["Ratelimit-Policy"])
		}
		w := serve(h, asking("c", here))
		require.Equal(t, []string{`"identity";q=7;w=3600`}, w.Header()["Ratelimit-Policy"])
	}
}

// Every entry of a guard tells.
func TestRateLimitFieldsOfEveryEntry(t *testing.T) {
	sessions := newLedger()
	sessions.known["s"] = alice()
	sessions.known["s"].(*auth.Principal).Credential.ID = "id-of-s"
	o := &auth.GuardOptions{RateLimitFields: true}
	l := auth.NewLimiter(4, time.Hour)
	g := auth.NewGuard(auth.Bearer(sessions), o).Limit(l, auth.ByAddress())
	entries := map[string]http.Handler{
		"Wrap":     g.WrapFunc(hello),
		"Handle":   g.Handle(func(http.ResponseWriter, *http.Request, *auth.Principal) {}),
		"Exchange": g.Exchange(sessions),
		"Status":   g.Status(),
	}
	ask := func(h http.Handler) *httptest.ResponseRecorder {
		return serve(h, from("POST", "/", "Authorization", "Bearer s"))
	}
	for name, h := range entries {
		limits, _ := fieldsOf(t, ask(h))
		require.Len(t, limits, 1, name)
	}
	entries["SignOut"] = g.SignOut(sessions)
	for name, h := range entries {
		w := ask(h)
		require.Equal(t, 429, w.Code, name)
		limits, _ := fieldsOf(t, w)
		require.Equal(t, []member{{"address", map[string]int64{"r": 0, "t": 900}}}, limits, name)
	}
	l = auth.NewLimiter(4, time.Hour)
	w := ask(auth.NewGuard(auth.Bearer(sessions), o).Limit(l, auth.ByAddress()).SignOut(sessions))
	require.Equal(t, 204, w.Code)
	limits, _ := fieldsOf(t, w)
	require.Len(t, limits, 1)

	// Check has no answer; Fail makes one of its refusal.
	_, err := g.Check(from("POST", "/", "Authorization", "Bearer s"))
	w = httptest.NewRecorder()
	g.Fail(w, from("GET", "/"), err)
	require.Equal(t, 429, w.Code)
	limits, _ = fieldsOf(t, w)
	require.Len(t, limits, 1)
}

// What somebody else's limiter says is made fit for the fields, or left out.
func TestRateLimitFieldsOfStrangeLimiters(t *testing.T) {
	for _, c := range []struct {
		quota  auth.Quota
		limits []string
	}{
		{auth.Quota{}, nil}, // tells no rate
		{auth.Quota{Rate: auth.Rate{Limit: -1}}, nil},
		{auth.Quota{Rate: auth.Rate{Limit: 5, Per: -time.Second}, Remaining: -7, Next: -time.Hour}, []string{`"tier";r=0;t=0`, `"tier";q=5`}},
		{auth.Quota{Rate: auth.Rate{Limit: math.MaxInt, Per: time.Nanosecond}, Remaining: math.MaxInt, Next: math.MaxInt64 - 1e9}, []string{`"tier";r=999999999999999;t=9223372036`, `"tier";q=999999999999999`}},
		{auth.Quota{Rate: auth.Rate{Limit: 1, Per: math.MaxInt64 / time.Second * time.Second}}, []string{`"tier";r=0;t=0`, `"tier";q=1;w=9223372036`}},
	} {
		for _, allowed := range []bool{true, false} {
			q := c.quota
			q.Allowed = allowed
			g := auth.NewGuard(auth.Bearer(known{"a": alice()}), &auth.GuardOptions{RateLimitFields: true})
			w := serve(g.Limit(&spy{answer: q}, auth.ByTier()).WrapFunc(hello), asking("a", here))
			require.Equal(t, map[bool]int{true: 200, false: 429}[allowed], w.Code)
			require.Equal(t, c.limits, append(w.Header()["Ratelimit"], w.Header()["Ratelimit-Policy"]...))
			fieldsOf(t, w)
			if !allowed {
				retryAfterOf(t, w)
			}
		}
	}
	w := httptest.NewRecorder()
	q := auth.Quota{Rate: auth.Rate{Limit: 1, Per: time.Second}}
	anywhere(known{}).Fail(w, from("GET", "/"), &auth.Failure{Reason: auth.ErrRateLimited, Limit: "a\"\r\nX: b", Quota: q})
	require.Equal(t, 429, w.Code)
	require.Empty(t, w.Header()["Ratelimit"], "a name that no String can be")
}

// Row 62: who waits as long as they are told is admitted, by the limit that
// refused and all before it, in guards inside one another too; where there is one
// limit, a second less does not do.
func TestRetryAfterIsTheTruth(t *testing.T) {
	periods := []time.Duration{time.Second, 1700 * time.Millisecond, 10 * time.Second, time.Minute, time.Hour}
	refused := 0
	for seed := range uint64(30) {
		authtest.At(t, begin, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 62))
			name, cost := fmt.Sprint("seed ", seed), 1+random.IntN(3)
			g := auth.NewGuard(auth.Bearer(known{"a": alice()}), &auth.GuardOptions{RateLimitFields: random.IntN(2) == 0})
			var guards []*auth.Guard
			keys := []auth.LimitKey{auth.ByAddress(), auth.ByIdentity(), auth.ByTier()}[:1+random.IntN(3)]
			for _, key := range keys {
				n := 1 + random.IntN(8)
				l := auth.NewLimiter(n, periods[random.IntN(len(periods))], auth.Burst(cost+random.IntN(5)))
				g = g.Limit(l, key.WithCost(cost))
				if random.IntN(2) == 0 {
					guards = append(guards, g)
				}
			}
			h := g.WrapFunc(hello)
			for _, outer := range guards {
				h = outer.Wrap(h)
			}
			refusals := 0
			for range 60 {
				authtest.Advance(time.Duration(random.Int64N(int64(time.Second))))
				w := serve(h, asking("a", here))
				fieldsOf(t, w)
				if w.Code != 429 {
					require.Equal(t, 200, w.Code, name)
					continue
				}
				refusals++
				wait := retryAfterOf(t, w)
				if len(keys) == 1 && wait > time.Second {
					authtest.Advance(wait - time.Second)
					require.Equal(t, 429, serve(h, asking("a", here)).Code, name)
					wait = time.Second
				}
				authtest.Advance(wait)
				by := order(t, w)
				for w = serve(h, asking("a", here)); w.Code == 429; w = serve(h, asking("a", here)) {
					require.Greater(t, order(t, w), by, name)
					by = order(t, w)
					authtest.Advance(retryAfterOf(t, w))
				}
			}
			refused += refusals
		})
	}
	require.Greater(t, refused, 250)
}

// order returns when the limit that refused is charged.
func order(t testing.TB, w *httptest.ResponseRecorder) int {
	limits, _ := fieldsOf(t, w)
	require.Len(t, limits, 1)
	return slices.Index([]string{"address", "identity", "tier"}, limits[0].name)
}
