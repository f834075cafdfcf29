package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

// PasswordLoginOptions configure [NewPasswordLogin]. The zero value is ready for
// production.
type PasswordLoginOptions struct {
	// Guard has the options of the guard that checks the passwords: the trusted
	// proxies, a Throttle, who observes logins. Those of the Config are a good
	// choice. Format has no effect. Nil is the zero value.
	Guard *auth.GuardOptions

	// ResetURL is where people go who have forgotten their password: an https
	// URL, or a path of this host. Empty for no such link.
	ResetURL string
}

// A PasswordLogin is a [Login] with one page, on which people enter their email
// address and their password.
type PasswordLogin struct {
	guard    *auth.Guard
	session  *auth.CookieSource
	resetURL string
}

// NewPasswordLogin returns a Login for users with passwords. They stay signed in
// by session, a cookie whose verifier issues sessions; each login opens a new one
// and ends the one that was there. Signing out is [auth.Guard.SignOut]. o may be
// nil.
//
// It panics where [auth.NewGuard] does, on nil users or a nil session, and on a
// malformed ResetURL.
func NewPasswordLogin(users *password.Users, session *auth.CookieSource, o *PasswordLoginOptions) *PasswordLogin {
	if users == nil || session == nil {
		panic("oauth: NewPasswordLogin: no users, or no session")
	}
	if o == nil {
		o = &PasswordLoginOptions{}
	}
	if !isLink(o.ResetURL) {
		panic(fmt.Sprintf("oauth: NewPasswordLogin: ResetURL %q is neither an https URL nor a path", o.ResetURL))
	}
	return &PasswordLogin{
		guard:    auth.NewGuard(users.Form("email", "password"), o.Guard),
		session:  session,
		resetURL: o.ResetURL,
	}
}

// isLink reports whether a link of a page leads to a path of this host, or to an
// https URL.
func isLink(s string) bool {
	if s == "" {
		return true
	}
	if u, err := url.Parse(s); err == nil && u.Scheme == "" && u.Host == "" {
		return strings.HasPrefix(s, "/") && isGraphic(s) && !strings.Contains(s, `\`) // which browsers take for a slash
	}
	_, err := httpsURL(s)
	return err == nil
}

// Authenticate tells whose session the browser has.
func (l *PasswordLogin) Authenticate(r *http.Request) (*auth.Principal, error) {
	return l.session.Authenticate(r)
}

// ServeLogin shows the page, and takes what is posted from it. A wrong password
// and an unknown user are answered alike, 401; one failure too many 429.
func (l *PasswordLogin) ServeLogin(w http.ResponseWriter, r *http.Request, i *Interaction) {
	i.SetHeaders(w.Header())
	if r.Method != http.MethodPost {
		l.show(w, http.StatusOK, i, "")
		return
	}
	p, err := l.guard.Check(r)
	if err == nil {
		_, err = l.session.SignIn(w, r, p, l.guard.ClientAddress(r))
	}
	if err != nil {
		l.refuse(w, i, err)
		return
	}
	seeOther(w, i.Return)
}

// refuse shows the page again, with why.
func (l *PasswordLogin) refuse(w http.ResponseWriter, i *Interaction, err error) {
	f := &auth.Failure{Reason: auth.ErrUnavailable}
	if !errors.As(err, &f) {
		errors.As(err, &f.Reason)
	}
	status, alert := f.Reason.Status(), "Signing in is not possible just now. Please try again soon."
	switch {
	case f.Reason == auth.ErrNoCredential || f.Reason == auth.ErrMalformed:
		status, alert = http.StatusBadRequest, "Enter both your email address and your password."
	case status == http.StatusUnauthorized:
		w.Header().Set("Www-Authenticate", "Password")
		alert = "The email address or the password is not right."
	case f.Reason == auth.ErrRateLimited:
		alert = "There were too many attempts to sign in. Please wait before you try again."
	case status == http.StatusForbidden:
		alert = "You cannot sign in here."
	}
	if f.Reason == auth.ErrUnavailable || f.Reason == auth.ErrRateLimited {
		setRetryAfter(w.Header(), max(f.RetryAfter, retryAfter))
	}
	l.show(w, status, i, alert)
}

// A loginView is what the page shows.
type loginView struct {
	*Interaction
	Title, Alert, ResetURL string
}

func (l *PasswordLogin) show(w http.ResponseWriter, status int, i *Interaction, alert string) {
	title := "Sign in"
	if i.Name != "" {
		title += " to " + i.Name
	}
	writePage(w, status, "login.html", loginView{i, title, alert, l.resetURL})
}
