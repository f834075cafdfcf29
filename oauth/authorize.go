package oauth

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-077cad0b/auth"
)

// serveAuthorize is the authorization endpoint (RFC 6749 section 3.1), and the
// page of both login and consent: a form is posted to the URL of the request, which
// is judged anew each time.
func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	v, err := s.newVisit(w, r, s.config.Endpoints.Authorize, requestParams...)
	if err == nil && v.isPostedRequest() {
		seeOther(w, withQuery(s.config.Endpoints.Authorize, v.form.only(requestParams...)))
		return
	}
	event := Event{Endpoint: "authorize"}
	var q *request
	if err == nil {
		if id := v.params.of("client_id"); isClientID(id) {
			event.ClientID = id
		}
		q, err = s.readRequest(r.Context(), v.params)
	}
	var code string
	if err == nil {
		t := &transaction{visit: v, request: q}
		code, err = t.proceed()
		event.Principal = t.user
	}
	if code == "" && err == nil {
		return // a page has been shown, and nothing decided
	}
	event.Err = err
	s.observe(r, event)
	switch {
	case err == nil:
		s.respond(w, q, url.Values{"code": {code}})
	case q != nil && redirected(err):
		s.respond(w, q, refused(err))
	default:
		s.showError(w, v, err)
	}
}

// isPostedRequest reports whether a form is an authorization request itself, which
// RFC 6749 section 3.1 lets clients post. It comes from their site, without our
// cookies, so the browser is to bring it again, by GET.
func (v *visit) isPostedRequest() bool {
	return v.form != nil && v.params.of("client_id") == "" && v.form.of("client_id") != "" && v.form.of("csrf") == ""
}

// A transaction is an authorization request on its way to a code.
type transaction struct {
	*visit
	request *request
	user    *auth.Principal // nil until they have signed in
	scopes  []string        // that they can grant
}

// proceed takes the request as far as it goes: to a page, where it returns no code,
// to a code, or to a refusal.
func (t *transaction) proceed() (code string, err error) {
	if err := t.enter(); err != nil {
		return "", err
	}
	if t.posted(stepLogin) {
		t.login(t.interaction())
		return "", nil
	}
	if t.user, err = t.signedInFor(t.request.client); err != nil {
		return "", err
	}
	if t.form == nil {
		return t.proceedTo()
	}
	// That they had signed in well enough is why they were shown the form, which is
	// good for that sign-in alone.
	if t.user == nil {
		return "", errForm
	}
	if t.form.of("decision") == "allow" && t.request.isOlder(t.user, readingTime) {
		seeOther(t.w, t.page) // where they sign in again
		return "", nil
	}
	if err := t.narrow(); err != nil {
		return "", err
	}
	if err := t.decide(); err != nil {
		return "", err
	}
	return t.issueCode()
}

// proceedTo is proceed where no form was posted.
func (t *transaction) proceedTo() (code string, err error) {
	again, err := t.request.signInAgain(t.user, t.since)
	switch {
	case err != nil:
		return "", err
	case again && t.request.prompts("none"):
		return "", refuse(ErrLoginRequired, "Nobody is signed in as the client wishes.")
	case again:
		t.login(t.interaction())
		return "", nil
	}
	if err := t.narrow(); err != nil {
		return "", err
	}
	needed, err := t.needsConsent()
	switch {
	case err != nil:
		return "", err
	case needed && t.request.prompts("none"):
		return "", errNoConsent
	case needed:
		t.askConsent()
		return "", nil
	}
	return t.issueCode()
}

// readingTime is how much longer ago than max_age somebody may have signed in once
// they are on the way: they have to read the page.
const readingTime = 5 * time.Minute

// isOlder reports whether somebody has signed in longer ago than the client wishes,
// by more than slack.
func (q *request) isOlder(user *auth.Principal, slack time.Duration) bool {
	return q.maxAge != nil && time.Since(user.Origin.Time) > *q.maxAge+slack
}

// narrow finds out what of the scopes the person can grant. Who has none of them
// is not asked.
func (t *transaction) narrow() (err error) {
	q := t.request
	t.scopes, err = t.server.allowScopes(q.client, q.asked, some(t.user.Scopes))
	if err == nil && len(t.scopes) == 0 && len(q.asked)+len(q.client.Scopes) > 0 {
		err = errNothingToGrant
	}
	return err
}

// issueCode makes the code, and then looks whether the consent is still there, for
// [Server.Withdraw] may have listed the codes before this one. Last it spends the
// request that was pushed. Whoever is late with either has made a code for nothing.
func (t *transaction) issueCode() (string, error) {
	q, s, ctx := t.request, t.server, t.Context()
	code, err := s.newCode(ctx, t.user, authorization{
		ClientID:    q.client.ID,
		Scopes:      t.scopes,
		Resources:   q.resources,
		RedirectURI: q.redirect,
		Challenge:   q.challenge,
		JKT:         q.jkt,
	})
	if err != nil {
		return "", err
	}
	err = t.checkConsent()
	if err == nil {
		err = s.spendPushed(ctx, q)
	}
	if err != nil {
		return "", errors.Join(err, s.remove(ctx, auth.DigestOf(KindAuthorizationCode, code)))
	}
	return code, nil
}

// checkConsent refuses where the consent has been withdrawn.
func (t *transaction) checkConsent() error {
	if t.request.client.Trusted {
		return nil
	}
	given, err := t.hasConsent()
	if err == nil && !given {
		err = errNoConsent
	}
	return err
}

var errNoConsent = refuse(ErrConsentRequired, "The person has not consented to this.")

// interaction returns what a page is to know of the request.
func (t *transaction) interaction() *Interaction {
	q := t.request
	i := &Interaction{
		Name:        t.server.config.Name,
		Client:      q.client,
		Resources:   q.resources,
		RedirectURI: q.redirect,
		User:        t.user,
		LoginHint:   q.hint,
		ACRValues:   q.acr,
	}
	scopes := t.scopes
	if scopes == nil {
		scopes, _ = t.server.allowScopes(q.client, q.asked, nil) // has been judged
	}
	for _, name := range scopes {
		i.Scopes = append(i.Scopes, t.server.scope(name))
	}
	return i
}
