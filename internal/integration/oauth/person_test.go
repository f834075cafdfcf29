//go:build linux

package oauth_test

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A person is somebody with a browser that runs no script: it shows pages, sends
// back the fields and cookies that it was given, and follows redirects.
type person struct {
	testing.TB
	email, password string
	cookies         map[string]string
}

func newPerson(tb testing.TB, p *program) *person {
	return &person{tb, p.values["email"], p.values["password"], map[string]string{}}
}

// visit opens a URL of a server, signs in where it is asked to and presses the
// first button of every other page, until the server sends it to another origin.
// It returns that URL, which it does not open, or the last page.
func (p *person) visit(address string) (*url.URL, string) {
	p.Helper()
	at, err := url.Parse(address)
	require.NoError(p, err)
	home := at.Host
	request := must(http.NewRequestWithContext(p.Context(), "GET", address, nil))
	for range 10 {
		response, body := p.send(request)
		if l := response.Header.Get("Location"); response.StatusCode/100 == 3 {
			require.NotContains(p, []int{http.StatusTemporaryRedirect, http.StatusPermanentRedirect}, response.StatusCode, "a form could be sent on")
			at = must(at.Parse(l))
			if at.Host != home {
				return at, ""
			}
			request = must(http.NewRequestWithContext(p.Context(), "GET", at.String(), nil))
			continue
		}
		form, ok := readForm(body)
		if !ok {
			return nil, body
		}
		at = must(at.Parse(form.action))
		for name, value := range map[string]string{"email": p.email, "password": p.password} {
			if _, asked := form.fields[name]; asked {
				form.fields.Set(name, value)
			}
		}
		if form.method == "get" {
			at.RawQuery = form.fields.Encode()
			request = must(http.NewRequestWithContext(p.Context(), "GET", at.String(), nil))
			continue
		}
		request = must(http.NewRequestWithContext(p.Context(), "POST", at.String(), strings.NewReader(form.fields.Encode())))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", "http://"+home)
		request.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	require.FailNow(p, "no end of pages")
	return nil, ""
}

func (p *person) send(r *http.Request) (*http.Response, string) {
	p.Helper()
	for name, value := range p.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(p, err)
	defer response.Body.Close()
	for _, c := range response.Cookies() {
		p.cookies[c.Name] = c.Value
		if c.MaxAge < 0 {
			delete(p.cookies, c.Name)
		}
	}
	return response, string(must(io.ReadAll(response.Body)))
}

// A form is the one of a page.
type form struct {
	method, action string
	fields         url.Values // with the value of the first button
}

var (
	formTag   = regexp.MustCompile(`(?s)<form\b[^>]*>.*?</form>`)
	fieldTag  = regexp.MustCompile(`<(form|input|button)\b[^>]*>`)
	attribute = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
)

func readForm(page string) (form, bool) {
	f := form{fields: url.Values{}}
	text := formTag.FindString(page)
	pressed := false
	for _, tag := range fieldTag.FindAllStringSubmatch(text, -1) {
		a := map[string]string{}
		for _, m := range attribute.FindAllStringSubmatch(tag[0], -1) {
			a[m[1]] = html.UnescapeString(m[2])
		}
		switch {
		case tag[1] == "form":
			f.method, f.action = a["method"], a["action"]
		case tag[1] == "button" && pressed:
		case a["name"] != "":
			f.fields.Set(a["name"], a["value"])
		}
		pressed = pressed || tag[1] == "button"
	}
	return f, text != ""
}
