package oauth

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/seed-077cad0b/auth"
)

// newUsers returns the guard that tells who is signed in. What Config.Guard says
// of throttles and observers is about clients.
func newUsers(l Login, o *auth.GuardOptions) *auth.Guard {
	return auth.NewGuard(l, &auth.GuardOptions{
		TrustedProxies:  o.TrustedProxies,
		ForwardedHeader: o.ForwardedHeader,
		InsecureHTTP:    o.InsecureHTTP,
	})
}

var (
	errNoTime  = errors.New("oauth: Login.Authenticate tells of somebody without a time of proof")
	errNoLogin = errors.New("oauth: a page for people, and Config.Login is nil")
)

// signedIn returns who is signed in with the browser; nil is nobody. A session
// that has ended is nobody's.
func (v *visit) signedIn() (*auth.Principal, error) {
	if v.server.users == nil {
		return nil, errNoLogin
	}
	p, err := v.server.users.Check(v.Request)
	var f *auth.Failure
	switch {
	case err == nil && p.Origin.Time.IsZero():
		return nil, errNoTime
	case errors.As(err, &f) && f.Reason.Status() == http.StatusUnauthorized:
		return nil, nil
	}
	return p, err
}

// login has the Login answer. Where a form was posted, the next page has the same
// token: what comes of a wrong password and of an unknown user is the same then, to
// the byte.
func (v *visit) login(i *Interaction) {
	if v.since.IsZero() {
		v.since = now()
	}
	i.Return = v.back()
	if i.CSRF = v.form.of("csrf"); i.CSRF == "" {
		i.CSRF = v.token(stepLogin)
	}
	v.complete(i)
	v.server.config.Login.ServeLogin(v.w, v.Request, i)
}

// complete fills in what every page is told.
func (v *visit) complete(i *Interaction) {
	i.Name = v.server.config.Name
	i.SetHeaders = func(h http.Header) { setPageHeaders(h, i.RedirectURI) }
}

// signInAgain reports whether somebody, who may be nobody, has to sign in before
// they can grant what is asked for. since is when they were asked to; who has done
// so after that is not asked twice.
func (q *request) signInAgain(user *auth.Principal, since time.Time) (bool, error) {
	if user == nil || q.client.endedFor(user) {
		return true, nil
	}
	met := q.acr == nil || slices.Contains(q.acr, user.Origin.ACR)
	if asked := !since.IsZero() && !user.Origin.Time.Before(since); asked {
		if !met {
			// To grant it all the same would have the client come back with
			// the same wish (RFC 9470 section 5).
			return false, refuse(ErrUnmetAuthentication, "The person could not sign in as the client wishes.")
		}
		return false, nil
	}
	old := q.maxAge != nil && time.Since(user.Origin.Time) > *q.maxAge
	return old || !met || q.prompts("login") || q.prompts("select_account"), nil
}
