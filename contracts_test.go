package auth_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

// The ten contracts of docs/design.md, a test each, with the real parts; what
// is said there in a sentence is a step here. The tests of each file go deeper.

// downKeys is a key set whose server cannot be reached.
type downKeys struct{ auth.KeySet }

func (downKeys) Lookup(context.Context, string, auth.Algorithm) ([]*auth.Key, error) {
	return nil, errOutage
}

func TestContract01OutcomesAreNeverConfused(t *testing.T) {
	h := newHouse(t)
	cookie := auth.Cookie("__Host-s", h.sessions, nil)
	guard := auth.NewGuard(auth.First(auth.Bearer(h.tokens, h.sessions), auth.Header("X-API-Key", h.keys), cookie), nil)
	mux := http.NewServeMux()
	mux.Handle("/", guard.WrapFunc(hello))
	mux.Handle("/optional", guard.Optional().WrapFunc(hello))
	mux.Handle("/out", guard.SignOut(cookie))
	unreachable, err := auth.NewJWT("https://issuer.example", "api", downKeys{h.signing}, nil)
	require.NoError(t, err)
	mux.Handle("/unreachable", auth.NewGuard(auth.First(auth.Bearer(unreachable), cookie), nil).WrapFunc(hello))
	server := protocols["HTTP/1.1"](t, mux)

	token, session, key := open(t, h.tokens), open(t, h.sessions), h.key(t)
	revoked := open(t, h.tokens)
	p, err := h.tokens.Verify(t.Context(), revoked)
	require.NoError(t, err)
	require.NoError(t, h.tokens.Revoke(t.Context(), p))
	const bearer, apiKey, jar = "Authorization", "X-API-Key", "Cookie"
	unknown := auth.TokenForm("").New()

	for _, c := range []struct {
		name   string
		bring  []string
		down   bool
		status int
		path   string
	}{
		{"nothing presented", nil, false, 401, "/"},
		{"nothing presented, optional", nil, false, 200, "/optional"},
		{"an empty field counts as nothing", []string{bearer, "", apiKey, key}, false, 200, "/"},
		{"the next source may look", []string{bearer, "Basic x", apiKey, key}, false, 200, "/"},
		{"not my form: the next verifier may look", []string{bearer, "Bearer " + session}, false, 200, "/"},
		{"accepted, by the first", []string{bearer, "Bearer " + token}, false, 200, "/"},
		{"accepted, by the last", []string{jar, "__Host-s=" + session}, false, 200, "/"},
		{"rejected is final", []string{bearer, "Bearer " + unknown, apiKey, key, jar, "__Host-s=" + session}, false, 401, "/"},
		{"revoked is final", []string{bearer, "Bearer " + revoked, apiKey, key}, false, 401, "/"},
		{"what no verifier knows is rejected", []string{bearer, "Bearer " + key, apiKey, key}, false, 401, "/"},
		{"optional does not admit the rejected", []string{bearer, "Bearer " + unknown}, false, 401, "/optional"},
		{"nor what is of no known form", []string{apiKey, "x"}, false, 401, "/optional"},
		{"nor what is malformed", []string{apiKey, key, apiKey, key}, false, 400, "/optional"},
		{"store down", []string{bearer, "Bearer " + session}, true, 503, "/"},
		{"store down, optional", []string{apiKey, key}, true, 503, "/optional"},
		{"store of marks down", []string{bearer, "Bearer " + token}, true, 503, "/"},
		{"an outage never falls through", []string{bearer, "Bearer " + session, apiKey, key}, true, 503, "/"},
		{"an outage logs nobody out", []string{jar, "__Host-s=" + session}, true, 503, "/out"},
		{"key server down", []string{bearer, "Bearer " + token, jar, "__Host-s=" + session}, false, 503, "/unreachable"},
		{"and nobody was", []string{jar, "__Host-s=" + session}, false, 200, "/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.down {
				h.store.fail(errOutage)
				defer h.store.fail(nil)
			}
			method := map[string]string{"/out": "POST"}[c.path]
			answer, text := call(t, server, to(t, method, server.URL+c.path, c.bring...))
			require.Equal(t, c.status, answer.StatusCode, text)
			require.Equal(t, c.status == 401, answer.Header.Get("WWW-Authenticate") != "" && c.status != 400)
			require.Equal(t, c.status == 503, answer.Header.Get("Retry-After") != "")
			require.Empty(t, answer.Header["Set-Cookie"])
		})
	}
}

