package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/examples/internal/demotest"
)

func TestMain(m *testing.M) { os.Exit(demotest.Main(m)) }

// each runs a test against both APIs.
func each(t *testing.T, test func(t *testing.T, p *demotest.Program)) {
	for api, args := range map[string][]string{"bitcanuck": nil, "moneyns": {"-api", "moneyns"}} {
		t.Run(api, func(t *testing.T) { test(t, demotest.Start(t, args...)) })
	}
}

func TestREADME(t *testing.T) {
	each(t, func(t *testing.T, p *demotest.Program) { p.RunREADME(t) })
}

const (
	authenticate = "/api/v1/authenticate"
	walletsPath  = "/api/v1/wallets"

	invalid = `{"error":{"code":"invalid_credential","message":"The credential is not valid."}}`
	uuid    = `^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`
)

func TestLines(t *testing.T) {
	each(t, func(t *testing.T, p *demotest.Program) {
		require.Equal(t, []string{
			"base_url", "email", "password", "platform", "platform_key", "suspended_platform", "suspended_platform_key", "ready",
		}, p.Names)
		p.RequireLines(t)
	})
}

func TestNames(t *testing.T) {
	realms := map[string]string{}
	each(t, func(t *testing.T, p *demotest.Program) {
		a := p.Do(t, "GET", walletsPath, "")
		require.Equal(t, http.StatusUnauthorized, a.Status)
		realms[t.Name()] = a.Header.Get("WWW-Authenticate")
	})
	require.Equal(t, map[string]string{"TestNames/bitcanuck": `Bearer realm="BitCanuck"`, "TestNames/moneyns": `Bearer realm="MoneyNS"`}, realms)
	require.Contains(t, demotest.RequireFailure(t, "-api", "x"), "neither bitcanuck nor moneyns")
}

// The demo's private keys are nobody else's, and gone when it ends.
func TestKeyFiles(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			p := demotest.Start(t)
			var dirs []string
			for _, name := range []string{"platform_key", "suspended_platform_key"} {
				file, err := os.Stat(p.Values[name])
				require.NoError(t, err)
				require.Equal(t, os.FileMode(0o600), file.Mode())
				dir, err := os.Stat(filepath.Dir(p.Values[name]))
				require.NoError(t, err)
				require.Equal(t, os.ModeDir|0o700, dir.Mode())
				dirs = append(dirs, filepath.Dir(p.Values[name]))
			}
			p.Stop(signal)
			for _, dir := range dirs {
				require.NoDirExists(t, dir)
			}
		})
	}
}

type session struct {
	ID      string    `json:"id"`
	UserID  string    `json:"userId"`
	Until   time.Time `json:"until"`
	Created time.Time `json:"created"`
}

// granted requires that a login was good and returns its session.
func granted(t testing.TB, a demotest.Answer) session {
	t.Helper()
	a.RequireSecret(t)
	var body struct{ Data session }
	require.NoError(t, json.Unmarshal([]byte(a.Body), &body))
	s := body.Data
	require.Equal(t, fmt.Sprintf(`{"data":{"id":"%s","userId":"%s","ttl":1209600,"until":"%s","created":"%s"}}`,
		s.ID, s.UserID, timestamp(s.Until), timestamp(s.Created)), strings.TrimSpace(a.Body), "these members and no others")
	require.Regexp(t, uuid, s.UserID)
	require.Greater(t, len(s.ID), 20)
	require.Equal(t, 14*24*time.Hour, s.Until.Sub(s.Created))
	require.WithinDuration(t, time.Now(), s.Created, demotest.Patience)
	return s
}

func TestTimestamp(t *testing.T) {
	require.Equal(t, "2020-09-18T10:48:35.753560Z", timestamp(time.UnixMicro(1600426115753560).In(time.FixedZone("x", 3600))))
	require.Equal(t, "2020-09-18T10:48:35.000000Z", timestamp(time.Unix(1600426115, 0)))
}

func credentials(email, password string) string {
	body, _ := json.Marshal(map[string]string{"email": email, "password": password})
	return string(body)
}

func login(t testing.TB, p *demotest.Program) session {
	t.Helper()
	return granted(t, p.Do(t, "POST", authenticate, credentials(p.Values["email"], p.Values["password"])))
}

