package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

const planted = "planted-Xq7Rk2Vw9"

// shapes are the ways in which a secret ends up in what somebody prints.
func shapes() map[string]any {
	s := auth.NewSecret(planted)
	type deep struct {
		Shown  auth.Secret
		hidden auth.Secret
	}
	return map[string]any{
		"value": s, "pointer": &s, "slice": []auth.Secret{s}, "array": [1]auth.Secret{s}, "map": map[string]auth.Secret{"k": s},
		"key": map[auth.Secret]int{s: 1}, "any": []any{s, &s}, "struct": deep{s, s}, "to struct": &deep{s, s},
		"nested": []map[string]*deep{{"k": {s, s}}}, "embedded": struct{ auth.Secret }{s}, "hidden": struct{ secret auth.Secret }{s},
		"hidden pointer": struct{ secret *auth.Secret }{&s}, "hidden any": struct{ secret any }{s},
		"grant": auth.Grant{Token: s, RefreshToken: s, Principal: alice()},
	}
}

// notTelling fails where text holds a secret, as it is, hexadecimal, or quoted.
func notTelling(t testing.TB, text string, about ...any) {
	t.Helper()
	for _, form := range []string{planted, fmt.Sprintf("%x", planted), fmt.Sprintf("%X", planted), fmt.Sprintf("% x", planted), fmt.Sprint([]byte(planted))} {
		require.NotContains(t, text, form, about...)
	}
}

func TestSecretRedactsItselfInEveryVerb(t *testing.T) {
	const verbs = "vTtbcdoOqxXUeEfFgGspw"
	for name, value := range shapes() {
		for _, flags := range []string{"", "+", "#", " ", "0", "-", "+#", "# ", "40", "-40.3", ".2", "#.3"} {
			for _, verb := range verbs {
				format := "%" + flags + string(verb)
				notTelling(t, fmt.Sprintf(format, value), "%s %s", name, format)
			}
		}
		notTelling(t, fmt.Sprint(value)+fmt.Sprintln(value)+fmt.Errorf("%v", value).Error(), name)
	}
	s := auth.NewSecret(planted)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s", "%.3s"} {
		require.Equal(t, "[redacted]", fmt.Sprintf(format, s), format)
		require.Equal(t, "[redacted]", fmt.Sprintf(format, &s), format)
	}
	require.Regexp(t, "0x[0-9a-f]+", fmt.Sprintf("%p", &s), "fmt asks nobody for %p, so a Secret must hold no text itself")
	require.Equal(t, "[redacted]", s.String())
}

func TestSecretRedactsItselfInLogsAndJSON(t *testing.T) {
	for name, value := range shapes() {
		var log bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
			slog.New(h).With("with", value).Info("message", "value", value, slog.Group("group", "value", value))
		}
		notTelling(t, log.String(), name)
		if text, err := json.Marshal(value); err == nil {
			notTelling(t, string(text), name)
		}
	}
	text, err := json.Marshal(map[string]auth.Secret{"token": auth.NewSecret(planted)})
	require.NoError(t, err)
	require.Equal(t, `{"token":"[redacted]"}`, string(text))
}

func TestSecretTellsWhenAsked(t *testing.T) {
	require.Equal(t, planted, auth.NewSecret(planted).Reveal())
	require.False(t, auth.NewSecret(planted).IsZero())
	require.True(t, auth.NewSecret("").IsZero())
	require.Empty(t, auth.Secret{}.Reveal())
	require.Equal(t, auth.Secret{}, auth.NewSecret(""))
	require.Equal(t, "[redacted]", auth.Secret{}.String(), "whether there is one is not told either")
}

// A scan collects all that is told about requests, to be searched for secrets.
type scan struct {
	bytes.Buffer
	secrets []string
}

func (s *scan) options() *auth.GuardOptions {
	text := auth.LogTo(slog.New(slog.NewTextHandler(s, &slog.HandlerOptions{Level: slog.LevelDebug})))
	structured := auth.LogTo(slog.New(slog.NewJSONHandler(s, &slog.HandlerOptions{Level: slog.LevelDebug})))
	o, _ := watched(auth.GuardOptions{})
	o.Observe = func(ctx context.Context, e auth.Event) {
		text(ctx, e)
		structured(ctx, e)
		for err := range unwrapped(e.Err) {
			_, _ = fmt.Fprintf(s, "%v %+v %#v\n", err, err, err)
		}
		_, _ = fmt.Fprintf(s, "%v %+v %#v\n", e, e, e)
	}
	return o
}

// plant remembers a secret and returns it.
func (s *scan) plant(secret string) string {
	s.secrets = append(s.secrets, secret)
	return secret
}

