package auth_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

func TestIntrospectionPrincipal(t *testing.T) {
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
	digest := auth.DigestOf(auth.KindAccessToken, "opaque").String()
	networks := must(auth.ParseNetworks("192.0.2.0/24"))
	least := auth.Principal{
		Issuer: introspectionIssuer, Subject: "alice", Origin: auth.Origin{Time: at(0)},
		Credential: auth.Credential{ID: digest, Family: digest, Kind: auth.KindAccessToken, Audience: []string{introspectionAudience}},
	}
	for name, c := range map[string]struct {
		answer string
		want   func(p *auth.Principal)
	}{
		"least": {active(), func(*auth.Principal) {}},
		"most": {active("iss", `"https://login.example"`, "scope", `"read write"`, "client_id", `"app"`, "username", `"Alice"`, "token_type", `"Bearer"`,
			"exp", "4000000000", "iat", "1000000000", "nbf", "1000000000", "jti", `"j"`, "auth_time", "999999999.5", "acr", `"urn:mfa"`,
			"tenant", `"t"`, "tier", `"gold"`, "aud", `["https://other.example","https://api.example"]`, "origin_networks", `"192.0.2.0/24"`,
			"more", `{"a":[null]}`, "fam", `"f"`, "origin", `"password:bob"`, "idp", `"https://evil.example"`, "origin_rate", `"7/1000000000/7"`),
			func(p *auth.Principal) {
				p.Tenant, p.Tier, p.Scopes, p.Networks = "t", "gold", []string{"read", "write"}, networks
				p.Origin = auth.Origin{Kind: auth.KindAccessToken, ID: "j", Time: at(999999999).Add(time.Second / 2), ACR: "urn:mfa"}
				p.Credential = auth.Credential{ID: "j", Family: "j", Kind: auth.KindAccessToken, ClientID: "app", Created: at(1000000000),
					Expires: at(4000000000), Audience: []string{"https://other.example", "https://api.example"}}
			}},
		"client": {active("sub", "", "client_id", `"app"`, "iat", "1000000000"), func(p *auth.Principal) {
			p.Subject, p.Credential.ClientID, p.Credential.Created, p.Origin.Time = "app", "app", at(1000000000), at(1000000000)
		}},
		"bound by DPoP": {active("token_type", `"DPoP"`, "cnf", `{"jkt":"abc"}`), func(p *auth.Principal) { p.Credential.Confirmation = "jkt:abc" }},
		"bound by TLS":  {active("token_type", `"bearer"`, "cnf", `{"x5t#S256":"abc"}`), func(p *auth.Principal) { p.Credential.Confirmation = "x5t#S256:abc" }},
		"bound somehow": {active("cnf", `{"kid":"abc"}`), func(p *auth.Principal) { p.Credential.Confirmation = "unsupported" }},
		"access token":  {active("token_use", `"access_token"`), func(*auth.Principal) {}},
	} {
		want := least
		want.Claims = []byte(c.answer)
		c.want(&want)
		p, err := newIntrospection(t, saying(c.answer), auth.IntrospectionOptions{}).Verify(t.Context(), "opaque")
		require.NoError(t, err, name)
		require.Equal(t, &want, p, name)
		requireClipped(t, p)
	}
}

// What the server says of the token is judged here as well.
func TestIntrospectionRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().Unix() // of the bubble
		seconds := func(d int64) string { return fmt.Sprint(now + d) }
		for answer, want := range map[string]error{
			`{"active":false}`:                                               auth.ErrInvalid,
			`{"active":false,"sub":3,"exp":"x"}`:                             auth.ErrInvalid,
			active("active", "false"):                                        auth.ErrInvalid,
			active("iss", `"https://other.example"`):                         auth.ErrInvalid,
			active("iss", `""`):                                              auth.ErrInvalid,
			active("aud", `"https://other.example"`):                         auth.ErrInvalid,
			active("aud", `["https://api.example/","x"]`):                    auth.ErrInvalid,
			active("aud", `[]`):                                              auth.ErrInvalid,
			active("aud", ""):                                                auth.ErrInvalid,
			active("exp", seconds(0)):                                        auth.ErrExpired,
			active("exp", "0"):                                               auth.ErrExpired,
			active("nbf", seconds(31)):                                       auth.ErrInvalid,
			active("iat", seconds(31)):                                       auth.ErrInvalid,
			active("auth_time", seconds(31)):                                 auth.ErrInvalid,
			active("token_type", `"refresh_token"`):                          auth.ErrInvalid,
			active("token_type", `"mac"`):                                    auth.ErrInvalid,
			active("token_type", `"Bearer"`, "token_use", `"refresh_token"`): auth.ErrInvalid,
			active("exp", seconds(1)):                                        nil,
			active("nbf", seconds(30), "iat", seconds(30)):                   nil, // the server's clock may be ahead
			active("token_type", `"BEARER"`):                                 nil,
		} {
			_, err := newIntrospection(t, saying(answer), auth.IntrospectionOptions{}).Verify(t.Context(), "opaque")
			if want == nil {
				require.NoError(t, err, answer)
				continue
			}
			require.ErrorIs(t, err, want, answer)
			require.NotContains(t, err.Error(), "opaque")
			require.NotContains(t, err.Error(), "example", "nothing of the answer")
		}
	})
}

