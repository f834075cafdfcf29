package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/examples/internal/demotest"
)

func TestMain(m *testing.M) { os.Exit(demotest.Main(m)) }

func TestREADME(t *testing.T) { demotest.Start(t).RunREADME(t) }

const (
	authenticate = "/api/v1/authenticate"
	transact     = "/api/v1/transactions"
	status       = "/api/v1/session-status"

	query = `{"exchange":"bybit","transaction_types":["deposits","withdrawals"]}`
	uuid  = `^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`
)

func TestLines(t *testing.T) {
	p := demotest.Start(t)
	require.Equal(t, []string{
		"base_url", "api_key", "basic_api_key", "disabled_api_key", "expired_session", "ready",
	}, p.Names)
	p.RequireLines(t)
}

func TestEndsOnInterrupt(t *testing.T) { demotest.Start(t).Stop(syscall.SIGINT) }

type session struct {
	Token     string `json:"session_token"`
	UserID    string `json:"user_id"`
	ExpiresAt int64  `json:"expires_at"`
}

func login(t testing.TB, p *demotest.Program, key, tier string) (s session) {
	a := p.Do(t, "POST", authenticate, `{"api_key":"`+key+`"}`)
	a.RequireSecret(t)
	a.Require(t, http.StatusOK, `{"success":true,"message":"Authenticated successfully as `+tier+
		` user","session_token":"…","user_id":"…","user_tier":"`+tier+`","expires_at":…}`)
	require.NoError(t, json.Unmarshal([]byte(a.Body), &s))
	a.Require(t, http.StatusOK, fmt.Sprintf(`{"success":true,"message":"…","session_token":"%s","user_id":"%s","user_tier":"%s","expires_at":%d}`,
		s.Token, s.UserID, tier, s.ExpiresAt)) // these members and no others
	require.Regexp(t, uuid, s.Token)
	require.Regexp(t, uuid, s.UserID)
	return s
}

func bearer(token string) string { return "Authorization: Bearer " + token }

func TestAKeyBecomesASession(t *testing.T) {
	p := demotest.Start(t)
	premium := login(t, p, p.Values["api_key"], "premium")
	again := login(t, p, p.Values["api_key"], "premium")
	basic := login(t, p, p.Values["basic_api_key"], "basic")
	require.Equal(t, premium.UserID, again.UserID)
	require.NotEqual(t, premium.UserID, basic.UserID)
	require.NotEqual(t, premium.Token, again.Token)
	require.NotEqual(t, premium.Token, p.Values["expired_session"])

	// A login never ends the caller's other sessions.
	for _, s := range []session{premium, again, basic} {
		p.Do(t, "POST", transact, query, bearer(s.Token)).Require(t, http.StatusOK,
			`{"exchange":"bybit","success":true,"transaction_types":["deposits","withdrawals"],"transactions":[],"user_id":"`+s.UserID+`"}`)
	}
}

// All 128 bits of a session token are random: no digit is always the same.
func TestSessionTokensHaveNoVersion(t *testing.T) {
	p := demotest.Start(t)
	seen := map[int]map[byte]bool{}
	for range 64 {
		token := login(t, p, p.Values["api_key"], "premium").Token
		for i := range len(token) {
			if seen[i] == nil {
				seen[i] = map[byte]bool{}
			}
			seen[i][token[i]] = true
		}
	}
	for i, digits := range seen {
		if digits['-'] {
			require.Len(t, digits, 1)
			continue
		}
		require.Greater(t, len(digits), 4, "digit %d", i) // 64 draws of 16 miss by 1e-35
	}
}

func TestSessionStatus(t *testing.T) {
	p := demotest.Start(t)
	before := time.Now().UnixMilli()
	s := login(t, p, p.Values["api_key"], "premium")
	after := time.Now().UnixMilli()
	created := s.ExpiresAt - (24 * time.Hour).Milliseconds()
	require.GreaterOrEqual(t, created, before)
	require.LessOrEqual(t, created, after)

	p.Do(t, "GET", status, "", bearer(s.Token)).Require(t, http.StatusOK, fmt.Sprintf(
		`{"authenticated":true,"user_id":"%s","user_tier":"premium","expires_at":%d,"created_at":%d,"message":"Session is valid"}`,
		s.UserID, s.ExpiresAt, created))

	for name, fields := range map[string][]string{
		"absent":            {},
		"another scheme":    {"Authorization: Basic cXVhbnQ6Y2l0ZQ=="},
		"empty":             {"Authorization: Bearer "},
		"unknown":           {bearer("00000000-0000-4000-8000-000000000000")},
		"expired":           {bearer(p.Values["expired_session"])},
		"of another shape":  {bearer("x")},
		"upper case":        {bearer(strings.ToUpper(s.Token))},
		"an API key":        {bearer(p.Values["api_key"])},
		"one digit missing": {bearer(s.Token[1:])},
	} {
		t.Run(name, func(t *testing.T) {
			p.Do(t, "GET", status, "", fields...).Require(t, http.StatusUnauthorized,
				`{"authenticated":false,"message":"Invalid or expired session token"}`)
		})
	}
}