// told returns what tells of a secret: any twelve characters of it on end.
func (s *scan) told() (leaks []string) {
	text := s.String()
	for _, secret := range s.secrets {
		for i := 0; i+12 <= len(secret); i++ {
			if part := secret[i : i+12]; strings.Contains(text, part) {
				leaks = append(leaks, part)
			}
		}
	}
	return leaks
}

// Row 96 and contract 8: secrets planted into logins, refusals, exchanges and
// outages; none comes back in a log line, an event, an error, a principal, or
// the body of a refusal.
func TestNothingThatIsToldHoldsASecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, s := newHouse(t), &scan{}
		o := s.options()
		refresh, err := auth.NewRefresh(h.store, h.tokens, nil)
		require.NoError(t, err)
		cookie := auth.Cookie("__Host-s", h.sessions, nil)
		everything := auth.NewGuard(auth.First(auth.Bearer(h.tokens, h.sessions, h.keys), auth.Header("X-API-Key", h.keys), cookie), o)
		byKey := auth.NewGuard(auth.JSONField("api_key", h.keys), o)
		again := auth.NewGuard(auth.JSONField("refresh_token", refresh), o)

		run := func(status int, h http.Handler, r *http.Request) (token, more string) {
			t.Helper()
			w := serve(h, r)
			require.Equal(t, status, w.Code, w.Body)
			if w.Code != http.StatusOK {
				_, _ = fmt.Fprintln(s, w.Header(), w.Body)
			}
			var pair struct{ Access_token, Refresh_token string }
			_ = json.Unmarshal(w.Body.Bytes(), &pair)
			for _, set := range w.Result().Cookies() {
				pair.Access_token = set.Value
			}
			return s.plant(pair.Access_token), s.plant(pair.Refresh_token)
		}
		protected := everything.WrapFunc(func(_ http.ResponseWriter, r *http.Request) {
			p, _ := auth.FromContext(r.Context())
			_, _ = fmt.Fprintf(s, "%v %+v %#v %v\n", p, p, *p, r.Context())
		})
		bearer := func(token string) []string { return []string{"Authorization", "Bearer " + token} }
		member := func(name, text string) *http.Request { return sending("POST", "/", fmt.Sprintf(`{%q:%q}`, name, text)) }

		key := s.plant(h.key(t))
		for _, issuer := range []auth.Issuer{h.tokens, h.sessions, refresh, cookie} {
			token, spent := run(200, byKey.Exchange(issuer), member("api_key", key))
			bring := bearer(token)
			if issuer == auth.Issuer(cookie) {
				bring = []string{"Cookie", "__Host-s=" + token}
			}
			run(200, protected, from("GET", "/", bring...))
			run(403, everything.With(auth.Scope("none")).WrapFunc(hello), from("GET", "/", bring...))
			if spent != "" {
				run(200, again.Exchange(refresh), member("refresh_token", spent))
				authtest.Advance(time.Minute)
				run(401, again.Exchange(refresh), member("refresh_token", spent))
			}
			h.store.fail(errOutage)
			run(503, byKey.Exchange(issuer), member("api_key", key))
			h.store.fail(nil)
		}
		run(200, protected, from("GET", "/", "X-API-Key", key))
		run(401, protected, from("GET", "/", "X-API-Key", s.plant(key[:len(key)-1]+"!")))
		run(401, protected, from("GET", "/", "X-API-Key", s.plant("acme_"+planted)))
		run(401, protected, from("GET", "/", bearer(s.plant(planted+".payload-of-a-token.signature-of-it"))...))
		run(400, protected, from("GET", "/", append(bearer(planted), bearer(key)...)...))
		run(400, protected, from("GET", "/", "Cookie", "__Host-s="+planted+"; __Host-s="+planted))
		run(403, protected, from("POST", "/", "Cookie", "__Host-s="+planted, "Sec-Fetch-Site", "cross-site"))
		run(403, protected, beyond(from("GET", "/", bearer(planted)...)))
		for _, body := range []string{`{"api_key":"` + planted, `{"api_key":["` + planted + `"]}`, `{"` + planted + `":1,"` + planted + `":2}`, planted} {
			run(400, byKey.Exchange(h.sessions), sending("POST", "/", body))
		}
		run(400, byKey.Exchange(h.sessions), sending("POST", "/", "{}", "Content-Type", "application/json; "+planted))
		token, _ := run(200, byKey.Exchange(h.sessions), member("api_key", key))
		run(204, everything.SignOut(h.sessions, h.tokens, cookie), from("POST", "/", bearer(token)...))
		run(401, protected, from("GET", "/", bearer(token)...))

		require.NoError(t, h.keys.Revoke(t.Context(), h.keyID(t)))
		run(401, protected, from("GET", "/", "X-API-Key", key))
		require.Greater(t, s.Len(), 10_000, "there is something to scan")
		require.Empty(t, s.told())

		_, _ = io.WriteString(s, key)
		require.NotEmpty(t, s.told(), "the scan finds what is there")
	})
}