func TestContract02OneTypedError(t *testing.T) {
	h := newHouse(t)
	o, events := watched(auth.GuardOptions{})
	guard := auth.NewGuard(auth.First(auth.Header("X-API-Key", h.keys), auth.Bearer(h.sessions)), o)

	_, err := guard.Check(from("GET", "/", "Authorization", "Bearer "+auth.TokenForm("").New()))
	var f *auth.Failure
	require.ErrorAs(t, err, &f)
	require.Equal(t, auth.ErrInvalid, f.Reason)
	require.Equal(t, auth.Scheme{Name: "Bearer", In: auth.InHeader, Field: "Authorization", Kinds: []auth.Kind{auth.KindSession}}, f.Scheme,
		"a refusal knows where it came from")

	_, err = guard.Check(from("GET", "/"))
	require.ErrorAs(t, err, &f)
	require.Equal(t, auth.ErrNoCredential, f.Reason)
	require.Equal(t, "X-Api-Key", f.Scheme.Field, "nothing presented: the route's first scheme")
	require.Len(t, f.Schemes, 2)
	require.Len(t, parseChallenges(t, serve(guard.WrapFunc(hello), from("GET", "/")).Result()), 2, "with the challenges of all")

	h.store.fail(errOutage)
	w := serve(guard.WrapFunc(hello), from("GET", "/", "X-API-Key", h.keys.Form().New()))
	require.Equal(t, 503, w.Code)
	require.NotContains(t, w.Body.String(), "10.0.0.7", "the client's text is fixed")
	require.ErrorIs(t, (*events)[len(*events)-1].Err, errOutage, "the cause goes to the log")
	h.store.fail(nil)

	login := auth.NewGuard(auth.JSONField("api_key", h.keys), o).Exchange(h.sessions)
	require.Equal(t, 400, serve(login, sending("POST", "/", `{}`)).Code, "nothing in a body is 400")
	require.Equal(t, 401, serve(guard.WrapFunc(hello), from("GET", "/")).Code, "elsewhere 401")

	session := open(t, h.sessions, "read")
	scoped := serve(guard.With(auth.Scope("read", "write")).WrapFunc(hello), from("GET", "/", "Authorization", "Bearer "+session))
	challenge := parseChallenges(t, scoped.Result())[1].params
	require.Equal(t, []string{"insufficient_scope", "read write"}, []string{challenge["error"], challenge["scope"]})

	teapot := &auth.Format{Error: func(f *auth.Failure) any { return map[string]int{"status": 200, "code": 200} }}
	dialect := auth.NewGuard(auth.Bearer(h.sessions), &auth.GuardOptions{Format: teapot})
	require.Equal(t, 401, serve(dialect.WrapFunc(hello), from("GET", "/")).Code, "a format never chooses the status")
}

