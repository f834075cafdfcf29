package examples_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/gorilla/mux"
	"github.com/labstack/echo/v5"
	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// routes is an API as every router below mounts it: a login, one for platforms,
// whose ids are in the path, and two routes behind one guard, of which one asks
// for more.
type routes struct {
	login   http.Handler
	signIn  http.Handler
	guard   *auth.Guard
	writer  *auth.Guard // derived from guard
	handler http.HandlerFunc
}

// routers mount the routes the way their users do: the guard as a middleware of
// a group, the further policy as one of a route in it.
var routers = map[string]func(routes) http.Handler{
	"net/http": func(s routes) http.Handler {
		m, group := http.NewServeMux(), http.NewServeMux()
		m.Handle("POST /login", s.login)
		m.Handle("POST /sign-in/{platform}", s.signIn)
		m.Handle("/reports/", s.guard.Wrap(group))
		group.Handle("GET /reports/{id}", s.handler)
		group.Handle("POST /reports/{id}", s.writer.WrapFunc(s.handler))
		return m
	},
	"chi": func(s routes) http.Handler {
		m := chi.NewRouter()
		m.Method("POST", "/login", s.login)
		m.Method("POST", "/sign-in/{platform}", s.signIn)
		m.Route("/reports", func(group chi.Router) {
			group.Use(s.guard.Wrap)
			group.Get("/{id}", s.handler)
			group.With(s.writer.Wrap).Post("/{id}", s.handler)
		})
		return m
	},
	"gorilla": func(s routes) http.Handler {
		m := mux.NewRouter()
		m.Handle("/login", s.login).Methods("POST")
		m.Handle("/sign-in/{platform}", pathValues(s.signIn)).Methods("POST")
		group := m.PathPrefix("/reports").Subrouter()
		group.Use(s.guard.Wrap)
		group.HandleFunc("/{id}", s.handler).Methods("GET")
		group.Handle("/{id}", s.writer.WrapFunc(s.handler)).Methods("POST")
		return m
	},
	"echo": func(s routes) http.Handler {
		m := echo.New()
		m.POST("/login", echo.WrapHandler(s.login))
		m.POST("/sign-in/:platform", echo.WrapHandler(s.signIn))
		group := m.Group("/reports", echo.WrapMiddleware(s.guard.Wrap))
		group.GET("/:id", echo.WrapHandler(s.handler))
		group.POST("/:id", echo.WrapHandler(s.handler), echo.WrapMiddleware(s.writer.Wrap))
		return m
	},
}

// pathValues hands on what gorilla has found in the path. It keeps that to
// itself; the others tell http.Request.PathValue.
func pathValues(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range mux.Vars(r) {
			r.SetPathValue(name, value)
		}
		h.ServeHTTP(w, r)
	})
}

// counting counts how often requests are authenticated.
type counting struct {
	auth.Verifier
	n atomic.Int64
}

func (c *counting) Verify(ctx context.Context, credential string) (*auth.Principal, error) {
	c.n.Add(1)
	return c.Verifier.Verify(ctx, credential)
}

// answer is what a client sees of a decision.
type answer struct {
	status int
	header http.Header
	body   string
}

