package auth_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

const (
	introspectionIssuer   = "https://login.example"
	introspectionAudience = "https://api.example"
	introspectionEndpoint = "https://login.example/introspect"
)

// An asker is the authorization server as the transport of a client meets it,
// without a network between, so that it may stand in a bubble of synctest.
type asker struct {
	mu    sync.Mutex
	asked []string // the tokens, in order

	// answer is what it says of a token; the request is at hand for what else
	// there may be to look at.
	answer func(r *http.Request, token string) (status int, body string, err error)
}

// saying returns a server that says the same of every token.
func saying(body string) *asker {
	return &asker{answer: func(*http.Request, string) (int, string, error) { return 200, body, nil }}
}

func (a *asker) RoundTrip(r *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	a.asked = append(a.asked, form.Get("token"))
	answer := a.answer
	a.mu.Unlock()
	status, body, err := answer(r, form.Get("token"))
	if err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	w.WriteHeader(status)
	_, _ = w.WriteString(body)
	return w.Result(), nil
}

func (a *asker) times() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.asked)
}

func (a *asker) say(answer func(r *http.Request, token string) (int, string, error)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = answer
}

func newIntrospection(t testing.TB, a *asker, o auth.IntrospectionOptions) *auth.Introspection {
	t.Helper()
	if o.Client == nil {
		o.Client = &http.Client{Transport: a}
	}
	i, err := auth.NewIntrospection(introspectionEndpoint, introspectionIssuer, introspectionAudience, &o)
	require.NoError(t, err)
	return i
}

// active is an answer that admits, with members that are put in the place of its
// own: those that are "" are left out.
func active(members ...string) string {
	all := map[string]string{"active": "true", "sub": `"alice"`, "aud": `"https://api.example"`}
	for i := 0; i < len(members); i += 2 {
		all[members[i]] = members[i+1]
	}
	var list []string
	for name, value := range all {
		if value != "" {
			list = append(list, fmt.Sprintf("%q:%s", name, value))
		}
	}
	return "{" + strings.Join(list, ",") + "}"
}

// Row 80, as the client of it: RFC 7662 section 2.1.
func TestIntrospectionAsksByTheLetter(t *testing.T) {
	var got *http.Request
	var body string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		got, body = r, string(text)
		_, _ = io.WriteString(w, active())
	}))
	defer server.Close()
	i, err := auth.NewIntrospection(server.URL+"/introspect?tenant=a", introspectionIssuer, introspectionAudience, &auth.IntrospectionOptions{
		ClientID: "api:1 é", ClientSecret: auth.NewSecret("s+&%:/ "), Client: server.Client(),
	})
	require.NoError(t, err)
	p, err := i.Verify(t.Context(), "a+b/c==")
	require.NoError(t, err)
	require.Equal(t, "alice", p.Subject)

	require.Equal(t, "POST", got.Method)
	require.Equal(t, "/introspect?tenant=a", got.RequestURI, "the token is not in the URL")
	require.Equal(t, "application/x-www-form-urlencoded", got.Header.Get("Content-Type"))
	require.Equal(t, "application/json", got.Header.Get("Accept"))
	require.Equal(t, "token=a%2Bb%2Fc%3D%3D&token_type_hint=access_token", body)
	require.NotContains(t, got.Header, "Idempotency-Key")
	id, secret, ok := got.BasicAuth()
	require.True(t, ok)
	require.Equal(t, []string{"api%3A1+%C3%A9", "s%2B%26%25%3A%2F+"}, []string{id, secret}, "RFC 6749 section 2.3.1: form-encoded first")
}

// Where there is no client id, the transport authenticates.
func TestIntrospectionLeavesItToTheTransport(t *testing.T) {
	a := saying(active())
	a.answer = func(r *http.Request, _ string) (int, string, error) {
		require.Empty(t, r.Header.Values("Authorization"))
		return 200, active(), nil
	}
	_, err := newIntrospection(t, a, auth.IntrospectionOptions{}).Verify(t.Context(), "opaque")
	require.NoError(t, err)
}

