package auth

import (
	"net/http"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
)

// Exchange returns a handler that trades the credential which g admits for one
// of the issuer's: a password for a token, an API key for a session, a refresh
// token for the next pair. It answers 200 with [Format].Grant, and POST only.
//
// It decides anew, in an [Uncached] context, also inside of a guard that has
// admitted the request: what consumes its credential, or costs as much as a
// password, belongs behind Exchange alone.
//
// What is bound to a key stays bound: the new credential has the confirmation of
// the one that g has admitted, whose key the request has proved.
//
// Where the issuer is a [CookieSource], the new credential is set as the
// cookie, and the one that the request presented there is ended: a login never
// adopts a session.
func (g *Guard) Exchange(issuer Issuer) http.Handler {
	if issuer == nil {
		panic("auth: Exchange: nil issuer")
	}
	cookie := cookieOf(issuer)
	if cookie != nil {
		cookie.mustIssue()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Read before anything is proved, so that what is revoked while this
		// runs stays revoked; and proved by what the store holds then, as what
		// is issued may outlive all that a cache remembers.
		start := time.Now()
		r = r.WithContext(Uncached(r.Context()))
		var v verdict
		f := g.present(r, &v, cookie)
		var grant *Grant
		if f == nil {
			grant, f = g.issue(r, &v, issuer, start)
		}
		if f == nil && cookie != nil {
			if err := cookie.settle(w, r, grant); err != nil {
				f = g.failure(err, nil)
			}
		}
		g.observe(r, start, &v, grant, f)
		if f != nil {
			g.answer(w, &v, f)
			return
		}
		g.announce(w, &v)
		if cookie != nil {
			shown := *grant
			shown.Token = Secret{}
			grant = &shown
		}
		writeJSON(w, http.StatusOK, contentJSON, g.base.Format.grant(grant))
	})
}

// cookieOf returns the cookie that an issuer issues into, or nil.
func cookieOf(issuer Issuer) *CookieSource {
	switch i := issuer.(type) {
	case *CookieSource:
		return i
	case platformIssuer:
		return cookieOf(i.issuer)
	}
	return nil
}

// present decides about a request that changes something.
func (g *Guard) present(r *http.Request, v *verdict, cookie *CookieSource) *Failure {
	if err := g.enter(r, v); err != nil {
		return g.refusal(v, err)
	}
	if isSafe(r.Method) {
		return g.failure(ErrMethod, nil)
	}
	if cookie != nil {
		if err := cookie.sameOrigin(r); err != nil {
			return g.failure(err, nil)
		}
	}
	err := g.judge(r, v)
	if err == nil && v.principal == nil { // an optional guard
		err = ErrNoCredential
	}
	return g.refusal(v, err)
}

// issue has the issuer make a credential for whom the verdict is about, as
// proved no later than start.
func (g *Guard) issue(r *http.Request, v *verdict, issuer Issuer, start time.Time) (*Grant, *Failure) {
	p := v.principal
	if p.Origin.Time.IsZero() {
		p = p.ProvedAt(start)
	}
	grant, err := issuer.Issue(r.Context(), p, &IssueOptions{
		Device:       deviceOf(r, v.client),
		Confirmation: p.Credential.Confirmation,
	})
	if err != nil {
		return nil, g.failure(err, p)
	}
	return grant, nil
}

// Status returns a handler that tells callers about the credential they
// present: 200 with [Format].Status, or why it is refused.
func (g *Guard) Status() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var v verdict
		err := g.decide(r, &v)
		if err == nil && v.principal == nil { // an optional guard
			err = ErrNoCredential
		}
		f := g.refusal(&v, err)
		switch {
		case f == nil:
			g.announce(w, &v)
			writeJSON(w, http.StatusOK, contentJSON, g.base.Format.status(v.principal, nil))
		case f.Status() == http.StatusUnauthorized:
			g.writeFailure(w, &v, f, contentJSON, g.base.Format.status(nil, f))
		default:
			g.answer(w, &v, f)
		}
	})
}

// isSafe reports whether a method promises to change nothing (RFC 9110 section
// 9.2.1).
func isSafe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, "":
		return true
	}
	return false
}

// deviceOf returns what the request tells about the client, bounded.
func deviceOf(r *http.Request, client netip.Addr) Device {
	const most = 256
	agent := r.UserAgent()
	if len(agent) > most {
		agent = agent[:most]
	}
	agent = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == utf8.RuneError {
			return -1
		}
		return c
	}, agent)
	return Device{UserAgent: agent, Address: client}
}
