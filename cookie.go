package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// A CookieSource is an [Authenticator] that reads a credential from a cookie
// and, where its verifier is an [Issuer] too, an Issuer: what reads the cookie
// also sets it ([Guard.Exchange]) and clears it ([Guard.SignOut]).
//
// Browsers send cookies unasked, so a CookieSource refuses cross-origin
// requests itself, [ErrCrossOrigin]: by Sec-Fetch-Site and Origin, on every
// method but GET, HEAD and OPTIONS, and on any request with an Upgrade field.
type CookieSource struct {
	*Source
	name     string
	verifier Verifier
	sameSite http.SameSite
	insecure bool
	origins  *http.CrossOriginProtection
}

// CookieOptions configure [Cookie]. The zero value is ready for production.
type CookieOptions struct {
	// SameSite is Lax where it is zero; Strict is possible. None is not: the
	// cookie would come from every site.
	SameSite http.SameSite

	// TrustedOrigins, such as "https://app.example.com", may send requests
	// that change something.
	TrustedOrigins []string

	// InsecureName admits a name without the __Host- prefix, which lets
	// sibling domains and plain HTTP set the cookie.
	InsecureName bool

	// InsecureHTTP leaves Secure out of the cookie, for development over plain
	// HTTP on this host: some browsers, and most other clients, send no Secure
	// cookies there. The name cannot have the __Host- prefix then.
	InsecureHTTP bool
}

const hostPrefix = "__Host-"

// Cookie returns a source that reads the cookie name, which begins with
// __Host-, and has v verify it. The cookie is Secure, HttpOnly, SameSite and
// for all paths of this host alone. It panics on a nil verifier, a malformed
// name, SameSite=None, a malformed origin and InsecureHTTP with such a name.
func Cookie(name string, v Verifier, o *CookieOptions) *CookieSource {
	if o == nil {
		o = &CookieOptions{}
	}
	if !isToken(name) || !o.InsecureName && !strings.HasPrefix(name, hostPrefix) {
		panic(fmt.Sprintf("auth: Cookie(%q): the name does not begin with %s", name, hostPrefix))
	}
	if o.InsecureHTTP && strings.HasPrefix(name, hostPrefix) {
		panic(fmt.Sprintf("auth: Cookie(%q): InsecureHTTP with a name that only Secure cookies have", name))
	}
	c := &CookieSource{
		name:     name,
		verifier: v,
		sameSite: o.SameSite,
		insecure: o.InsecureHTTP,
		origins:  http.NewCrossOriginProtection(),
	}
	switch c.sameSite {
	case 0, http.SameSiteDefaultMode:
		c.sameSite = http.SameSiteLaxMode
	case http.SameSiteLaxMode, http.SameSiteStrictMode:
	default:
		panic("auth: Cookie: SameSite is neither Lax nor Strict")
	}
	for _, origin := range o.TrustedOrigins {
		if err := c.origins.AddTrustedOrigin(origin); err != nil {
			panic("auth: Cookie: " + err.Error())
		}
	}
	c.Source = newSource(Scheme{Name: "Cookie", In: InCookie, Field: name}, []Verifier{v}, c.present)
	return c
}

// present finds the cookie in a request that may carry it.
func (c *CookieSource) present(r *http.Request) (string, error) {
	text, err := c.read(r)
	if err != nil {
		return "", err
	}
	return text, c.sameOrigin(r)
}

// read returns the cookie's value, without the allocations of Request.Cookie.
func (c *CookieSource) read(r *http.Request) (string, error) {
	value, found := "", false
	for _, line := range r.Header["Cookie"] {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			name, v, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			if name != c.name {
				continue
			}
			if found {
				return "", fmt.Errorf("%w: more than one cookie %s", ErrMalformed, c.name)
			}
			value, found = v, true
		}
	}
	if value == "" {
		return "", ErrNoCredential
	}
	return value, nil
}

// sameOrigin refuses a request that a page of another origin caused.
func (c *CookieSource) sameOrigin(r *http.Request) error {
	if isSafe(r.Method) && len(r.Header["Upgrade"]) > 0 {
		// A WebSocket handshake is a GET that other sites can send and read
		// from; the check is asked as for an unsafe method.
		r = r.WithContext(r.Context())
		r.Method = http.MethodPost
	}
	if err := c.origins.Check(r); err != nil {
		return fmt.Errorf("%w: %w", ErrCrossOrigin, err)
	}
	return nil
}

