package oauth

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/weburl"
)

// about returns what a consent is for: the form of one is good for no other.
func (t *transaction) about() []string {
	return append(signedInAs(t.user), joined(t.scopes), joined(t.request.resources))
}

// signedInAs tells somebody apart from others, and from themselves when they have
// signed in at another time or in another way.
func signedInAs(p *auth.Principal) []string {
	return []string{p.Owner().String(), strconv.FormatInt(p.Origin.Time.UnixMicro(), 10), p.Origin.ACR}
}

// askConsent shows the page.
func (t *transaction) askConsent() {
	i := t.interaction()
	i.Return, i.CSRF = t.page, t.token(stepConsent, t.about()...)
	t.server.config.Consent.ServeConsent(t.w, t.Request, i)
}

// decide reads what the person has answered.
func (t *transaction) decide() error {
	if !t.posted(stepConsent, t.about()...) {
		return errForm
	}
	switch t.form.of("decision") {
	case "allow":
		return t.server.remember(t.Context(), t.user, t.request.client, t.scopes, t.request.resources)
	case "deny":
		return errDeclined
	}
	return errForm
}

// consentPage is the default [Consent].
type consentPage struct{}

func (consentPage) ServeConsent(w http.ResponseWriter, _ *http.Request, i *Interaction) {
	i.SetHeaders(w.Header())
	writePage(w, http.StatusOK, "consent.html", consentView{
		Interaction: i,
		Account:     accountOf(i.User),
		To:          destination(i.RedirectURI),
		Website:     hostOf(i.Client.Website),
	})
}

// A consentView is what the page shows.
type consentView struct {
	*Interaction
	Account string
	To      string // where the browser goes with the answer; empty: it stays
	Website string
}

// clientName returns what to call a client.
func clientName(c *Client) string {
	if c.Name != "" {
		return c.Name
	}
	return c.ID
}

// accountOf returns what to call somebody: by their email address, if that is
// among the claims.
func accountOf(p *auth.Principal) string {
	claims, err := auth.Claims[struct {
		Email string `json:"email"`
	}](p)
	if err != nil || claims.Email == "" {
		return p.Subject
	}
	return claims.Email
}

// destination tells where a redirect URI leads: to a host, to this device, or to
// the application that has claimed a scheme.
func destination(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case uri == "" || err != nil:
		return ""
	case u.Scheme != "https" && u.Scheme != "http":
		return "the application " + u.Scheme
	case weburl.IsLoopback(u.Hostname()):
		return "an application on this device"
	}
	return u.Host
}

func hostOf(website string) string {
	u, err := url.Parse(website)
	if err != nil {
		return ""
	}
	return u.Host
}
