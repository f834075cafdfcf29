package main

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/examples/internal/attack"
	"github.com/seed-077cad0b/auth/examples/internal/demotest"
)

// Sessions are random texts, so there is nothing to forge: they are bent, and
// brought where they do not belong.
func TestAttacks(t *testing.T) {
	p := demotest.Start(t)
	key := p.Values["api_key"]
	s := login(t, p, key, "premium")
	good := bearer(s.Token)
	body := `{"api_key":"` + key + `"}`
	elsewhere, requireUnvisited := attack.Elsewhere(t)
	r := attack.New(t, p.Addr(), attack.Request("GET", status, good))

	flips, cuts := attack.Flips(status, s.Token), attack.Cuts(status, s.Token)
	r.Sweep(t, "flipped bits", flips)
	r.Sweep(t, "cut and longer sessions", cuts)
	r.Run(t, "fields", attack.Fields(status, s.Token))
	r.Run(t, "oversize", attack.Oversize(status, s.Token))
	r.Run(t, "paths", attack.Paths(status, ""))
	r.Run(t, "smuggling", attack.Smuggling(status, good))
	r.Run(t, "bodies", attack.Bodies(authenticate, body, key))
	r.RunAfresh(t, "API keys", func(t testing.TB) (string, string, []attack.Case) {
		p := demotest.Start(t)
		disabled := p.Values["disabled_api_key"]
		tokens := append(attack.APIKeys(p.Values["api_key"], "qc_"),
			attack.Token{Name: "disabled", Text: disabled, Want: attack.Unauthorized},
			attack.Token{Name: "a session that has ended", Text: p.Values["expired_session"], Want: attack.Unauthorized},
			attack.Token{Name: "a URL", Text: elsewhere, Want: attack.Unauthorized},
			attack.Token{Name: "good", Text: p.Values["api_key"], Want: attack.Admitted})
		return p.Addr(), openSession(t, p), attack.Member(authenticate, "api_key", tokens)
	})
	r.Run(t, "spoofed", attack.Spoofed("session", attack.Getting(status, good), attack.Admitted))
	r.Run(t, "spoofed, bad", attack.Spoofed("bad session", attack.Getting(status, good+"x"), attack.Unauthorized))
	requireUnvisited()

	require.Len(t, flips, 8*len(s.Token))
	r.RequireCounts(t, map[string]int{
		"flipped bits": len(flips), "cut and longer sessions": len(cuts), "fields": 223, "oversize": 34, "paths": 220, "smuggling": 35,
		"bodies": 168, "API keys": 397, "spoofed": 35, "spoofed, bad": 35,
	})
	p.Stop(syscall.SIGTERM)
	r.RequireLog(t, p.Log(), key, s.Token, p.Values["disabled_api_key"], p.Values["expired_session"])
}

// openSession returns a request that a new session opens.
func openSession(t testing.TB, p *demotest.Program) string {
	return attack.Getting(status, bearer(login(t, p, p.Values["api_key"], "premium").Token))()
}

func TestHTTPSOnly(t *testing.T) {
	p := demotest.Start(t, "-addr", ":0")
	good := bearer(login(t, p, p.Values["api_key"], "premium").Token)
	posting := func(path, body string, field ...string) func(fields ...string) string {
		return func(fields ...string) string {
			return attack.Post(path, "application/json", body, append(fields, field...)...)
		}
	}
	attack.RequireHTTPSOnly(t, p.Addr(), posting(authenticate, `{"api_key":"`+p.Values["api_key"]+`"}`),
		posting(transact, query, good), attack.Getting(status, good))
}
