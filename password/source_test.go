package password_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

func request(contentType, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/login?email=ada@example.com&password=correct+horse+battery+staple", strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

func basicRequest(values ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, v := range values {
		r.Header.Add("Authorization", v)
	}
	return r
}

func encode(pair string) string { return base64.StdEncoding.EncodeToString([]byte(pair)) }

// want is what a source makes of a request: the reason, or none.
func TestSources(t *testing.T) {
	w := newWorld(t, nil)
	user := w.register(t)
	_, err := w.Register(t.Context(), password.User{Login: "disabled@example.com", Disabled: true}, good)
	require.NoError(t, err)
	_, err = w.Register(t.Context(), password.User{Login: "grüße"}, unicodeText)
	require.NoError(t, err)

	const js, form = "application/json", "application/x-www-form-urlencoded"
	jsonSource, formSource, basicSource := w.JSON("email", "password"), w.Form("email", "password"), w.Basic()
	for _, c := range []struct {
		name   string
		source auth.Authenticator
		r      *http.Request
		want   auth.Reason // empty: admitted
	}{
		{"json", jsonSource, request(js, `{"email":"Ada@example.com","password":"`+good+`"}`), ""},
		{"json, no type", jsonSource, request("", `{"email":"ada@example.com","password":"`+good+`"}`), ""},
		{"json, others", jsonSource, request(js, `{"a":[],"email":"ada@example.com","password":"`+good+`","z":null}`), ""},
		{"json, wrong", jsonSource, request(js, `{"email":"ada@example.com","password":"`+good+` "}`), auth.ErrInvalid},
		{"json, unknown", jsonSource, request(js, `{"email":"nobody","password":"x"}`), auth.ErrInvalid},
		{"json, disabled", jsonSource, request(js, `{"email":"disabled@example.com","password":"`+good+`"}`), auth.ErrDisabled},
		{"json, neither", jsonSource, request(js, `{}`), auth.ErrNoCredential},
		{"json, both empty", jsonSource, request(js, `{"email":"","password":""}`), auth.ErrNoCredential},
		{"json, no body", jsonSource, request(js, ``), auth.ErrNoCredential},
		{"json, another type", jsonSource, request(form, `{"email":"ada@example.com","password":"`+good+`"}`), auth.ErrNoCredential},
		{"json, login only", jsonSource, request(js, `{"email":"ada@example.com"}`), auth.ErrMalformed},
		{"json, password only", jsonSource, request(js, `{"email":"","password":"x"}`), auth.ErrMalformed},
		{"json, case", jsonSource, request(js, `{"Email":"ada@example.com","password":"x"}`), auth.ErrMalformed},
		{"json, number", jsonSource, request(js, `{"email":"ada@example.com","password":1}`), auth.ErrMalformed},
		{"json, null", jsonSource, request(js, `{"email":"ada@example.com","password":null}`), auth.ErrMalformed},
		{"json, repeated", jsonSource, request(js, `{"email":"a","email":"ada@example.com","password":"`+good+`"}`), auth.ErrMalformed},
		{"json, array", jsonSource, request(js, `[]`), auth.ErrMalformed},
		{"json, rest", jsonSource, request(js, `{"email":"ada@example.com","password":"`+good+`"} {}`), auth.ErrMalformed},
		{"json, large", jsonSource, request(js, `{"email":"`+strings.Repeat("a", 64<<10)+`"}`), auth.ErrTooLarge},
		{"json, long password", jsonSource, request(js, `{"email":"ada@example.com","password":"`+strings.Repeat("a", 60<<10)+`"}`), auth.ErrInvalid},

		{"form", formSource, request(form, "email=ada%40example.com&password=correct+horse+battery+staple"), ""},
		{"form, wrong", formSource, request(form, "email=ada%40example.com&password=x"), auth.ErrInvalid},
		{"form, the query is not asked", formSource, request(form, "x=y"), auth.ErrNoCredential},
		{"form, json", formSource, request(js, `{"email":"ada@example.com","password":"`+good+`"}`), auth.ErrNoCredential},
		{"form, login only", formSource, request(form, "email=ada%40example.com"), auth.ErrMalformed},
		{"form, repeated", formSource, request(form, "email=a&email=ada%40example.com&password=x"), auth.ErrMalformed},
		{"form, escape", formSource, request(form, "email=%zz&password=x"), auth.ErrMalformed},
		{"form, large", formSource, request(form, "email="+strings.Repeat("a", 64<<10)), auth.ErrTooLarge},

		{"basic", basicSource, basicRequest("Basic " + encode(login+":"+good)), ""},
		{"basic, case and blanks", basicSource, basicRequest("bASIC   " + encode(login+":"+good) + " "), ""},
		{"basic, UTF-8", basicSource, basicRequest("Basic " + encode("GRÜSSE:"+unicodeText)), auth.ErrInvalid},
		{"basic, UTF-8 that is it", basicSource, basicRequest("Basic " + encode("Grüße:"+unicodeText)), ""},
		{"basic, Latin-1", basicSource, basicRequest("Basic " + encode("gr\xfc\xdfe:p\xe4ssword")), auth.ErrInvalid},
		{"basic, wrong", basicSource, basicRequest("Basic " + encode(login+":"+good+"x")), auth.ErrInvalid},
		{"basic, no password", basicSource, basicRequest("Basic " + encode(login+":")), auth.ErrInvalid},
		{"basic, colons in the password", basicSource, basicRequest("Basic " + encode(login+":a:b")), auth.ErrInvalid},
		{"basic, nothing", basicSource, basicRequest(), auth.ErrNoCredential},
		{"basic, empty", basicSource, basicRequest("Basic"), auth.ErrNoCredential},
		{"basic, empty pair", basicSource, basicRequest("Basic " + encode(":")), auth.ErrNoCredential},
		{"basic, another scheme", basicSource, basicRequest("Bearer " + encode(login+":"+good)), auth.ErrNoCredential},
		{"basic, long s", basicSource, basicRequest("Ba\u017fic " + encode(login+":"+good)), auth.ErrNoCredential},
		{"basic, glued", basicSource, basicRequest("Basic" + encode(login+":"+good)), auth.ErrNoCredential},
		{"basic, two fields", basicSource, basicRequest("Basic "+encode(login+":"+good), "Basic "+encode(login+":"+good)), auth.ErrMalformed},
		{"basic, list", basicSource, basicRequest("Basic " + encode(login+":"+good) + ", Basic x"), auth.ErrMalformed},
		{"basic, no colon", basicSource, basicRequest("Basic " + encode(login)), auth.ErrMalformed},
		{"basic, no padding", basicSource, basicRequest("Basic " + strings.TrimRight(encode(login+":x"), "=")), auth.ErrMalformed},
		{"basic, line break", basicSource, basicRequest("Basic " + encode(login + ":" + good)[:8] + "\n" + encode(login + ":" + good)[8:]), auth.ErrMalformed},
		{"basic, long", basicSource, basicRequest("Basic " + encode(login+":"+strings.Repeat("a", 1<<16))), auth.ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sent string
			if c.r.Body != nil {
				b, err := io.ReadAll(c.r.Body)
				require.NoError(t, err)
				sent = string(b)
				c.r.Body = io.NopCloser(strings.NewReader(sent))
			}
			p, err := c.source.Authenticate(c.r)
			if c.want == "" {
				require.NoError(t, err)
				require.NotEmpty(t, p.Subject)
				require.Equal(t, auth.KindPassword, p.Origin.Kind)
			} else {
				require.Nil(t, p)
				require.ErrorIs(t, err, c.want)
				require.NotContains(t, err.Error(), good)
				if c.want != auth.ErrNoCredential {
					var f *auth.Failure
					require.ErrorAs(t, err, &f)
					require.Equal(t, c.want, f.Reason)
					require.Equal(t, schemes(c.source)[0], f.Scheme, "stamped")
				}
			}
			if c.r.Body != nil {
				back, err := io.ReadAll(c.r.Body)
				require.NoError(t, err)
				require.Equal(t, sent, string(back), "the body is put back")
			}
		})
	}
	require.NotEmpty(t, user.ID)

	kinds := []auth.Kind{auth.KindPassword}
	require.Equal(t, []auth.Scheme{{Name: "Password", In: auth.InBody, Field: "password", Kinds: kinds}}, schemes(jsonSource))
	require.Equal(t, []auth.Scheme{{Name: "Password", In: auth.InBody, Field: "password", Kinds: kinds}}, schemes(formSource))
	require.Equal(t, []auth.Scheme{{Name: "Basic", In: auth.InHeader, Field: "Authorization", Kinds: kinds}}, schemes(basicSource))
	for _, f := range []func(string, string) auth.Authenticator{w.JSON, w.Form} {
		require.Panics(t, func() { f("", "password") })
		require.Panics(t, func() { f("email", "") })
		require.Panics(t, func() { f("same", "same") })
	}
}

