package auth_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// presented is a credential of a house and how a request brings it.
type presented struct {
	text  string
	bring []string
	end   func(ctx context.Context, p *auth.Principal) error
}

// everything returns a guard over all that the house knows, and one credential
// of each kind and place with what ends it.
func (h *house) everything(t *testing.T) (*auth.Guard, map[string]presented) {
	t.Helper()
	cookie := auth.Cookie("__Host-s", h.sessions, nil)
	guard := auth.NewGuard(auth.First(auth.Bearer(h.tokens, h.sessions), auth.Header("X-API-Key", h.keys), cookie), nil)
	byID := func(end func(context.Context, string) error) func(context.Context, *auth.Principal) error {
		return func(ctx context.Context, p *auth.Principal) error { return end(ctx, p.Credential.ID) }
	}
	all := map[string]presented{}
	add := func(name, field, prefix, text string, end func(context.Context, *auth.Principal) error) {
		all[name] = presented{text, []string{field, prefix + text}, end}
	}
	add("session, revoked", "Authorization", "Bearer ", open(t, h.sessions), h.sessions.Revoke)
	add("session, all of the owner", "Authorization", "Bearer ", open(t, h.sessions), h.sessions.RevokeAll)
	add("cookie, revoked", "Cookie", "__Host-s=", open(t, h.sessions), cookie.Revoke)
	add("token, revoked", "Authorization", "Bearer ", open(t, h.tokens), h.tokens.Revoke)
	add("token, all of the owner", "Authorization", "Bearer ", open(t, h.tokens), h.tokens.RevokeAll)
	add("key, revoked", "X-API-Key", "", h.key(t), byID(h.keys.Revoke))
	add("key, disabled", "X-API-Key", "", h.key(t), byID(h.keys.Disable))
	return guard, all
}

// Row 22: what has been ended is refused by the next request, whatever it is
// and however warm a cache.
func TestEndedCredentialsStopAtTheNextRequest(t *testing.T) {
	_, names := newHouse(t).everything(t)
	for name := range names {
		t.Run(name, func(t *testing.T) {
			guard, all := newHouse(t).everything(t)
			c := all[name]
			server := protocols["HTTP/1.1"](t, guard.WrapFunc(hello))
			for range 2 {
				answer, _ := call(t, server, to(t, "GET", server.URL, c.bring...))
				require.Equal(t, 200, answer.StatusCode)
			}
			p, err := guard.Check(from("GET", "/", c.bring...))
			require.NoError(t, err)
			require.NoError(t, c.end(t.Context(), p))
			answer, _ := call(t, server, to(t, "GET", server.URL, c.bring...))
			require.Equal(t, 401, answer.StatusCode)
		})
	}
}

// Row 23: fixation. The token that an attacker has planted is not the one of
// the login, and dead after it.
func TestLoginNeverAdoptsASession(t *testing.T) {
	h := newHouse(t)
	cookie := auth.Cookie("__Host-s", h.sessions, nil)
	guard := auth.NewGuard(cookie, nil)
	login := auth.NewGuard(auth.Header("X-API-Key", h.keys), nil).Exchange(cookie)
	key := h.key(t)
	visible := func(token string) int {
		return serve(guard.WrapFunc(hello), from("GET", "/", "Cookie", "__Host-s="+token)).Code
	}
	for name, planted := range map[string]string{"a session of the attacker": open(t, h.sessions), "none at all": auth.TokenForm("").New(), "junk": "x"} {
		w := serve(login, from("POST", "/", "X-API-Key", key, "Cookie", "__Host-s="+planted))
		require.Equal(t, 200, w.Code, name)
		fresh := onlyCookie(t, w).Value
		require.NotEqual(t, planted, fresh, name)
		require.Equal(t, 401, visible(planted), name)
		require.Equal(t, 200, visible(fresh), name)
	}
	elsewhere := open(t, h.sessions)
	serve(login, from("POST", "/", "X-API-Key", key))
	require.Equal(t, 200, visible(elsewhere), "a login ends no session of another device")
}

// Row 11: whatever the store or the context does, nobody gets in and nobody is
// told that a credential is bad.
func TestFaultsLetNobodyIn(t *testing.T) {
	h := newHouse(t)
	guard, all := h.everything(t)
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			reached := false
			handler := guard.WrapFunc(func(http.ResponseWriter, *http.Request) { reached = true })
			for _, fault := range []error{errOutage, context.DeadlineExceeded, io.ErrUnexpectedEOF, auth.ErrConflict, auth.ErrExists} {
				h.store.fail(fault)
				w := serve(handler, from("GET", "/", c.bring...))
				h.store.fail(nil)
				require.Equal(t, 503, w.Code, "%v", fault)
				require.Equal(t, "5", w.Header().Get("Retry-After"))
				require.False(t, reached)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			w := serve(handler, from("GET", "/", c.bring...).WithContext(ctx))
			require.Contains(t, []int{200, 503}, w.Code, "a cancelled request is nobody's 401")
			require.Equal(t, w.Code == 200, reached, "a token that needs no store may be seen through")

			require.Equal(t, 200, serve(handler, from("GET", "/", c.bring...)).Code, "and afterwards all is as before")
		})
	}
}

// Row 31: no secret is compared at all. A near miss and a far one are the same
// look-up of a digest, and the same answer.
func TestNearAndFarMissesTakeTheSamePath(t *testing.T) {
	store := newTap(t)
	sessions, err := auth.NewSessions(store, nil)
	require.NoError(t, err)
	guard := auth.NewGuard(auth.Bearer(sessions), nil)
	token := open(t, sessions)
	flip := func(i int) string { // another character of the same alphabet
		c := byte('A')
		if token[i] == c {
			c = 'B'
		}
		return token[:i] + string(c) + token[i+1:]
	}
	var calls, answers []any
	for _, miss := range []string{flip(0), flip(20), flip(40), auth.TokenForm("").New()} {
		store.calls = nil
		w := serve(guard.WrapFunc(hello), from("GET", "/", "Authorization", "Bearer "+miss))
		require.Equal(t, 401, w.Code)
		calls, answers = append(calls, store.calls), append(answers, []any{w.Header(), w.Body.String()})
	}
	for i := range calls {
		require.Equal(t, []string{"Lookup"}, calls[i])
		require.Equal(t, answers[0], answers[i])
	}
}
