package main

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/examples/internal/demotest"
)

const rs512 = `{"alg":"RS512","typ":"JWT"}`

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// privateKey reads one of the demo's keys.
func privateKey(t testing.TB, path string) *rsa.PrivateKey {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	block, rest := pem.Decode(text)
	require.NotNil(t, block)
	require.Empty(t, rest)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	return key.(*rsa.PrivateKey)
}

// sign makes an assertion as a partner does, with none of the library.
func sign(t testing.TB, key *rsa.PrivateKey, header, payload string) string {
	t.Helper()
	signed := encode([]byte(header)) + "." + encode([]byte(payload))
	digest := sha512.Sum512([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA512, digest[:])
	require.NoError(t, err)
	return signed + "." + encode(signature)
}

var nonce atomic.Int64

// claims returns the payload of an assertion that is not there yet.
func claims(email string, expire time.Time) string {
	return fmt.Sprintf(`{"email":"%s","expire":%d,"nonce":%d}`, email, expire.Unix(), nonce.Add(1))
}

// good returns an assertion of the demo's platform.
func good(t testing.TB, p *demotest.Program, email string) string {
	t.Helper()
	return sign(t, privateKey(t, p.Values["platform_key"]), rs512, claims(email, time.Now().Add(time.Minute)))
}

func signIn(t testing.TB, p *demotest.Program, platform, assertion string, fields ...string) demotest.Answer {
	t.Helper()
	return p.Do(t, "POST", "/api/v1/authenticate-jwt/"+platform, "", append(fields, "Token: "+assertion)...)
}

func TestAssertions(t *testing.T) {
	each(t, func(t *testing.T, p *demotest.Program) {
		platform := p.Values["platform"]
		first := granted(t, signIn(t, p, platform, good(t, p, "grace@example.net")))
		again := granted(t, signIn(t, p, platform, good(t, p, "grace@example.net")))
		other := granted(t, signIn(t, p, platform, good(t, p, "alan@example.org")))
		require.Equal(t, first.UserID, again.UserID, "found")
		require.NotEqual(t, first.UserID, other.UserID)
		require.NotEqual(t, first.ID, again.ID)

		// The one with a password is somebody else, though her email is the same.
		ada := login(t, p)
		theirs := granted(t, signIn(t, p, platform, good(t, p, p.Values["email"])))
		require.NotEqual(t, ada.UserID, theirs.UserID)

		// A login never ends other sessions.
		for _, s := range []session{first, again, other, ada, theirs} {
			requireWallets(t, p, s)
		}
	})
}

// What partners' libraries write into a good assertion.
func TestAssertionsMayBe(t *testing.T) {
	p := demotest.Start(t)
	key := privateKey(t, p.Values["platform_key"])
	now := time.Now().Unix()
	for name, c := range map[string]struct{ header, payload string }{
		"without typ":             {`{"alg":"RS512"}`, claims("grace@example.net", time.Now().Add(time.Minute))},
		"of another order":        {`{"typ":"JWT","alg":"RS512"}`, fmt.Sprintf(`{ "expire": %d, "email": "grace@example.net" }`, now+61)},
		"with iat":                {rs512, fmt.Sprintf(`{"email":"grace@example.net","expire":%d,"iat":%d}`, now+62, now)},
		"as long as may be":       {rs512, fmt.Sprintf(`{"email":"grace@example.net","expire":%d}`, now+300)},
		"of a tagged address":     {rs512, claims("grace.m+wallet@example.net", time.Now().Add(time.Minute))},
		"of any domain":           {rs512, claims("grace@mail.xn--bcher-kva.example", time.Now().Add(time.Minute))},
		"of a domain in capitals": {rs512, claims("grace@EXAMPLE.NET", time.Now().Add(time.Minute))},
	} {
		t.Run(name, func(t *testing.T) {
			granted(t, signIn(t, p, p.Values["platform"], sign(t, key, c.header, c.payload)))
		})
	}
}

// One fixed answer, whatever is wrong.
func TestBadAssertions(t *testing.T) {
	each(t, func(t *testing.T, p *demotest.Program) {
		platform := p.Values["platform"]
		key, suspended := privateKey(t, p.Values["platform_key"]), privateKey(t, p.Values["suspended_platform_key"])
		stranger, err := rsa.GenerateKey(rand.Reader, 2048)
		require.NoError(t, err)
		now := time.Now().Unix()
		soon := claims("grace@example.net", time.Now().Add(time.Minute))
		used := good(t, p, "grace@example.net")
		granted(t, signIn(t, p, platform, used))
		expiring := func(expire any) string {
			return sign(t, key, rs512, fmt.Sprintf(`{"email":"grace@example.net","expire":%v}`, expire))
		}
		emailed := func(email string) string {
			return sign(t, key, rs512, fmt.Sprintf(`{"email":%s,"expire":%d}`, email, now+60))
		}
		public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(&key.PublicKey))})
		fresh := good(t, p, "grace@example.net")

		bad := map[string]string{
			"a replay":                  used,
			"another key":               sign(t, stranger, rs512, soon),
			"the other platform's key":  sign(t, suspended, rs512, soon),
			"HS256 by the public key":   hmacSigned("HS256", soon, public),
			"alg none":                  encode([]byte(`{"alg":"none"}`)) + "." + encode([]byte(soon)) + ".",
			"RS256":                     rs256(t, key, soon),
			"RS512 that says RS256":     sign(t, key, `{"alg":"RS256","typ":"JWT"}`, soon),
			"typ at+jwt":                sign(t, key, `{"alg":"RS512","typ":"at+jwt"}`, soon),
			"critical header":           sign(t, key, `{"alg":"RS512","crit":["x"],"x":1}`, soon),
			"no signature":              fresh[:strings.LastIndexByte(fresh, '.')+1],
			"cut off":                   fresh[:len(fresh)-1],
			"longer":                    fresh + "A",
			"in quotes":                 `"` + fresh + `"`,
			"with a scheme":             "Bearer " + fresh,
			"no JWT":                    "x",
			"a session":                 login(t, p).ID,
			"expire as a text":          expiring(fmt.Sprintf(`"%d"`, now+60)),
			"expire missing":            sign(t, key, rs512, `{"email":"grace@example.net"}`),
			"exp for expire":            sign(t, key, rs512, fmt.Sprintf(`{"email":"grace@example.net","exp":%d}`, now+60)),
			"Expire for expire":         sign(t, key, rs512, fmt.Sprintf(`{"email":"grace@example.net","Expire":%d}`, now+60)),
			"expire null":               expiring("null"),
			"expire past":               expiring(now - 1),
			"expire long past":          expiring(0),
			"expire negative":           expiring(-now),
			"expire too far":            expiring(now + 302),
			"expire in a year":          expiring(now + 365*86400),
			"expire in milliseconds":    expiring((now + 60) * 1000),
			"expire beyond all numbers": expiring("1e400"),
			"expire twice":              sign(t, key, rs512, fmt.Sprintf(`{"email":"grace@example.net","expire":1,"expire":%d}`, now+60)),
			"email missing":             sign(t, key, rs512, fmt.Sprintf(`{"expire":%d}`, now+60)),
			"email empty":               emailed(`""`),
			"email null":                emailed("null"),
			"email as a list":           emailed(`["grace@example.net"]`),
			"two emails":                emailed(`"grace@example.net,ada@example.com"`),
			"email with a name":         emailed(`"Grace <grace@example.net>"`),
			"email without a domain":    emailed(`"grace"`),
			"email with a line end":     emailed(`"grace@example.net\r\nBcc: ada@example.com"`),
			"email twice":               sign(t, key, rs512, fmt.Sprintf(`{"email":"x@example.net","email":"grace@example.net","expire":%d}`, now+60)),
			"sub for email":             sign(t, key, rs512, fmt.Sprintf(`{"sub":"grace@example.net","expire":%d}`, now+60)),
			"a list":                    sign(t, key, rs512, `[]`),
			"nothing inside":            sign(t, key, rs512, ``),
		}
		var answers []demotest.Answer
		refused := func(name string, a demotest.Answer) {
			require.Equal(t, http.StatusUnauthorized, a.Status, name)
			a.Require(t, http.StatusUnauthorized, invalid)
			a.Header.Del("Date")
			answers = append(answers, a)
			require.Equal(t, answers[0], a, name)
		}
		for name, assertion := range bad {
			refused(name, signIn(t, p, platform, assertion))
		}
		refused("two fields", signIn(t, p, platform, fresh, "Token: "+fresh))
		refused("the suspended platform", signIn(t, p, p.Values["suspended_platform"], sign(t, suspended, rs512, soon)))
		refused("for the suspended platform", signIn(t, p, p.Values["suspended_platform"], fresh))
		for _, id := range []string{"nobody", "x" + platform, strings.ToUpper(platform), platform + "%00", "%2e%2e%2f" + platform, strings.Repeat("x", 1000)} {
			refused("platform "+id, signIn(t, p, id, fresh))
		}

		// Without an assertion there is no error for the challenge to tell.
		path := "/api/v1/authenticate-jwt/" + platform
		for name, a := range map[string]demotest.Answer{
			"no field":      p.Do(t, "POST", path, ""),
			"empty":         signIn(t, p, platform, ""),
			"another field": p.Do(t, "POST", path, "", "Authorization: Bearer "+fresh),
			"another, too":  p.Do(t, "POST", path, "", "X-Token: "+fresh),
			"in the query":  p.Do(t, "POST", path+"?Token="+fresh+"&token="+fresh, ""),
			"in the body":   p.Do(t, "POST", path, `{"token":"`+fresh+`"}`),
			"in a cookie":   p.Do(t, "POST", path, "", "Cookie: Token="+fresh),
		} {
			require.Equal(t, http.StatusUnauthorized, a.Status, name)
			require.Equal(t, answers[0].Body, a.Body, name)
		}

		// None of that has used it up.
		granted(t, signIn(t, p, platform, fresh))
		refused("a second time", signIn(t, p, platform, fresh))
		require.Equal(t, http.StatusMethodNotAllowed, p.Do(t, "GET", path, "", "Token: "+good(t, p, "grace@example.net")).Status)
	})
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func hmacSigned(alg, payload string, key []byte) string {
	signed := encode([]byte(`{"alg":"`+alg+`","typ":"JWT"}`)) + "." + encode([]byte(payload))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}

func rs256(t testing.TB, key *rsa.PrivateKey, payload string) string {
	signed := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode([]byte(payload))
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	require.NoError(t, err)
	return signed + "." + encode(signature)
}

func TestAHundredCopiesAtOnce(t *testing.T) {
	p := demotest.Start(t)
	for range 5 {
		assertion := good(t, p, "grace@example.net")
		answers := make([]demotest.Answer, 100)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = signIn(t, p, p.Values["platform"], assertion) })
		}
		all.Wait()
		winners := 0
		for _, a := range answers {
			if a.Status == http.StatusOK {
				winners++
				requireWallets(t, p, granted(t, a))
				continue
			}
			a.Require(t, http.StatusUnauthorized, invalid)
		}
		require.Equal(t, 1, winners)
	}
}
