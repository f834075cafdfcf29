package oauth

import (
	"fmt"
	"net/http"
	"net/url"
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
	case http.MethodGet, http.MethodHead:
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
	v.since, _ = v.browser.opened(v.params.of(sinceParam), sinceParam, v.page)
	return nil
}

// back returns where the browser goes on: to this page.
func (v *visit) back() string {
	if v.since.IsZero() {
		return v.page
	}
	return withQuery(v.page, url.Values{sinceParam: {v.browser.dated(v.since, sinceParam, v.page)}})
}

// The steps that a form is posted for.
const (
	stepLogin   = "login"
	stepConsent = "consent"
)

// token returns what proves that a form was on a page which this browser was
// shown, for a step of this visit and what the page was about.
func (v *visit) token(step string, about ...string) string {
	return v.browser.dated(now(), append([]string{"csrf", step, v.page}, about...)...)
}

// shown returns when the form that was posted was shown for the step, and false
// where it was not, or too long ago.
func (v *visit) shown(step string, about ...string) (time.Time, bool) {
	if v.form == nil {
		return time.Time{}, false
	}
	return v.browser.opened(v.form.of("csrf"), append([]string{"csrf", step, v.page}, about...)...)
}

// posted reports whether the form is one that was shown for the step, not long
// ago.
func (v *visit) posted(step string, about ...string) bool {
	_, ok := v.shown(step, about...)
	return ok
}

// errForm refuses a form that was not shown to this browser and person, for this
// request, or was shown too long ago.
var errForm = fmt.Errorf("%w: a form that this browser was not shown for this", auth.ErrCrossOrigin)
