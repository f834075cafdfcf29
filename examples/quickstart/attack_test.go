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

// The signing key stays in the program, so all that is forged is signed by
// somebody else; the public key is there for everybody to confuse with a secret.
func TestAttacks(t *testing.T) {
	p := demotest.Start(t)
	addr := p.Addr()
	const path, jwks = "/reports", "/.well-known/jwks.json"
	in := attack.Login{Path: "/login", Email: p.Values["email"], Password: p.Values["password"]}
	token := func() string {
		var v struct {
			Token string `json:"access_token"`
		}
		require.NoError(t, json.Unmarshal([]byte(attack.RequireStatus(t, addr, in.Raw(), http.StatusOK).Body), &v))
		return v.Token
	}
	issued, key := token(), p.Values["api_key"]
	good := "Authorization: Bearer " + issued

	f := attack.NewForge(t, issued, nil)
	public := attack.PublicKey(t, attack.RequireStatus(t, addr, attack.Request("GET", jwks), http.StatusOK).Body)
	elsewhere, requireUnvisited := attack.Elsewhere(t)
	endStalls := attack.Stalls(addr, attack.Stalled(in, path, good))
	r := attack.New(t, addr, attack.Request("GET", path, good))

	r.Run(t, "none", attack.Bearer(path, attack.None(f)))
	r.Run(t, "algorithms", attack.Bearer(path, attack.Algorithms(f)))
	r.Run(t, "headers", attack.Bearer(path, attack.Headers(f, elsewhere)))
	r.Run(t, "claims", attack.Bearer(path, attack.Claims(f, "reports:read")))
	r.Run(t, "structures", attack.Bearer(path, attack.Structures(f)))
	r.Run(t, "confusion", attack.Bearer(path, attack.Confusion(f, append(attack.Guesses(f), public...))))
	r.Run(t, "embedded keys", attack.Bearer(path, attack.Embedded(t, f, elsewhere)))
	r.Run(t, "signatures", attack.Bearer(path, attack.Signatures(f)))
	flips, cuts := attack.Flips(path, issued), attack.Cuts(path, issued)
	r.Sweep(t, "flipped bits", flips)
	r.Sweep(t, "cut and longer tokens", cuts)
	r.Run(t, "fields", attack.Fields(path, issued))
	r.Run(t, "oversize", attack.Oversize(path, issued))
	r.Run(t, "paths", attack.Paths(path, jwks))
	r.Run(t, "smuggling", attack.Smuggling(path, good))
	r.Run(t, "API keys", attack.Header(path, "X-API-Key", attack.APIKeys(key, "demo_")))
	r.Run(t, "key fields", attack.KeyFields(path, key))
	r.Run(t, "spoofed", attack.Spoofed("token", attack.Getting(path, good), attack.Admitted))
	r.Run(t, "login bodies", in.Bodies())
	afresh := func(login string) func(t testing.TB) (string, string, []attack.Case) {
		return func(t testing.TB) (string, string, []attack.Case) {
			p := demotest.Start(t)
			in := attack.Login{Path: login, Email: p.Values["email"], Password: p.Values["password"]}
			return p.Addr(), attack.Request("GET", path, "X-API-Key: "+p.Values["api_key"]), in.Wrong()
		}
	}
	r.RunAfresh(t, "wrong logins", afresh(in.Path))

	site := attack.Site{
		Addr: addr, Cookie: "__Host-session", SignOut: "/sign-out", Path: path,
		Login: attack.Login{Path: "/web/login", Email: in.Email, Password: in.Password},
	}
	session := site.Open(t)
	r.RunAfresh(t, "wrong logins for a cookie", afresh(site.Login.Path))
	r.Run(t, "cookies", site.Cookies(session))
	r.Run(t, "cross-origin", site.CrossOrigin(session))
	r.Run(t, "other credentials", crossed(issued, key, session))
	t.Run("fixation", func(t *testing.T) { site.Fixation(t) })
	t.Run("a session that is signed out", func(t *testing.T) { site.RequireEnd(t) })
	t.Run("a token that is signed out", func(t *testing.T) {
		attack.RequireOneToken(t, addr, token(), path, "/sign-out")
	})
	endStalls(t)
	requireUnvisited()

	require.Len(t, flips, 8*len(issued))
	r.RequireCounts(t, map[string]int{
		"none": 108, "algorithms": 139, "headers": 238, "claims": 817, "structures": 94, "confusion": 392, "embedded keys": 400, "signatures": 42,
		"flipped bits": len(flips), "cut and longer tokens": len(cuts), "fields": 223, "oversize": 34, "paths": 227, "smuggling": 35,
		"API keys": 405, "key fields": 51, "spoofed": 35, "login bodies": 225, "wrong logins": 63, "wrong logins for a cookie": 63,
		"cookies": 160, "cross-origin": 120, "other credentials": 45,
	})
	p.Stop(syscall.SIGTERM)
	r.RequireLog(t, p.Log(), in.Password, key, issued, session)
}

