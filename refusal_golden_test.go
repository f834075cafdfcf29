package auth_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

var update = flag.Bool("update", false, "write the golden files")

// What clients, observers and formats are told of a refusal, for every reason, from
// every sort of source, with particulars and without, is what it always was.
func TestRefusalsAreWhatTheyWere(t *testing.T) {
	const golden = "testdata/refusals.golden"
	all := refusals{lines: map[string]int{}}
	authtest.At(t, epoch, func(t *testing.T) {
		all.sources(t)
		all.formats()
		all.transports()
		all.limits()
		all.handlers()
	})
	if *update {
		require.NoError(t, os.WriteFile(golden, all.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), all.String(), "go test -run %s -update writes %s", t.Name(), golden)
}

// Refusals are written down one after the other, and what two have in common once.
type refusals struct {
	bytes.Buffer
	lines map[string]int
}

// write writes lines, those that have been there by their numbers.
func (a *refusals) write(text string) {
	for line := range strings.Lines(text) {
		n, before := a.lines[line]
		switch {
		case before:
			fmt.Fprintf(a, " %d", n)
		default:
			n = len(a.lines) + 1
			a.lines[line] = n
			fmt.Fprintf(a, "\n  %d: %s", n, strings.TrimSuffix(line, "\n"))
		}
	}
}

// errorsToTell are what verifiers, policies and limits say, by what is presented.
func errorsToTell() known {
	told := known{"outage": errOutage, "not-mine": auth.ErrNotMine, "another": auth.Reason("teapot"), "nobody": &auth.Principal{},
		"disguised": fmt.Errorf("none: %w", auth.ErrNoCredential)}
	for _, r := range []auth.Reason{
		auth.ErrNoCredential, auth.ErrMalformed, auth.ErrTooLarge, auth.ErrInvalid, auth.ErrExpired, auth.ErrRevoked,
		auth.ErrDisabled, auth.ErrReused, auth.ErrProof, auth.ErrUseNonce, auth.ErrStale, auth.ErrForbidden,
		auth.ErrInsufficientScope, auth.ErrSessionLimit, auth.ErrInsecure, auth.ErrAddress, auth.ErrRateLimited,
		auth.ErrCrossOrigin, auth.ErrMethod, auth.ErrUnavailable,
	} {
		told[string(r)] = r
	}
	told["wrapped"] = fmt.Errorf("%w: why", auth.ErrInvalid)
	told["joined"] = errors.Join(errors.New("why"), auth.ErrExpired)
	told["failure"] = &auth.Failure{Reason: auth.ErrInvalid}
	told["wrapped-failure"] = fmt.Errorf("why: %w", &auth.Failure{Reason: auth.ErrRevoked, Err: errOutage})
	told["scopes"] = &auth.Failure{Reason: auth.ErrInsufficientScope, Scopes: []string{"a:read", "<b>"}}
	told["scopes-of-another"] = &auth.Failure{Reason: auth.ErrInvalid, Scopes: []string{"a"}}
	told["max-age"] = &auth.Failure{Reason: auth.ErrStale, MaxAge: time.Minute}
	told["acr"] = &auth.Failure{Reason: auth.ErrStale, ACRValues: []string{"gold", "silver"}, MaxAge: time.Hour}
	told["nonce"] = &auth.Failure{Reason: auth.ErrUseNonce, Nonce: "n0nce"}
	told["retry"] = &auth.Failure{Reason: auth.ErrUnavailable, RetryAfter: 1500 * time.Millisecond, Err: errOutage}
	told["retry-of-another"] = &auth.Failure{Reason: auth.ErrForbidden, RetryAfter: time.Minute}
	told["limited"] = &auth.Failure{Reason: auth.ErrRateLimited, RetryAfter: time.Hour, Limit: "mine",
		Quota: auth.Quota{Rate: auth.Rate{Limit: 5, Per: time.Minute}, Next: time.Second}}
	told["limited-strangely"] = &auth.Failure{Reason: auth.ErrRateLimited, Limit: "<a name>", Quota: auth.Quota{Rate: auth.Rate{Limit: 5}}}
	told["scheme"] = &auth.Failure{Reason: auth.ErrInvalid, Scheme: auth.Scheme{Name: "Own", In: auth.InBody, Field: "f"}}
	return told
}

// A place is where a request presents something.
type place func(text string) *http.Request

func inField(name, prefix string) place {
	return func(text string) *http.Request { return from("POST", "/x", name, prefix+text) }
}

func inMember(text string) *http.Request { return sending("POST", "/x", `{"key":"`+text+`"}`) }

// schemed is an authenticator that tells its schemes.
type schemed struct {
	authenticator
	schemes []auth.Scheme
}

func (s schemed) Schemes() []auth.Scheme { return s.schemes }

// sources has every error said by a verifier at each source, by a policy after it,
// and by what is handed to Fail.
func (a *refusals) sources(t *testing.T) {
	told := errorsToTell()
	v := kinded{known: known{"good": alice()}, kind: auth.KindSession}
	maps.Copy(v.known, told)
	dpop := must(auth.NewDPoP(newStore(t), &auth.DPoPOptions{BaseURL: "https://api.example", Algorithms: []auth.Algorithm{auth.ES256}}))
	resource := must(auth.NewResource("https://api.example", []string{"https://issuer.example"}, nil))
	own := authenticator(func(r *http.Request) (*auth.Principal, error) { return v.Verify(r.Context(), r.Header.Get("X-Own")) })
	for _, c := range []struct {
		name   string
		from   auth.Authenticator
		o      auth.GuardOptions
		places []place
	}{
		{"bearer", auth.Bearer(v), auth.GuardOptions{}, []place{inField("Authorization", "Bearer ")}},
		{"three in a realm, of a resource",
			auth.First(dpop.Source(v), auth.Bearer(v), auth.Header("X-API-Key", v)), auth.GuardOptions{Realm: "a realm", Resource: resource},
			[]place{inField("Authorization", "DPoP "), inField("Authorization", "Bearer "), inField("X-API-Key", "")}},
		{"header and cookie", auth.First(auth.Header("X-API-Key", v), auth.Cookie("__Host-s", v, nil)), auth.GuardOptions{},
			[]place{inField("X-API-Key", ""), inField("Cookie", "__Host-s=")}},
		{"body", auth.JSONField("key", v), auth.GuardOptions{Realm: "login"}, []place{inMember}},
		{"its own", own, auth.GuardOptions{}, []place{inField("X-Own", "")}},
		{"its own, that tells", schemed{own, []auth.Scheme{{Name: "Basic", In: auth.InHeader, Field: "Authorization"}}}, auth.GuardOptions{},
			[]place{inField("X-Own", "")}},
	} {
		guard := func(o auth.GuardOptions) *auth.Guard {
			o.Realm, o.Resource = c.o.Realm, c.o.Resource
			return auth.NewGuard(c.from, &o)
		}
		a.schemes(c.name, guard)
		a.refusal(c.name+": nothing", guard, from("POST", "/x"))
		for i, present := range c.places {
			for _, text := range slices.Sorted(maps.Keys(told)) {
				name := fmt.Sprintf("%s, place %d: ", c.name, i)
				a.refusal(name+text, guard, present(text))
				judged := func(o auth.GuardOptions) *auth.Guard { return guard(o).With(policySaying(told, text)) }
				a.refusal(name+"policy "+text, judged, present("good"))
			}
			a.refusal(fmt.Sprintf("%s, place %d: too long", c.name, i), guard, present(string(make([]byte, 65<<10))))
		}
	}
}

// policySaying returns a policy that says what is told of a text.
func policySaying(told known, text string) auth.Policy {
	return func(r *http.Request, _ *auth.Principal) error {
		_, err := told.Verify(r.Context(), text)
		return err
	}
}

// formats has some said in dialects, and with something of its own in the header.
func (a *refusals) formats() {
	v := errorsToTell()
	for i, f := range []*auth.Format{
		{},
		{Error: func(f *auth.Failure) any { return map[string]any{"reason": f.Reason, "limit": f.Limit} }},
	} {
		guard := func(o auth.GuardOptions) *auth.Guard {
			o.Format = f
			return auth.NewGuard(auth.Bearer(v), &o)
		}
		for _, text := range []string{"", "invalid_credential", "outage", "scopes", "limited"} {
			a.refusal(fmt.Sprintf("format %d: %s", i, text), guard, asking(text, here))
		}
	}
}

// transports has requests refused before they are read, over HTTPS and without.
func (a *refusals) transports() {
	guard := func(o auth.GuardOptions) *auth.Guard { return auth.NewGuard(auth.Bearer(errorsToTell()), &o) }
	home := func(o auth.GuardOptions) *auth.Guard { return guard(o).From(must(auth.ParseNetworks("192.0.2.0/24"))) }
	secure := asking("invalid_credential", "192.0.2.1:4242")
	secure.TLS = &tls.ConnectionState{}
	a.refusal("over HTTPS", guard, secure)
	a.refusal("over HTTP", guard, asking("invalid_credential", "192.0.2.1:4242"))
	a.refusal("from elsewhere", home, asking("invalid_credential", here))
}

// limits has limits refuse, alone and behind others.
func (a *refusals) limits() {
	callers := known{"alice": alice()}
	spent := func(n int, per time.Duration) auth.Limiter {
		l := auth.NewLimiter(n, per)
		for _, account := range []string{"address:127.0.0.1", "failures:address:127.0.0.1", "identity:0::0::5:alice:"} {
			_, _ = l.Allow(context.Background(), account, n)
		}
		return l
	}
	silent, telling := auth.GuardOptions{}, auth.GuardOptions{RateLimitFields: true}
	for _, c := range []struct {
		name    string
		o       auth.GuardOptions
		limited func(*auth.Guard) *auth.Guard
	}{
		{"by address", silent, func(g *auth.Guard) *auth.Guard { return g.Limit(spent(3, time.Minute), auth.ByAddress()) }},
		{"by address, named", silent, func(g *auth.Guard) *auth.Guard {
			return g.Limit(spent(7, time.Second), auth.ByAddress().WithName("calls"))
		}},
		{"by address, of nobody", silent, func(g *auth.Guard) *auth.Guard {
			return g.Optional().Limit(spent(3, time.Minute), auth.ByAddress())
		}},
		{"by identity, behind another", silent, func(g *auth.Guard) *auth.Guard {
			return g.Limit(auth.NewLimiter(10, time.Minute), auth.ByAddress()).Limit(spent(3, time.Minute), auth.ByIdentity())
		}},
		{"by identity, behind one that waits longer", silent, func(g *auth.Guard) *auth.Guard {
			return g.Limit(auth.NewLimiter(1, time.Hour), auth.ByAddress()).Limit(spent(3, time.Minute), auth.ByIdentity())
		}},
		{"by identity, telling", telling, func(g *auth.Guard) *auth.Guard {
			return g.Limit(auth.NewLimiter(10, time.Minute), auth.ByAddress()).Limit(spent(1000, 90*time.Minute), auth.ByIdentity())
		}},
		{"by identity, at a cost", telling, func(g *auth.Guard) *auth.Guard {
			return g.Limit(auth.NewLimiter(10, time.Minute), auth.ByAddress()).Limit(auth.NewLimiter(3, time.Hour), auth.ByIdentity().WithCost(5))
		}},
		{"that is down", silent, func(g *auth.Guard) *auth.Guard { return g.Limit(&spy{err: errOutage}, auth.ByAddress()) }},
		{"that is down, and calls it a reason", silent, func(g *auth.Guard) *auth.Guard {
			return g.Limit(&spy{err: auth.ErrInvalid}, auth.ByAddress())
		}},
		{"that tells little", silent, func(g *auth.Guard) *auth.Guard { return g.Limit(&spy{}, auth.ByAddress()) }},
		{"of failures", auth.GuardOptions{Throttle: spent(3, time.Minute)}, func(g *auth.Guard) *auth.Guard { return g }},
		{"then a policy", telling, func(g *auth.Guard) *auth.Guard {
			return g.Limit(auth.NewLimiter(10, time.Minute), auth.ByAddress()).With(auth.Scope("a"))
		}},
		{"admitting", silent, func(g *auth.Guard) *auth.Guard { return g.Limit(auth.NewLimiter(10, time.Minute), auth.ByAddress()) }},
		{"admitting, telling", telling, func(g *auth.Guard) *auth.Guard {
			return g.Limit(auth.NewLimiter(10, time.Minute), auth.ByAddress())
		}},
		{"admitting, telling of two", telling, func(g *auth.Guard) *auth.Guard {
			return g.Limit(auth.NewLimiter(10, time.Minute), auth.ByAddress()).Limit(auth.NewLimiter(5, time.Millisecond), auth.ByIdentity())
		}},
	} {
		a.refusal("limit "+c.name, func(o auth.GuardOptions) *auth.Guard {
			o.RateLimitFields, o.Throttle = c.o.RateLimitFields, c.o.Throttle
			return c.limited(auth.NewGuard(auth.Bearer(callers), &o))
		}, asking("alice", here))
	}
}

// handlers has the other handlers refuse.
func (a *refusals) handlers() {
	told := errorsToTell()
	guard := auth.NewGuard(auth.Bearer(told), nil)
	for _, text := range []string{"", "expired_credential", "outage", "limited"} {
		a.answer("Status "+text, guard.Status(), asking(text, here))
		a.answer("Exchange "+text, guard.Exchange(newLedger()), from("POST", "/x", "Authorization", "Bearer "+text))
		a.answer("HTTPSOnly "+text, auth.HTTPSOnly(http.NotFoundHandler(), nil), beyond(asking(text, here)))
	}
	a.answer("Exchange by GET", guard.Exchange(newLedger()), asking("expired_credential", here))
	for _, text := range slices.Sorted(maps.Keys(told)) {
		_, err := told.Verify(context.Background(), text)
		a.answer("Fail "+text, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { guard.Fail(w, r, err) }), from("GET", "/x"))
	}
}

