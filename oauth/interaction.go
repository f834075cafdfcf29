package oauth

import (
	"net/http"

	"github.com/seed-077cad0b/auth"
)

// A Login signs people in at the authorization endpoint: the author's own pages,
// or [NewPasswordLogin].
//
// Authenticate tells who is signed in with the browser that sent r, usually by a
// cookie, and returns auth.ErrNoCredential where nobody is; whoever is refused
// with a reason of status 401, such as auth.ErrExpired, is nobody, too. What it
// returns needs a time of proof, as sessions have, in microseconds: where somebody
// has to sign in anew, one from before they were asked does not do. Tokens carry its
// Subject as sub, under the server's own iss (RFC 9068 section 2.2), so its Issuer
// is Config.Issuer or empty, which mean the same: somebody of another one is an
// outage, 503. A Login that signs people in from elsewhere gives them subjects of
// its own. Of its Claims, may_act alone goes into tokens (RFC 8693 section 4.4);
// the pages see them all.
//
// ServeLogin answers r where somebody has to sign in: with a page, or by a
// redirect to one. When they have, it sends the browser back to i.Return, by 303
// (RFC 9700 section 4.12). A page whose form posts to i.Return, with the hidden
// field "csrf" set to i.CSRF, has ServeLogin called again with that POST, whose
// token has then been checked.
type Login interface {
	auth.Authenticator
	ServeLogin(w http.ResponseWriter, r *http.Request, i *Interaction)
}

// A Consent asks people whether a client may have what it asks for.
//
// ServeConsent answers r with a page whose form posts to i.Return the hidden
// field "csrf", set to i.CSRF, and the field "decision", which is "allow" or
// "deny"; the server does the rest.
type Consent interface {
	ServeConsent(w http.ResponseWriter, r *http.Request, i *Interaction)
}

// An Interaction is an authorization request, or one of a device, that waits for
// somebody to sign in, or to consent. It has been validated: the client and its
// redirect URI are good.
type Interaction struct {
	// Name is Config.Name.
	Name string

	// Client is who asks, for Scopes on Resources. It is nil where somebody
	// signs in to enter the code of a device: whose that is, is not known yet.
	Client    *Client
	Scopes    []Scope
	Resources []string

	// RedirectURI is where the person goes with the answer; empty for a device.
	RedirectURI string

	// User is who is asked for consent; nil while they sign in.
	User *auth.Principal

	// LoginHint is who the client thinks will sign in, and ACRValues how well
	// it wants that proved, as a list of preference (OpenID Connect Core
	// section 3.1.2.1). Both are the client's words.
	LoginHint string
	ACRValues []string

	// UserCode is the code that the person has entered, with a device. The page
	// shows it and warns of codes that come from others (RFC 8628 section 5.4).
	UserCode string

	// Return is where the browser goes on: a path and query of this server.
	Return string

	// CSRF binds a form to this request and this browser.
	CSRF string
}

// SetHeaders writes the header fields that a page of a login or consent is to have:
// it is HTML, not framed, not stored, runs no script, takes styles and images from
// its own host alone, and tells nobody where it is (RFC 9700 sections 4.2, 4.16).
func (i *Interaction) SetHeaders(h http.Header) { setPageHeaders(h, i.RedirectURI) }
