package main

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/examples/internal/attack"
	"github.com/seed-077cad0b/auth/examples/internal/demotest"
)

// The demo's platform shows its private key, so bad payloads come with
// signatures that hold.
func TestAttacks(t *testing.T) {
	p := demotest.Start(t)
	const route = "/api/v1/authenticate-jwt/"
	partner := &attack.Partner{
		Path: route + p.Values["platform"], Field: tokenField, Email: "grace@example.net",
		Key: privateKey(t, p.Values["platform_key"]),
	}
	in := attack.Login{Path: authenticate, Email: p.Values["email"], Password: p.Values["password"]}
	s := login(t, p)
	bearer := "Authorization: Bearer " + s.ID
	elsewhere, requireUnvisited := attack.Elsewhere(t)
	endStalls := attack.Stalls(p.Addr(), attack.Stalled(in, walletsPath, bearer))
	r := attack.New(t, p.Addr(), attack.Request("GET", walletsPath, bearer))

	f := partner.Forge(t)
	public := attack.RSAPublicKey(t, &partner.Key.PublicKey)
	r.Run(t, "none", partner.Cases(attack.None(f)))
	r.Run(t, "algorithms", partner.Cases(attack.Algorithms(f)))
	r.Run(t, "headers", partner.Cases(attack.Headers(f, elsewhere)))
	r.Run(t, "payloads", partner.Cases(attack.Assertions(f)))
	r.Run(t, "structures", partner.Cases(attack.Structures(f)))
	r.Run(t, "confusion", partner.Cases(attack.Confusion(f, append(attack.Guesses(f), public...))))
	r.Run(t, "embedded keys", partner.Cases(attack.Embedded(t, f, elsewhere)))
	r.Run(t, "assertion fields", partner.Fields(route+p.Values["suspended_platform"]))
	fresh := partner.Forge(t).Issued
	flips, cuts := partner.Flips(fresh), partner.Cuts(fresh)
	r.Sweep(t, "flipped bits", flips)
	r.Sweep(t, "cut and longer assertions", cuts)

	bits, parts := attack.Flips(walletsPath, s.ID), attack.Cuts(walletsPath, s.ID)
	r.Sweep(t, "flipped bits of a session", bits)
	r.Sweep(t, "cut and longer sessions", parts)
	r.Run(t, "session fields", attack.Fields(walletsPath, s.ID))
	r.Run(t, "oversize", attack.Oversize(walletsPath, s.ID))
	r.Run(t, "paths", attack.Paths(walletsPath, ""))
	r.Run(t, "smuggling", attack.Smuggling(walletsPath, bearer))
	r.Run(t, "assertions as sessions", attack.Bearer(walletsPath, []attack.Token{
		{Name: "used", Text: f.Issued, Want: attack.Unauthorized},
		{Name: "not used", Text: partner.Forge(t).Issued, Want: attack.Unauthorized},
	}))
	r.Run(t, "sessions as assertions", partner.Cases([]attack.Token{{Name: "session", Text: s.ID, Want: attack.Unauthorized}}))
	r.Run(t, "login bodies", in.Bodies())
	r.RunAfresh(t, "wrong logins", func(t testing.TB) (string, string, []attack.Case) {
		p := demotest.Start(t)
		in := attack.Login{Path: authenticate, Email: p.Values["email"], Password: p.Values["password"]}
		return p.Addr(), attack.Getting(walletsPath, "Authorization: Bearer "+login(t, p).ID)(), in.Wrong()
	})
	r.Run(t, "spoofed", attack.Spoofed("session", attack.Getting(walletsPath, bearer), attack.Admitted))
	r.Run(t, "spoofed, bad", attack.Spoofed("bad session", attack.Getting(walletsPath, bearer+"x"), attack.Unauthorized))
	r.Run(t, "spoofed assertions", attack.Spoofed("assertion", partner.Raw, attack.Admitted))
	endStalls(t)
	requireUnvisited()

	require.Len(t, flips, 8*len(fresh))
	r.RequireCounts(t, map[string]int{
		"none": 108, "algorithms": 139, "headers": 238, "payloads": 381, "structures": 95, "confusion": 336, "embedded keys": 400, "assertion fields": 65,
		"flipped bits": len(flips), "cut and longer assertions": len(cuts), "flipped bits of a session": len(bits), "cut and longer sessions": len(parts),
		"session fields": 223, "oversize": 34, "paths": 220, "smuggling": 35, "assertions as sessions": 2, "sessions as assertions": 1,
		"login bodies": 225, "wrong logins": 63, "spoofed": 35, "spoofed, bad": 35, "spoofed assertions": 35,
	})
	p.Stop(syscall.SIGTERM)
	r.RequireLog(t, p.Log(), in.Password, s.ID, f.Issued, fresh)
}

func TestHTTPSOnly(t *testing.T) {
	p := demotest.Start(t, "-addr", ":0")
	in := attack.Login{Path: authenticate, Email: p.Values["email"], Password: p.Values["password"]}
	assertion := good(t, p, "grace@example.net")
	attack.RequireHTTPSOnly(t, p.Addr(), in.Raw, attack.Getting(walletsPath, "Authorization: Bearer "+login(t, p).ID), func(fields ...string) string {
		return attack.Post("/api/v1/authenticate-jwt/"+p.Values["platform"], "", "", append(fields, "Token: "+assertion)...)
	})
}
