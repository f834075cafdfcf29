package auth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// outcomes are requests to a bearer guard and what becomes of them.
var outcomes = []struct {
	name, credential string // the credential after "Bearer ", none where empty
	status, optional int    // of a guard and of its Optional twin
	outcome          auth.Outcome
	reason           auth.Reason
}{
	{"nothing", "", 401, 200, auth.Refused, auth.ErrNoCredential},
	{"good", "good", 200, 200, auth.Admitted, ""},
	{"unknown", "who", 401, 401, auth.Refused, auth.ErrInvalid},
	{"of no known form", "alien", 401, 401, auth.Refused, auth.ErrInvalid},
	{"not a token at all", "a b", 401, 401, auth.Refused, auth.ErrInvalid},
	{"expired", "expired", 401, 401, auth.Refused, auth.ErrExpired},
	{"wrapped refusal", "wrapped", 401, 401, auth.Refused, auth.ErrRevoked},
	{"bound to a key", "bound", 401, 401, auth.Refused, auth.ErrInvalid},
	{"verifier that denies the obvious", "denied", 401, 401, auth.Refused, auth.ErrInvalid},
	{"outage", "outage", 503, 503, auth.Unavailable, auth.ErrUnavailable},
	{"cancelled", "cancelled", 503, 503, auth.Unavailable, auth.ErrUnavailable},
	{"nobody", "nobody", 503, 503, auth.Unavailable, auth.ErrUnavailable},
	{"nil", "nil", 503, 503, auth.Unavailable, auth.ErrUnavailable},
}

func verdicts() known {
	bound := alice()
	bound.Credential.Confirmation = "thumbprint"
	return known{
		"good": alice(), "alien": auth.ErrNotMine, "expired": auth.ErrExpired, "bound": bound,
		"wrapped": errors.Join(errors.New("why"), auth.ErrRevoked), "outage": errOutage, "denied": auth.ErrNoCredential,
		"cancelled": context.Canceled, "nobody": &auth.Principal{}, "nil": (*auth.Principal)(nil),
	}
}

// Wrap, Handle and Check decide alike, and tell the observer once. Row 11: what
// cannot be found out lets nobody in.
func TestGuardDecidesAlikeAtEveryEntry(t *testing.T) {
	for _, c := range outcomes {
		t.Run(c.name, func(t *testing.T) {
			o, events := watched(auth.GuardOptions{})
			guard := auth.NewGuard(auth.Bearer(verdicts()), o)
			request := func() *http.Request {
				if c.credential == "" {
					return from("GET", "/")
				}
				return from("GET", "/", "Authorization", "Bearer "+c.credential)
			}
			for _, v := range []struct {
				guard  *auth.Guard
				status int
			}{{guard, c.status}, {guard.Optional(), c.optional}} {
				called := 0
				wrapped := v.guard.WrapFunc(func(http.ResponseWriter, *http.Request) { called++ })
				handled := v.guard.Handle(func(_ http.ResponseWriter, _ *http.Request, p *auth.Principal) {
					require.Equal(t, c.credential == "good", p != nil)
					called++
				})
				require.Equal(t, v.status, serve(wrapped, request()).Code)
				require.Equal(t, v.status, serve(handled, request()).Code)
				p, err := v.guard.Check(request())

				admitted := v.status == http.StatusOK
				require.Equal(t, admitted, called == 2)
				require.Equal(t, !admitted, called == 0)
				require.Equal(t, admitted && c.credential != "", p != nil)
				if !admitted {
					var f *auth.Failure
					require.ErrorAs(t, err, &f)
					require.ErrorIs(t, err, c.reason)
					require.Equal(t, v.status, f.Status())
				}
			}
			require.Len(t, *events, 6, "one event for each decision")
			require.Equal(t, c.outcome, (*events)[0].Outcome)
			require.Equal(t, c.reason, (*events)[0].Reason)
		})
	}
}