// made makes a guard anew for each who is told.
type made = func(auth.GuardOptions) *auth.Guard

// schemes writes down what a guard accepts.
func (a *refusals) schemes(name string, guard made) {
	var f *auth.Failure
	_, err := guard(auth.GuardOptions{}).Check(from("POST", "/x"))
	_ = errors.As(err, &f)
	fmt.Fprintf(a, "%s accepts %s\n", name, terse(f.Schemes))
}

// refusal writes down what a guard tells of a request: who checks it, the client and
// an observer. Neither that one looks nor that it comes again changes the answer.
func (a *refusals) refusal(name string, guard made, r *http.Request) {
	var body bytes.Buffer
	_, _ = body.ReadFrom(r.Body)
	again := func() *http.Request {
		c := r.Clone(r.Context())
		c.Body = io.NopCloser(bytes.NewReader(body.Bytes()))
		return c
	}
	_, err := guard(auth.GuardOptions{}).Check(again())
	var f *auth.Failure
	if errors.As(err, &f) {
		of := *f
		of.Schemes, of.Err = nil, nil
		a.WriteString(name + ", checked")
		a.write(fmt.Sprintf("%v\n%s\n", err, terse(of)))
		a.WriteByte('\n')
	}
	h := guard(auth.GuardOptions{}).WrapFunc(hello)
	told := answer(h, again())
	a.WriteString(name)
	a.write(told)
	if !strings.Contains(told, "Ratelimit") && told != answer(h, again()) { // limits move on
		a.write("and otherwise the second time\n")
	}

	var event auth.Event
	observed := guard(auth.GuardOptions{Observe: func(_ context.Context, e auth.Event) { event = e }})
	if told != answer(observed.WrapFunc(hello), again()) {
		a.write("and otherwise where somebody observes\n")
	}
	cause := event.Err
	event.Err = nil
	a.write(fmt.Sprintf("%s %v\n", terse(event), cause))
	a.WriteString("\n")
}

