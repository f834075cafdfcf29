package auth_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// Rows 35, 36, 37: one Authorization field, its scheme in any case, one token.
func TestBearer(t *testing.T) {
	strict := &prefixed{known: known{"x_good": alice()}, prefix: "x_"}
	source := auth.Bearer(strict, known{"good": alice(), "a=": alice(), "A-b_c.d~e+f/g==": alice()})
	for _, c := range []struct {
		name   string
		fields []string
		want   error
	}{
		{"plain", []string{"Bearer good"}, nil},
		{"its own form", []string{"Bearer x_good"}, nil},
		{"lower case", []string{"bearer good"}, nil},
		{"upper case", []string{"BEARER good"}, nil},
		{"more blanks", []string{"Bearer   good"}, nil},
		{"whole alphabet", []string{"Bearer A-b_c.d~e+f/g=="}, nil},
		{"padding", []string{"Bearer a="}, nil},

		{"none", nil, auth.ErrNoCredential},
		{"empty", []string{""}, auth.ErrNoCredential},
		{"scheme alone", []string{"Bearer"}, auth.ErrNoCredential},
		{"blanks alone", []string{"Bearer  "}, auth.ErrNoCredential},
		{"other scheme", []string{"Basic good"}, auth.ErrNoCredential},
		{"longer scheme", []string{"BearerX good"}, auth.ErrNoCredential},
		{"shorter scheme", []string{"Beare good"}, auth.ErrNoCredential},
		{"no scheme", []string{"good"}, auth.ErrNoCredential},
		{"tab", []string{"Bearer\tgood"}, auth.ErrNoCredential},
		{"look-alike", []string{"\u212aearer good"}, auth.ErrNoCredential},
		{"blank ahead", []string{" Bearer good"}, auth.ErrNoCredential},

		{"two fields", []string{"Bearer good", "Bearer good"}, auth.ErrMalformed},
		{"two schemes", []string{"Bearer good", "Basic x"}, auth.ErrMalformed},
		{"two schemes, other order", []string{"Basic x", "Bearer good"}, auth.ErrMalformed},
		{"good and empty", []string{"Bearer good", ""}, auth.ErrMalformed},
		{"empty and good", []string{"", "Bearer good"}, auth.ErrMalformed},

		{"comma list", []string{"Bearer good, Bearer good"}, auth.ErrInvalid},
		{"comma", []string{"Bearer good,"}, auth.ErrInvalid},
		{"list of schemes", []string{"Bearer good, Basic x"}, auth.ErrInvalid},
		{"list of schemes, other order", []string{"Basic x, Bearer good"}, auth.ErrNoCredential},
		{"quotes", []string{`Bearer "good"`}, auth.ErrInvalid},
		{"two tokens", []string{"Bearer good good"}, auth.ErrInvalid},
		{"blank after", []string{"Bearer good "}, auth.ErrInvalid},
		{"parameter", []string{"Bearer token=good"}, auth.ErrInvalid},
		{"padding within", []string{"Bearer go=od"}, auth.ErrInvalid},
		{"padding alone", []string{"Bearer ="}, auth.ErrInvalid},
		{"control", []string{"Bearer good\x00"}, auth.ErrInvalid},
		{"not ASCII", []string{"Bearer göod"}, auth.ErrInvalid},
		{"oversize", []string{"Bearer " + strings.Repeat("a", 64<<10+1)}, auth.ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := from("GET", "/")
			r.Header["Authorization"] = c.fields
			p, err := source.Authenticate(r)
			require.ErrorIs(t, err, c.want)
			require.Equal(t, c.want == nil, p != nil)
		})
	}
}

// The syntax is judged before any verifier sees the text.
func TestUnformedVerifierNeverSeesJunk(t *testing.T) {
	for _, junk := range []string{"a b", `"q"`, "a=b", "=", "a,b", strings.Repeat("a", 64<<10+1)} {
		source := auth.Bearer(known{junk: alice()})
		_, err := source.Authenticate(from("GET", "/", "Authorization", "Bearer "+junk))
		require.ErrorIs(t, err, auth.ErrInvalid)
	}
}

// Row 90: one field for a key, and no list in it.
func TestHeader(t *testing.T) {
	source := auth.Header("x-api-key", known{"good": alice(), "good, good": alice()})
	for _, c := range []struct {
		name   string
		fields []string
		want   error
	}{
		{"plain", []string{"good"}, nil},
		{"none", nil, auth.ErrNoCredential},
		{"empty", []string{""}, auth.ErrNoCredential},
		{"two fields", []string{"good", "good"}, auth.ErrMalformed},
		{"good and bad", []string{"good", "who"}, auth.ErrMalformed},
		{"list", []string{"good, good"}, auth.ErrInvalid},
		{"scheme", []string{"Bearer good"}, auth.ErrInvalid},
		{"unknown", []string{"who"}, auth.ErrInvalid},
		{"other case", []string{"GOOD"}, auth.ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := from("GET", "/")
			r.Header["X-Api-Key"] = c.fields
			_, err := source.Authenticate(r)
			require.ErrorIs(t, err, c.want)
		})
	}
}