func TestIntrospectionWithoutAudience(t *testing.T) {
	open := auth.IntrospectionOptions{InsecureNoAudience: true}
	_, err := newIntrospection(t, saying(active("aud", "")), open).Verify(t.Context(), "opaque")
	require.NoError(t, err)
	for _, other := range []string{`"https://other.example"`, `[]`, `[""]`} {
		_, err = newIntrospection(t, saying(active("aud", other)), open).Verify(t.Context(), "opaque")
		require.ErrorIs(t, err, auth.ErrInvalid, other)
	}
}

// Rows 11 and 47: whatever is wrong with the server, nobody is let in and nobody
// is logged out.
func TestIntrospectionOutages(t *testing.T) {
	ok := func(body string) func(*http.Request, string) (int, string, error) {
		return func(*http.Request, string) (int, string, error) { return 200, body, nil }
	}
	status := func(code int) func(*http.Request, string) (int, string, error) {
		return func(*http.Request, string) (int, string, error) { return code, active(), nil }
	}
	fails := func(err error) func(*http.Request, string) (int, string, error) {
		return func(*http.Request, string) (int, string, error) { return 0, "", err }
	}
	for name, answer := range map[string]func(*http.Request, string) (int, string, error){
		"own credentials":    status(401),
		"not allowed to ask": status(403),
		"redirect":           status(302),
		"no content":         status(204),
		"created":            status(201),
		"too many":           status(429),
		"broken":             status(500),
		"down":               fails(errOutage),
		"reason":             fails(auth.ErrInvalid), // a transport's own trouble with its token
		"nothing presented":  fails(auth.ErrNoCredential),
		"not mine":           fails(auth.ErrNotMine),
		"panic":              func(*http.Request, string) (int, string, error) { panic("broken transport") },
		"empty":              ok(""),
		"page":               ok("<html>"),
		"array":              ok("[" + active() + "]"),
		"no active":          ok(active("active", "")),
		"text":               ok(active("active", `"true"`)),
		"number":             ok(active("active", "1")),
		"null":               ok(active("active", "null")),
		"capitals":           ok(`{"Active":true,"sub":"alice","aud":"https://api.example"}`),
		"twice":              ok(`{"active":false,"active":true,"sub":"alice","aud":"https://api.example"}`),
		"sub twice":          ok(`{"active":true,"sub":"alice","sub":"bob","aud":"https://api.example"}`),
		"two answers":        ok(active() + active()),
		"cut":                ok(`{"active":true,"sub":"alice","aud":"https://api.example"`),
		"not UTF-8":          ok(active("sub", "\"\xff\"")),
		"deep":               ok(active("x", strings.Repeat("[", 100)+strings.Repeat("]", 100))),
		"large":              ok(active("x", `"`+strings.Repeat("x", 64<<10)+`"`)),
		"large, of blanks":   ok(active() + strings.Repeat(" ", 64<<10)),
		"nobody":             ok(active("sub", "")),
		"empty subject":      ok(active("sub", `""`, "client_id", `"app"`)),
		"sub":                ok(active("sub", "1")),
		"exp":                ok(active("exp", `"4000000000"`)),
		"nbf":                ok(active("nbf", "-1")),
		"iat":                ok(active("iat", "1e99")),
		"scope":              ok(active("scope", `["read"]`)),
		"aud":                ok(active("aud", "{}")),
		"token_type":         ok(active("token_type", "null")),
		"token_use":          ok(active("token_use", "1")),
		"client_id":          ok(active("client_id", "1")),
		"cnf":                ok(active("cnf", `"jkt"`)),
		"DPoP unbound":       ok(active("token_type", `"DPoP"`)),
		"DPoP bound by TLS":  ok(active("token_type", `"dpop"`, "cnf", `{"x5t#S256":"a"}`)),
		"networks":           ok(active("origin_networks", `"everywhere"`)),
	} {
		a := &asker{answer: answer}
		i := newIntrospection(t, a, auth.IntrospectionOptions{ClientID: "api", ClientSecret: auth.NewSecret("hush")})
		guard := auth.NewGuard(auth.Bearer(i), nil)
		for range 2 {
			w := serve(guard.WrapFunc(func(http.ResponseWriter, *http.Request) { t.Error("admitted") }), from("GET", "/", "Authorization", "Bearer opaque"))
			require.Equal(t, 503, w.Code, name)
			require.Equal(t, "5", w.Header().Get("Retry-After"), name)
			require.Empty(t, w.Header().Values("WWW-Authenticate"), name)
		}
		require.Equal(t, 2, a.times(), "%s: an outage is not remembered", name)
		_, err := i.Verify(t.Context(), "opaque")
		var reason auth.Reason
		require.False(t, errors.As(err, &reason), "%s: %v", name, err)
		require.NotErrorIs(t, err, auth.ErrNotMine, name)
		require.NotRegexp(t, "opaque|hush|alice", err.Error(), name)
	}
}
