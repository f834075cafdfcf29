package oauth

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The pages are plain HTML with one style sheet, which is inside of them, so that
// nothing is to be mounted or fetched.
var (
	//go:embed pages
	pageFiles embed.FS

	//go:embed pages/style.css
	style string

	pages = template.Must(template.New("").Funcs(template.FuncMap{
		"clientName": clientName,
		"style":      func() template.CSS { return template.CSS(style) },
	}).ParseFS(pageFiles, "pages/*.html"))

	styleHash = sha256.Sum256([]byte(style))
)

// setPageHeaders writes the fields of every page. redirect is where the browser
// may be sent when its form has been posted; empty: nowhere else.
//
// The page may load its own style sheet, and styles and images of this host;
// nothing runs in it, nobody frames it, and no other site learns of it.
func setPageHeaders(h http.Header, redirect string) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self' 'sha256-"+base64.StdEncoding.EncodeToString(styleHash[:])+
		"'; img-src 'self'; form-action 'self'"+formActions(redirect)+"; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
}

// formActions returns where a form may lead beside this host. Chromium asks for
// all the redirects that follow, too: to the client, and wherever that one sends
// people on.
func formActions(redirect string) string {
	u, err := url.Parse(redirect)
	switch {
	case redirect == "" || err != nil:
		return ""
	case u.Scheme == "https":
		return " https:"
	case u.Scheme == "http" && strings.HasPrefix(u.Host, "["):
		return " https: http:" // a policy cannot name an IPv6 address
	case u.Scheme == "http":
		return " https: http://" + u.Hostname() + ":*"
	}
	return " " + u.Scheme + ":"
}

// writePage answers with a page. Its header fields are there already.
func writePage(w http.ResponseWriter, status int, name string, view any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, view); err != nil {
		// Nothing of a page that is not whole: it could lack its warnings.
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = b.WriteTo(w)
}

// A message is a page without a form.
type message struct {
	Title, Text string

	// Code and Detail are for a developer; Retry is where the person may go on.
	Code   string
	Detail string
	Retry  string
}

// showError answers a browser that is not to be sent to a client. v may be nil.
func (s *Server) showError(w http.ResponseWriter, v *visit, err error) {
	f := failureOf(err)
	m := message{Title: "This did not work", Text: "Go back to the application and start again.", Code: string(f.code), Detail: f.description}
	var r *refusal
	switch {
	case errors.Is(err, errForm):
		m = message{Title: "This page has expired", Text: "It was open for too long, or your browser did not send its cookies."}
		if v != nil {
			m.Retry = v.page
		}
	case errors.As(err, &r):
		f.status = http.StatusBadRequest // a 401 would ask the person for the client's credentials
		m.Text = "The application that sent you here asked for something that is not possible."
	case f.status == http.StatusServiceUnavailable:
		m = message{Title: "Please try again soon", Text: "We could not find out the answer just now."}
		if v != nil {
			m.Retry = v.page
		}
	}
	h := w.Header()
	setPageHeaders(h, "")
	if f.status == http.StatusMethodNotAllowed {
		h.Set("Allow", "GET, HEAD, POST")
	}
	setRetryAfter(h, f.retryAfter)
	writePage(w, f.status, "message.html", m)
}

// setRetryAfter tells how long to wait, in whole seconds, if at all.
func setRetryAfter(h http.Header, d time.Duration) {
	if d > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10))
	}
}