func requireWallets(t testing.TB, p *demotest.Program, s session) {
	t.Helper()
	p.Do(t, "GET", walletsPath, "", "Authorization: Bearer "+s.ID).Require(t, http.StatusOK,
		`{"data":{"userId":"`+s.UserID+`","wallets":[]}}`)
}

func TestPasswords(t *testing.T) {
	each(t, func(t *testing.T, p *demotest.Program) {
		first, second := login(t, p), login(t, p)
		require.Equal(t, first.UserID, second.UserID)
		require.NotEqual(t, first.ID, second.ID)
		requireWallets(t, p, first)
		requireWallets(t, p, second)

		email, password := p.Values["email"], p.Values["password"]
		wrong := p.Do(t, "POST", authenticate, credentials(email, password+"x"))
		unknown := p.Do(t, "POST", authenticate, credentials("nobody@example.com", password))
		wrong.Require(t, http.StatusUnauthorized, invalid)
		wrong.Header.Del("Date")
		unknown.Header.Del("Date")
		require.Equal(t, wrong, unknown)

		for _, body := range []string{"", `{}`, `[]`, `null`, `{"email":"` + email + `","password":1}`, `{"email":"` + email + `"}`} {
			require.Equal(t, http.StatusBadRequest, p.Do(t, "POST", authenticate, body).Status, body)
		}
		large := `{"x":"` + strings.Repeat("x", 1<<20) + `"}`
		require.Equal(t, http.StatusRequestEntityTooLarge, p.Do(t, "POST", authenticate, large).Status)
	})
}

func TestWalletsAreForSessions(t *testing.T) {
	p := demotest.Start(t)
	requireWallets(t, p, login(t, p))
	for name, fields := range map[string][]string{
		"nothing":          {},
		"unknown":          {"Authorization: Bearer " + strings.Repeat("A", 43)},
		"an assertion":     {"Authorization: Bearer " + good(t, p, "grace@example.net")},
		"in another field": {"Token: " + login(t, p).ID},
	} {
		require.Equal(t, http.StatusUnauthorized, p.Do(t, "GET", walletsPath, "", fields...).Status, name)
	}
}

// An office that mistypes is not locked out.
func TestFailuresThatAreLetThrough(t *testing.T) {
	p := demotest.Start(t)
	wrong := func() int { return p.Do(t, "POST", authenticate, credentials(p.Values["email"], "not hers")).Status }
	for range 30 {
		require.Equal(t, http.StatusUnauthorized, wrong())
	}
	login(t, p)
	for range 250 {
		require.Equal(t, http.StatusUnauthorized, signIn(t, p, p.Values["platform"], "x").Status)
	}
	granted(t, signIn(t, p, p.Values["platform"], good(t, p, "grace@example.net")))
}

// Guesses at a password are stopped, wherever they say that they come from, and
// sessions go on.
func TestGuessesAreStopped(t *testing.T) {
	p := demotest.Start(t)
	s := login(t, p)
	for i := 0; ; i++ {
		require.Less(t, i, 100, "no 429 until the hundredth")
		a := p.Do(t, "POST", authenticate, credentials(p.Values["email"], fmt.Sprint("guess ", i)),
			fmt.Sprintf("X-Forwarded-For: 192.0.2.%d", i), fmt.Sprintf("Forwarded: for=192.0.2.%d", i), fmt.Sprintf("X-Real-IP: 192.0.2.%d", i))
		if a.Status == http.StatusUnauthorized {
			continue
		}
		a.Require(t, http.StatusTooManyRequests, `{"error":{"code":"rate_limit_exceeded","message":"Too many requests. Try again later."}}`)
		require.Regexp(t, `^[1-9][0-9]*$`, a.Header.Get("Retry-After"))
		break
	}
	requireWallets(t, p, s)
	granted(t, signIn(t, p, p.Values["platform"], good(t, p, "grace@example.net")))
}

// Platforms have different people under one email.
func TestUsersOfPlatforms(t *testing.T) {
	d := &directory{}
	user := func(platform, email string) string {
		u, err := d.user(t.Context(), &auth.Platform{ID: platform}, &auth.Assertion{Email: email})
		require.NoError(t, err)
		return u.Subject
	}
	require.Equal(t, user("a", "grace@example.net"), user("a", "grace@example.net"))
	require.NotEqual(t, user("a", "grace@example.net"), user("b", "grace@example.net"))
	require.NotEqual(t, user("a", "grace@example.net"), user("a", "ada@example.net"))
}
