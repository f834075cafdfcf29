package peers

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gorilla/sessions"

	"github.com/seed-077cad0b/auth"
)

// A Keeper keeps sessions and guards requests by them. It is safe for concurrent
// use.
type Keeper interface {
	// Field is where a request shows a session: a header, and what comes in it
	// before the session's text.
	Field() (name, prefix string)

	// Open opens a session that knows all of p and d, and returns its text.
	Open(p *auth.Principal, d auth.Device, lifetime time.Duration) (text string, err error)

	// End ends the session that r shows, or returns [ErrEndless].
	End(r *http.Request) error

	// Wrap is the middleware, if there is one, and Subject tells the handler
	// inside who sent the request: empty for nobody.
	Wrap(http.Handler) http.Handler
	Subject(r *http.Request) string
}

// ErrEndless is what a [Keeper] says whose sessions end by themselves alone.
var ErrEndless = errors.New("sessions cannot be ended")

// A Sessions is a library that keeps sessions.
type Sessions struct {
	Name, Module string
	Stateless    bool // the sessions are with the clients: how many there are makes no difference
	Notes        []string
	New          func() Keeper
}

// AllSessions are the libraries that keep sessions.
var AllSessions = []Sessions{
	{"scs", "github.com/alexedwards/scs/v2", false,
		[]string{"keeps the tokens themselves"}, newSCS},
	{"gorilla, cookie", "github.com/gorilla/sessions", true,
		[]string{"the session is in the cookie: its copies live on after a sign-out"}, newGorilla},
}

// scsSessions are scs with its defaults: gob in its store in memory.
type scsSessions struct{ *scs.SessionManager }

func newSCS() Keeper { return scsSessions{scs.New()} }

func (s scsSessions) Field() (name, prefix string) { return "Cookie", s.Cookie.Name + "=" }

func (s scsSessions) Open(p *auth.Principal, d auth.Device, lifetime time.Duration) (string, error) {
	ctx, err := s.Load(context.Background(), "")
	if err != nil {
		return "", err
	}
	for name, value := range facts(p, d) {
		s.Put(ctx, name, value)
	}
	s.SetDeadline(ctx, time.Now().Add(lifetime).UTC())
	token, _, err := s.Commit(ctx)
	return token, err
}

func (s scsSessions) End(r *http.Request) error {
	c, err := r.Cookie(s.Cookie.Name)
	if err != nil {
		return err
	}
	ctx, err := s.Load(r.Context(), c.Value)
	if err != nil {
		return err
	}
	return s.Destroy(ctx)
}

func (s scsSessions) Wrap(h http.Handler) http.Handler { return s.LoadAndSave(h) }

func (s scsSessions) Subject(r *http.Request) string { return s.GetString(r.Context(), "subject") }

// gorillaSessions are in cookies that are encrypted and authenticated. There is no
// middleware: handlers ask. They are read past the registry, which is what spares
// a second handler of one request the work: it costs the first one more.
type gorillaSessions struct{ *sessions.CookieStore }

const gorillaName = "session"

func newGorilla() Keeper {
	hash, block := make([]byte, 64), make([]byte, 32)
	_, _ = rand.Read(hash)
	_, _ = rand.Read(block)
	return gorillaSessions{sessions.NewCookieStore(hash, block)}
}

func (gorillaSessions) Field() (name, prefix string) { return "Cookie", gorillaName + "=" }

func (s gorillaSessions) Open(p *auth.Principal, d auth.Device, lifetime time.Duration) (string, error) {
	r := httptest.NewRequest("GET", "/", nil)
	session, err := s.New(r, gorillaName)
	if err != nil {
		return "", err
	}
	for name, value := range facts(p, d) {
		session.Values[name] = value
	}
	w := httptest.NewRecorder()
	if err := s.Save(r, w, session); err != nil {
		return "", err
	}
	return w.Result().Cookies()[0].Value, nil
}

func (gorillaSessions) End(*http.Request) error { return ErrEndless }

func (gorillaSessions) Wrap(h http.Handler) http.Handler { return h }

func (s gorillaSessions) Subject(r *http.Request) string {
	session, err := s.New(r, gorillaName)
	if err != nil {
		return ""
	}
	subject, _ := session.Values["subject"].(string)
	return subject
}

// facts are what a session knows, by names, as those libraries have it.
func facts(p *auth.Principal, d auth.Device) map[string]any {
	return map[string]any{
		"issuer": p.Issuer, "tenant": p.Tenant, "subject": p.Subject, "tier": p.Tier, "scopes": p.Scopes,
		"device": d.Name, "agent": d.UserAgent, "address": d.Address.String(),
	}
}
