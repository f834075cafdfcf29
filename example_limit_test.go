package auth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// calls makes n requests with a token and tells how they were answered.
func calls(h http.Handler, token string, n int) (answers map[int]int, last *httptest.ResponseRecorder) {
	answers = map[int]int{}
	for range n {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "127.0.0.1:4242"
		r.Header.Set("Authorization", "Bearer "+token)
		last = httptest.NewRecorder()
		h.ServeHTTP(last, r)
		answers[last.Code]++
	}
	return answers, last
}

// One limit by address, before anything is looked at, keeps floods away from the
// store; one by identity, after, is the API's promise to its callers. Clients
// learn from every answer how they stand.
func ExampleGuard_Limit() {
	sessions := must(auth.NewSessions(memstore.New(), nil))
	defer sessions.Close()
	login := must(sessions.Issue(context.Background(), authtest.Principal("alice"), nil))

	guard := auth.NewGuard(auth.Bearer(sessions), &auth.GuardOptions{RateLimitFields: true}).
		Limit(auth.NewLimiter(1000, time.Minute), auth.ByAddress()).
		Limit(auth.NewLimiter(3, time.Hour), auth.ByIdentity().WithName("calls"))
	api := guard.WrapFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })

	_, last := calls(api, login.Token.Reveal(), 1)
	fmt.Println(last.Code, last.Header().Get("RateLimit-Policy"))
	answers, last := calls(api, login.Token.Reveal(), 3)
	fmt.Println(answers, "retry after", last.Header().Get("Retry-After"))
	fmt.Println(last.Body)
	// Output:
	// 200 "address";q=1000;w=60, "calls";q=3;w=3600
	// map[200:2 429:1] retry after 1200
	// {"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Too many requests. Try again later.","status":429,"code":"rate_limit_exceeded","violated-policies":["calls"]}
}

// A route that is dearer than others costs more of the same account.
func ExampleLimitKey_WithCost() {
	callers := known{"token": authtest.Principal("alice")}
	limiter := auth.NewLimiter(100, time.Hour)
	guard := auth.NewGuard(auth.Bearer(callers), nil)
	hello := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") }

	search := guard.Limit(limiter, auth.ByIdentity().WithCost(30)).WrapFunc(hello)
	lookup := guard.Limit(limiter, auth.ByIdentity()).WrapFunc(hello)
	searches, _ := calls(search, "token", 4)
	lookups, _ := calls(lookup, "token", 20)
	fmt.Println("searches", searches, "lookups", lookups)
	// Output:
	// searches map[200:3 429:1] lookups map[200:10 429:10]
}

// Tiers are plans that change while the program runs, and an API key may have a
// quota of its own.
func ExampleTierRates() {
	tiers := must(auth.NewTierRates(map[string]auth.Rate{
		"basic":   {Limit: 10, Per: time.Hour},
		"premium": {Limit: 100, Per: time.Hour},
	}))
	callers := known{
		"basic":   &auth.Principal{Subject: "alice", Tier: "basic"},
		"premium": &auth.Principal{Subject: "bob", Tier: "premium"},
		"own":     &auth.Principal{Subject: "carol", Tier: "basic", Rate: auth.Rate{Limit: 25, Per: time.Hour}},
		"none":    &auth.Principal{Subject: "dave"},
	}
	guard := auth.NewGuard(auth.Bearer(callers), nil).
		Limit(auth.NewLimiter(1, time.Hour), auth.ByIdentity().WithRates(tiers.Of))
	api := guard.WrapFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })

	for _, token := range []string{"basic", "premium", "own", "none"} {
		answers, _ := calls(api, token, 120)
		fmt.Println(token, answers[200])
	}
	if err := tiers.Set("basic", auth.Rate{Limit: 40, Per: time.Hour}); err != nil {
		panic(err)
	}
	callers["another"] = &auth.Principal{Subject: "erin", Tier: "basic"}
	answers, _ := calls(api, "another", 120)
	fmt.Println("basic from now on", answers[200])
	// Output:
	// basic 10
	// premium 100
	// own 25
	// none 1
	// basic from now on 40
}

// A mistake: sessions that a caller can open at will, each with an account of
// its own. The limit then bounds nothing; by identity it does.
func ExampleByCredential() {
	sessions := must(auth.NewSessions(memstore.New(), nil))
	defer sessions.Close()
	guard := auth.NewGuard(auth.Bearer(sessions), nil)
	hello := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") }

	for _, key := range []auth.LimitKey{auth.ByCredential(), auth.ByIdentity()} {
		api := guard.Limit(auth.NewLimiter(10, time.Hour), key).WrapFunc(hello)
		admitted := 0
		for range 5 {
			login := must(sessions.Issue(context.Background(), authtest.Principal("alice"), nil))
			answers, _ := calls(api, login.Token.Reveal(), 20)
			admitted += answers[200]
		}
		fmt.Println("of 100 calls at 10 an hour:", admitted)
	}
	// Output:
	// of 100 calls at 10 an hour: 50
	// of 100 calls at 10 an hour: 10
}

// Work that may fail is reserved first, so that a thousand guesses at once do no
// more of it than ten.
func ExampleReserve() {
	ctx := context.Background()
	guesses := auth.NewLimiter(10, time.Hour)
	redeem := func(voucher string) error {
		giveBack, err := auth.Reserve(ctx, guesses, "vouchers", "alice")
		if err != nil {
			return err
		}
		if voucher != "correct" {
			return auth.ErrInvalid
		}
		giveBack(ctx)
		return nil
	}
	for range 100 {
		if err := redeem("correct"); err != nil {
			panic(err)
		}
	}
	answers := map[error]int{}
	for range 1000 {
		err := redeem("a guess")
		if f, ok := err.(*auth.Failure); ok {
			err = f.Reason
		}
		answers[err]++
	}
	fmt.Println(answers)
	fmt.Println(redeem("correct"))
	// Output:
	// map[auth: invalid_credential:10 auth: rate_limit_exceeded:990]
	// auth: rate_limit_exceeded
}