func TestOptionalTellsAnonymousFromAdmitted(t *testing.T) {
	o, events := watched(auth.GuardOptions{})
	refuse := func(*http.Request, *auth.Principal) error { return auth.ErrForbidden }
	guard := auth.NewGuard(auth.Bearer(known{"good": alice()}), o).Optional().With(refuse)

	require.Equal(t, "hello nobody", serve(guard.WrapFunc(hello), from("GET", "/")).Body.String(), "nobody is not asked for more")
	require.Equal(t, 403, serve(guard.WrapFunc(hello), from("GET", "/", "Authorization", "Bearer good")).Code)
	require.Equal(t, auth.Anonymous, (*events)[0].Outcome)
	require.Equal(t, auth.Refused, (*events)[1].Outcome)
}

// An author's own authenticator may say more of it that nothing was presented.
func TestOptionalTakesAWrappedAbsence(t *testing.T) {
	absent := authenticator(func(*http.Request) (*auth.Principal, error) {
		return nil, fmt.Errorf("%w: no badge", auth.ErrNoCredential)
	})
	guard := auth.NewGuard(absent, nil)
	require.Equal(t, 401, serve(guard.WrapFunc(hello), from("GET", "/")).Code)
	require.Equal(t, "hello nobody", serve(guard.Optional().WrapFunc(hello), from("GET", "/")).Body.String())
}

func TestWithDerivesAndLeavesTheGuardAsItWas(t *testing.T) {
	var ran string
	policy := func(name string) auth.Policy {
		return func(*http.Request, *auth.Principal) error { ran += name; return nil }
	}
	// Three policies in a slice leave room for a fourth, which both could write.
	base := auth.NewGuard(auth.Bearer(known{"good": alice()}), nil).With(policy("a"), policy("b"), policy("c"))
	left, right := base.With(policy("d")), base.With(policy("e"), policy("f"))
	for guard, want := range map[*auth.Guard]string{base: "abc", left: "abcd", right: "abcef", left.Optional(): "abcd"} {
		ran = ""
		_, err := guard.Check(from("GET", "/", "Authorization", "Bearer good"))
		require.NoError(t, err)
		require.Equal(t, want, ran)
	}
}

func TestInnerGuardOfTheSameOriginAsksOnlyWhatWasAdded(t *testing.T) {
	verified, ran := 0, ""
	source := authenticator(func(*http.Request) (*auth.Principal, error) { verified++; return alice(), nil })
	policy := func(name string, err error) auth.Policy {
		return func(*http.Request, *auth.Principal) error { ran += name; return err }
	}
	o, events := watched(auth.GuardOptions{})
	base := auth.NewGuard(source, o)
	outer := base.With(policy("a", nil))
	deeper := outer.With(policy("b", nil))
	sibling := base.With(policy("c", auth.ErrForbidden))

	require.Equal(t, 200, serve(outer.Wrap(deeper.Wrap(outer.WrapFunc(hello))), from("GET", "/")).Code)
	require.Equal(t, 1, verified)
	require.Equal(t, "ab", ran)
	require.Len(t, *events, 1, "a shared decision is told once")

	verified, ran = 0, ""
	require.Equal(t, 403, serve(deeper.Wrap(sibling.WrapFunc(hello)), from("GET", "/")).Code, "an inner policy is never lost")
	require.Equal(t, 1, verified)
	require.Equal(t, "abc", ran)
	require.Equal(t, auth.Refused, (*events)[2].Outcome, "but its refusals are told")
}

func TestGuardOfAnotherOriginReplacesThePrincipal(t *testing.T) {
	outer := auth.NewGuard(auth.Bearer(known{"good": alice()}), nil)
	key := auth.Header("X-Key", known{"k": &auth.Principal{Subject: "bob"}})
	h := outer.Wrap(auth.NewGuard(key, nil).WrapFunc(hello))
	optional := outer.Wrap(auth.NewGuard(key, nil).Optional().WrapFunc(hello))

	require.Equal(t, "hello bob", serve(h, from("GET", "/", "Authorization", "Bearer good", "X-Key", "k")).Body.String())
	require.Equal(t, 401, serve(h, from("GET", "/", "Authorization", "Bearer good")).Code)
	require.Equal(t, "hello nobody", serve(optional, from("GET", "/", "Authorization", "Bearer good")).Body.String(),
		"principals are replaced, not merged")
}

