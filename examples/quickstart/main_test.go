package main

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/examples/internal/demotest"
)

func TestMain(m *testing.M) { os.Exit(demotest.Main(m)) }

func TestREADME(t *testing.T) { demotest.Start(t).RunREADME(t) }

func TestLines(t *testing.T) {
	p := demotest.Start(t)
	require.Equal(t, []string{"base_url", "email", "password", "api_key", "ready"}, p.Names)
	p.RequireLines(t)
}

func TestEndsOnInterrupt(t *testing.T) { demotest.Start(t).Stop(syscall.SIGINT) }

func credentials(email, password string) string {
	body, _ := json.Marshal(map[string]string{"email": email, "password": password})
	return string(body)
}

func TestBadLogins(t *testing.T) {
	p := demotest.Start(t)
	email, password := p.Values["email"], p.Values["password"]
	for _, path := range []string{"/login", "/web/login"} {
		wrong := p.Do(t, "POST", path, credentials(email, password+"x"))
		require.Equal(t, http.StatusUnauthorized, wrong.Status)
		unknown := p.Do(t, "POST", path, credentials("nobody@example.com", password))
		wrong.Header.Del("Date")
		unknown.Header.Del("Date")
		require.Equal(t, wrong, unknown)

		for _, body := range []string{"", `{}`, `[]`, `null`, `{"email":"` + email + `","password":1}`} {
			require.Equal(t, http.StatusBadRequest, p.Do(t, "POST", path, body).Status, body)
		}
		large := `{"x":"` + strings.Repeat("x", 1<<20) + `"}`
		require.Equal(t, http.StatusRequestEntityTooLarge, p.Do(t, "POST", path, large).Status)
		require.Equal(t, http.StatusMethodNotAllowed, p.Do(t, "GET", path, "").Status)
	}
}

// cookie logs a browser in and returns the Cookie field it sends from then on.
func cookie(t *testing.T, p *demotest.Program, fields ...string) string {
	a := p.Do(t, "POST", "/web/login", credentials(p.Values["email"], p.Values["password"]), fields...)
	a.RequireSecret(t)
	set, err := http.ParseSetCookie(a.Header.Get("Set-Cookie"))
	require.NoError(t, err)
	require.True(t, set.Secure && set.HttpOnly && set.Path == "/" && set.Domain == "" && set.SameSite == http.SameSiteLaxMode)
	require.NotContains(t, a.Body, set.Value, "the cookie's value is for the cookie alone")
	return "Cookie: " + set.Name + "=" + set.Value
}

func TestSessions(t *testing.T) {
	p := demotest.Start(t)
	status := func(fields ...string) int { return p.Do(t, "GET", "/reports", "", fields...).Status }
	phone, laptop := cookie(t, p), cookie(t, p)
	require.Equal(t, 200, status(phone), "a login on another device ends no session")

	again := cookie(t, p, laptop)
	require.Equal(t, 401, status(laptop), "a login ends the session that the same browser had")
	require.Equal(t, 200, status(again))

	require.Equal(t, 403, p.Do(t, "POST", "/sign-out", "", again, "Sec-Fetch-Site: cross-site").Status)
	require.Equal(t, 200, status(again), "another site signs nobody out")
	require.Equal(t, 204, p.Do(t, "POST", "/sign-out", "", again).Status)
	require.Equal(t, 401, status(again))
	require.Equal(t, 200, status(phone), "a sign-out ends one session")
	require.Equal(t, 405, p.Do(t, "GET", "/sign-out", "", phone).Status)
}

func TestTokensAndKeys(t *testing.T) {
	p := demotest.Start(t)
	a := p.Do(t, "POST", "/login", credentials(p.Values["email"], p.Values["password"]))
	a.RequireSecret(t)
	var v struct {
		Token string `json:"access_token"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.Body), &v))
	token, key := "Authorization: Bearer "+v.Token, "X-API-Key: "+p.Values["api_key"]

	p.Do(t, "POST", "/keys/rotate", "", token).Require(t, http.StatusForbidden, `{…"code":"forbidden"}`)
	rotated := p.Do(t, "POST", "/keys/rotate", "", key)
	rotated.RequireSecret(t)
	var next struct {
		Key string `json:"api_key"`
	}
	require.NoError(t, json.Unmarshal([]byte(rotated.Body), &next))
	for _, field := range []string{key, "X-API-Key: " + next.Key, token} {
		require.Equal(t, http.StatusOK, p.Do(t, "GET", "/reports", "", field).Status)
	}

	// A key is ended by its operator, not by a sign-out.
	p.Do(t, "POST", "/sign-out", "", key).Require(t, http.StatusForbidden, `{…"code":"forbidden"}`)
	require.Equal(t, http.StatusOK, p.Do(t, "GET", "/reports", "", key).Status)

	p.Do(t, "POST", "/sign-out", "", token).Require(t, http.StatusNoContent, "")
	p.Do(t, "GET", "/reports", "", token).Require(t, http.StatusUnauthorized, `{…"code":"revoked_credential"}`)
}