func TestErrors(t *testing.T) {
	p := demotest.Start(t)
	key := p.Values["api_key"]
	s := login(t, p, key, "premium")
	refused := func(t *testing.T, a demotest.Answer, status int, code string) {
		t.Helper()
		a.Require(t, status, `{"success":false,"error":"`+code+`","message":"…"}`)
		var members map[string]any
		require.NoError(t, json.Unmarshal([]byte(a.Body), &members))
		require.Len(t, members, 3, "these members and no others")
	}

	for name, body := range map[string]string{
		"no body":           "",
		"absent":            `{}`,
		"in another case":   `{"API_KEY":"` + key + `"}`,
		"empty":             `{"api_key":""}`,
		"null":              `{"api_key":null}`,
		"a number":          `{"api_key":1}`,
		"an array":          `{"api_key":["` + key + `"]}`,
		"an object":         `{"api_key":{"api_key":"` + key + `"}}`,
		"twice":             `{"api_key":"` + key + `","api_key":"` + key + `"}`,
		"not an object":     `"` + key + `"`,
		"a list of objects": `[{"api_key":"` + key + `"}]`,
		"null body":         `null`,
		"two objects":       `{"api_key":"` + key + `"}{}`,
		"cut off":           `{"api_key":"` + key,
		"no JSON":           `api_key=` + key,
	} {
		t.Run("missing_api_key, "+name, func(t *testing.T) {
			refused(t, p.Do(t, "POST", authenticate, body), http.StatusBadRequest, "missing_api_key")
		})
	}
	t.Run("missing_api_key, a form", func(t *testing.T) {
		refused(t, p.Do(t, "POST", authenticate, "api_key="+key, "Content-Type: application/x-www-form-urlencoded"),
			http.StatusBadRequest, "missing_api_key")
	})

	last := "0"
	if strings.HasSuffix(key, last) {
		last = "1"
	}
	for name, bad := range map[string]string{
		"unknown":          "x",
		"mistyped":         key[:len(key)-1] + last,
		"longer":           key + "0",
		"a session":        s.Token,
		"with a line feed": key + `\n`,
	} {
		t.Run("invalid_api_key, "+name, func(t *testing.T) {
			refused(t, p.Do(t, "POST", authenticate, `{"api_key":"`+bad+`"}`), http.StatusUnauthorized, "invalid_api_key")
		})
	}
	refused(t, p.Do(t, "POST", authenticate, `{"api_key":"`+p.Values["disabled_api_key"]+`"}`),
		http.StatusUnauthorized, "api_key_disabled")

	t.Run("a protected route", func(t *testing.T) {
		for name, c := range map[string]struct{ field, code string }{
			"no header":      {"X-None: ", "missing_authorization"},
			"another scheme": {"Authorization: Basic cXVhbnQ6Y2l0ZQ==", "missing_authorization"},
			"unknown":        {bearer("00000000-0000-4000-8000-000000000000"), "invalid_session"},
			"another shape":  {bearer("x"), "invalid_session"},
			"an API key":     {bearer(key), "invalid_session"},
			"expired":        {bearer(p.Values["expired_session"]), "session_expired"},
		} {
			t.Run(name, func(t *testing.T) {
				refused(t, p.Do(t, "POST", transact, query, c.field), http.StatusUnauthorized, c.code)
			})
		}
	})

	t.Run("a body that is not the query", func(t *testing.T) {
		for _, body := range []string{``, `null`, `[]`, `"x"`, `{"exchange":1}`, `{"transaction_types":"deposits"}`, `{"exchange":"x"}}`, `{`} {
			refused(t, p.Do(t, "POST", transact, body, bearer(s.Token)), http.StatusBadRequest, "invalid_request")
		}
	})
	t.Run("a body over 1 MiB", func(t *testing.T) {
		large := `{"exchange":"` + strings.Repeat("x", 1<<20) + `"}`
		refused(t, p.Do(t, "POST", transact, large, bearer(s.Token)), http.StatusRequestEntityTooLarge, "content_too_large")
		large = `{"api_key":"` + key + `","x":"` + strings.Repeat("x", 1<<20) + `"}`
		refused(t, p.Do(t, "POST", authenticate, large), http.StatusRequestEntityTooLarge, "content_too_large")
	})
}

func TestAnyHeaderCase(t *testing.T) {
	p := demotest.Start(t)
	s := login(t, p, p.Values["api_key"], "premium")
	for _, field := range []string{"authorization: bearer ", "AUTHORIZATION: BEARER ", "aUTHORIZATION: Bearer   "} {
		require.Equal(t, http.StatusOK, p.Do(t, "GET", status, "", field+s.Token).Status, field)
	}
}