// Row 91: a principal in the context counts only where this guard put it.
func TestGuardBelievesNoContextButItsOwn(t *testing.T) {
	type decisionKey struct{}
	guard := auth.NewGuard(auth.Bearer(known{}), nil)
	other := auth.NewGuard(authenticator(func(*http.Request) (*auth.Principal, error) { return alice(), nil }), nil)
	for name, ctx := range map[string]context.Context{
		"NewContext": auth.NewContext(t.Context(), alice()),
		"type":       context.WithValue(t.Context(), decisionKey{}, alice()),
	} {
		require.Equal(t, 401, serve(guard.WrapFunc(hello), from("GET", "/").WithContext(ctx)).Code, name)
	}
	require.Equal(t, 401, serve(other.Wrap(guard.WrapFunc(hello)), from("GET", "/")).Code)

	_, ok := auth.FromContext(context.WithValue(t.Context(), decisionKey{}, alice()))
	require.False(t, ok, "absent means unauthenticated")
	_, ok = auth.FromContext(auth.NewContext(t.Context(), nil))
	require.False(t, ok)
}

func TestFailAnswersInTheGuardsWords(t *testing.T) {
	guard := auth.NewGuard(auth.First(auth.Header("X-Key", kinded{nil, auth.KindAPIKey}), auth.Bearer(kinded{nil, auth.KindSession})), nil)
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{auth.ErrForbidden, 403, "forbidden"},
		{&auth.Failure{Reason: auth.ErrStale, MaxAge: time.Minute}, 401, "insufficient_user_authentication"},
		{errors.Join(errOutage, auth.ErrExpired), 401, "expired_credential"},
		{errOutage, 503, "temporarily_unavailable"},
		{auth.ErrNotMine, 503, "temporarily_unavailable"},
		{nil, 503, "temporarily_unavailable"},
	} {
		w := httptest.NewRecorder()
		guard.Fail(w, from("GET", "/"), c.err)
		require.Equal(t, c.status, w.Code)
		require.Contains(t, w.Body.String(), `"code":"`+c.code+`"`)
		require.NotContains(t, w.Body.String(), "10.0.0.7")
	}

	w := httptest.NewRecorder()
	guard.Fail(w, from("GET", "/").WithContext(auth.NewContext(t.Context(), alice())), auth.ErrStale)
	require.Contains(t, parseChallenges(t, w.Result())[1].params, "error", "a session is told so by the scheme of sessions")
}

// Row 96: who, what, when, outcome and reason of every attempt.
func TestObserverIsToldWhoAndWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bob := alice()
		bob.Issuer, bob.Tenant = "https://issuer.example", "acme"
		slow := authenticator(func(*http.Request) (*auth.Principal, error) {
			authtest.Advance(time.Second)
			return bob, nil
		})
		o, events := watched(auth.GuardOptions{})
		guard := auth.NewGuard(slow, o).With(auth.Scope("write"))
		mux := http.NewServeMux()
		mux.Handle("GET /things/{id}", guard.WrapFunc(hello))
		serve(mux, from("GET", "/things/42"))
		require.Len(t, *events, 1)
		e := (*events)[0]
		require.NoError(t, e.Err)
		require.Equal(t, auth.Event{
			Method: "GET", Pattern: "GET /things/{id}", Address: netip.MustParseAddr("127.0.0.1"),
			Outcome: auth.Refused, Reason: auth.ErrInsufficientScope,
			Kind: auth.KindSession, CredentialID: "public-id",
			Issuer: "https://issuer.example", Tenant: "acme", Subject: "alice",
			Duration: time.Second,
		}, e)
	})
}

