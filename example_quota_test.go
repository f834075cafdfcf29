package auth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// A key's own quota holds for whatever the key opens, and opening more does not
// make it more.
func ExampleKeyOptions_rate() {
	ctx := context.Background()
	store := memstore.New()
	keys := must(auth.NewAPIKeys(store, "acme", nil))
	defer keys.Close()
	sessions := must(auth.NewSessions(store, nil))
	defer sessions.Close()

	acme := &auth.Principal{Subject: "acme", Tier: "basic"}
	key := must(keys.Create(ctx, acme, &auth.KeyOptions{Rate: auth.Rate{Limit: 5, Per: time.Hour}}))

	callers := auth.NewGuard(auth.First(auth.Bearer(sessions), auth.Header("X-API-Key", keys)), nil)
	api := callers.Limit(auth.NewLimiter(100, time.Hour), auth.ByIdentity()).
		WrapFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })

	admitted := 0
	for range 10 {
		session := must(sessions.Issue(ctx, key.Principal.ProvedAt(time.Now()), nil))
		answers, _ := calls(api, session.Token.Reveal(), 10)
		admitted += answers[200]
	}
	fmt.Println("of 100 calls:", admitted)
	// Output: of 100 calls: 5
}

// What is counted by can be anything that a request and its caller tell: here
// each project of a caller's has an account.
func ExampleByFunc() {
	callers := known{"alice": &auth.Principal{Subject: "alice"}}
	byProject := auth.ByFunc("project", func(r *http.Request, p *auth.Principal) string {
		return p.Subject + "/" + r.PathValue("project")
	})
	guard := auth.NewGuard(auth.Bearer(callers), nil).Limit(auth.NewLimiter(2, time.Hour), byProject)
	mux := http.NewServeMux()
	mux.Handle("GET /projects/{project}", guard.WrapFunc(func(http.ResponseWriter, *http.Request) {}))

	for _, path := range []string{"/projects/a", "/projects/a", "/projects/a", "/projects/b"} {
		r := httptest.NewRequest("GET", path, nil)
		r.RemoteAddr = "127.0.0.1:1234"
		r.Header.Set("Authorization", "Bearer alice")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(path, w.Code)
	}
	// Output:
	// /projects/a 200
	// /projects/a 200
	// /projects/a 429
	// /projects/b 200
}

// A login is throttled by address: failures count, successes do not, and what
// the same client does elsewhere goes on.
func ExampleGuardOptions_throttle() {
	store := memstore.New()
	keys := must(auth.NewAPIKeys(store, "acme", nil))
	defer keys.Close()
	sessions := must(auth.NewSessions(store, nil))
	defer sessions.Close()
	key := must(keys.Create(context.Background(), &auth.Principal{Subject: "acme"}, nil)).Token.Reveal()

	login := auth.NewGuard(auth.JSONField("api_key", keys), &auth.GuardOptions{
		Throttle: auth.NewLimiter(30, time.Minute),
	}).Exchange(sessions)

	try := func(key string) int {
		r := httptest.NewRequest("POST", "/login", strings.NewReader(`{"api_key":"`+key+`"}`))
		r.RemoteAddr = "127.0.0.1:1234"
		w := httptest.NewRecorder()
		login.ServeHTTP(w, r)
		return w.Code
	}
	answers := map[int]int{}
	for range 100 {
		answers[try(key)]++
	}
	for range 100 {
		answers[try("a guess")]++
	}
	fmt.Println(answers)
	// Output: map[200:100 401:30 429:70]
}

// fixedWindow is a limiter as a database might have it: a count for each key
// and hour. It fills in all of the Quota: without Reset, the successes of a
// throttle would count, too.
type fixedWindow struct {
	limit  int
	mu     sync.Mutex
	counts map[string]int
}

func (l *fixedWindow) Allow(_ context.Context, key string, cost int) (auth.Quota, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	rest := now.Truncate(time.Hour).Add(time.Hour).Sub(now)
	key += now.UTC().Format(" 2006-01-02T15")

	q := auth.Quota{Rate: auth.Rate{Limit: l.limit, Per: time.Hour}}
	after := max(0, l.counts[key]+cost)
	if cost == 0 {
		q.Allowed = after < l.limit
	} else if q.Allowed = cost < 0 || after <= l.limit; q.Allowed {
		l.counts[key] = after
	}
	if !q.Allowed {
		q.RetryAfter = rest
	}
	q.Remaining = l.limit - l.counts[key]
	if l.counts[key] > 0 {
		q.Next, q.Reset = rest, rest
	}
	return q, nil
}

// Any limiter fits, such as one that several processes share.
func ExampleLimiter() {
	callers := known{"alice": &auth.Principal{Subject: "alice"}}
	api := auth.NewGuard(auth.Bearer(callers), nil).
		Limit(&fixedWindow{limit: 3, counts: map[string]int{}}, auth.ByIdentity()).
		WrapFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })
	answers, _ := calls(api, "alice", 5)
	fmt.Println(answers)
	// Output: map[200:3 429:2]
}
