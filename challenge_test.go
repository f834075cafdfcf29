package auth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

type parsedChallenge struct {
	scheme string
	params map[string]string
}

// parseChallenges reads WWW-Authenticate by the letter of RFC 9110 section
// 11.6.1, all fields as one list, without the leniency that the RFC grants to
// recipients.
func parseChallenges(t testing.TB, r *http.Response) []parsedChallenge {
	t.Helper()
	fields := r.Header.Values("WWW-Authenticate")
	if len(fields) == 0 {
		return nil
	}
	all, err := readChallenges(strings.Join(fields, ", "))
	require.NoError(t, err, "%q", fields)
	return all
}

func readChallenges(s string) (all []parsedChallenge, err error) {
	const tchar = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	word := func() (w string) {
		n := len(s) - len(strings.TrimLeft(s, tchar))
		w, s = s[:n], s[n:]
		return w
	}
	for first := true; s != ""; first = false {
		if !first {
			if !strings.HasPrefix(s, ", ") {
				return nil, fmt.Errorf("no comma before %q", s)
			}
			s = s[2:]
		}
		name := word()
		if name == "" {
			return nil, fmt.Errorf("no token before %q", s)
		}
		if s == "" || s[0] == ' ' || s[0] == ',' { // a scheme, and perhaps its first parameter
			all = append(all, parsedChallenge{name, map[string]string{}})
			if s == "" || s[0] == ',' {
				continue
			}
			s = s[1:]
			name = word()
		}
		if len(all) == 0 || name == "" || !strings.HasPrefix(s, `="`) {
			return nil, fmt.Errorf("no parameter before %q", s)
		}
		var value strings.Builder
		for s = s[2:]; ; s = s[1:] {
			if s == "" || s[0] < ' ' || s[0] > '~' {
				return nil, fmt.Errorf("%s: not a quoted-string", name)
			}
			if s[0] == '"' {
				break
			}
			if s[0] == '\\' && len(s) > 1 {
				s = s[1:]
			}
			value.WriteByte(s[0])
		}
		s = s[1:]
		params := all[len(all)-1].params
		if _, twice := params[name]; twice {
			return nil, fmt.Errorf("parameter %s twice", name)
		}
		params[name] = value.String()
	}
	return all, nil
}

func TestChallengeParserIsStrict(t *testing.T) {
	got, err := readChallenges(`Bearer, ApiKey in="header", name="X-\"Key", Basic realm="a, b"`)
	require.NoError(t, err)
	require.Equal(t, []parsedChallenge{
		{"Bearer", map[string]string{}},
		{"ApiKey", map[string]string{"in": "header", "name": `X-"Key`}},
		{"Basic", map[string]string{"realm": "a, b"}},
	}, got)
	for _, bad := range []string{`Bearer realm="a`, `Bearer realm=a b`, `realm="a"`, `Bearer a="b" c="d"`, `Bearer a="b", a="c"`,
		`, Bearer`, `Bearer,`, `Bearer  a="b"`, "Bearer a=\"\x01\"", `Be@rer`} {
		_, err := readChallenges(bad)
		require.Error(t, err, bad)
	}
}

// Rows 32 and 34: a 401 names every scheme of the route, once, whatever failed.
func TestEveryUnauthorizedAnswerChallengesForTheWholeRoute(t *testing.T) {
	v := verdicts()
	guard := auth.NewGuard(auth.First(auth.Bearer(v), auth.Header("X-API-Key", v), auth.JSONField("api_key", v),
		auth.Cookie("__Host-session", v, nil)), &auth.GuardOptions{Realm: "the API"})
	stale := guard.With(auth.Fresh(-time.Hour))
	for name, w := range map[string]*httptest.ResponseRecorder{
		"nothing":   serve(guard.WrapFunc(hello), from("GET", "/")),
		"bearer":    serve(guard.WrapFunc(hello), from("GET", "/", "Authorization", "Bearer expired")),
		"header":    serve(guard.WrapFunc(hello), from("GET", "/", "X-Api-Key", "who")),
		"body":      serve(guard.WrapFunc(hello), sending("POST", "/", `{"api_key":"who"}`)),
		"cookie":    serve(guard.WrapFunc(hello), from("GET", "/", "Cookie", "__Host-session=who")),
		"stale":     serve(stale.WrapFunc(hello), from("GET", "/", "Authorization", "Bearer good")),
		"status":    serve(guard.Status(), from("GET", "/")),
		"exchange":  serve(guard.Exchange(issuer(nil)), from("POST", "/")),
		"sign-out":  serve(guard.SignOut(auth.Cookie("__Host-session", v, nil)), from("POST", "/")),
		"optional":  serve(guard.Optional().WrapFunc(hello), from("GET", "/", "Authorization", "Bearer who")),
		"typed":     serve(guard.Handle(func(http.ResponseWriter, *http.Request, *auth.Principal) {}), from("GET", "/")),
		"preflight": serve(guard.WrapFunc(hello), from("OPTIONS", "/", "Access-Control-Request-Method", "POST")),
	} {
		require.Equal(t, 401, w.Code, name)
		var schemes []string
		for _, c := range parseChallenges(t, w.Result()) {
			schemes = append(schemes, c.scheme+" "+c.params["in"]+" "+c.params["name"])
			require.Equal(t, "the API", c.params["realm"])
		}
		require.Equal(t, []string{"Bearer  ", "ApiKey header X-Api-Key", "ApiKey body api_key", "Cookie cookie __Host-session"}, schemes, name)
	}
}

