package password_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
	"github.com/seed-077cad0b/auth/store/memstore"
)

const (
	good  = "correct horse battery staple"
	other = "incorrect zebra accumulator nail"
	login = "ada@example.com"
)

// cheap is a cost for tests that are about something else.
var cheap = password.Params{Memory: 64, Time: 1, Threads: 1}

// A cheapHasher counts its work.
type cheapHasher struct {
	*password.Hasher
	turns atomic.Int64
}

func newCheapHasher(t testing.TB, o password.HashOptions) *cheapHasher {
	t.Helper()
	if o.Params == (password.Params{}) {
		o.Params = cheap
	}
	o.InsecureParams = true
	h, err := password.NewHasher(&o)
	require.NoError(t, err)
	c := &cheapHasher{Hasher: h}
	h.Observe(func(int) { c.turns.Add(1) })
	return c
}

// A world is everything around some Users.
type world struct {
	*password.Users
	users    *faultyUsers
	store    *memstore.Store
	hasher   *cheapHasher
	sessions *auth.Sessions
	events   *events
}

func newWorld(t testing.TB, edit func(*password.Options)) *world {
	t.Helper()
	store := memstore.New()
	w := &world{
		users:  &faultyUsers{UserStore: store},
		store:  store,
		hasher: newCheapHasher(t, password.HashOptions{}),
		events: &events{},
	}
	var err error
	w.sessions, err = auth.NewSessions(w.store, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.sessions.Close() })
	o := &password.Options{
		Hasher:   w.hasher.Hasher,
		Store:    w.store,
		Sessions: []password.SessionRevoker{w.sessions},
		Notify:   w.events.add,
	}
	if edit != nil {
		edit(o)
	}
	w.Users, err = password.NewUsers(w.users, o)
	require.NoError(t, err)
	return w
}

// register adds the usual user.
func (w *world) register(t testing.TB) password.User {
	t.Helper()
	user, err := w.Register(t.Context(), password.User{Login: login, Scopes: []string{"data:read"}}, good)
	require.NoError(t, err)
	return user
}

// open logs in and opens a session.
func (w *world) open(t testing.TB, pw string) (*auth.Grant, error) {
	t.Helper()
	p, err := w.Verify(t.Context(), login, pw)
	if err != nil {
		return nil, err
	}
	return w.sessions.Issue(t.Context(), p, nil)
}

func (w *world) alive(t testing.TB, g *auth.Grant) bool {
	t.Helper()
	_, err := w.sessions.Verify(t.Context(), g.Token.Reveal())
	return err == nil
}

// stored returns the user as the store has it.
func (w *world) stored(t testing.TB) password.User {
	t.Helper()
	user, err := w.users.UserByLogin(t.Context(), login)
	require.NoError(t, err)
	return user
}

type events struct {
	mu  sync.Mutex
	all []password.Event
}

func (e *events) add(_ context.Context, v password.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, v)
}

func (e *events) kinds() []password.EventKind {
	e.mu.Lock()
	defer e.mu.Unlock()
	var kinds []password.EventKind
	for _, v := range e.all {
		kinds = append(kinds, v.Kind)
	}
	return kinds
}

var errDown = errors.New("the database is down")

// faultyUsers fails, or is overtaken, on demand.
type faultyUsers struct {
	password.UserStore
	readErr, writeErr error
	beforeRead        func()
	beforeReplace     func()
	afterReplace      func()
}

func (f *faultyUsers) UserByLogin(ctx context.Context, login string) (password.User, error) {
	if f.beforeRead != nil {
		f.beforeRead()
	}
	if f.readErr != nil {
		return password.User{}, f.readErr
	}
	return f.UserStore.UserByLogin(ctx, login)
}

func (f *faultyUsers) UserByID(ctx context.Context, id string) (password.User, error) {
	if f.readErr != nil {
		return password.User{}, f.readErr
	}
	return f.UserStore.UserByID(ctx, id)
}

func (f *faultyUsers) ReplaceUser(ctx context.Context, u password.User) error {
	if f.writeErr != nil {
		return f.writeErr
	}
	if before := f.beforeReplace; before != nil {
		f.beforeReplace = nil
		before()
	}
	err := f.UserStore.ReplaceUser(ctx, u)
	if after := f.afterReplace; after != nil {
		f.afterReplace = nil
		after()
	}
	return err
}

func jsonRequest(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}
