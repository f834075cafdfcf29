package auth_test

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/authtest"
)

func TestAssertionSignsInAUser(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		d := newDesk(newTap(t)).open()
		p := d.admitted(t, d.login("acme", emailClaims().assertion()))
		require.Equal(t, "user of acme ada@example.com", p.Subject)
		require.Equal(t, []string{"read"}, p.Scopes, "of the user's those that the platform has")
		require.Equal(t, auth.Origin{Kind: auth.KindPlatform, ID: "acme", Time: begin}, p.Origin)
		require.Equal(t, auth.KindSession, p.Credential.Kind)

		a := d.asked[0]
		require.Equal(t, "ada@example.com", a.Email)
		require.Equal(t, begin.Add(time.Minute), a.Expires)
		require.JSONEq(t, emailClaims().String(), string(a.Claims))
		_, err := auth.ParseDigest(a.ID)
		require.NoError(t, err)

		soonest := emailClaims().with("exp", fmt.Sprint(begin.Unix()+30))
		d.admitted(t, d.login("acme", soonest.assertion()))
		require.Equal(t, begin.Add(30*time.Second), d.asked[1].Expires)
	})
}

func TestGrantSignsInAUser(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		d := newDesk(newTap(t))
		d.acme().Audience = apiAudience
		d.open()
		p := d.admitted(t, d.grant(grantClaims().assertion()))
		require.Equal(t, "user of acme u1", p.Subject)
		require.Equal(t, auth.Origin{Kind: auth.KindPlatform, ID: "acme", Time: begin}, p.Origin)
		require.Empty(t, d.asked[0].Email)
		d.admitted(t, d.grant(grantClaims().with("jti", `"twice"`).with("email", `"Ada@EXAMPLE.com"`).assertion()))
		require.Equal(t, "Ada@example.com", d.asked[1].Email)
		requireRefused(t, d.grant(grantClaims().with("nonce", `1`).assertion()), "another assertion with the jti of one used")

		d.entries["globex"] = &auth.Platform{ID: "globex", Keys: publicKeys(auth.RS512, otherPlatformKey()), Audience: apiAudience}
		d.admitted(t, d.grant(signPlatform(otherPlatformKey(), rs512, grantClaims().with("iss", `"globex"`).String())))
	})
}

// What is right in an assertion, however unusual.
func TestAssertionsAccepted(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		at := time.Now().Unix()
		for name, c := range map[string]struct {
			header string
			claims claims
			email  string
		}{
			"no typ":             {`{"alg":"RS512"}`, emailClaims(), "ada@example.com"},
			"typ in full":        {`{"alg":"RS512","typ":"application/jwt"}`, emailClaims(), "ada@example.com"},
			"as late as can be":  {rs512, emailClaims().with("expire", fmt.Sprint(at+1)), "ada@example.com"},
			"as far as can be":   {rs512, emailClaims().with("expire", fmt.Sprint(at+300)), "ada@example.com"},
			"a fraction":         {rs512, emailClaims().with("expire", fmt.Sprint(at+1, ".25")), "ada@example.com"},
			"an exponent":        {rs512, emailClaims().with("expire", fmt.Sprintf("%de-1", (at+9)*10)), "ada@example.com"},
			"domain in capitals": {rs512, emailClaims().with("email", `"Ada@Example.COM"`), "Ada@example.com"},
			"escapes":            {rs512, emailClaims().with("email", `"\u0061da@example.com"`), "ada@example.com"},
			"exp too":            {rs512, emailClaims().with("exp", fmt.Sprint(at+30)), "ada@example.com"},
			"iat, clock ahead":   {rs512, emailClaims().with("iat", fmt.Sprint(at+30)), "ada@example.com"},
			"nbf":                {rs512, emailClaims().with("nbf", fmt.Sprint(at)), "ada@example.com"},
			"iss":                {rs512, emailClaims().with("iss", `"acme"`), "ada@example.com"},
			"other members":      {rs512, emailClaims().with("nonce", `[1,{"email":2}]`).with("Email", `"eve@example.com"`), "ada@example.com"},
			"a key of its own":   {`{"alg":"RS512","jku":"https://evil.example/","jwk":{},"x5c":["x"],"x5u":7}`, emailClaims(), "ada@example.com"},
		} {
			d := newDesk(newTap(t)).open()
			d.admitted(t, d.login("acme", signPlatform(platformKey(), c.header, c.claims.String())))
			require.Equal(t, c.email, d.asked[0].Email, name)
		}
	})
}