func schemes(a auth.Authenticator) []auth.Scheme {
	return a.(interface{ Schemes() []auth.Scheme }).Schemes()
}

// Row 58 over HTTP: the answers are the same byte for byte, and each 401 has a
// challenge. One body serves a JSON and a form source, one after the other.
func TestLoginOverHTTP(t *testing.T) {
	w := newWorld(t, nil)
	user := w.register(t)
	guard := auth.NewGuard(auth.First(w.JSON("email", "password"), w.Form("email", "password")), nil)
	server := httptest.NewServer(guard.Exchange(w.sessions))
	defer server.Close()
	post := func(contentType, body string) (status int, header http.Header, text string) {
		t.Helper()
		res, err := http.Post(server.URL, contentType, strings.NewReader(body))
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		res.Header.Del("Date")
		return res.StatusCode, res.Header, string(b)
	}
	const js, form = "application/json", "application/x-www-form-urlencoded"

	status, header, text := post(js, `{"email":"ada@example.com","password":"`+good+`"}`)
	require.Equal(t, 200, status, text)
	require.Contains(t, text, `"access_token"`)
	require.Equal(t, "no-store", header.Get("Cache-Control"))
	status, _, text = post(form, "email=ada@example.com&password=correct+horse+battery+staple")
	require.Equal(t, 200, status, text)

	status, wrongHeader, wrong := post(js, `{"email":"ada@example.com","password":"x"}`)
	require.Equal(t, 401, status)
	require.NotEmpty(t, wrongHeader.Get("WWW-Authenticate"))
	require.NotContains(t, wrong, user.ID)
	status, unknownHeader, unknown := post(js, `{"email":"nobody@example.com","password":"x"}`)
	require.Equal(t, 401, status)
	require.Equal(t, wrong, unknown)
	require.Equal(t, wrongHeader, unknownHeader)

	for body, want := range map[string]int{
		``: 400, `{}`: 400, `[]`: 400, `{"email":1}`: 400, `{"email":"x"}`: 400, `{"email":"x","password":{}}`: 400,
		`{"email":"` + strings.Repeat("a", 1<<20) + `","password":"x"}`: 413,
	} {
		status, _, _ = post(js, body)
		require.Equal(t, want, status, "%.40q", body)
	}
	status, _, _ = post("text/plain", `{"email":"ada@example.com","password":"`+good+`"}`)
	require.Equal(t, 400, status)

	w.users.readErr = errDown
	status, header, text = post(js, `{"email":"ada@example.com","password":"x"}`)
	require.Equal(t, 503, status)
	require.NotEmpty(t, header.Get("Retry-After"))
	require.NotContains(t, text, errDown.Error())
}

