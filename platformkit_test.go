package auth_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// The platform of the tests signs with the RSA key of RFC 7515 appendix A.2,
// which everybody knows.
var (
	platformKey = sync.OnceValue(func() *rsa.PrivateKey {
		block, _ := pem.Decode(platformPEM("private.pem"))
		return must(x509.ParsePKCS8PrivateKey(block.Bytes)).(*rsa.PrivateKey)
	})
	otherPlatformKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
)

func platformPEM(name string) []byte {
	return must(os.ReadFile(filepath.Join("testdata", "platform", name)))
}

// publicKeys is a set of the public part of a key, for one algorithm.
func publicKeys(alg auth.Algorithm, key *rsa.PrivateKey) *auth.Keys {
	der := must(x509.MarshalPKIXPublicKey(key.Public()))
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return must(auth.NewKeys(nil, must(auth.ParsePEM(alg, text))))
}

const (
	rs512       = `{"alg":"RS512","typ":"JWT"}`
	apiAudience = "https://api.example"
)

// signPlatform signs any header and payload as a platform does.
func signPlatform(key *rsa.PrivateKey, header, payload string) string {
	return signRSA(key, crypto.SHA512, false, header, payload)
}

func signRSA(key *rsa.PrivateKey, with crypto.Hash, pss bool, header, payload string) string {
	signed := b64(header) + "." + b64(payload)
	h := with.New()
	h.Write([]byte(signed))
	var signature []byte
	if pss {
		signature = must(rsa.SignPSS(rand.Reader, key, with, h.Sum(nil), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
	} else {
		signature = must(rsa.SignPKCS1v15(nil, key, with, h.Sum(nil)))
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// emailClaims are those of a good assertion in the email form, and grantClaims
// of one in the standard form.
func emailClaims() claims {
	return claims{"email": `"ada@example.com"`, "expire": fmt.Sprint(time.Now().Unix() + 60)}
}

func grantClaims() claims {
	return claims{
		"iss": `"acme"`, "sub": `"u1"`, "aud": `"` + apiAudience + `"`, "jti": `"once"`,
		"exp": fmt.Sprint(time.Now().Unix() + 60),
	}
}

// assertion signs the claims as the platform of the tests.
func (c claims) assertion() string { return signPlatform(platformKey(), rs512, c.String()) }

// A desk is where the users of platforms sign in. It is the registry, too.
type desk struct {
	t        testing.TB // of tests that hand desks around
	store    auth.Store
	sessions *auth.Sessions
	options  auth.PlatformOptions
	guard    auth.GuardOptions

	entries map[string]*auth.Platform
	down    error // of the registry

	mu    sync.Mutex
	asked []*auth.Assertion // with whom the options' User was asked
	user  func(*auth.Platform, *auth.Assertion) (*auth.Principal, error)

	platforms *auth.Platforms
	handler   http.Handler
}

// newDesk returns a desk for the platform acme, which knows all scopes there
// are. Its parts are made by open, so that a test can change what they are made
// of.
func newDesk(store auth.Store) *desk {
	d := &desk{store: store, entries: map[string]*auth.Platform{}}
	d.entries["acme"] = &auth.Platform{ID: "acme", Keys: publicKeys(auth.RS512, platformKey()), Scopes: []string{"read", "trade"}}
	d.options.User = func(_ context.Context, p *auth.Platform, a *auth.Assertion) (*auth.Principal, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.asked = append(d.asked, a)
		if d.user != nil {
			return d.user(p, a)
		}
		return &auth.Principal{Subject: "user of " + p.ID + " " + a.Subject, Scopes: []string{"read", "admin"}}, nil
	}
	return d
}

func (d *desk) acme() *auth.Platform { return d.entries["acme"] }

func (d *desk) Platform(_ context.Context, id string) (*auth.Platform, error) {
	if d.down != nil {
		return nil, d.down
	}
	if p, ok := d.entries[id]; ok {
		return p, nil
	}
	return nil, auth.ErrNotFound
}

func (d *desk) open() *desk {
	d.sessions = must(auth.NewSessions(d.store, nil))
	d.platforms = must(auth.NewPlatforms(d.store, d, &d.options))
	issuer := d.platforms.Issuer(d.sessions)
	mux := http.NewServeMux()
	mux.Handle("/login/{platform}", auth.NewGuard(d.platforms.FromHeader("Token", "platform"), &d.guard).Exchange(issuer))
	mux.Handle("/token", auth.NewGuard(d.platforms.JWTBearer(), &d.guard).Exchange(issuer))
	d.handler = mux
	return d
}

// login presents an assertion in the email form, and grant one in the standard
// form.
func (d *desk) login(platform, assertion string) *httptest.ResponseRecorder {
	return serve(d.handler, from("POST", "/login/"+platform, "Token", assertion))
}

func (d *desk) grant(assertion string) *httptest.ResponseRecorder {
	return serve(d.handler, granting("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion", assertion))
}

// granting is a request for a token with a form.
func granting(fields ...string) *http.Request {
	var form []string
	for i := 0; i < len(fields); i += 2 {
		form = append(form, url.QueryEscape(fields[i])+"="+url.QueryEscape(fields[i+1]))
	}
	return sending("POST", "/token", strings.Join(form, "&"), "Content-Type", "application/x-www-form-urlencoded")
}

// admitted returns whom the session that w hands out proves.
func (d *desk) admitted(t testing.TB, w *httptest.ResponseRecorder) *auth.Principal {
	t.Helper()
	require.Equal(t, http.StatusOK, w.Code, "%s", w.Body)
	p, err := d.sessions.Verify(t.Context(), tokenIn(t, w))
	require.NoError(t, err)
	return p
}

func tokenIn(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	var answer struct {
		Token string `json:"access_token"`
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
	return answer.Token
}

const refusedBody = `{"type":"https://github.com/seed-077cad0b/auth/blob/main/docs/errors.md#invalid_credential",` +
	`"title":"The credential is not valid.","status":401,"code":"invalid_credential"}`

// requireRefused requires the one answer that there is to whatever is wrong with
// an assertion.
func requireRefused(t testing.TB, w *httptest.ResponseRecorder, name string) {
	t.Helper()
	require.Equal(t, http.StatusUnauthorized, w.Code, "%s: %s", name, w.Body)
	require.JSONEq(t, refusedBody, w.Body.String(), name)
	require.Len(t, w.Header().Values("WWW-Authenticate"), 1, name)
	require.Contains(t, w.Header().Get("WWW-Authenticate"), `error="invalid_token"`, name)
}