// hs256 signs a token as anybody who holds the secret could.
func hs256(secret []byte, header, payload string) string {
	signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func TestContract03SecureUnlessTheNameSaysOtherwise(t *testing.T) {
	secret := []byte(strings.Repeat("s", 64))
	signing, err := auth.NewHMACKey("k", auth.HS256, secret)
	require.NoError(t, err)
	set, err := auth.NewKeys(signing)
	require.NoError(t, err)
	tokens, err := auth.NewJWT("https://i.example", "api", set, nil)
	require.NoError(t, err)
	for token, good := range map[string]bool{
		hs256(secret, `{"alg":"HS256","kid":"k"}`, `{"iss":"https://i.example","aud":"api","sub":"a","exp":4102444800}`):     true,
		hs256(secret, `{"alg":"HS256","kid":"k"}`, `{"iss":"https://i.example","aud":"api","sub":"a"}`):                      false,
		hs256(secret, `{"alg":"HS256","kid":"k"}`, `{"aud":"api","sub":"a","exp":4102444800}`):                               false,
		hs256(secret, `{"alg":"HS256","kid":"k"}`, `{"iss":"https://i.example","sub":"a","exp":4102444800}`):                 false,
		hs256(secret, `{"alg":"HS256","kid":"k"}`, `{"iss":"https://i.example","aud":"api","exp":4102444800}`):               false,
		hs256(secret, `{"alg":"HS512","kid":"k"}`, `{"iss":"https://i.example","aud":"api","sub":"a","exp":4102444800}`):     false,
		hs256(secret, `{"alg":"none","kid":"k"}`, `{"iss":"https://i.example","aud":"api","sub":"a","exp":4102444800}`):      false,
		hs256(nil, `{"alg":"HS256","kid":"k"}`, `{"iss":"https://i.example","aud":"api","sub":"a","exp":4102444800}`):        false,
		hs256(secret, `{"alg":"HS256","kid":"other"}`, `{"iss":"https://i.example","aud":"api","sub":"a","exp":4102444800}`): false,
	} {
		_, err := tokens.Verify(t.Context(), token)
		require.Equal(t, good, err == nil, token)
	}

	h := newHouse(t)
	session, key := open(t, h.sessions), h.key(t)
	raw, err := base64.RawURLEncoding.DecodeString(session)
	require.NoError(t, err)
	require.Len(t, raw, 32, "256 bits")
	require.Len(t, strings.ReplaceAll(auth.UUIDForm().New(), "-", ""), 32, "128 bits, in hex")

	p, err := h.sessions.Verify(t.Context(), session)
	require.NoError(t, err)
	d := auth.DigestOf(auth.KindSession, session)
	require.Equal(t, d.String(), p.Credential.ID, "the public id is the digest's text")
	_, err = h.store.Lookup(t.Context(), d)
	require.NoError(t, err, "which needs no index")
	_, err = h.sessions.Verify(t.Context(), p.Credential.ID)
	require.ErrorIs(t, err, auth.ErrInvalid, "row 13: the id has a session's form, and is none")
	require.NotEqual(t, auth.DigestOf(auth.KindAPIKey, session), d, "digests are separated by kind")
	for _, v := range []auth.Verifier{h.sessions, h.keys, h.tokens} {
		proved := 0
		for _, text := range []string{session, key, open(t, h.tokens)} {
			if _, err := v.Verify(t.Context(), text); err == nil {
				proved++
			}
		}
		require.Equal(t, 1, proved, "%T takes its own kind only", v)
	}

	require.Equal(t, 403, serve(auth.NewGuard(auth.Bearer(h.sessions), nil).WrapFunc(hello),
		beyond(from("GET", "/", "Authorization", "Bearer "+session, "X-Forwarded-Proto", "https"))).Code, "plain HTTP")

	bound, err := h.sessions.Issue(t.Context(), alice(), &auth.IssueOptions{Confirmation: "thumbprint"})
	require.NoError(t, err)
	text := bound.Token.Reveal()
	for _, source := range []auth.Authenticator{auth.Bearer(h.sessions), auth.Header("X-Key", h.sessions), auth.Cookie("__Host-s", h.sessions, nil), auth.JSONField("t", h.sessions)} {
		r := sending("POST", "/", fmt.Sprintf(`{"t":%q}`, text))
		r.Header = bringing(source, text)
		_, err := source.Authenticate(r)
		require.ErrorIs(t, err, auth.ErrInvalid, "a source without proof refuses what needs one")
	}
	require.Panics(t, func() { auth.Cookie("session", h.sessions, nil) })
	require.NotPanics(t, func() { auth.Cookie("session", h.sessions, &auth.CookieOptions{InsecureName: true}) })
}

// bringing returns the header that presents text to a source.
func bringing(source auth.Authenticator, text string) http.Header {
	switch s := source.(interface{ Schemes() []auth.Scheme }).Schemes()[0]; {
	case s.Name == "Bearer":
		return http.Header{"Authorization": {"Bearer " + text}}
	case s.In == auth.InCookie:
		return http.Header{"Cookie": {s.Field + "=" + text}}
	case s.In == auth.InHeader:
		return http.Header{s.Field: {text}}
	}
	return http.Header{}
}

func TestContract04NoUpsertEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		refresh, err := auth.NewRefresh(h.store, h.tokens, nil)
		require.NoError(t, err)
		idle, err := auth.NewSessions(h.store, &auth.SessionOptions{Idle: time.Hour})
		require.NoError(t, err)

		d, r := auth.DigestOf("test", "x"), auth.Record{Kind: "test", Revision: 7}
		require.ErrorIs(t, h.store.Replace(t.Context(), d, r), auth.ErrNotFound)
		require.NoError(t, h.store.Insert(t.Context(), d, r))
		require.ErrorIs(t, h.store.Insert(t.Context(), d, auth.Record{Kind: "test"}), auth.ErrExists)
		require.ErrorIs(t, h.store.Replace(t.Context(), d, r), auth.ErrConflict, "not the stored revision plus one")
		_, err = h.store.Take(t.Context(), d)
		require.NoError(t, err)
		_, err = h.store.Take(t.Context(), d)
		require.ErrorIs(t, err, auth.ErrNotFound)

		// A request in flight while its session ends notes the use afterwards.
		token := open(t, idle)
		authtest.Advance(30 * time.Minute)
		p, err := idle.Verify(t.Context(), token)
		require.NoError(t, err)
		require.NoError(t, idle.Revoke(t.Context(), p))
		require.NoError(t, idle.Close())
		_, err = idle.Verify(t.Context(), token)
		require.ErrorIs(t, err, auth.ErrInvalid, "it cannot bring the session back")

		pair, err := refresh.Issue(t.Context(), alice(), nil)
		require.NoError(t, err)
		first := pair.RefreshToken.Reveal()
		before := h.store.writes.Load()
		for v, text := range map[auth.Verifier]string{refresh: first, h.sessions: open(t, h.tokens), h.tokens: open(t, h.tokens), h.keys: "x"} {
			_, _ = v.Verify(t.Context(), text)
		}
		require.Equal(t, before, h.store.writes.Load(), "a verifier only reads")

		trade := func(guard *auth.Guard, token string) (status int, next string) {
			w := serve(guard.Exchange(refresh), sending("POST", "/", fmt.Sprintf(`{"refresh_token":%q}`, token)))
			_, after, _ := strings.Cut(w.Body.String(), `"refresh_token":"`)
			next, _, _ = strings.Cut(after, `"`)
			return w.Code, next
		}
		guard := auth.NewGuard(auth.JSONField("refresh_token", refresh), nil)
		status, _ := trade(guard.With(auth.Scope("none")), first)
		require.Equal(t, 403, status)
		h.store.fail(errOutage)
		status, _ = trade(guard, first)
		require.Equal(t, 503, status)
		h.store.fail(nil)
		status, second := trade(guard, first)
		require.Equal(t, 200, status, "neither a 403 nor an outage has burned it")
		_, again := trade(guard, first)
		require.Equal(t, second, again, "within the grace the same successor")
		authtest.Advance(11 * time.Second)
		status, _ = trade(guard, first)
		require.Equal(t, 401, status)
		status, _ = trade(guard, second)
		require.Equal(t, 401, status, "a replay ends the family")
	})
}