// What is not of the form is left to the next verifier, by syntax alone.
func TestIntrospectionForm(t *testing.T) {
	a := saying(active())
	i := newIntrospection(t, a, auth.IntrospectionOptions{})
	j := newJWT(t, keySet(t, hmacKey(t)), nil)
	for _, text := range []string{"", "a b", "=", "a=b", "é", "a\x00", sign(plainHeader, "{}"), "a.b.c", "a..c"} {
		_, err := i.Verify(t.Context(), text)
		require.ErrorIs(t, err, auth.ErrNotMine, "%q", text)
	}
	require.Zero(t, a.times())
	for _, text := range []string{"a", "a.b", ".a.b", "a.b.c.d", "a-._~+/b==", "..."} {
		_, err := i.Verify(t.Context(), text)
		require.NoError(t, err, "%q", text)
	}
	_, err := i.Verify(t.Context(), strings.Repeat("a", 16<<10))
	require.NoError(t, err)
	before := a.times()
	_, err = i.Verify(t.Context(), strings.Repeat("a", 16<<10+1))
	require.ErrorIs(t, err, auth.ErrInvalid)
	require.Equal(t, before, a.times(), "nobody is asked about that")
	require.Equal(t, auth.KindAccessToken, i.Kind())

	// Beside JWTs, each has its own; beside other opaque texts, it needs a form.
	guard := auth.NewGuard(auth.Bearer(j, i), nil)
	for _, token := range []string{issue(t, j, alice()), "opaque"} {
		p, err := guard.Check(from("GET", "/", "Authorization", "Bearer "+token))
		require.NoError(t, err)
		require.Equal(t, "alice", p.Subject)
	}
	sessions := newSessions(t, newStore(t), nil)
	require.Panics(t, func() { auth.Bearer(i, sessions) })
	prefixed := newIntrospection(t, a, auth.IntrospectionOptions{Form: auth.TokenForm("at_")})
	require.NotPanics(t, func() { auth.Bearer(prefixed, sessions) })
	_, err = prefixed.Verify(t.Context(), "opaque")
	require.ErrorIs(t, err, auth.ErrNotMine)
	_, err = prefixed.Verify(t.Context(), prefixed.Form().New())
	require.NoError(t, err)
}

func TestNewIntrospectionRefuses(t *testing.T) {
	good := auth.IntrospectionOptions{ClientID: "api", ClientSecret: auth.NewSecret("hush")}
	for _, endpoint := range []string{"", "introspect", "http://login.example/introspect", "ftp://login.example", "https://", "https://api:hush@login.example/", "https://login.example/#a"} {
		_, err := auth.NewIntrospection(endpoint, introspectionIssuer, introspectionAudience, &good)
		require.ErrorContains(t, err, "NewIntrospection: endpoint: ", endpoint)
		require.NotContains(t, err.Error(), "hush")
	}
	for _, endpoint := range []string{"https://login.example/introspect?a=b", "http://localhost:8080/introspect", "http://127.0.0.1/", "http://[::1]:80/"} {
		_, err := auth.NewIntrospection(endpoint, introspectionIssuer, introspectionAudience, &good)
		require.NoError(t, err, endpoint)
	}
	for want, o := range map[string]*auth.IntrospectionOptions{
		"neither a ClientID":  nil,
		"nor a Client whose":  {Client: &http.Client{}},
		"there is only one":   {ClientID: "api"},
		"Secret there is":     {ClientSecret: auth.NewSecret("hush"), Client: &http.Client{Transport: &asker{}}},
		"Timeout of":          {ClientID: "a", ClientSecret: auth.NewSecret("b"), Client: &http.Client{Timeout: time.Hour}},
		"Timeout of the":      {ClientID: "a", ClientSecret: auth.NewSecret("b"), Client: &http.Client{Timeout: -1}},
		"MaxAge":              {ClientID: "a", ClientSecret: auth.NewSecret("b"), MaxAge: time.Hour + 1},
		"CacheSize":           {ClientID: "a", ClientSecret: auth.NewSecret("b"), CacheSize: -1},
		"CacheSize is":        {ClientID: "a", ClientSecret: auth.NewSecret("b"), CacheSize: 1<<26 + 1},
		"MaxConcurrent":       {ClientID: "a", ClientSecret: auth.NewSecret("b"), MaxConcurrent: -1},
		"MaxConcurrent is":    {ClientID: "a", ClientSecret: auth.NewSecret("b"), MaxConcurrent: 1<<16 + 1},
		"Form: a form needs":  {ClientID: "a", ClientSecret: auth.NewSecret("b"), Form: auth.Form{Match: func(string) bool { return true }}},
		"Form: a form that d": {ClientID: "a", ClientSecret: auth.NewSecret("b"), Form: auth.Form{New: func() string { return "a" }, Match: func(string) bool { return true }}},
	} {
		_, err := auth.NewIntrospection(introspectionEndpoint, introspectionIssuer, introspectionAudience, o)
		require.ErrorContains(t, err, want)
	}
	_, err := auth.NewIntrospection("", "", "", &auth.IntrospectionOptions{MaxAge: 2 * time.Hour})
	for _, want := range []string{"endpoint", "issuer is empty", "audience is empty", "neither", "MaxAge"} {
		require.ErrorContains(t, err, want, "all at once")
	}
}

