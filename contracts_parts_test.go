package auth_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// onlyUnwraps is a store that wraps another, as a cache does, and has no
// ability of its own.
type onlyUnwraps struct {
	auth.Store
	took int
}

func (u *onlyUnwraps) Unwrap() auth.Store { return u.Store }

func (u *onlyUnwraps) Take(ctx context.Context, d auth.Digest) (auth.Record, error) {
	u.took++
	return u.Store.Take(ctx, d)
}

func TestContract05AbilitiesReadOrMaintain(t *testing.T) {
	wrapped := &onlyUnwraps{Store: memstore.New()}
	_, ok := auth.StoreAbility[auth.Lister](wrapped)
	require.True(t, ok, "found through Unwrap")
	_, ok = auth.StoreAbility[auth.Lister](struct{ auth.Store }{wrapped})
	require.False(t, ok, "and not by luck")

	_, err := auth.NewSessions(struct{ auth.Store }{wrapped}, &auth.SessionOptions{Idle: time.Hour})
	require.ErrorContains(t, err, "Lister", "checked at construction")
	require.ErrorContains(t, err, "Toucher")

	sessions, err := auth.NewSessions(wrapped, nil)
	require.NoError(t, err)
	token := open(t, sessions)
	p, err := sessions.Verify(t.Context(), token)
	require.NoError(t, err)
	require.NoError(t, sessions.RevokeAll(t.Context(), p))
	require.Equal(t, 1, wrapped.took, "what changes a credential goes by the wrapper")
	_, err = sessions.Verify(t.Context(), token)
	require.ErrorIs(t, err, auth.ErrInvalid)
}

func TestContract06TheStoreDecidesTheSpeed(t *testing.T) {
	h := newHouse(t)
	for name, c := range map[string]struct {
		v    auth.Verifier
		text string
	}{
		"session": {h.sessions, open(t, h.sessions)}, "key": {h.keys, h.key(t)}, "cached token": {h.tokens, open(t, h.tokens)},
	} {
		kept, err := c.v.Verify(t.Context(), c.text)
		require.NoError(t, err)
		guard := auth.NewGuard(auth.Bearer(c.v), nil)
		serve(guard.WrapFunc(func(_ http.ResponseWriter, r *http.Request) {
			p, _ := auth.FromContext(r.Context())
			require.Same(t, kept, p, "%s: no copy between the store and the handler", name)
		}), from("GET", "/", "Authorization", "Bearer "+c.text))
	}
	// What it costs is in TestGuardAllocations, which needs a run without the
	// race detector.
}

func TestContract07OneDecisionOneOrigin(t *testing.T) {
	h := newHouse(t)
	asked := 0
	counted := authenticator(func(r *http.Request) (*auth.Principal, error) {
		asked++
		return auth.Bearer(h.sessions).Authenticate(r)
	})
	base := auth.NewGuard(counted, nil)
	other := auth.NewGuard(auth.First(auth.Header("X-API-Key", h.keys), counted), nil)
	session, key := open(t, h.sessions, "read"), h.key(t)
	for _, c := range []struct {
		name   string
		h      http.Handler
		status int
		asked  int
	}{
		{"derived guards share a decision", base.Wrap(base.With(auth.Scope("read")).WrapFunc(hello)), 200, 1},
		{"an inner one still asks what was added", base.Wrap(base.With(auth.Scope("write")).WrapFunc(hello)), 403, 1},
		{"a sibling asks its own", base.With(auth.Scope("read")).Wrap(base.With(auth.Tier("gold")).WrapFunc(hello)), 403, 1},
		{"another authenticates anew", base.Wrap(other.WrapFunc(hello)), 200, 2},
		{"a guard implies authentication", base.With().WrapFunc(hello), 200, 1},
	} {
		asked = 0
		w := serve(c.h, from("GET", "/", "Authorization", "Bearer "+session))
		require.Equal(t, c.status, w.Code, c.name)
		require.Equal(t, c.asked, asked, c.name)
	}
	var inner *auth.Principal
	h2 := base.Wrap(other.WrapFunc(func(_ http.ResponseWriter, r *http.Request) { inner, _ = auth.FromContext(r.Context()) }))
	serve(h2, from("GET", "/", "Authorization", "Bearer "+session, "X-API-Key", key))
	require.Equal(t, auth.KindAPIKey, inner.Credential.Kind, "and replaces the principal")
	require.Equal(t, 401, serve(base.WrapFunc(hello), from("GET", "/").WithContext(auth.NewContext(t.Context(), alice()))).Code,
		"what no guard vouched for is not believed")
}

func TestContract08SecretsRedactThemselves(t *testing.T) {
	h := newHouse(t)
	grant, err := h.sessions.Issue(t.Context(), alice(), nil)
	require.NoError(t, err)
	token := grant.Token.Reveal()
	var told strings.Builder
	slog.New(slog.NewJSONHandler(&told, nil)).Info("login", "grant", grant, "token", grant.Token)
	slog.New(slog.NewTextHandler(&told, nil)).Info("login", "grant", grant, "token", grant.Token)
	_, _ = fmt.Fprintf(&told, "%v %+v %#v %s %q %x", *grant, *grant, *grant, grant.Token, grant.Token, grant.Token)
	require.NotContains(t, told.String(), token)
	require.NotContains(t, told.String(), fmt.Sprintf("%x", token))
	require.Contains(t, told.String(), "[redacted]")
	// The scan over a whole story is TestNothingThatIsToldHoldsASecret.
}

