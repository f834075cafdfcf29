//go:build linux

package oauth_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// A cluster is an authorization server in several processes, which share a store.
type cluster struct {
	testing.TB
	settings  settings
	signer    map[string]string // the private JWK of the client signer
	processes []*program
}

func newCluster(tb testing.TB, store string, processes int) *cluster {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	c := &cluster{TB: tb, signer: newJWK("signer"), processes: make([]*program, processes)}
	nonces := make([]byte, 32)
	_, _ = rand.Read(nonces)
	c.settings = settings{
		Issuer: "http://" + l.Addr().String(),
		Store:  store,
		Key:    must(json.Marshal(newJWK("server"))),
		Nonces: nonces,
		Secret: rand.Text(),
		Signer: must(json.Marshal(public(c.signer))),
	}
	require.NoError(tb, l.Close())
	c.start()
	return c
}

// start starts the processes, of which the first is at the issuer's address.
func (c *cluster) start() {
	c.Helper()
	for i := range c.processes {
		s := c.settings
		s.Addr = "127.0.0.1:0"
		if i == 0 {
			s.Addr = strings.TrimPrefix(s.Issuer, "http://")
		}
		c.processes[i] = child(c, s)
	}
}

func (c *cluster) restart() {
	c.Helper()
	for _, p := range c.processes {
		p.kill()
	}
	c.start()
}

// An answer is what a process answered.
type answer struct {
	status int
	header http.Header
	body   map[string]any // nil: no JSON
}

func (a answer) text(name string) string {
	s, _ := a.body[name].(string)
	return s
}

var browser = &http.Client{
	Transport:     &http.Transport{MaxIdleConnsPerHost: 200},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// send sends a request to one of the processes. Fields are in pairs.
func (c *cluster) send(i int, method, path string, form url.Values, fields ...string) answer {
	r := must(http.NewRequestWithContext(c.Context(), method, c.processes[i%len(c.processes)].values["base_url"]+path, strings.NewReader(form.Encode())))
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for j := 0; j+1 < len(fields); j += 2 {
		r.Header.Set(fields[j], fields[j+1])
	}
	response := must(browser.Do(r))
	defer response.Body.Close()
	a := answer{status: response.StatusCode, header: response.Header}
	_ = json.Unmarshal(must(io.ReadAll(response.Body)), &a.body)
	return a
}

// token asks for one as a client with a secret, or a public one.
func (c *cluster) token(i int, client, grant string, form url.Values, fields ...string) answer {
	all := url.Values{"grant_type": {grant}, "client_id": {client}}
	if client != "tv" && client != "signer" {
		all.Set("client_secret", c.settings.Secret)
	}
	for name, values := range form {
		all[name] = values
	}
	return c.send(i, "POST", "/oauth/token", all, fields...)
}

// api asks the API with a token and returns the status.
func (c *cluster) api(i int, token string) int {
	return c.send(i, "GET", "/api", nil, "Authorization", "Bearer "+token).status
}

// verifier is what every code here is redeemed with.
const verifier = "the-verifier-of-a-proof-key-for-code-exchange"

// request is a request for a code.
func request(client string) url.Values {
	challenge := sha256.Sum256([]byte(verifier))
	return url.Values{
		"client_id":             {client},
		"response_type":         {"code"},
		"redirect_uri":          {callback},
		"scope":                 {"read"},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(challenge[:])},
		"code_challenge_method": {"S256"},
		"state":                 {"a state"},
	}
}

// authorize has a person grant a request, and returns the code, if there is one.
func (c *cluster) authorize(i int, request url.Values) string {
	a := c.send(i, "GET", "/oauth/authorize?"+request.Encode(), nil)
	l, err := url.Parse(a.header.Get("Location"))
	if err != nil || a.status != http.StatusSeeOther || !strings.HasPrefix(l.String(), callback) {
		return ""
	}
	return l.Query().Get("code")
}

func (c *cluster) redeem(i int, client, code string) answer {
	return c.token(i, client, "authorization_code", url.Values{"code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}})
}

// grant returns the tokens of a client that somebody has just granted some.
func (c *cluster) grant(client string) answer {
	c.Helper()
	a := c.redeem(0, client, c.authorize(0, request(client)))
	require.Equal(c, http.StatusOK, a.status, a.body)
	return a
}

// proof makes a DPoP proof for a request to the issuer, by a key.
func (c *cluster) proof(key map[string]string, method, path, nonce, token string) string {
	return proof(key, method, c.settings.Issuer+path, nonce, token)
}

// assertion makes one of the signer's about a subject.
func (c *cluster) assertion(issuer, subject string) string {
	return sign(c.signer, map[string]any{"kid": "signer"}, jwt.MapClaims{
		"iss": issuer, "sub": subject, "aud": c.settings.Issuer, "jti": rand.Text(),
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	})
}

// atOnce has n do the same at the same moment.
func atOnce(n int, do func(i int) answer) []answer {
	answers := make([]answer, n)
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-begin
			answers[i] = do(i)
		})
	}
	close(begin)
	all.Wait()
	return answers
}

// one requires that exactly one of them got what it asked for, and that the others
// were refused, each with this status, and none by an outage. It returns the one.
func one(tb testing.TB, answers []answer, refused int) answer {
	tb.Helper()
	var got []answer
	for _, a := range answers {
		if a.status == http.StatusOK {
			got = append(got, a)
			continue
		}
		require.Equal(tb, refused, a.status, a.body)
	}
	require.Len(tb, got, 1)
	return got[0]
}