func (c *CookieSource) mustIssue() {
	if _, ok := c.verifier.(Issuer); !ok {
		panic(fmt.Sprintf("auth: cookie %s: %T issues nothing", c.name, c.verifier))
	}
}

// Issue has the verifier issue a credential; [Guard.Exchange] sets it as the
// cookie.
func (c *CookieSource) Issue(ctx context.Context, p *Principal, o *IssueOptions) (*Grant, error) {
	issuer, ok := c.verifier.(Issuer)
	if !ok {
		return nil, fmt.Errorf("auth: cookie %s: %T issues nothing", c.name, c.verifier)
	}
	return issuer.Issue(ctx, p, o)
}

// Revoke has the verifier end p's credential. It returns [ErrNotMine] where the
// verifier revokes nothing: the cookie is cleared, but a copy lives on.
func (c *CookieSource) Revoke(ctx context.Context, p *Principal) error {
	if v, ok := c.verifier.(Revoker); ok {
		return v.Revoke(ctx, p)
	}
	return ErrNotMine
}

// endPresented ends the credential that a request brought in the cookie, if it
// is good, now that grant takes its place.
func (c *CookieSource) endPresented(r *http.Request, grant *Grant) error {
	text, err := c.read(r)
	if err != nil {
		return nil // nothing there that could be ended
	}
	p, err := c.verifier.Verify(r.Context(), text)
	var refused Reason
	switch {
	case errors.Is(err, ErrNotMine), errors.As(err, &refused):
		return nil
	case err != nil:
		return err
	case p.Credential.ID == grant.Principal.Credential.ID:
		return nil
	}
	if err := c.Revoke(r.Context(), p); !errors.Is(err, ErrNotMine) {
		return err
	}
	return nil
}

// SignIn issues a credential for p, sets it as the cookie of the answer to r, and
// ends the one that r brought there: for a login that is answered with a page or a
// redirect. One that is answered with data is [Guard.Exchange], which does the
// same. p needs a time of proof, and client is the device's address; see
// [Principal.ProvedAt] and [Guard.ClientAddress]. What p is bound to stays bound, as
// in [Guard.Exchange].
//
// A cross-origin request is refused, [ErrCrossOrigin]. With any error nothing is
// set.
func (c *CookieSource) SignIn(w http.ResponseWriter, r *http.Request, p *Principal, client netip.Addr) (*Grant, error) {
	if err := c.sameOrigin(r); err != nil {
		return nil, err
	}
	r = r.WithContext(Uncached(r.Context()))
	o := &IssueOptions{Device: deviceOf(r, client)}
	if p != nil {
		o.Confirmation = p.Credential.Confirmation
	}
	grant, err := c.Issue(r.Context(), p, o)
	if err != nil {
		return nil, err
	}
	if err := c.settle(w, r, grant); err != nil {
		return nil, err
	}
	return grant, nil
}

// settle puts the new credential into the cookie and ends the one presented
// there. An outage in between leaves the caller with what they had.
func (c *CookieSource) settle(w http.ResponseWriter, r *http.Request, grant *Grant) error {
	if err := c.endPresented(r, grant); err != nil {
		_ = c.Revoke(r.Context(), grant.Principal)
		return err
	}
	c.set(w, grant)
	return nil
}

func (c *CookieSource) set(w http.ResponseWriter, g *Grant) {
	cookie := c.cookie(g.Token.Reveal())
	if e := g.Principal.Credential.Expires; !e.IsZero() {
		cookie.MaxAge = max(1, int(time.Until(e)/time.Second))
	}
	http.SetCookie(w, cookie)
}

// Clear tells the client to forget the cookie. The credential in it lives on
// until it is revoked.
func (c *CookieSource) Clear(w http.ResponseWriter) {
	cookie := c.cookie("")
	cookie.MaxAge = -1
	http.SetCookie(w, cookie)
}

func (c *CookieSource) cookie(value string) *http.Cookie {
	return &http.Cookie{
		Name:     c.name,
		Value:    value,
		Path:     "/",
		Secure:   !c.insecure,
		HttpOnly: true,
		SameSite: c.sameSite,
	}
}