// refusedAssertions are those that the email form refuses, by what is wrong.
func refusedAssertions(t *testing.T) map[string]string {
	key, good := platformKey(), emailClaims()
	at := time.Now().Unix()
	text := good.assertion()
	parts := strings.Split(text, ".")
	var many strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&many, `"%d":0,`, i)
	}
	all := map[string]string{
		"not a token":      "nonsense",
		"two parts":        parts[0] + "." + parts[1],
		"four parts":       text + "." + parts[2],
		"no signature":     parts[0] + "." + parts[1] + ".",
		"cut":              text[:len(text)-4],
		"padded":           text + "==",
		"in quotes":        `"` + text + `"`,
		"with a scheme":    "Bearer " + text,
		"two in one field": text + ", " + text,
		"folded":           parts[0] + ".\r\n " + parts[1] + "." + parts[2],
		"too long":         signPlatform(key, rs512, good.with("pad", `"`+strings.Repeat("x", 8<<10)+`"`).String()),
		"other header":     b64(`{"alg":"RS512"}`) + "." + parts[1] + "." + parts[2],
		"other payload":    parts[0] + "." + b64(good.with("email", `"eve@example.com"`).String()) + "." + parts[2],
		"another's key":    signPlatform(otherPlatformKey(), rs512, good.String()),
		"another's key inside": signPlatform(otherPlatformKey(), fmt.Sprintf(`{"alg":"RS512","jwk":{"kty":"RSA","e":"AQAB","n":%q}}`,
			b64(string(otherPlatformKey().N.Bytes()))), good.String()),
		"RS256":            signRSA(key, crypto.SHA256, false, `{"alg":"RS256"}`, good.String()),
		"RS384":            signRSA(key, crypto.SHA384, false, `{"alg":"RS384"}`, good.String()),
		"PS512":            signRSA(key, crypto.SHA512, true, `{"alg":"PS512"}`, good.String()),
		"PS512 as RS512":   signRSA(key, crypto.SHA512, true, rs512, good.String()),
		"RS256 as RS512":   signRSA(key, crypto.SHA256, false, rs512, good.String()),
		"payload no JSON":  signPlatform(key, rs512, "ada@example.com"),
		"payload an array": signPlatform(key, rs512, "["+good.String()+"]"),
		"payload empty":    signPlatform(key, rs512, ""),
		"payload and more": signPlatform(key, rs512, good.String()+"{}"),
		"not UTF-8":        signPlatform(key, rs512, good.with("x", "\"\xff\"").String()),
		"10,000 members":   signPlatform(key, rs512, `{`+many.String()+`"email":"ada@example.com"}`),
		"deep":             signPlatform(key, rs512, good.with("x", strings.Repeat("[", 99)+strings.Repeat("]", 99)).String()),
	}
	for _, h := range []string{
		`{"alg":"none"}`, `{"alg":"None"}`, `{"alg":""}`, `{"alg":null}`, `{"alg":["RS512"]}`, `{"Alg":"RS512"}`, `{}`,
		`{"alg":"rs512"}`, `{"alg":"RS512","alg":"RS512"}`, `{"alg":"RS512","crit":[]}`, `{"alg":"RS512","crit":["exp"],"exp":1}`,
		`{"alg":"RS512","b64":false}`, `{"alg":"RS512","b64":false,"crit":["b64"]}`, `{"alg":"RS512","zip":"DEF"}`, `{"alg":"RS512","cty":"JWT"}`,
		`{"alg":"RS512","typ":"at+jwt"}`, `{"alg":"RS512","typ":"logout+jwt"}`, `{"alg":"RS512","typ":""}`, `{"alg":"RS512","typ":1}`,
		`{"alg":"RS512","kid":""}`, `{"alg":"RS512","kid":"../../acme"}`, `{"alg":"RS512","kid":1}`, `{"alg":"RS512","kid":"https://evil.example/"}`,
		`null`, `[]`, ``,
	} {
		all["header "+h] = signPlatform(key, h, good.String())
		all["unsigned "+h] = b64(h) + "." + b64(good.String()) + "."
	}
	for name, values := range map[string][]string{
		"email": {``, `null`, `""`, `1`, `["ada@example.com"]`, `{"email":"ada@example.com"}`, `true`,
			`"ada"`, `"ada@example.com,eve@example.com"`, `"ada@example.com eve@example.com"`, `"ada@example.com\n"`, `" ada@example.com"`},
		"expire": {``, `null`, `""`, `"` + fmt.Sprint(at+60) + `"`, `true`, `[` + fmt.Sprint(at+60) + `]`, `{}`,
			`0`, `-1`, fmt.Sprint(-at - 60), fmt.Sprint(at - 1), fmt.Sprint(at), fmt.Sprint(at+300, ".000001"), fmt.Sprint(at + 301), fmt.Sprint(at + 86400),
			fmt.Sprint((at + 60) * 1000), `1e400`, `1e-400`, fmt.Sprint(uint64(math.MaxUint64)), fmt.Sprint(math.MaxInt64), `9007199254740993`, `NaN`, `Infinity`, `0x7fffffff`, `"soon"`},
		"exp":         {`null`, `"` + fmt.Sprint(at+60) + `"`, fmt.Sprint(at), fmt.Sprint(at - 9), fmt.Sprint(at + 3600), `-1`},
		"nbf":         {`null`, `"0"`, fmt.Sprint(at + 31), `-1`},
		"iat":         {`null`, `"0"`, fmt.Sprint(at + 31), `[]`},
		"iss":         {`null`, `""`, `"other"`, `"ACME"`, `"acme "`, `["acme"]`},
		"aud":         {`null`, `""`, `"` + apiAudience + `"`, `["` + apiAudience + `"]`, `[]`},
		"jti":         {`null`, `""`, `1`},
		"sub":         {`null`, `""`, `1`},
		"cnf":         {`null`, `{"jkt":"x"}`},
		"EXPIRE":      {fmt.Sprint(at + 60)},
		"e\u0131pire": {fmt.Sprint(at + 60)},
	} {
		for _, v := range values {
			c := good.with(name, v)
			if name != "expire" && strings.EqualFold(name, "expire") || name == "e\u0131pire" {
				c = c.with("expire", "")
			}
			all[name+" "+v] = c.assertion()
		}
	}
	for name, payload := range map[string]string{
		"Email":                    `{"Email":"ada@example.com","expire":%d}`,
		"EMAIL":                    `{"EMAIL":"ada@example.com","expire":%d}`,
		"two emails":               `{"email":"ada@example.com","email":"eve@example.com","expire":%d}`,
		"one email, twice written": `{"email":"ada@example.com","\u0065mail":"ada@example.com","expire":%d}`,
		"two expires":              `{"email":"ada@example.com","expire":1,"expire":%d}`,
		"a claim in a claim":       `{"claims":{"email":"ada@example.com","expire":%d}}`,
	} {
		all[name] = signPlatform(key, rs512, fmt.Sprintf(payload, at+60))
	}
	return all
}

