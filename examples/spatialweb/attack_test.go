package main

import (
	"net/http"
	"syscall"
	"testing"

	"github.com/seed-077cad0b/auth/examples/internal/attack"
	"github.com/seed-077cad0b/auth/examples/internal/demotest"
)

// The signing key stays in the program, so all that is forged is signed by
// somebody else; the public key is there for everybody to confuse with a secret.
// The route is the one that no limit ends the attacks at.
func TestAttacks(t *testing.T) {
	p := demotest.Start(t)
	addr := p.Addr()
	const path, jwks = "/admin/keys", "/.well-known/jwks.json"
	issued, key := token(t, p, "admin spaces:read"), p.Values["api_key"]
	good := "Authorization: Bearer " + issued

	f := attack.NewForge(t, issued, nil)
	public := attack.PublicKey(t, attack.RequireStatus(t, addr, attack.Request("GET", jwks), http.StatusOK).Body)
	elsewhere, requireUnvisited := attack.Elsewhere(t)
	r := attack.New(t, addr, attack.Request("GET", path, good))

	r.Run(t, "none", attack.Bearer(path, attack.None(f)))
	r.Run(t, "algorithms", attack.Bearer(path, attack.Algorithms(f)))
	r.Run(t, "headers", attack.Bearer(path, attack.Headers(f, elsewhere)))
	r.Run(t, "claims", attack.Bearer(path, attack.Claims(f, "spaces:read")))
	structures := attack.Bearer(path, attack.Structures(f)) // one more where the payload's length has one
	r.Run(t, "structures", structures)
	r.Run(t, "confusion", attack.Bearer(path, attack.Confusion(f, append(attack.Guesses(f), public...))))
	r.Run(t, "embedded keys", attack.Bearer(path, attack.Embedded(t, f, elsewhere)))
	r.Run(t, "signatures", attack.Bearer(path, attack.Signatures(f)))
	cuts := attack.Cuts(path, issued)
	r.Sweep(t, "cut and longer tokens", cuts)
	r.Run(t, "fields", attack.Fields(path, issued))
	r.Run(t, "oversize", attack.Oversize(path, issued))
	r.Run(t, "paths", attack.Paths(path, jwks))
	r.Run(t, "smuggling", attack.Smuggling(path, good))
	r.Run(t, "spoofed", attack.Spoofed("token", attack.Getting(path, good), attack.Admitted))
	r.Run(t, "the API key", []attack.Case{
		{Name: "as a key", Raw: attack.Request("GET", path, "X-API-Key: "+key), Want: attack.Forbidden},
		{Name: "as a token", Raw: attack.Request("GET", path, "Authorization: Bearer "+key), Want: attack.Unauthorized},
		{Name: "the token as a key", Raw: attack.Request("GET", path, "X-API-Key: "+issued), Want: attack.Unauthorized},
		{Name: "the client's secret as a token", Raw: attack.Request("GET", path, "Authorization: Bearer "+p.Values["client_secret"]), Want: attack.Unauthorized},
	})
	requireUnvisited()

	r.RequireCounts(t, map[string]int{
		"none": 108, "algorithms": 139, "headers": 238, "claims": 817, "structures": len(structures), "confusion": 392, "embedded keys": 400, "signatures": 42,
		"cut and longer tokens": len(cuts), "fields": 223, "oversize": 34, "paths": 230, "smuggling": 35, "spoofed": 35, "the API key": 4,
	})
	p.Stop(syscall.SIGTERM)
	r.RequireLog(t, p.Log(), p.Values["client_secret"], key, issued)
}

func TestHTTPSOnly(t *testing.T) {
	p := demotest.Start(t, "-addr", ":0")
	form := func(fields ...string) string {
		return attack.Post("/oauth/token", "application/x-www-form-urlencoded",
			"grant_type=client_credentials&client_id="+p.Values["client_id"]+"&client_secret="+p.Values["client_secret"], fields...)
	}
	attack.RequireHTTPSOnly(t, p.Addr(), form,
		attack.Getting("/spaces", "Authorization: Bearer "+token(t, p, "spaces:read")),
		attack.Getting("/spaces", "X-API-Key: "+p.Values["api_key"]),
		attack.Getting("/.well-known/jwks.json", "Accept: */*"))
}