// Nothing of a verifier that is printed helps to ask in its place.
func TestIntrospectionPrintsNoSecret(t *testing.T) {
	i := newIntrospection(t, saying(active()), auth.IntrospectionOptions{ClientID: "api", ClientSecret: auth.NewSecret("hush")})
	_, err := i.Verify(t.Context(), "opaque-token")
	require.NoError(t, err)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		text := fmt.Sprintf(format, i)
		require.NotContains(t, text, "hush")
		require.NotContains(t, text, base64.StdEncoding.EncodeToString([]byte("api:hush")))
		require.NotContains(t, text, "opaque-token")
	}
}

// A token that is bound to a key is no bearer token, whatever the server calls it.
func TestIntrospectedTokensOfOthersAreNotTaken(t *testing.T) {
	for _, answer := range []string{active("cnf", `{"jkt":"abc"}`), active("cnf", `{"x5t#S256":"abc"}`), active("cnf", `{}`)} {
		guard := auth.NewGuard(auth.Bearer(newIntrospection(t, saying(answer), auth.IntrospectionOptions{})), nil)
		_, err := guard.Check(from("GET", "/", "Authorization", "Bearer opaque"))
		require.ErrorIs(t, err, auth.ErrInvalid, answer)
	}
}

// From end to end: what a guard makes of it.
func TestIntrospectionBehindAGuard(t *testing.T) {
	a := &asker{answer: func(_ *http.Request, token string) (int, string, error) {
		switch token {
		case "reader":
			return 200, active("scope", `"read"`, "acr", `"password"`), nil
		case "gone":
			return 200, `{"active":false}`, nil
		case "late":
			return 200, active("exp", "1"), nil
		}
		return 500, "", nil
	}}
	guard := auth.NewGuard(auth.Bearer(newIntrospection(t, a, auth.IntrospectionOptions{})), &auth.GuardOptions{Resource: newResource(t, nil)})
	for _, c := range []struct {
		guard  *auth.Guard
		token  string
		status int
		code   string
	}{
		{guard.With(auth.Scope("read")), "reader", 200, ""},
		{guard.With(auth.Scope("write")), "reader", 403, "insufficient_scope"},
		{guard.With(auth.ACR("passkey")), "reader", 401, "insufficient_user_authentication"},
		{guard.With(auth.Fresh(time.Hour)), "reader", 401, "insufficient_user_authentication"},
		{guard, "gone", 401, "invalid_token"},
		{guard, "late", 401, "invalid_token"},
		{guard, "trouble", 503, ""},
		{guard.Optional(), "gone", 401, "invalid_token"},
		{guard.Optional(), "trouble", 503, ""},
	} {
		w := serve(c.guard.WrapFunc(hello), from("GET", "/", "Authorization", "Bearer "+c.token))
		require.Equal(t, c.status, w.Code, c.token)
		if c.code != "" {
			challenges := parseChallenges(t, w.Result())
			require.Len(t, challenges, 1)
			require.Equal(t, c.code, challenges[0].params["error"])
			require.NotEmpty(t, challenges[0].params["resource_metadata"])
		}
	}
}

// A login by an introspected token goes by what the server says now.
func TestExchangeAsksTheServerAnew(t *testing.T) {
	a := saying(active())
	guard := auth.NewGuard(auth.Bearer(newIntrospection(t, a, auth.IntrospectionOptions{})), nil)
	bring := []string{"Authorization", "Bearer opaque"}
	require.Equal(t, 200, serve(guard.WrapFunc(hello), from("GET", "/", bring...)).Code)
	require.Equal(t, 200, serve(guard.Exchange(newLedger()), from("POST", "/", bring...)).Code)
	require.Equal(t, 2, a.times())
	a.say(func(*http.Request, string) (int, string, error) { return 200, `{"active":false}`, nil })
	require.Equal(t, 200, serve(guard.WrapFunc(hello), from("GET", "/", bring...)).Code, "remembered")
	require.Equal(t, 401, serve(guard.Exchange(newLedger()), from("POST", "/", bring...)).Code)
	require.Equal(t, 401, serve(guard.WrapFunc(hello), from("GET", "/", bring...)).Code, "and what was learned counts for all")
	require.Equal(t, 3, a.times())
}

var _ auth.Verifier = (*auth.Introspection)(nil)