// Row 134: other members of a body are none of the source's business.
func TestJSONField(t *testing.T) {
	source := auth.JSONField("api_key", known{"good": alice(), "a b": alice()})
	for _, c := range []struct {
		name, body string
		want       error
	}{
		{"plain", `{"api_key":"good"}`, nil},
		{"others", `{"device":{"os":["x"]},"api_key":"good","n":1e9}`, nil},
		{"any text", `{"api_key":"a b"}`, nil},
		{"no body", ``, auth.ErrNoCredential},
		{"no member", `{}`, auth.ErrNoCredential},
		{"empty", `{"api_key":""}`, auth.ErrNoCredential},
		{"other case", `{"API_KEY":"good"}`, auth.ErrNoCredential},
		{"unknown", `{"api_key":"who"}`, auth.ErrInvalid},
		{"number", `{"api_key":1}`, auth.ErrMalformed},
		{"null", `{"api_key":null}`, auth.ErrMalformed},
		{"array", `["api_key"]`, auth.ErrMalformed},
		{"twice", `{"api_key":"good","api_key":"good"}`, auth.ErrMalformed},
		{"oversize", `{"api_key":"good","x":"` + strings.Repeat("x", 64<<10) + `"}`, auth.ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := sending("POST", "/", c.body, "Content-Type", "application/json")
			_, err := source.Authenticate(r)
			require.ErrorIs(t, err, c.want)
			rest, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			require.Equal(t, c.body, string(rest), "the handler finds the body whole")
		})
	}
}

// Row 38: a good token is good at its own place only.
func TestCredentialsElsewhereAreNotRead(t *testing.T) {
	v := known{"good": alice()}
	for name, source := range map[string]auth.Authenticator{
		"bearer": auth.Bearer(v), "header": auth.Header("X-API-Key", v),
		"body": auth.JSONField("token", v), "cookie": auth.Cookie("__Host-token", v, nil),
	} {
		for _, r := range []*http.Request{
			from("GET", "/?access_token=good&token=good&api_key=good&X-API-Key=good"),
			sending("POST", "/", "access_token=good&token=good", "Content-Type", "application/x-www-form-urlencoded"),
			from("GET", "/", "Cookie", "Authorization=Bearer good; token=good; session=good"),
			from("GET", "/", "Proxy-Authorization", "Bearer good", "X-Authorization", "Bearer good", "Authorization-", "Bearer good"),
			from("GET", "/", "Authorization", "Token good"),
			from("GET", "/", "Authorization", "Basic Z29vZDpnb29k"),
		} {
			_, err := source.Authenticate(r)
			require.ErrorIs(t, err, auth.ErrNoCredential, "%s: %s %s %v", name, r.Method, r.URL, r.Header)
		}
	}
}

// Within one source the first verifier whose form it is decides.
func TestVerifiersOfOneSourceAreAskedByForm(t *testing.T) {
	a := &prefixed{known: known{"a_good": alice(), "a_down": errOutage}, prefix: "a_"}
	b := &prefixed{known: known{"b_good": alice()}, prefix: "b_"}
	source := auth.Bearer(a, b)
	for text, want := range map[string]error{
		"a_good": nil, "b_good": nil, "a_who": auth.ErrInvalid, "b_who": auth.ErrInvalid, "c_who": auth.ErrInvalid, "a_down": auth.ErrUnavailable,
	} {
		_, err := source.Authenticate(from("GET", "/", "Authorization", "Bearer "+text))
		require.ErrorIs(t, err, want, text)
	}
	b.asked = 0
	_, err := source.Authenticate(from("GET", "/", "Authorization", "Bearer a_who"))
	require.ErrorIs(t, err, auth.ErrInvalid)
	require.Zero(t, b.asked, "a refusal is final")
}