// Rows 1 to 10, 29 and 47: one answer, nobody is asked for a user, and nothing
// is written.
func TestAssertionsRefused(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newTap(t)
		d := newDesk(store).open()
		for name, assertion := range refusedAssertions(t) {
			requireRefused(t, d.login("acme", assertion), name)
		}
		require.Empty(t, d.asked)
		require.Empty(t, store.dump())
		require.Zero(t, store.count("Insert", "Replace", "Take"))
		d.admitted(t, d.login("acme", emailClaims().assertion()))
	})
}

// Rows 3 and 29: what else is signed around here is no assertion, also where the
// platform and the API go by one name.
func TestOtherCredentialsAreNoAssertions(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		store := newTap(t)
		d := newDesk(store)
		d.acme().Audience = apiAudience
		d.acme().Algorithms = []auth.Algorithm{auth.RS512, auth.ES256}
		d.acme().MaxLife = 24 * time.Hour
		d.open()
		for _, secret := range [][]byte{
			platformPEM("public.pem"),
			[]byte(strings.TrimSpace(string(platformPEM("public.pem")))),
			must(x509.MarshalPKIXPublicKey(platformKey().Public())),
			platformKey().N.Bytes(),
			[]byte(fmt.Sprintf(`{"kty":"RSA","e":"AQAB","n":%q}`, b64(string(platformKey().N.Bytes())))),
			nil,
		} {
			for _, alg := range []string{"HS256", "RS512"} {
				header := fmt.Sprintf(`{"alg":%q}`, alg)
				requireRefused(t, d.login("acme", signWith(secret, header, emailClaims().with("aud", `"`+apiAudience+`"`).String())), alg)
				requireRefused(t, d.grant(signWith(secret, header, grantClaims().String())), alg)
			}
		}
		who := alice("read")
		who.Claims = json.RawMessage(`{"email":"ada@example.com","expire":` + fmt.Sprint(time.Now().Unix()+60) + `}`)
		own := must(auth.NewKeys(generate(t, auth.ES256)))
		for _, typ := range []string{"JWT", "at+jwt"} {
			tokens := must(auth.NewJWT("acme", apiAudience, own, &auth.JWTOptions{Type: typ}))
			for _, issue := range []auth.Issuer{tokens, d.sessions} {
				token := must(issue.Issue(t.Context(), who, nil)).Token.Reveal()
				store.count()
				requireRefused(t, d.login("acme", token), typ)
				requireRefused(t, d.grant(token), typ)
				require.Zero(t, store.count())
			}
		}
		require.Empty(t, d.asked)
		d.acme().Keys = own
		require.ErrorContains(t, d.acme().Validate(), "can sign")
		require.Equal(t, http.StatusServiceUnavailable, d.login("acme", emailClaims().assertion()).Code)
	})
}

