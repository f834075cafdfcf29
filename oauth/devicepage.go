package oauth

import (
	"errors"
	"net/http"

	"github.com/seed-077cad0b/auth"
)

// serveDevice is the page on which people let a device in (RFC 8628 section 3.3):
// they sign in, enter the code, see what it stands for, and decide. Codes are
// entered by who has signed in alone, so that guesses are somebody's.
func (s *Server) serveDevice(w http.ResponseWriter, r *http.Request) {
	v, err := s.newVisit(w, r, s.config.Endpoints.Device, "user_code")
	d := &deviceVisit{visit: v}
	if err == nil {
		err = d.proceed()
	}
	event := Event{Endpoint: "device", Principal: d.user, Err: err}
	if d.ask != nil {
		event.ClientID = d.ask.ClientID
	}
	if err != nil || d.decided {
		s.observe(r, event)
	}
	switch {
	case err == nil:
	case errors.Is(err, errUserCode):
		d.enterCode(http.StatusBadRequest, "This code is not valid. Check it, or start again on your device.")
	case errors.Is(err, auth.ErrRateLimited) && d.user != nil:
		setRetryAfter(w.Header(), failureOf(err).retryAfter)
		d.enterCode(http.StatusTooManyRequests, "There were too many codes that are not valid. Please wait before you try again.")
	case errors.Is(err, errDeclined):
		d.say("You have declined", "The device gets no access. You can close this page.")
	default:
		s.showError(w, v, err)
	}
}

// A deviceVisit is a visit to the page for devices.
type deviceVisit struct {
	*visit
	user    *auth.Principal // nil until they have signed in
	ask     *deviceAsk      // nil until they have entered a code
	decided bool
}

// proceed shows the next page.
func (d *deviceVisit) proceed() (err error) {
	if err := d.enter(); err != nil {
		return err
	}
	if d.posted(stepLogin) {
		d.askLogin()
		return nil
	}
	if d.user, err = d.signedIn(); err != nil {
		return err
	}
	typed := d.params.of("user_code")
	switch {
	case d.user == nil && d.form != nil:
		return errForm
	case d.user == nil:
		d.askLogin()
		return nil
	case typed == "":
		d.enterCode(http.StatusOK, "")
		return nil
	}
	if d.ask, err = d.server.deviceOf(d.Request, typed, d.user); err != nil {
		return err
	}
	ended, err := d.ended(d.user, d.ask.client)
	switch {
	case err != nil:
		return err
	case ended && d.form != nil:
		return errForm
	case ended:
		d.askLogin()
		return nil
	case d.form != nil:
		return d.decide(typed)
	}
	d.askConsent()
	return nil
}

// askLogin has the Login answer, which is told of no client.
func (d *deviceVisit) askLogin() { d.login(&Interaction{Name: d.server.config.Name}) }

// about returns what a consent is for: the form of one is good for no other.
func (d *deviceVisit) about() []string {
	return append(signedInAs(d.user), d.ask.ClientID, joined(d.ask.Scopes), joined(d.ask.Resources))
}

// askConsent shows the page. It is never left out: the code may be one that
// somebody else has sent (RFC 8628 section 5.4).
func (d *deviceVisit) askConsent() {
	i := &Interaction{
		Name:      d.server.config.Name,
		Client:    d.ask.client,
		Resources: d.ask.Resources,
		User:      d.user,
		UserCode:  d.ask.code,
		Return:    d.page,
		CSRF:      d.token(stepConsent, d.about()...),
	}
	for _, name := range d.ask.Scopes {
		i.Scopes = append(i.Scopes, d.server.scope(name))
	}
	d.server.config.Consent.ServeConsent(d.w, d.Request, i)
}

// decide has the device told what the person has answered.
func (d *deviceVisit) decide(typed string) error {
	allow := d.form.of("decision") == "allow"
	switch {
	case !d.posted(stepConsent, d.about()...), !allow && d.form.of("decision") != "deny":
		return errForm
	}
	if err := d.server.approveDevice(d.Request, typed, d.user, allow); err != nil {
		return err
	}
	if !allow {
		return errDeclined
	}
	d.decided = true
	d.say("Your device is connected", "You can close this page and go on there.")
	return nil
}

// A codeView is what the page for a code shows.
type codeView struct {
	Path, UserCode, Account, Alert string
}

func (d *deviceVisit) enterCode(status int, alert string) {
	setPageHeaders(d.w.Header(), "")
	writePage(d.w, status, "device.html", codeView{
		Path:     d.server.config.Endpoints.Device,
		UserCode: d.params.of("user_code"),
		Account:  accountOf(d.user),
		Alert:    alert,
	})
}

// say shows what has come of it.
func (d *deviceVisit) say(title, text string) {
	setPageHeaders(d.w.Header(), "")
	writePage(d.w, http.StatusOK, "message.html", message{Title: title, Text: text})
}
