package oauth_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-077cad0b/auth/oauth"
)

// A visitor is somebody with a browser, which keeps cookies and follows redirects
// within the host of the issuer.
type visitor struct {
	t       testing.TB
	handler http.Handler
	jar     http.CookieJar
	fields  []header // of every request
	calls   []int    // the statuses that the last go has come by
}

func (w *world) visitor(t testing.TB) *visitor {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &visitor{t: t, handler: w.server, jar: jar}
}

// as returns a visitor who is signed in as one of the people.
func (w *world) as(t testing.TB, name string) *visitor {
	v := w.visitor(t)
	v.signIn(name)
	return v
}

func (v *visitor) signIn(name string) {
	v.jar.SetCookies(must(url.Parse(issuer)), []*http.Cookie{{Name: "user", Value: name, Path: "/"}})
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// A page is what the browser ends up with: a page of the server, or a redirect that
// leads away from it.
type page struct {
	*http.Response
	t        testing.TB
	url      *url.URL // of the page
	body     string   // without the style sheet
	location *url.URL // away; nil for none
}

// get goes to a path of the server.
func (v *visitor) get(target string) *page { return v.do("GET", target, nil) }

func (v *visitor) do(method, target string, form url.Values, fields ...header) *page {
	v.t.Helper()
	v.calls = nil
	at := must(must(url.Parse(issuer)).Parse(target))
	for range 10 {
		p := v.send(method, at, form, fields)
		v.calls = append(v.calls, p.StatusCode)
		to := p.Header.Get("Location")
		if to == "" {
			return p
		}
		require.Equal(v.t, http.StatusSeeOther, p.StatusCode)
		next := must(at.Parse(to))
		if next.Scheme+"://"+next.Host != issuer {
			p.location = next
			return p
		}
		method, at, form, fields = "GET", next, nil, nil
	}
	require.Fail(v.t, "redirects without an end")
	return nil
}

func (v *visitor) send(method string, at *url.URL, form url.Values, fields []header) *page {
	r := request(method, at.RequestURI(), form, append(fields, v.fields...)...)
	r.Host = at.Host
	for _, c := range v.jar.Cookies(at) {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	v.handler.ServeHTTP(w, r)
	p := &page{Response: w.Result(), t: v.t, url: at, body: stylePattern.ReplaceAllString(w.Body.String(), "")}
	v.jar.SetCookies(at, p.Cookies())
	return p
}

var (
	formPattern  = regexp.MustCompile(`<form method="(\w+)" action="([^"]*)">`)
	stylePattern = regexp.MustCompile(`(?s)<style>.*</style>`)
	inputPattern = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// action and hidden are the page's form.
func (p *page) action() string {
	p.t.Helper()
	found := formPattern.FindStringSubmatch(p.body)
	require.NotNil(p.t, found, p.body)
	return html.UnescapeString(found[2])
}

func (p *page) hidden() url.Values {
	fields := url.Values{}
	for _, found := range inputPattern.FindAllStringSubmatch(p.body, -1) {
		fields.Add(html.UnescapeString(found[1]), html.UnescapeString(found[2]))
	}
	return fields
}

// submit posts the form of a page, with fields that a person fills in.
func (v *visitor) submit(p *page, pairs ...string) *page {
	v.t.Helper()
	fields := p.hidden()
	for i := 0; i < len(pairs); i += 2 {
		fields.Set(pairs[i], pairs[i+1])
	}
	return v.do("POST", p.action(), fields, header{"Origin", issuer}, header{"Sec-Fetch-Site", "same-origin"})
}

// verifierText is a code_verifier, and challengeText its challenge.
const verifierText = "a-code-verifier-of-more-than-43-characters-for-tests"

var challengeText = func() string {
	sum := sha256.Sum256([]byte(verifierText))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}()

// authorizeQuery is a good request of a client of the world, changed by pairs; one
// with an empty value goes.
func authorizeQuery(client string, pairs ...string) url.Values {
	q := form("response_type", "code", "client_id", client, "redirect_uri", callback, "state", "a state", "scope", "read",
		"code_challenge", challengeText, "code_challenge_method", "S256")
	switch client {
	case "phone":
		q.Set("redirect_uri", "com.example.phone:/done")
	case "bound":
		q.Set("redirect_uri", "com.example.bound:/done")
	}
	for i := 0; i < len(pairs); i += 2 {
		if q.Del(pairs[i]); pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

// authorizeURL is authorizeQuery as a URL.
func authorizeURL(client string, pairs ...string) string {
	return "/oauth/authorize?" + authorizeQuery(client, pairs...).Encode()
}

// requireCode requires that the browser was sent to the client with a code.
func requireCode(t testing.TB, p *page) string {
	t.Helper()
	require.NotNil(t, p.location, "%d %s", p.StatusCode, p.body)
	q := p.location.Query()
	require.Empty(t, q.Get("error"), q.Get("error_description"))
	require.NotEmpty(t, q.Get("code"))
	require.Equal(t, "no-store", p.Header.Get("Cache-Control"))
	require.Equal(t, "no-referrer", p.Header.Get("Referrer-Policy"))
	require.Equal(t, issuer, q.Get("iss"))
	return q.Get("code")
}

// requireError requires that the client was told an error.
func requireError(t testing.TB, p *page, code oauth.ErrorCode) {
	t.Helper()
	require.NotNil(t, p.location, "%d %s", p.StatusCode, p.body)
	q := p.location.Query()
	require.Equal(t, string(code), q.Get("error"), q.Get("error_description"))
	require.Empty(t, q.Get("code"))
	require.Equal(t, issuer, q.Get("iss"))
}

// requireShown requires a page with that status and text.
func requireShown(t testing.TB, p *page, status int, text string) {
	t.Helper()
	require.Nil(t, p.location, "sent to %v", p.location)
	require.Equal(t, status, p.StatusCode, p.body)
	require.Empty(t, p.Header.Get("Location"))
	require.Contains(t, html.UnescapeString(p.body), text)
}

// consented grants what a client asks for, where that is not granted already.
func (v *visitor) consented(target string) *page {
	v.t.Helper()
	p := v.get(target)
	if p.location == nil && strings.Contains(p.body, `value="allow"`) {
		p = v.submit(p, "decision", "allow")
	}
	return p
}

// errStoreDown is what a store says that does not answer.
var errStoreDown = errors.New("the store is down")
