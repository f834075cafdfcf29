package oauth

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A visit is a request of a browser for a page of the server. All that the pages
// know is in their URL and in the browser's cookie: nothing is written for who has
// not signed in.
type visit struct {
	*http.Request
	server  *Server
	w       http.ResponseWriter
	browser browser

	page   string // path and query, without since
	params params // of the query
	form   params // that was posted; nil for none

	// since is when the person was first asked to sign in for this; zero where
	// they were not.
	since time.Time
}

// sinceParam is the parameter in which pages keep visit.since.
const sinceParam = "since"

// sinceLifetime bounds how long somebody may be signing in.
const sinceLifetime = time.Hour

// newVisit reads a request for the page at a path whose query has the named
// parameters.
func (s *Server) newVisit(w http.ResponseWriter, r *http.Request, path string, names ...string) (*visit, error) {
	v := &visit{Request: r, server: s, w: w}
	if len(r.URL.RawQuery) > maxRequest {
		return nil, errLongRequest
	}
	var err error
	if v.params, err = parseParams(r.URL.RawQuery); err != nil {
		return nil, err
	}
	switch r.Method {
	case http.MethodGet:
	case http.MethodPost:
		if v.form, err = formOf(r); err != nil {
			return nil, err
		}
	default:
		return nil, auth.ErrMethod
	}
	v.page = withQuery(path, v.params.only(names...))
	return v, nil
}

// enter finds out which browser it is that sends the request, and whether it has
// been here before. A form of another site is refused.
func (v *visit) enter() error {
	if err := http.NewCrossOriginProtection().Check(v.Request); err != nil {
		return fmt.Errorf("%w: %w", auth.ErrCrossOrigin, err)
	}
	v.browser = v.server.browserOf(v.w, v.Request)
	digits, seal, _ := strings.Cut(v.params.of(sinceParam), ".")
	if !v.browser.sealed(seal, sinceParam, v.page, digits) {
		return nil
	}
	micro, err := strconv.ParseInt(digits, 10, 64)
	if t := time.UnixMicro(micro); err == nil && time.Since(t) < sinceLifetime {
		v.since = t
	}
	return nil
}

// back returns where the browser goes on: to this page.
func (v *visit) back() string {
	if v.since.IsZero() {
		return v.page
	}
	digits := strconv.FormatInt(v.since.UnixMicro(), 10)
	return withQuery(v.page, url.Values{sinceParam: {digits + "." + v.browser.seal(sinceParam, v.page, digits)}})
}

// The steps that a form is posted for.
const (
	stepLogin   = "login"
	stepConsent = "consent"
)

// token returns what proves that a form was on a page which this browser was
// shown, for a step of this visit and what the page was about.
func (v *visit) token(step string, about ...string) string {
	return v.browser.seal(v.tokenOf(step, about)...)
}

func (v *visit) tokenOf(step string, about []string) []string {
	return append([]string{"csrf", step, v.back()}, about...)
}

// posted reports whether the form is one that was shown for the step.
func (v *visit) posted(step string, about ...string) bool {
	return v.form != nil && v.browser.sealed(v.form.of("csrf"), v.tokenOf(step, about)...)
}

// errForm refuses a form that was not shown to this browser and person, for this
// request, or was shown too long ago.
var errForm = fmt.Errorf("%w: a form that this browser was not shown for this", auth.ErrCrossOrigin)

// seen returns the request as one for a page, whatever was posted.
func (v *visit) seen() *http.Request {
	if v.Method == http.MethodGet {
		return v.Request
	}
	r := v.Clone(v.Context())
	r.Method, r.Body, r.ContentLength = http.MethodGet, http.NoBody, 0
	r.Header.Del("Content-Type")
	return r
}
