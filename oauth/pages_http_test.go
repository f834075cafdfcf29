package oauth_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
	"github.com/seed-077cad0b/auth/store/memstore"
)

// A client of net/http with a cookie jar gets through the pages of a real server:
// over TLS, and over plain HTTP on this host.
func TestPagesOverHTTP(t *testing.T) {
	for _, scheme := range []string{"https", "http"} {
		t.Run(scheme, func(t *testing.T) {
			server := httptest.NewUnstartedServer(nil)
			base := scheme + "://" + server.Listener.Addr().String()
			h := newHouse(t, memstore.New(), nil, nil)
			session := h.session
			if scheme == "http" {
				session = auth.Cookie("session", h.sessions, &auth.CookieOptions{InsecureName: true, InsecureHTTP: true})
			}
			w := newWorldOver(t, h.store, func(c *oauth.Config) {
				c.Issuer = base
				c.Login = oauth.NewPasswordLogin(h.users, session, nil)
			})
			server.Config.Handler = w.server
			if scheme == "https" {
				server.StartTLS()
			} else {
				server.Start()
			}
			defer server.Close()

			client := server.Client()
			client.Jar = must(cookiejar.New(nil))
			client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
				if r.URL.Scheme+"://"+r.URL.Host != base {
					return http.ErrUseLastResponse
				}
				return nil
			}
			read := func(r *http.Response, err error) *page {
				t.Helper()
				require.NoError(t, err)
				defer r.Body.Close()
				body := must(io.ReadAll(r.Body))
				return &page{Response: r, t: t, url: r.Request.URL, body: string(body)}
			}
			post := func(p *page, pairs ...string) *page {
				t.Helper()
				fields := p.hidden()
				for i := 0; i < len(pairs); i += 2 {
					fields.Set(pairs[i], pairs[i+1])
				}
				return read(client.PostForm(must(p.url.Parse(p.action())).String(), fields))
			}
			p := read(client.Get(base + authorizeURL("web")))
			requireShown(t, p, http.StatusOK, "Sign in to Example")
			p = post(p, "email", email, "password", good)
			requireShown(t, p, http.StatusOK, "Allow Web?")
			p = post(p, "decision", "allow")
			require.Equal(t, http.StatusSeeOther, p.StatusCode)
			to := must(url.Parse(p.Header.Get("Location")))
			require.True(t, strings.HasPrefix(to.String(), callback+"?code="))
			require.Equal(t, base, to.Query().Get("iss"))
			if scheme == "https" {
				require.NotEmpty(t, p.Header.Get("Strict-Transport-Security"))
			}
		})
	}
}

// The policy allows the style sheet that is in the page, to the byte, and no other.
func TestPagesHaveTheStyleThatTheirPolicyAllows(t *testing.T) {
	recorder := httptest.NewRecorder()
	newWorld(t).server.ServeHTTP(recorder, request("GET", "/oauth/authorize", nil))
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(recorder.Body.String())
	require.NotNil(t, style)
	sum := sha256.Sum256([]byte(style[1]))
	require.Contains(t, recorder.Header().Get("Content-Security-Policy"),
		"style-src 'self' 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"';")
}
