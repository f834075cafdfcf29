//go:build linux

package integration_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/password"
)

// A world is two servers of one API, as two processes are: each has parts of its
// own, and they share a backend and a signing key. Others may be in the same
// backend, so every world has a user and a platform of its own.
type world struct {
	*testing.T
	a, b     *server
	within   time.Duration // how late one server sees what the other has changed
	who      *auth.Principal
	login    string
	platform string // its id
	acme     *authtest.Platform
	signing  *auth.Keys
}

const (
	goodPassword = "correct horse battery staple"
	issuerName   = "https://issuer.example"
)

// Passwords are hashed for real, but not for long.
var hasher = sync.OnceValue(func() *password.Hasher {
	return must(password.NewHasher(&password.HashOptions{Params: password.Params{Memory: 64, Time: 1}, InsecureParams: true}))
})

func newWorld(t *testing.T, s store, open opener) *world {
	w := &world{T: t, within: s.within, login: rand.Text() + "@example.com"}
	w.login = must(password.NormalizeLogin(w.login))
	w.signing = must(auth.NewKeys(must(auth.GenerateKey(auth.ES256))))
	w.platform = "acme-" + rand.Text()
	w.acme = authtest.NewPlatform(w.platform)
	entry := w.acme.Entry()
	entry.Scopes = []string{"trade"}

	w.a, w.b = w.newServer(open(t)), w.newServer(open(t))
	user := must(w.a.users.Register(t.Context(), password.User{Login: w.login, Scopes: []string{"read"}}, goodPassword))
	w.who = w.a.users.Principal(user)
	require.NoError(t, w.a.registry.Insert(t.Context(), entry))
	return w
}

// each runs f both ways round: what one server does, the other is to see.
func (w *world) each(f func(here, there *server)) {
	f(w.a, w.b)
	f(w.b, w.a)
}

// A server is a process: the parts of the library, and an API made of them.
type server struct {
	*httptest.Server
	mux       *http.ServeMux
	caller    *auth.Guard
	t         *testing.T
	store     auth.Store
	sessions  *auth.Sessions
	keys      *auth.APIKeys
	tokens    *auth.JWT
	refresh   *auth.Refresh
	users     *password.Users
	registry  *auth.PlatformRecords
	platforms *auth.Platforms
}

func (w *world) newServer(store auth.Store) *server {
	s := &server{t: w.T, store: store}
	s.sessions = must(auth.NewSessions(store, &auth.SessionOptions{Idle: time.Hour}))
	s.keys = must(auth.NewAPIKeys(store, "acme", nil))
	s.tokens = must(auth.NewJWT(issuerName, "api", w.signing, &auth.JWTOptions{Revocation: store}))
	s.refresh = must(auth.NewRefresh(store, s.tokens, nil))
	s.users = must(password.NewUsers(usersOf(store), &password.Options{
		Issuer: issuerName, Hasher: hasher(), Store: store, Sessions: []password.SessionRevoker{s.sessions, s.refresh},
		InsecureNoThrottle: true,
	}))
	s.registry = must(auth.NewPlatformRecords(store))
	s.platforms = must(auth.NewPlatforms(store, s.registry, &auth.PlatformOptions{Issuer: issuerName}))
	s.mux = s.api()
	s.Server = httptest.NewServer(s.mux)
	w.Cleanup(func() {
		s.Close()
		_ = s.sessions.Close()
		_ = s.keys.Close()
	})
	return s
}

// usersOf returns the store's own table of users or, where it has none, users
// among its records.
func usersOf(store auth.Store) password.UserStore {
	if users, ok := auth.StoreAbility[password.UserStore](store); ok {
		return users
	}
	return must(password.NewUserRecords(store))
}

func (s *server) api() *http.ServeMux {
	s.caller = auth.NewGuard(auth.First(auth.Bearer(s.sessions, s.tokens), auth.Header("X-API-Key", s.keys)), nil)
	person := auth.NewGuard(s.users.JSON("login", "password"), nil)
	mux := http.NewServeMux()
	mux.Handle("POST /login", person.Exchange(s.sessions))
	mux.Handle("POST /token", person.Exchange(s.refresh))
	mux.Handle("POST /token/refresh", auth.NewGuard(auth.JSONField("refresh_token", s.refresh), nil).Exchange(s.refresh))
	mux.Handle("POST /key/login", auth.NewGuard(auth.Header("X-API-Key", s.keys), nil).Exchange(s.sessions))
	partners := auth.NewGuard(s.platforms.FromHeader("Token", "platform"), nil)
	mux.Handle("POST /platforms/{platform}", partners.Exchange(s.platforms.Issuer(s.sessions)))
	mux.Handle("GET /me", s.caller.Handle(func(w http.ResponseWriter, _ *http.Request, p *auth.Principal) {
		_ = json.NewEncoder(w).Encode(answer{Subject: p.Subject, Scopes: p.Scopes})
	}))
	mux.Handle("POST /sign-out", s.caller.SignOut(s.sessions, s.refresh, s.tokens))
	mux.Handle("POST /sessions/end-all", s.caller.Handle(s.end((*auth.Sessions).RevokeAll)))
	mux.Handle("POST /sessions/end-others", s.caller.Handle(s.end((*auth.Sessions).RevokeOthers)))
	mux.Handle("GET /sessions", s.caller.Handle(s.list))
	return mux
}