func TestLogTo(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
	for _, c := range []struct {
		event auth.Event
		want  string
	}{
		{auth.Event{Outcome: auth.Admitted, Kind: auth.KindSession, CredentialID: "id", Subject: "42", IssuedKind: auth.KindJWT, IssuedID: "j"},
			`level=DEBUG msg="auth admitted" duration=0s kind=session credential=id subject=42 issued_kind=jwt issued=j`},
		{auth.Event{Outcome: auth.Anonymous}, `level=DEBUG msg="auth anonymous" duration=0s`},
		{auth.Event{Outcome: auth.Refused, Reason: auth.ErrExpired, Err: auth.ErrExpired, Duration: time.Millisecond},
			`level=WARN msg="auth refused" duration=1ms reason=expired_credential`},
		{auth.Event{Outcome: auth.Unavailable, Reason: auth.ErrUnavailable, Err: errors.New("gone\nlevel=INFO")},
			`level=ERROR msg="auth unavailable" duration=0s reason=temporarily_unavailable error="gone\nlevel=INFO"`},
		{auth.Event{Outcome: auth.Refused, Reason: auth.ErrForbidden, Issuer: "i", Tenant: "t", Subject: "x\nlevel=INFO msg=forged"},
			`level=WARN msg="auth refused" duration=0s reason=forbidden issuer=i tenant=t subject="x\nlevel=INFO msg=forged"`},
	} {
		log.Reset()
		auth.LogTo(logger)(t.Context(), c.event)
		require.Equal(t, c.want+"\n", log.String())
	}

	log.Reset()
	quiet := slog.New(slog.NewTextHandler(&log, nil))
	auth.LogTo(quiet)(t.Context(), auth.Event{Outcome: auth.Admitted})
	require.Empty(t, log.String(), "everyday traffic is not news")
}

func TestGuardPanicsOnUnfinishedParts(t *testing.T) {
	guard := auth.NewGuard(auth.Bearer(known{}), nil)
	for name, build := range map[string]func(){
		"nil authenticator":   func() { auth.NewGuard(nil, nil) },
		"quote in realm":      func() { auth.NewGuard(auth.Bearer(known{}), &auth.GuardOptions{Realm: `a"b`}) },
		"line break in realm": func() { auth.NewGuard(auth.Bearer(known{}), &auth.GuardOptions{Realm: "a\r\nb"}) },
		"nil policy":          func() { guard.With(auth.Scope("a"), nil) },
		"nil handler":         func() { guard.Wrap(nil) },
		"nil function":        func() { guard.WrapFunc(nil) },
		"nil typed handler":   func() { guard.Handle(nil) },
		"nil issuer":          func() { guard.Exchange(nil) },
		"no revoker":          func() { guard.SignOut() },
		"nil revoker":         func() { guard.SignOut(nil) },
	} {
		require.Panics(t, build, name)
	}
}

// Row 11: a part that panics admits nobody, and takes nobody else down.
func TestPanicInAPartAdmitsNobody(t *testing.T) {
	called := false
	panicking := auth.NewGuard(authenticator(func(*http.Request) (*auth.Principal, error) { panic(http.ErrAbortHandler) }), nil)
	server := httptest.NewServer(panicking.WrapFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer server.Close()
	for range 2 {
		_, err := server.Client().Get(server.URL)
		require.ErrorIs(t, err, io.EOF)
	}
	require.False(t, called)
}

// A principal without a subject is nobody, from a source as from an author's
// own authenticator.
func TestNobodyIsAdmittedAsNobody(t *testing.T) {
	for _, nobody := range []*auth.Principal{nil, {}, {Issuer: "https://issuer.example", Scopes: []string{"admin"}}} {
		source := auth.Bearer(known{"good": nobody})
		_, err := source.Authenticate(from("GET", "/", "Authorization", "Bearer good"))
		require.ErrorIs(t, err, auth.ErrUnavailable)
		own := authenticator(func(*http.Request) (*auth.Principal, error) { return nobody, nil })
		require.Equal(t, 503, serve(auth.NewGuard(own, nil).Optional().WrapFunc(hello), from("GET", "/")).Code)
	}
}

// A policy that cannot decide is an outage; a refusal of any kind is its own.
func TestPolicyErrors(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
	}{
		{nil, 200}, {auth.ErrForbidden, 403}, {auth.ErrStale, 401}, {auth.ErrNoCredential, 401},
		{auth.Reason("of another package"), 403}, {errOutage, 503}, {auth.ErrNotMine, 503}, {context.DeadlineExceeded, 503},
	} {
		policy := func(*http.Request, *auth.Principal) error { return c.err }
		guard := auth.NewGuard(auth.Bearer(known{"good": alice()}), nil).With(policy)
		for _, g := range []*auth.Guard{guard, guard.Optional()} {
			w := serve(g.WrapFunc(hello), from("GET", "/", "Authorization", "Bearer good"))
			require.Equal(t, c.status, w.Code, "%v", c.err)
			require.Equal(t, c.status == 200, strings.HasPrefix(w.Body.String(), "hello"))
		}
	}
}
