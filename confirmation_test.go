package auth_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
)

// selfSigned returns a client's certificate.
func selfSigned(name string) tls.Certificate {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotAfter:     time.Now().Add(time.Hour),
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: must(x509.ParseCertificate(der))}
}

// overTLS is r on a connection whose client has shown a certificate.
func overTLS(r *http.Request, c tls.Certificate) *http.Request {
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{c.Leaf}}
	return r
}

// tlsServer serves h to clients that show a certificate if they like.
func tlsServer(t testing.TB, h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// showing returns a client of the server that shows the certificates, if any.
func showing(t testing.TB, s *httptest.Server, certificates ...tls.Certificate) *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	transport := &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs: roots, Certificates: certificates, ClientSessionCache: tls.NewLRUClientSessionCache(8),
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// request sends a request with the header fields and returns the answer and its body.
func request(t testing.TB, c *http.Client, method, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w, err := c.Do(r)
	require.NoError(t, err)
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	return w, string(text)
}

// Row 111: RFC 8705 section 3, over real handshakes, for every source and every
// verifier: what is bound to a certificate is good with that one and no other.
func TestCertificateBoundCredentials(t *testing.T) {
	h := newHouse(t)
	mine, other := selfSigned("mine"), selfSigned("other")
	confirmation := auth.CertificateConfirmation(mine.Leaf)
	sum := sha256.Sum256(mine.Certificate[0])
	require.Equal(t, "x5t#S256:"+octets(sum[:]), confirmation)
	issue := func(with auth.Issuer) string {
		return must(with.Issue(t.Context(), alice("read"), &auth.IssueOptions{Confirmation: confirmation})).Token.Reveal()
	}
	key := must(h.keys.Create(t.Context(), &auth.Principal{Subject: "alice"}, &auth.KeyOptions{Confirmation: confirmation}))
	session := issue(h.sessions)
	v := []auth.Verifier{h.tokens, h.sessions, h.keys}
	guard := auth.NewGuard(auth.First(auth.Bearer(v...), auth.Header("X-API-Key", v...), auth.JSONField("key", v...),
		auth.Cookie("__Host-s", h.sessions, nil)), nil)
	s := tlsServer(t, guard.WrapFunc(hello))
	plain := httptest.NewServer(guard.WrapFunc(hello))
	t.Cleanup(plain.Close)

	// The key of the certificate that is shown counts, and not what comes with it.
	impostor := other
	impostor.Certificate = [][]byte{other.Certificate[0], mine.Certificate[0]}
	clients := map[string]struct {
		*http.Client
		want int
	}{
		"mine":     {showing(t, s, mine), 200},
		"other":    {showing(t, s, other), 401},
		"impostor": {showing(t, s, impostor), 401},
		"none":     {showing(t, s), 401},
	}
	for name, bring := range map[string][]string{
		"JWT":     {"", "Authorization", "Bearer " + issue(h.tokens)},
		"session": {"", "Authorization", "Bearer " + session},
		"API key": {"", "X-API-Key", key.Token.Reveal()},
		"cookie":  {"", "Cookie", "__Host-s=" + session},
		"body":    {`{"key":"` + session + `"}`, "Content-Type", "application/json"},
	} {
		for who, c := range clients {
			for range 2 { // the second handshake resumes the first
				w, body := request(t, c.Client, "POST", s.URL, bring[0], append(bring[1:], "Sec-Fetch-Site", "same-origin")...)
				require.Equal(t, c.want, w.StatusCode, "%s, %s", name, who)
				if c.want == 401 {
					require.NotContains(t, body, "certificate")
				} else {
					require.Equal(t, "hello alice", body)
				}
				c.CloseIdleConnections()
			}
		}
		w, _ := request(t, http.DefaultClient, "POST", plain.URL, bring[0], bring[1:]...)
		require.Equal(t, 401, w.StatusCode, "%s, without TLS", name)
	}

	// Who shows a certificate may bring what is bound to none.
	for who, c := range clients {
		w, _ := request(t, c.Client, "GET", s.URL, "", "Authorization", "Bearer "+open(t, h.sessions))
		require.Equal(t, 200, w.StatusCode, who)
	}
}

// Any confirmation but that of the certificate refuses, whatever certificate it
// is.
func TestConfirmationsThatNoCertificateMeets(t *testing.T) {
	c := selfSigned("mine")
	good := auth.CertificateConfirmation(c.Leaf)
	for _, confirmation := range []string{
		"x5t#S256:", good + "=", good[:len(good)-1], good + "A", strings.ToLower(good), strings.Replace(good, "x5t#S256", "x5t", 1),
		strings.Replace(good, "x5t#S256", "jkt", 1), "x5t#S256", "unsupported", "jkt:", " ", strings.TrimPrefix(good, "x5t#S256:"),
	} {
		guard := auth.NewGuard(auth.Bearer(boundTo("token", confirmation)), nil)
		r := overTLS(from("GET", "/", "Authorization", "Bearer token"), c)
		w := serve(guard.WrapFunc(hello), r)
		require.Equal(t, 401, w.Code, confirmation)
		require.Equal(t, "invalid_token", parseChallenges(t, w.Result())[0].params["error"])
	}
}

// What is bound to nothing that can be proved opens nothing: a mistake must not
// yield a bearer token.
func TestConfirmationsFailClosed(t *testing.T) {
	h := newHouse(t)
	for name, confirmation := range map[string]string{
		"no key":            auth.KeyConfirmation(nil),
		"zero key":          auth.KeyConfirmation(&auth.Key{}),
		"symmetric key":     auth.KeyConfirmation(hmacKey(t)),
		"no certificate":    auth.CertificateConfirmation(nil),
		"empty certificate": auth.CertificateConfirmation(&x509.Certificate{}),
	} {
		require.NotEmpty(t, confirmation, name)
		_, err := h.tokens.Issue(t.Context(), alice(), &auth.IssueOptions{Confirmation: confirmation})
		require.Error(t, err, name)
		_, err = h.keys.Create(t.Context(), alice(), &auth.KeyOptions{Confirmation: confirmation})
		require.ErrorContains(t, err, "malformed confirmation", name)
		g := must(h.sessions.Issue(t.Context(), alice(), &auth.IssueOptions{Confirmation: confirmation}))
		w := serve(auth.NewGuard(auth.Bearer(h.sessions), nil).WrapFunc(hello), from("GET", "/", "Authorization", "Bearer "+g.Token.Reveal()))
		require.Equal(t, 401, w.Code, name)
	}
	for _, bad := range []string{"key", "jkt:", "jkt:short", "x5t#S256:" + strings.Repeat("+", 43), "x5t:" + strings.Repeat("A", 43), "jkt:" + strings.Repeat("A", 44)} {
		_, err := h.keys.Create(t.Context(), alice(), &auth.KeyOptions{Confirmation: bad})
		require.ErrorContains(t, err, "malformed confirmation", bad)
	}
}

// RFC 9449 section 6.1, by its example.
func TestKeyConfirmation(t *testing.T) {
	k, err := auth.ParseJWK([]byte(`{"kty":"EC","crv":"P-256","kid":"any",
		"x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}`))
	require.NoError(t, err)
	require.Equal(t, "jkt:0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", auth.KeyConfirmation(k))
}

// Sessions, keys and tokens alike, bound to a key of DPoP, over a real server; what
// they are renewed, rotated and exchanged into stays bound.
func TestDPoPBoundCredentials(t *testing.T) {
	h := newHouse(t)
	client, thief := newProver("ES256"), newProver("ES256")
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	dpop := newDPoP(t, h.store, auth.DPoPOptions{BaseURL: s.URL, NonceKey: bytes.Repeat([]byte{7}, 32)})
	v := []auth.Verifier{h.tokens, h.sessions, h.keys}
	guard := auth.NewGuard(auth.First(dpop.Source(v...), auth.Bearer(v...)), nil)
	mux.Handle("GET /data", guard.WrapFunc(hello))
	mux.Handle("POST /session", guard.Exchange(h.sessions))

	o := &auth.IssueOptions{Confirmation: client.confirmation()}
	session := must(h.sessions.Issue(t.Context(), alice("read"), o))
	key := must(h.keys.Create(t.Context(), &auth.Principal{Subject: "alice"}, &auth.KeyOptions{Confirmation: client.confirmation()}))
	credentials := map[string]string{
		"JWT":         must(h.tokens.Issue(t.Context(), alice("read"), o)).Token.Reveal(),
		"API key":     key.Token.Reveal(),
		"rotated key": must(h.keys.Rotate(t.Context(), key.Principal.Credential.ID)).Token.Reveal(),
		"session":     must(h.sessions.Issue(t.Context(), alice("read"), o)).Token.Reveal(),
		"renewed":     must(h.sessions.Renew(t.Context(), session.Principal)).Token.Reveal(),
	}
	_, body := send(t, client, "POST", s.URL+"/session", credentials["API key"])
	require.Contains(t, body, `"token_type":"DPoP"`, "RFC 9449 section 5")
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	credentials["exchanged"] = answer.AccessToken

	for name, text := range credentials {
		w, body := send(t, client, "GET", s.URL+"/data", text)
		require.Equal(t, 200, w.StatusCode, "%s: %s", name, body)
		require.Equal(t, "hello alice", body)
		w, _ = send(t, thief, "GET", s.URL+"/data", text)
		require.Equal(t, 401, w.StatusCode, name)
		w, _ = request(t, http.DefaultClient, "GET", s.URL+"/data", "", "Authorization", "Bearer "+text)
		require.Equal(t, 401, w.StatusCode, name)
		w, _ = request(t, http.DefaultClient, "GET", s.URL+"/data", "", "Authorization", "DPoP "+text)
		require.Equal(t, 401, w.StatusCode, "%s, without a proof", name)
	}
	w, _ := request(t, http.DefaultClient, "GET", s.URL+"/data", "", "Authorization", "Bearer "+open(t, h.sessions))
	require.Equal(t, 200, w.StatusCode)
}

// The refresh tokens of a key are of that key alone, and so are all that they are
// traded for.
func TestDPoPBoundRefreshTokens(t *testing.T) {
	h := newHouse(t)
	client, thief := newProver("EdDSA"), newProver("EdDSA")
	refresh := must(auth.NewRefresh(h.store, h.tokens, nil))
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	dpop := newDPoP(t, h.store, auth.DPoPOptions{BaseURL: s.URL})
	mux.Handle("POST /login", auth.NewGuard(dpop.Source(h.keys), nil).Exchange(refresh))
	mux.Handle("POST /refresh", auth.NewGuard(auth.First(dpop.Source(refresh), auth.JSONField("refresh_token", refresh)), nil).Exchange(refresh))
	mux.Handle("GET /data", auth.NewGuard(dpop.Source(h.tokens), nil).WrapFunc(hello))
	key := must(h.keys.Create(t.Context(), &auth.Principal{Subject: "alice"}, &auth.KeyOptions{Confirmation: client.confirmation()}))

	path, credential := "/login", key.Token.Reveal()
	for range 3 {
		w, _ := send(t, thief, "POST", s.URL+path, credential)
		require.Equal(t, 401, w.StatusCode)
		w, body := send(t, client, "POST", s.URL+path, credential)
		require.Equal(t, 200, w.StatusCode, body)
		var pair struct {
			AccessToken  string `json:"access_token"`
			RefreshToken string `json:"refresh_token"`
			TokenType    string `json:"token_type"`
		}
		require.NoError(t, json.Unmarshal([]byte(body), &pair))
		require.Equal(t, "DPoP", pair.TokenType)
		w, _ = send(t, client, "GET", s.URL+"/data", pair.AccessToken)
		require.Equal(t, 200, w.StatusCode)
		w, _ = request(t, http.DefaultClient, "POST", s.URL+"/refresh", `{"refresh_token":"`+pair.RefreshToken+`"}`)
		require.Equal(t, 401, w.StatusCode, "a copy of the token alone")
		path, credential = "/refresh", pair.RefreshToken
	}
}

// send asks with a proof, and again with the nonce that it is told.
func send(t testing.TB, client *prover, method, url, credential string) (*http.Response, string) {
	t.Helper()
	d := client.draft(method, url, credential)
	w, body := request(t, http.DefaultClient, method, url, "", "Authorization", "DPoP "+credential, "DPoP", client.sign(d))
	if nonce := w.Header.Get("DPoP-Nonce"); nonce != "" {
		d = client.draft(method, url, credential).with("nonce", nonce)
		w, body = request(t, http.DefaultClient, method, url, "", "Authorization", "DPoP "+credential, "DPoP", client.sign(d))
	}
	return w, body
}

// What is bound to nothing is told as a bearer token, and so is what is bound to a
// certificate (RFC 8705 section 3 leaves the type as it is).
func TestTokenTypeOfAGrant(t *testing.T) {
	for confirmation, want := range map[string]string{"": "Bearer", "jkt:x": "DPoP", "x5t#S256:x": "Bearer"} {
		guard := auth.NewGuard(auth.Bearer(known{"login": alice()}), nil)
		w := serve(guard.Exchange(issuer(func(p *auth.Principal, o *auth.IssueOptions) (*auth.Grant, error) {
			require.Empty(t, o.Confirmation)
			q := *p
			q.Credential.Confirmation = confirmation
			return &auth.Grant{Token: auth.NewSecret("token"), Principal: &q}, nil
		})), from("POST", "/", "Authorization", "Bearer login"))
		require.Contains(t, w.Body.String(), fmt.Sprintf(`"token_type":%q`, want))
	}
}