func TestFirst(t *testing.T) {
	v := verdicts()
	first := auth.First(auth.Bearer(v), auth.Header("X-Key", v), auth.JSONField("key", v))
	for _, c := range []struct {
		name   string
		r      *http.Request
		want   error
		failed auth.Location
	}{
		{"nothing", from("GET", "/"), auth.ErrNoCredential, ""},
		{"first", from("GET", "/", "Authorization", "Bearer good"), nil, ""},
		{"second", from("GET", "/", "X-Key", "good"), nil, ""},
		{"third", sending("POST", "/", `{"key":"good"}`), nil, ""},
		{"empty first", from("GET", "/", "Authorization", "", "X-Key", "good"), nil, ""},
		{"other scheme first", from("GET", "/", "Authorization", "Basic x", "X-Key", "good"), nil, ""},
		{"bad first", from("GET", "/", "Authorization", "Bearer who", "X-Key", "good"), auth.ErrInvalid, auth.InHeader},
		{"unknown form first", from("GET", "/", "Authorization", "Bearer alien", "X-Key", "good"), auth.ErrInvalid, auth.InHeader},
		{"denied first", from("GET", "/", "Authorization", "Bearer denied", "X-Key", "good"), auth.ErrInvalid, auth.InHeader},
		{"malformed first", from("GET", "/", "Authorization", "Bearer good", "Authorization", "", "X-Key", "good"), auth.ErrMalformed, auth.InHeader},
		{"outage first", from("GET", "/", "Authorization", "Bearer outage", "X-Key", "good"), auth.ErrUnavailable, auth.InHeader},
		{"bad last", sending("POST", "/", `{"key":"who"}`), auth.ErrInvalid, auth.InBody},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := first.Authenticate(c.r)
			require.ErrorIs(t, err, c.want)
			require.Equal(t, c.want == nil, p != nil)
			if c.failed != "" {
				var f *auth.Failure
				require.ErrorAs(t, err, &f)
				require.Equal(t, c.failed, f.Scheme.In, "a refusal knows where it came from")
			}
		})
	}
}

func TestSourcesTellTheirSchemes(t *testing.T) {
	v := kinded{known{}, auth.KindAPIKey}
	for _, c := range []struct {
		source interface{ Schemes() []auth.Scheme }
		want   auth.Scheme
	}{
		{auth.Bearer(v, kinded{known{}, auth.KindJWT}, v), auth.Scheme{Name: "Bearer", In: auth.InHeader, Field: "Authorization", Kinds: []auth.Kind{auth.KindAPIKey, auth.KindJWT}}},
		{auth.Header("x-api-key", v), auth.Scheme{Name: "ApiKey", In: auth.InHeader, Field: "X-Api-Key", Kinds: []auth.Kind{auth.KindAPIKey}}},
		{auth.JSONField("api_key", known{}), auth.Scheme{Name: "ApiKey", In: auth.InBody, Field: "api_key"}},
		{auth.Cookie("__Host-s", v, nil), auth.Scheme{Name: "Cookie", In: auth.InCookie, Field: "__Host-s", Kinds: []auth.Kind{auth.KindAPIKey}}},
	} {
		require.Equal(t, []auth.Scheme{c.want}, c.source.Schemes())
	}
}

func TestSourcesPanicOnWhatCannotWork(t *testing.T) {
	v := known{}
	a, b := &prefixed{prefix: "a_"}, &prefixed{prefix: "b_"}
	within := &prefixed{prefix: "a_f"} // its texts begin with a_ too
	cookie := auth.Cookie("__Host-s", v, nil)
	for name, build := range map[string]func(){
		"no verifier":             func() { auth.Bearer() },
		"nil verifier":            func() { auth.Bearer(v, nil) },
		"overlapping forms":       func() { auth.Bearer(a, within) },
		"overlap, other order":    func() { auth.Header("X-Key", within, a) },
		"one form twice":          func() { auth.JSONField("key", a, b, a) },
		"blank in name":           func() { auth.Header("X Key", v) },
		"colon in name":           func() { auth.Header("X-Key:", v) },
		"empty name":              func() { auth.Header("", v) },
		"Authorization":           func() { auth.Header("authorization", v) },
		"Cookie":                  func() { auth.Header("cookie", v) },
		"empty member":            func() { auth.JSONField("", v) },
		"nothing to ask":          func() { auth.First() },
		"nil authenticator":       func() { auth.First(auth.Bearer(v), nil) },
		"cookie ahead":            func() { auth.First(cookie, auth.Bearer(v)) },
		"cookie ahead, nested":    func() { auth.First(auth.First(auth.Bearer(v), cookie), auth.Header("X-Key", v)) },
		"cookie ahead of another": func() { auth.First(cookie, authenticator(nil)) },
	} {
		require.Panics(t, build, name)
	}
	require.NotPanics(t, func() {
		auth.Bearer(a, b, v)
		auth.First(auth.Bearer(v), cookie, auth.Cookie("__Host-t", v, nil))
	})
}