func FuzzBasic(f *testing.F) {
	f.Fuzz(func(t *testing.T, field string) {
		r := basicRequest(field)
		login, pw, err := password.Basic(r)
		wantLogin, wantPassword, ok := r.BasicAuth()
		if err == nil && (!ok || login != wantLogin || pw != wantPassword) {
			// Blanks around the text are all that net/http does not take.
			r = basicRequest("Basic " + strings.Trim(field[len("Basic"):], " "))
			wantLogin, wantPassword, ok = r.BasicAuth()
			if !ok || login != wantLogin || pw != wantPassword {
				t.Fatalf("%q: %q, %q; net/http: %q, %q, %v", field, login, pw, wantLogin, wantPassword, ok)
			}
		}
	})
}

func FuzzStored(f *testing.F) {
	f.Fuzz(func(t *testing.T, stored string) {
		canonical, err := password.Parse(stored)
		if err == nil && canonical != "" && canonical != stored {
			t.Fatalf("%q is read as %q", stored, canonical)
		}
	})
}

// Seeds have a way of vanishing.
func TestSeeds(t *testing.T) {
	for target, want := range map[string]int{"FuzzStored": 12, "FuzzBasic": 8, "FuzzNormalizeLogin": 7} {
		seeds, err := os.ReadDir("testdata/fuzz/" + target)
		require.NoError(t, err)
		require.Len(t, seeds, want, target)
	}
}