type handler = func(http.ResponseWriter, *http.Request, *auth.Principal)

// end is a handler that ends sessions of the caller's.
func (s *server) end(f func(*auth.Sessions, context.Context, *auth.Principal) error) handler {
	return func(w http.ResponseWriter, r *http.Request, p *auth.Principal) {
		if err := f(s.sessions, r.Context(), p); err != nil {
			s.caller.Fail(w, r, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func (s *server) list(w http.ResponseWriter, r *http.Request, p *auth.Principal) {
	var a answer
	for v, err := range s.sessions.List(r.Context(), p) {
		if err != nil {
			s.caller.Fail(w, r, err)
			return
		}
		a.Sessions = append(a.Sessions, v.ID)
	}
	_ = json.NewEncoder(w).Encode(a)
}

// An answer is what a server says, whatever was asked.
type answer struct {
	status   int
	Token    string   `json:"access_token"`
	Refresh  string   `json:"refresh_token"`
	Code     string   `json:"code"`
	Subject  string   `json:"subject"`
	Scopes   []string `json:"scopes"`
	Sessions []string `json:"sessions"`
}

// A credential is a header and its value, or nothing.
type credential [2]string

func bearer(token string) credential { return credential{"Authorization", "Bearer " + token} }
func apiKey(key string) credential   { return credential{"X-API-Key", key} }

// ask sends a request. It fails no test, so that many can be sent at once.
func (s *server) ask(method, path string, c credential, body any) (answer, error) {
	var a answer
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			return a, err
		}
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, &text)
	if err != nil {
		return a, err
	}
	r.Header.Set("Content-Type", "application/json")
	if c[0] != "" {
		r.Header.Set(c[0], c[1])
	}
	response, err := s.Client().Do(r)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	a.status = response.StatusCode
	all, err := io.ReadAll(response.Body)
	if err == nil && len(all) > 0 {
		err = json.Unmarshal(all, &a)
	}
	return a, err
}

// do is ask where the answer is to have a status.
func (s *server) do(status int, method, path string, c credential, body any) answer {
	s.t.Helper()
	a, err := s.ask(method, path, c, body)
	require.NoError(s.t, err)
	require.Equal(s.t, status, a.status, "%s %s: %s", method, path, a.Code)
	return a
}

func (w *world) passwordLogin() any {
	return map[string]string{"login": w.login, "password": goodPassword}
}

func refreshToken(token string) any { return map[string]string{"refresh_token": token} }

// openSession logs the user in with the password.
func (w *world) openSession(s *server) credential {
	w.Helper()
	return bearer(s.do(http.StatusOK, "POST", "/login", credential{}, w.passwordLogin()).Token)
}

// createKey creates a key of the user's.
func (w *world) createKey(s *server, o *auth.KeyOptions) *auth.Grant {
	w.Helper()
	return must(s.keys.Create(w.Context(), w.who, o))
}

// assertion is a new one of the platform's.
func (w *world) assertion() credential {
	return credential{"Token", w.acme.SignClaims(map[string]any{
		"email": "ada@example.com", "expire": time.Now().Add(time.Minute).Unix(), "nonce": rand.Text(),
	})}
}

// admit requires that both servers know the credential.
func (w *world) admit(c credential) {
	w.Helper()
	for _, s := range []*server{w.a, w.b} {
		require.NotEmpty(w, s.do(http.StatusOK, "GET", "/me", c, nil).Subject)
	}
}

// refuse requires that both servers refuse the credential with 401: here, where
// that was caused, at once, and there within the time that the world allows.
func (w *world) refuse(here *server, c credential) {
	w.Helper()
	here.do(http.StatusUnauthorized, "GET", "/me", c, nil)
	there := w.a
	if here == w.a {
		there = w.b
	}
	w.settles(func() bool {
		a, err := there.ask("GET", "/me", c, nil)
		require.NoError(w, err)
		return a.status == http.StatusUnauthorized
	}, "the other server goes on")
}

// settles requires that something holds at once or, where one server may lag
// behind the other, within that time.
func (w *world) settles(holds func() bool, why string) {
	w.Helper()
	if w.within == 0 {
		require.True(w, holds(), why)
		return
	}
	for deadline := time.Now().Add(w.within); !holds(); {
		require.True(w, time.Now().Before(deadline), why)
		<-time.After(10 * time.Millisecond)
	}
}

// atOnce sends n requests at the same moment, to the servers in turns.
func (w *world) atOnce(n int, send func(s *server) (answer, error)) []answer {
	w.Helper()
	answers, errs := make([]answer, n), make([]error, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		s := []*server{w.a, w.b}[i%2]
		all.Go(func() {
			<-start
			answers[i], errs[i] = send(s)
		})
	}
	close(start)
	all.Wait()
	for _, err := range errs {
		require.NoError(w, err)
	}
	return answers
}

// count returns how many answers have each status.
func count(answers []answer) map[int]int {
	n := map[int]int{}
	for _, a := range answers {
		n[a.status]++
	}
	return n
}

// must returns v, for calls that a test does not expect to fail.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
