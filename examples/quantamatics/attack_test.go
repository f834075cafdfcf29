package main

import (
	"encoding/json"
	"net/http"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/examples/internal/attack"
	"github.com/seed-077cad0b/auth/examples/internal/demotest"
)

// This API prints the secret of its tokens, so bad claims come with signatures
// that hold.
func TestAttacks(t *testing.T) {
	p := demotest.Start(t)
	addr := p.Addr()
	in := attack.Login{Path: loginPath, Email: p.Values["email"], Password: p.Values["password"]}
	var issued struct{ Token string }
	require.NoError(t, json.Unmarshal([]byte(attack.RequireStatus(t, addr, in.Raw(), http.StatusOK).Body), &issued))
	secret := decode(t, p.Values["jwt_secret"])
	good := "Authorization: Bearer " + issued.Token
	key := p.Values["api_key"]

	f := attack.NewForge(t, issued.Token, secret)
	elsewhere, requireUnvisited := attack.Elsewhere(t)
	endStalls := attack.Stalls(addr, attack.Stalled(in, dataPath, good))
	r := attack.New(t, addr, attack.Request("GET", dataPath, good))

	r.Run(t, "none", attack.Bearer(dataPath, attack.None(f)))
	r.Run(t, "algorithms", attack.Bearer(dataPath, attack.Algorithms(f)))
	r.Run(t, "headers", attack.Bearer(dataPath, attack.Headers(f, elsewhere)))
	r.Run(t, "claims", attack.Bearer(dataPath, attack.Claims(f, "data:read")))
	r.Run(t, "structures", attack.Bearer(dataPath, attack.Structures(f)))
	r.Run(t, "confusion", attack.Bearer(dataPath, attack.Confusion(f, append(attack.Guesses(f), attack.Secrets(secret)...))))
	r.Run(t, "embedded keys", attack.Bearer(dataPath, attack.Embedded(t, f, elsewhere)))
	r.Run(t, "MACs", attack.Bearer(dataPath, attack.MACs(f)))
	flips, cuts := attack.Flips(dataPath, issued.Token), attack.Cuts(dataPath, issued.Token)
	r.Sweep(t, "flipped bits", flips)
	r.Sweep(t, "cut and longer tokens", cuts)
	r.Run(t, "fields", attack.Fields(dataPath, issued.Token))
	r.Run(t, "oversize", attack.Oversize(dataPath, issued.Token))
	r.Run(t, "paths", attack.Paths(dataPath, ""))
	r.Run(t, "smuggling", attack.Smuggling(dataPath, good))
	r.Run(t, "API keys", attack.Header(dataPath, "X-API-Key", attack.APIKeys(key, "qm_")))
	r.Run(t, "key fields", attack.KeyFields(dataPath, key))
	r.Run(t, "other keys", attack.Header(dataPath, "X-API-Key", []attack.Token{
		{Name: "revoked", Text: p.Values["revoked_api_key"], Want: attack.Unauthorized},
		{Name: "token", Text: issued.Token, Want: attack.Unauthorized},
		{Name: "secret of the tokens", Text: p.Values["jwt_secret"], Want: attack.Unauthorized},
		{Name: "good", Text: key, Want: attack.Admitted},
	}))
	r.Run(t, "login bodies", in.Bodies())
	r.RunAfresh(t, "wrong logins", func(t testing.TB) (string, string, []attack.Case) {
		p := demotest.Start(t)
		in := attack.Login{Path: loginPath, Email: p.Values["email"], Password: p.Values["password"]}
		return p.Addr(), attack.Request("GET", dataPath, "X-API-Key: "+p.Values["api_key"]), in.Wrong()
	})
	r.Run(t, "spoofed", attack.Spoofed("token", attack.Getting(dataPath, good), attack.Admitted))
	r.Run(t, "spoofed, bad", attack.Spoofed("bad token", attack.Getting(dataPath, good+"x"), attack.Unauthorized))
	endStalls(t)
	requireUnvisited()

	require.Len(t, flips, 8*len(issued.Token))
	r.RequireCounts(t, map[string]int{
		"none": 108, "algorithms": 139, "headers": 238, "claims": 817, "structures": 94, "confusion": 208, "embedded keys": 400, "MACs": 43,
		"flipped bits": len(flips), "cut and longer tokens": len(cuts), "fields": 223, "oversize": 34, "paths": 220, "smuggling": 35,
		"API keys": 393, "key fields": 51, "other keys": 4, "login bodies": 225, "wrong logins": 63, "spoofed": 35, "spoofed, bad": 35,
	})
	p.Stop(syscall.SIGTERM)
	r.RequireLog(t, p.Log(), in.Password, key, p.Values["revoked_api_key"], p.Values["jwt_secret"], issued.Token)
}

func TestHTTPSOnly(t *testing.T) {
	p := demotest.Start(t, "-addr", ":0")
	in := attack.Login{Path: loginPath, Email: p.Values["email"], Password: p.Values["password"]}
	attack.RequireHTTPSOnly(t, p.Addr(), in.Raw,
		attack.Getting(dataPath, "Authorization: Bearer "+login(t, p)), attack.Getting(dataPath, "X-API-Key: "+p.Values["api_key"]))
}