// crossed are good credentials, each where another one belongs, or where what it
// may do is not enough.
func crossed(token, key, session string) []attack.Case {
	bearer, header, cookie := "Authorization: Bearer "+token, "X-API-Key: "+key, "Cookie: __Host-session="+session
	var all []attack.Case
	add := func(name, raw string, w attack.Want) {
		all = append(all, attack.Case{Name: name, Raw: raw, Want: w})
	}
	for _, path := range []string{"/whoami", "/reports"} {
		add("token as a key at "+path, attack.Request("GET", path, "X-API-Key: "+token), attack.Unauthorized)
		add("token as a session at "+path, attack.Request("GET", path, "Cookie: __Host-session="+token), attack.Unauthorized)
		add("key as a token at "+path, attack.Request("GET", path, "Authorization: Bearer "+key), attack.Unauthorized)
		add("key as a session at "+path, attack.Request("GET", path, "Cookie: __Host-session="+key), attack.Unauthorized)
		add("session as a token at "+path, attack.Request("GET", path, "Authorization: Bearer "+session), attack.Unauthorized)
		add("session as a key at "+path, attack.Request("GET", path, "X-API-Key: "+session), attack.Unauthorized)
		for name, field := range map[string]string{"token": bearer, "key": header, "session": cookie} {
			add(name+" at "+path, attack.Request("GET", path, field), attack.Admitted)
			add("HEAD with a bad "+name+" at "+path, attack.Request("HEAD", path, field+"x"), attack.Unauthorized)
		}
	}
	for name, field := range map[string]string{"token": bearer, "key": header, "session": cookie} {
		add(name+" signs out by GET", attack.Request("GET", "/sign-out", field), attack.Want{405})
		add(name+" signs out by HEAD", attack.Request("HEAD", "/sign-out", field), attack.Want{405})
		add(name+" signs out by OPTIONS", attack.Request("OPTIONS", "/sign-out", field), attack.Want{405})
		add("bad "+name+" signs out", attack.Post("/sign-out", "", "", field+"x"), attack.Unauthorized)
		add(name+" logs in without a password", attack.Post("/login", "application/json", "{}", field), attack.Malformed)
		if name != "key" {
			add(name+" rotates a key", attack.Post("/keys/rotate", "", "", field), attack.Forbidden)
		}
	}
	add("key publishes without the scope", attack.Post("/reports", "", "", header), attack.Forbidden)
	add("key signs out", attack.Post("/sign-out", "", "", header), attack.Forbidden)
	add("nobody rotates a key", attack.Post("/keys/rotate", "", ""), attack.Unauthorized)
	add("nobody signs out", attack.Post("/sign-out", "", ""), attack.Unauthorized)
	return all
}

func TestHTTPSOnly(t *testing.T) {
	p := demotest.Start(t, "-addr", ":0")
	in := attack.Login{Path: "/login", Email: p.Values["email"], Password: p.Values["password"]}
	web := attack.Login{Path: "/web/login", Email: in.Email, Password: in.Password}
	attack.RequireHTTPSOnly(t, p.Addr(), in.Raw, web.Raw,
		attack.Getting("/reports", "X-API-Key: "+p.Values["api_key"]), attack.Getting("/reports", cookie(t, p)))
}