func TestRoutersDecideAlike(t *testing.T) {
	store := memstore.New()
	keys, err := auth.NewAPIKeys(store, "test", nil)
	require.NoError(t, err)
	sessions, err := auth.NewSessions(store, nil)
	require.NoError(t, err)
	partner := authtest.NewPlatform("maple")
	registry, err := auth.NewPlatformList(partner.Entry())
	require.NoError(t, err)
	platforms, err := auth.NewPlatforms(store, registry, nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, keys.Close())
		require.NoError(t, sessions.Close())
	})
	create := func(scopes ...string) (key, id string) {
		g, err := keys.Create(t.Context(), &auth.Principal{Subject: "ada", Scopes: scopes}, nil)
		require.NoError(t, err)
		return g.Token.Reveal(), g.Principal.Credential.ID
	}
	reader, _ := create("read")
	writer, _ := create("read", "write")
	stranger, _ := create()
	disabled, id := create("read")
	require.NoError(t, keys.Disable(t.Context(), id))
	opened := func(key string) string {
		p, err := keys.Verify(t.Context(), key)
		require.NoError(t, err)
		g, err := sessions.Issue(t.Context(), p.ProvedAt(p.Credential.Created), nil)
		require.NoError(t, err)
		return g.Token.Reveal()
	}
	session := opened(reader)

	const body = `{"api_key":"%s"}`
	cases := []struct {
		name, method, path string
		body               string
		fields             []string
		status             int
	}{
		{"nothing", "GET", "/reports/7", "", nil, 401},
		{"a key", "GET", "/reports/7", "", []string{"X-API-Key: " + reader}, 200},
		{"a session", "GET", "/reports/7", "", []string{"Authorization: Bearer " + session}, 200},
		{"a cookie", "GET", "/reports/7", "", []string{"Cookie: __Host-s=" + session}, 200},
		{"a cookie from elsewhere", "POST", "/reports/7", "", []string{"Cookie: __Host-s=" + session, "Sec-Fetch-Site: cross-site"}, 403},
		{"a bad key", "GET", "/reports/7", "", []string{"X-API-Key: x"}, 401},
		{"a disabled key", "GET", "/reports/7", "", []string{"X-API-Key: " + disabled}, 401},
		{"a bad session with a key", "GET", "/reports/7", "", []string{"Authorization: Bearer x", "X-API-Key: " + reader}, 401},
		{"two keys", "GET", "/reports/7", "", []string{"X-API-Key: " + reader, "X-API-Key: " + reader}, 400},
		{"a key without scopes", "GET", "/reports/7", "", []string{"X-API-Key: " + stranger}, 403},
		{"a key that may not write", "POST", "/reports/7", "", []string{"X-API-Key: " + reader}, 403},
		{"a key that may write", "POST", "/reports/7", "", []string{"X-API-Key: " + writer}, 200},
		{"a key in the query", "GET", "/reports/7?X-API-Key=" + reader, "", nil, 401},
		{"a login", "POST", "/login", fmt.Sprintf(body, reader), nil, 200},
		{"a login with nothing", "POST", "/login", `{}`, nil, 400},
		{"a login that is no object", "POST", "/login", `[]`, nil, 400},
		{"a bad login", "POST", "/login", fmt.Sprintf(body, "x"), nil, 401},
		{"a login too large", "POST", "/login", fmt.Sprintf(body, strings.Repeat("x", 1<<17)), nil, 413},
	}

	// Ids of platforms need no escapes in a path. Of those that have some, chi
	// and echo keep the escapes and refuse them; net/http and gorilla read them.
	assertions := []struct {
		name, path string
		status     int
	}{
		{"an assertion", "/sign-in/maple", 200},
		{"an assertion at another platform", "/sign-in/tundra", 401},
	}

	answers := map[string]map[string]answer{}
	for name, router := range routers {
		t.Run(name, func(t *testing.T) {
			count := &counting{Verifier: keys}
			guard := auth.NewGuard(auth.First(
				auth.Bearer(sessions), auth.Header("X-API-Key", count), auth.Cookie("__Host-s", sessions, nil),
			), nil).With(auth.Scope("read"))
			server := httptest.NewServer(router(routes{
				login:   auth.NewGuard(auth.JSONField("api_key", keys), nil).Exchange(sessions),
				signIn:  auth.NewGuard(platforms.FromHeader("Token", "platform"), nil).Exchange(platforms.Issuer(sessions)),
				guard:   guard,
				writer:  guard.With(auth.Scope("write")),
				handler: report,
			}))
			t.Cleanup(server.Close)

			answers[name] = map[string]answer{}
			for _, c := range cases {
				before := count.n.Load()
				a := send(t, server, c.method, c.path, c.body, c.fields)
				require.Equal(t, c.status, a.status, c.name)
				require.LessOrEqual(t, count.n.Load()-before, int64(1), "%s: the inner guard shares the decision", c.name)
				if c.status == http.StatusUnauthorized {
					require.NotEmpty(t, a.header.Values("WWW-Authenticate"), c.name)
				}
				switch {
				case c.status == http.StatusOK && c.path == "/login":
					require.Contains(t, a.body, `"access_token":"`, c.name)
					a.body = "" // a new session each time
				case c.status == http.StatusOK:
					require.JSONEq(t, `{"subject":"ada"}`, a.body, c.name)
				}
				answers[name][c.name] = a
			}
			for _, c := range assertions {
				assertion := partner.SignClaims(map[string]any{
					"email": "grace@example.net", "expire": time.Now().Add(time.Minute).Unix(), "nonce": name + c.path,
				})
				a := send(t, server, "POST", c.path, "", []string{"Token: " + assertion})
				require.Equal(t, c.status, a.status, c.name)
				if c.status == http.StatusOK {
					require.Contains(t, a.body, `"access_token":"`, c.name)
					a.body = ""
				}
				answers[name][c.name] = a
			}
		})
	}
	for name, got := range answers {
		require.Equal(t, answers["net/http"], got, name)
	}
}

// report finds the principal in the context, whatever router has called it.
func report(w http.ResponseWriter, r *http.Request) {
	p, ok := auth.FromContext(r.Context())
	if !ok {
		panic("a guarded handler without a principal")
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"subject": p.Subject})
}

func send(t *testing.T, server *httptest.Server, method, path, body string, fields []string) answer {
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Add(name, value)
	}
	response, err := server.Client().Do(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)

	// What guards write; the rest is the server's and the router's.
	header := http.Header{}
	for name, values := range response.Header {
		if slices.Contains([]string{"Www-Authenticate", "Cache-Control", "Content-Type", "X-Content-Type-Options", "Retry-After", "Set-Cookie"}, name) {
			header[name] = values
		}
	}
	return answer{response.StatusCode, header, string(text)}
}