// answer writes down how a request is answered.
func (a *refusals) answer(name string, h http.Handler, r *http.Request) {
	a.WriteString(name)
	a.write(answer(h, r))
	a.WriteString("\n")
}

func answer(h http.Handler, r *http.Request) string {
	var b strings.Builder
	w := serve(h, r)
	fmt.Fprintln(&b, w.Code)
	for _, field := range slices.Sorted(maps.Keys(w.Header())) {
		for _, value := range w.Header()[field] {
			fmt.Fprintf(&b, "%s: %s\n", field, value)
		}
	}
	fmt.Fprintln(&b, w.Body)
	return b.String()
}

// terse is JSON without what is zero.
func terse(v any) string {
	text := must(json.Marshal(v))
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return err.Error()
	}
	return string(must(json.Marshal(pruned(tree))))
}

func pruned(v any) any {
	switch v := v.(type) {
	case map[string]any:
		maps.DeleteFunc(v, func(k string, e any) bool {
			v[k] = pruned(e)
			return v[k] == nil
		})
		if len(v) == 0 {
			return nil
		}
		return v
	case []any:
		for i := range v {
			v[i] = pruned(v[i])
		}
		return v
	case string:
		if v == "" {
			return nil
		}
	case float64:
		if v == 0 {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return v
}