// Row 85.
func TestGrantsRefused(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		at := time.Now().Unix()
		store := newTap(t)
		d := newDesk(store)
		d.acme().Audience = apiAudience
		d.entries["globex"] = &auth.Platform{ID: "globex", Keys: publicKeys(auth.RS512, otherPlatformKey()), Audience: apiAudience}
		d.entries["deaf"] = &auth.Platform{ID: "deaf", Keys: d.acme().Keys}
		d.open()
		for name, values := range map[string][]string{
			"iss":    {``, `null`, `""`, `"globex"`, `"ACME"`, `"acme "`, `"nobody"`, `["acme"]`, `"` + apiAudience + `"`, `"../acme"`, `"deaf"`},
			"sub":    {``, `null`, `""`, `1`, `["u1"]`, `"a\u0000b"`, `"` + strings.Repeat("x", 256) + `"`},
			"aud":    {``, `null`, `""`, `"acme"`, `"` + apiAudience + `/"`, `["` + apiAudience + `"]`, `["` + apiAudience + `","x"]`, `[]`, `{}`},
			"exp":    {``, `null`, `"` + fmt.Sprint(at+60) + `"`, fmt.Sprint(at), fmt.Sprint(at + 301), fmt.Sprint((at + 60) * 1000)},
			"jti":    {``, `null`, `""`, `7`},
			"nbf":    {fmt.Sprint(at + 31)},
			"iat":    {fmt.Sprint(at + 31)},
			"email":  {`""`, `"ada"`, `1`, `["ada@example.com"]`},
			"expire": {fmt.Sprint(at), `"` + fmt.Sprint(at+60) + `"`},
			"cnf":    {`{"jkt":"x"}`},
		} {
			for _, v := range values {
				requireRefused(t, d.grant(grantClaims().with(name, v).assertion()), name+" "+v)
			}
		}
		requireRefused(t, d.grant(signPlatform(otherPlatformKey(), rs512, grantClaims().String())), "another platform's key")
		requireRefused(t, d.grant(strings.Replace(grantClaims().assertion(), ".", ".!", 1)), "bad base64")
		requireRefused(t, d.grant(emailClaims().assertion()), "the email form")
		requireRefused(t, d.grant(emailClaims().with("iss", `"acme"`).assertion()), "the email form with iss")
		requireRefused(t, d.login("acme", grantClaims().assertion()), "the standard form in the header")
		d.acme().EmailDomains = []string{"example.com"}
		requireRefused(t, d.grant(grantClaims().assertion()), "of no domain")
		requireRefused(t, d.grant(grantClaims().with("email", `"ada@example.org"`).assertion()), "of another domain")
		require.Empty(t, d.asked)
		require.Empty(t, store.dump())
		d.admitted(t, d.grant(grantClaims().with("email", `"ada@example.com"`).assertion()))
	})
}