func TestContract09EverythingUntrustedIsBounded(t *testing.T) {
	h := newHouse(t)
	guard := auth.NewGuard(auth.First(auth.Bearer(h.tokens, h.sessions, h.keys), auth.Header("X-API-Key", h.keys), auth.JSONField("api_key", h.keys)), nil)
	key := h.key(t)

	for _, size := range []int64{-1, 1 << 20} { // chunked, and with its length
		body := &counted{Reader: strings.NewReader(`{"api_key":"` + key + `","x":"` + strings.Repeat("x", 1<<20) + `"}`)}
		r := sending("POST", "/", "")
		r.Body, r.ContentLength = body, size
		require.Equal(t, 413, serve(guard.WrapFunc(hello), r).Code)
		require.LessOrEqual(t, body.n, 64<<10+1, "bytes read of a body of a megabyte")
	}
	text := `{"api_key":"` + key + `"}`
	echo := guard.WrapFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	require.Equal(t, text, serve(echo, sending("POST", "/", text)).Body.String(), "the body is put back")
	require.Equal(t, 400, serve(echo, sending("POST", "/", strings.Repeat(`{"x":`, 5000)+"1"+strings.Repeat("}", 5000))).Code, "and its depth")

	h.store.fail(errOutage) // a look-up would be a 503
	for _, long := range []string{strings.Repeat("a", 1<<20), strings.Repeat("a", 70_000) + ".b.c", strings.Repeat(".", 1<<20), "acme_" + strings.Repeat("0", 1<<20)} {
		for _, bring := range [][]string{{"Authorization", "Bearer " + long}, {"X-API-Key", long}} {
			require.Equal(t, 401, serve(guard.WrapFunc(hello), from("GET", "/", bring...)).Code, "no look-up for what is too long")
		}
	}
	require.Panics(t, func() { auth.Bearer(h.sessions, h.tokens, h.sessions) }, "forms under one source are disjoint")
	require.NotPanics(t, func() { auth.Bearer(h.sessions, h.tokens, h.keys) })
}

// counted is a body that counts what is read of it.
type counted struct {
	io.Reader
	n int
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += n
	return n, err
}

func (c *counted) Close() error { return nil }

func TestContract10Construction(t *testing.T) {
	for name, c := range map[string]struct {
		build func() error
		wrong []string // all of it in one error
	}{
		"NewSessions": {func() error {
			_, err := auth.NewSessions(nil, &auth.SessionOptions{Lifetime: -1, Idle: -1, Limit: -1, Form: auth.Form{New: func() string { return "same" }}})
			return err
		}, []string{"no store", "lifetime -1ns", "idle time -1ns", "limit -1", "form"}},
		"NewAPIKeys": {func() error {
			_, err := auth.NewAPIKeys(nil, "1_bad prefix", nil)
			return err
		}, []string{"no store", "prefix"}},
		"NewJWT": {func() error {
			_, err := auth.NewJWT("", "", nil, &auth.JWTOptions{Lifetime: -1, Leeway: time.Hour})
			return err
		}, []string{"issuer", "audience", "key set", "Lifetime", "Leeway"}},
		"NewRefresh": {func() error {
			_, err := auth.NewRefresh(nil, nil, &auth.RefreshOptions{Lifetime: -1, Grace: time.Hour})
			return err
		}, []string{"no store", "no issuer", "lifetime -1ns", "grace 1h"}},
		"NewKeys": {func() error {
			_, err := auth.NewKeys(nil, nil, nil)
			return err
		}, []string{"key 0", "key 1"}},
	} {
		err := c.build()
		require.Error(t, err, name)
		for _, wrong := range c.wrong {
			require.ErrorContains(t, err, wrong, name)
		}
	}
	v := known{}
	for name, build := range map[string]func(){
		"nil part":           func() { auth.NewGuard(nil, nil) },
		"nil verifier":       func() { auth.Bearer(nil) },
		"malformed name":     func() { auth.Header("X Key", v) },
		"overlapping forms":  func() { auth.Bearer(&prefixed{prefix: "a"}, &prefixed{prefix: "a"}) },
		"cookie ahead":       func() { auth.First(auth.Cookie("__Host-s", v, nil), auth.Bearer(v)) },
		"cookie's bare name": func() { auth.Cookie("s", v, nil) },
	} {
		require.Panics(t, build, name)
	}
	authtest.At(t, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), func(t *testing.T) {
		g, err := newHouse(t).tokens.Issue(t.Context(), alice(), nil)
		require.NoError(t, err)
		require.Equal(t, 2030, g.Principal.Credential.Created.Year(), "time is injected")
	})
}