// Row 33: RFC 6750 section 3.1, by reason and by the source that failed.
func TestChallengeTellsTheErrorWhereItFailed(t *testing.T) {
	v := verdicts()
	guard := auth.NewGuard(auth.First(auth.Bearer(kinded{v, auth.KindSession}), auth.Header("X-API-Key", kinded{v, auth.KindAPIKey})), nil)
	scoped := guard.With(auth.Scope("data:read", "data:write"))
	fresh := guard.With(auth.Fresh(90*time.Second), func(*http.Request, *auth.Principal) error {
		return &auth.Failure{Reason: auth.ErrStale, MaxAge: 90 * time.Second}
	})
	const bearer, key = 0, 1
	for _, c := range []struct {
		name   string
		guard  *auth.Guard
		r      *http.Request
		status int
		at     int // the challenge that tells
		want   map[string]string
	}{
		{"nothing", guard, from("GET", "/"), 401, bearer, map[string]string{}},
		{"unknown", guard, from("GET", "/", "Authorization", "Bearer who"), 401, bearer,
			map[string]string{"error": "invalid_token", "error_description": "The credential is not valid."}},
		{"expired key", guard, from("GET", "/", "X-API-Key", "expired"), 401, key,
			map[string]string{"in": "header", "name": "X-Api-Key", "error": "invalid_token", "error_description": "The credential has expired."}},
		{"two fields", guard, from("GET", "/", "Authorization", "Bearer good", "Authorization", "Bearer good"), 400, bearer,
			map[string]string{"error": "invalid_request", "error_description": "The request is malformed."}},
		{"scope", scoped, from("GET", "/", "Authorization", "Bearer good"), 403, bearer,
			map[string]string{"error": "insufficient_scope", "error_description": "The credential does not grant this.", "scope": "data:read data:write"}},
		{"stale", fresh, from("GET", "/", "Authorization", "Bearer good"), 401, bearer,
			map[string]string{"error": "insufficient_user_authentication", "error_description": "A more recent or stronger authentication is required.", "max_age": "90"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := serve(c.guard.WrapFunc(hello), c.r)
			require.Equal(t, c.status, w.Code)
			all := parseChallenges(t, w.Result())
			require.Len(t, all, 2)
			require.Equal(t, c.want, all[c.at].params)
			require.NotContains(t, all[1-c.at].params, "error", "the other source has not failed")
		})
	}
	for name, r := range map[string]*http.Request{
		"forbidden":  from("GET", "/", "Authorization", "Bearer good"),
		"outage":     from("GET", "/", "Authorization", "Bearer outage"),
		"plain HTTP": beyond(from("GET", "/", "Authorization", "Bearer good")),
	} {
		w := serve(guard.With(auth.Tier("gold")).WrapFunc(hello), r)
		require.GreaterOrEqual(t, w.Code, 403, name)
		require.Empty(t, w.Header().Values("WWW-Authenticate"), "%s: no other credential would help", name)
	}
}

// Row 126: nothing that a request holds comes back in a challenge, and what a
// policy names cannot break out of its quotes.
func TestChallengeCarriesNoInput(t *testing.T) {
	v := known{"good": alice()}
	guard := auth.NewGuard(auth.First(auth.Bearer(v), auth.Header("X-Key", v)), nil)
	for _, evil := range []string{`evil", error="`, "evil\r\nSet-Cookie: a=b", "evilé\x00", `evil\`} {
		r := from("GET", "/"+"?evil", "User-Agent", evil)
		r.Header["Authorization"] = []string{"Bearer " + evil}
		w := serve(guard.WrapFunc(hello), r)
		require.Equal(t, 401, w.Code)
		require.NotContains(t, fmt.Sprint(w.Header(), w.Body), "evil")
		for _, c := range parseChallenges(t, w.Result()) {
			require.NotContains(t, c.params["error_description"], `"`)
		}
		w = serve(guard.With(auth.Scope(evil)).WrapFunc(hello), from("GET", "/", "Authorization", "Bearer good"))
		require.Equal(t, 403, w.Code)
		require.Len(t, parseChallenges(t, w.Result()), 2)
	}
}

// A guard whose authenticator tells no scheme still answers by the RFC.
func TestChallengeOfASilentAuthenticator(t *testing.T) {
	guard := auth.NewGuard(authenticator(func(*http.Request) (*auth.Principal, error) { return nil, auth.ErrNoCredential }), nil)
	w := serve(guard.WrapFunc(hello), from("GET", "/"))
	require.Equal(t, []parsedChallenge{{"Bearer", map[string]string{}}}, parseChallenges(t, w.Result()))
}

// The same scheme twice is one challenge: two sources of one field.
func TestChallengesAreMerged(t *testing.T) {
	guard := auth.NewGuard(auth.First(auth.Bearer(known{}), auth.First(auth.Bearer(known{}), auth.Header("X-Key", known{}))), nil)
	w := serve(guard.WrapFunc(hello), from("GET", "/"))
	require.Len(t, parseChallenges(t, w.Result()), 2)
}

// told is an authenticator of which only the scheme matters.
type told struct{ auth.Scheme }

func (told) Authenticate(*http.Request) (*auth.Principal, error) { return nil, auth.ErrNoCredential }
func (s told) Schemes() []auth.Scheme                            { return []auth.Scheme{s.Scheme} }

// RFC 7617 section 2: a Basic challenge has a realm, and tells that names and
// passwords are in UTF-8.
func TestBasicChallengeHasARealm(t *testing.T) {
	basic := told{auth.Scheme{Name: "Basic", In: auth.InHeader, Field: "Authorization"}}
	for realm, want := range map[string]string{"": "login", "the API": "the API"} {
		w := serve(auth.NewGuard(basic, &auth.GuardOptions{Realm: realm}).WrapFunc(hello), from("GET", "/"))
		got := parseChallenges(t, w.Result())
		require.Len(t, got, 1)
		require.Equal(t, map[string]string{"realm": want, "charset": "UTF-8"}, got[0].params)
	}
}
