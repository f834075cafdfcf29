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
	errNotOurs = errors.New("oauth: whoever signs in has the Issuer of the Config, or none, as tokens tell people apart by their Subject alone")
)

// owns reports whether p can be told by their subject alone, as tokens do, under
// the server's own name.
func (s *Server) owns(p *auth.Principal) bool { return p.Issuer == "" || p.Issuer == s.config.Issuer }

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
	case err == nil && !v.server.owns(p):
		return nil, errNotOurs
	case errors.As(err, &f) && f.Reason.Status() == http.StatusUnauthorized:
		return nil, nil
	}
	return p, err
}

// signedInFor is signedIn, but that somebody is nobody whose grants to the client
// have ended.
func (v *visit) signedInFor(c *Client) (*auth.Principal, error) {
	p, err := v.signedIn()
	if p == nil || err != nil {
		return nil, err
	}
	if ended, err := v.ended(p, c); ended || err != nil {
		return nil, err
	}
	return p, nil
}

// ended reports whether what p granted the client now would be dead at once: what
// has ended their proof may have spared the session by which they are here, but it
// spares nothing that is new.
func (v *visit) ended(p *auth.Principal, c *Client) (bool, error) {
	if c.endedFor(p) {
		return true, nil
	}
	next := *p
	next.Credential = auth.Credential{ClientID: c.ID}
	ended, err := auth.Revoked(v.Context(), v.server.config.Store, &next)
	if ended || err != nil || next.Issuer != "" {
		return ended, err
	}
	next.Issuer = v.server.config.Issuer // as whom tokens know them
	return auth.Revoked(v.Context(), v.server.config.Store, &next)
}

// login has the Login answer. Where a form was posted, the next page has the same
// token and time: what comes of a wrong password and of an unknown user is the same
// then, to the byte.
func (v *visit) login(i *Interaction) {
	shown, posted := v.shown(stepLogin)
	switch {
	case !v.since.IsZero():
	case posted:
		v.since = shown
	default:
		v.since = now()
	}
	i.Return, i.CSRF = v.back(), v.form.of("csrf")
	if !posted {
		i.CSRF = v.token(stepLogin)
	}
	v.server.config.Login.ServeLogin(v.w, v.Request, i)
}

// signInAgain reports whether somebody, who may be nobody, has to sign in before
// they can grant what is asked for. since is when they were asked to; who has done
// so after that is not asked twice.
func (q *request) signInAgain(user *auth.Principal, since time.Time) (bool, error) {
	if user == nil {
		return true, nil
	}
	met := q.acr == nil || slices.Contains(q.acr, user.Origin.ACR)
	if asked := !since.IsZero() && !user.Origin.Time.Before(since); asked {
		if !met {
			// To grant it all the same would have the client come back with
			// the same wish (RFC 9470 section 5).
			return false, refuse(ErrUnmetAuthentication, "The person could not sign in as the client wishes.")
		}
		return q.isOlder(user, readingTime), nil
	}
	return q.isOlder(user, 0) || !met || q.prompts("login") || q.prompts("select_account"), nil
}