// An assertion that is good in both forms is good once all the same.
func TestFormsShareTheOneUse(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		d := newDesk(newTap(t))
		d.acme().Audience = apiAudience
		d.open()
		for i, jti := range []string{`"a"`, `"b"`} {
			both := grantClaims().with("email", `"ada@example.com"`).with("expire", fmt.Sprint(time.Now().Unix()+60)).with("jti", jti).assertion()
			ways := []func() *httptest.ResponseRecorder{
				func() *httptest.ResponseRecorder { return d.login("acme", both) },
				func() *httptest.ResponseRecorder { return d.grant(both) },
			}
			d.admitted(t, ways[i]())
			requireRefused(t, ways[1-i](), jti)
		}
	})
}

// Where nothing is presented, another source may look; where something is, none
// may, whatever is wrong with it.
func TestAssertionPresented(t *testing.T) {
	d := newDesk(newTap(t)).open()
	for name, r := range map[string]*http.Request{
		"no field":          from("POST", "/login/acme"),
		"empty field":       from("POST", "/login/acme", "Token", ""),
		"unknown platform":  from("POST", "/login/nobody"),
		"no form":           from("POST", "/token"),
		"in the query":      from("POST", "/token?grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=a.b.c"),
		"another grant":     granting("grant_type", "refresh_token", "assertion", "a.b.c"),
		"no grant":          granting("assertion", "a.b.c"),
		"empty assertion":   granting("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion", ""),
		"grant in capitals": granting("grant_type", "URN:IETF:PARAMS:OAUTH:GRANT-TYPE:JWT-BEARER", "assertion", "a.b.c"),
		"a JSON object":     sending("POST", "/token", `{"assertion":"a.b.c"}`, "Content-Type", "application/json"),
		"an absent scheme":  from("POST", "/login/acme", "Authorization", "Bearer a.b.c"),
	} {
		w := serve(d.handler, r)
		require.Contains(t, w.Body.String(), `"missing_credential"`, name)
		want := http.StatusUnauthorized
		if r.URL.Path == "/token" {
			want = http.StatusBadRequest
		}
		require.Equal(t, want, w.Code, name)
	}
	requireRefused(t, serve(d.handler, from("POST", "/login/acme", "Token", "a.b.c", "Token", "a.b.c")), "two fields")
	requireRefused(t, serve(d.handler, from("POST", "/login/acme", "Token", "", "Token", "a.b.c")), "two fields, one empty")
	grant := "urn:ietf:params:oauth:grant-type:jwt-bearer"
	w := serve(d.handler, granting("grant_type", grant, "assertion", "a", "assertion", "a"))
	require.Equal(t, http.StatusBadRequest, w.Code)
	w = serve(d.handler, granting("grant_type", grant, "assertion", strings.Repeat("a", 70<<10)))
	require.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
	requireRefused(t, d.grant(strings.Repeat("a", 60<<10)), "long")

	require.Panics(t, func() { d.platforms.FromHeader("", "platform") })
	require.Panics(t, func() { d.platforms.FromHeader("To ken", "platform") })
	require.Panics(t, func() { d.platforms.FromHeader("authorization", "platform") })
	require.Panics(t, func() { d.platforms.FromHeader("Token", "") })
}

// That an author's function says "nothing presented" does not open the way to
// the next source, or through an optional guard.
func TestRefusalIsFinal(t *testing.T) {
	authtest.At(t, begin, func(t *testing.T) {
		for name, err := range map[string]error{
			"plain":   auth.ErrNoCredential,
			"wrapped": fmt.Errorf("users: %w", auth.ErrNoCredential),
			"hidden":  &auth.Failure{Reason: auth.ErrForbidden, Err: auth.ErrNoCredential},
			"revoked": auth.ErrRevoked,
		} {
			d := newDesk(newTap(t)).open()
			d.user = func(*auth.Platform, *auth.Assertion) (*auth.Principal, error) { return nil, err }
			open := auth.First(d.platforms.FromHeader("Token", "platform"), authenticator(func(*http.Request) (*auth.Principal, error) {
				return alice(), nil
			}))
			r := from("POST", "/login/acme", "Token", emailClaims().assertion())
			r.SetPathValue("platform", "acme")
			_, failure := auth.NewGuard(open, nil).Optional().Check(r)
			require.ErrorIs(t, failure, auth.ErrInvalid, name)
			require.NotErrorIs(t, failure, auth.ErrNoCredential, name)
		}
	})
}
