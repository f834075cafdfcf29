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
	require.Equal(t, []string{
		"base_url", "email", "password", "api_key", "revoked_api_key", "jwt_secret", "ready",
	}, p.Names)
	p.RequireLines(t)
}

func TestEndsOnInterrupt(t *testing.T) { demotest.Start(t).Stop(syscall.SIGINT) }

const (
	loginPath = "/api/Account/login"
	dataPath  = "/api/data/prices"
)

func credentials(email, password string) string {
	body, _ := json.Marshal(map[string]string{"email": email, "password": password})
	return string(body)
}

// login returns a token.
func login(t *testing.T, p *demotest.Program) string {
	a := p.Do(t, "POST", loginPath, credentials(p.Values["email"], p.Values["password"]))
	a.RequireSecret(t)
	var v struct{ Token string }
	require.NoError(t, json.Unmarshal([]byte(a.Body), &v))
	a.Require(t, http.StatusOK, `{"token":"`+v.Token+`","user":{"id":1001,"email":"ada@example.com","name":"Ada"}}`)
	return v.Token
}

const (
	byToken = `{"authenticated":"jwt","endpoint":"prices","user":{"id":1001}}`
	byKey   = `{"authenticated":"api_key","endpoint":"prices","user":{"id":1001}}`
)

func TestALoginOpensTheData(t *testing.T) {
	p := demotest.Start(t)
	first, second := login(t, p), login(t, p)
	require.NotEqual(t, first, second)
	for _, token := range []string{first, second} { // neither login ended the other
		for _, field := range []string{"Authorization: Bearer ", "authorization: bearer ", "AUTHORIZATION: BEARER "} {
			p.Do(t, "GET", dataPath, "", field+token).Require(t, http.StatusOK, byToken)
		}
	}
}

func TestAKeyOpensTheData(t *testing.T) {
	p := demotest.Start(t)
	for _, name := range []string{"X-API-Key", "x-api-key", "X-Api-Key", "x-API-kEY"} {
		p.Do(t, "GET", dataPath, "", name+": "+p.Values["api_key"]).Require(t, http.StatusOK, byKey)
	}
}

func TestBadLogins(t *testing.T) {
	p := demotest.Start(t)
	email, password := p.Values["email"], p.Values["password"]

	t.Run("a wrong password and an unknown user get the same 401", func(t *testing.T) {
		wrong := p.Do(t, "POST", loginPath, credentials(email, password+"x"))
		require.Equal(t, http.StatusUnauthorized, wrong.Status)
		wrong.Header.Del("Date")
		for _, body := range []string{
			credentials("nobody@example.com", password),
			credentials("no address", password),
			credentials(email, strings.Repeat("x", 2000)),
			credentials(email, strings.ToLower(password)),
		} {
			other := p.Do(t, "POST", loginPath, body)
			other.Header.Del("Date")
			require.Equal(t, wrong, other, body)
		}
	})

	for name, body := range map[string]string{
		"no body":         "",
		"no members":      `{}`,
		"one member":      `{"email":"` + email + `"}`,
		"a wrong type":    `{"email":"` + email + `","password":1}`,
		"a null":          `{"email":null,"password":"` + password + `"}`,
		"another case":    `{"Email":"` + email + `","Password":"` + password + `"}`,
		"a member twice":  `{"email":"` + email + `","password":"x","password":"` + password + `"}`,
		"an array":        `[` + credentials(email, password) + `]`,
		"two objects":     credentials(email, password) + `{}`,
		"cut off":         strings.TrimSuffix(credentials(email, password), "}"),
		"no JSON":         "email=" + email,
		"null for a body": "null",
	} {
		t.Run(name+" is 400", func(t *testing.T) {
			require.Equal(t, http.StatusBadRequest, p.Do(t, "POST", loginPath, body).Status)
		})
	}
	t.Run("a body over 1 MiB is 413", func(t *testing.T) {
		large := `{"x":"` + strings.Repeat("x", 1<<20) + `","email":"` + email + `","password":"` + password + `"}`
		require.Equal(t, http.StatusRequestEntityTooLarge, p.Do(t, "POST", loginPath, large).Status)
	})
}

func TestBadCredentials(t *testing.T) {
	p := demotest.Start(t)
	good := "X-API-Key: " + p.Values["api_key"]
	for name, fields := range map[string][]string{
		"none":                     {},
		"a revoked key":            {"X-API-Key: " + p.Values["revoked_api_key"]},
		"a mistyped key":           {good[:len(good)-1] + "?"},
		"a cut off key":            {good[:len(good)-1]},
		"a key as a token":         {"Authorization: Bearer " + p.Values["api_key"]},
		"a token as a key":         {"X-API-Key: " + login(t, p)},
		"another scheme":           {"Authorization: Basic YWRhOmFkYQ=="},
		"a bad token, a good key":  {"Authorization: Bearer x", good},
		"a revoked key and no way": {"X-API-Key: " + p.Values["revoked_api_key"], "Authorization: Basic YWRhOmFkYQ=="},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, http.StatusUnauthorized, p.Do(t, "GET", dataPath, "", fields...).Status)
		})
	}
	for _, fields := range [][]string{{good, good}, {"Authorization: Bearer x", "Authorization: Bearer y"}} {
		require.Equal(t, http.StatusBadRequest, p.Do(t, "GET", dataPath, "", fields...).Status)
	}
	require.Equal(t, http.StatusUnauthorized, p.Do(t, "GET", dataPath+"?api_key="+p.Values["api_key"], "").Status)
}

func TestNoThrottle(t *testing.T) {
	p := demotest.Start(t)
	token := login(t, p)
	head, _, _ := strings.Cut(token, ".")
	for range 300 {
		for _, bad := range []string{"x", "a.b.c", head + ".e30.AAAA", token[:len(token)-4]} {
			require.Equal(t, http.StatusUnauthorized, p.Do(t, "GET", dataPath, "", "Authorization: Bearer "+bad).Status)
		}
	}
	p.Do(t, "GET", dataPath, "", "Authorization: Bearer "+token).Require(t, http.StatusOK, byToken)

	wrong := func() int { return p.Do(t, "POST", loginPath, credentials("ada@example.com", "x")).Status }
	for range 30 { // nor do a login's failures lock anybody out
		require.Equal(t, http.StatusUnauthorized, wrong())
	}
	login(t, p)
}
