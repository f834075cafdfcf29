package oauth

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// matchRedirect reports whether a client has registered a redirect URI. It is
// compared as a text (RFC 9700 section 2.1): nothing is decoded, folded or
// resolved. Of http on 127.0.0.1 and [::1] the port is left out, which native
// applications choose when they ask (RFC 8252 section 7.3).
func matchRedirect(c *Client, uri string) bool {
	if slices.Contains(c.RedirectURIs, uri) {
		return true
	}
	host, rest, ok := cutLoopback(uri)
	return ok && slices.ContainsFunc(c.RedirectURIs, func(own string) bool {
		h, r, ok := cutLoopback(own)
		return ok && h == host && r == rest
	})
}

// cutLoopback cuts a URI of http on a loopback address around its port. A name
// such as localhost is none, and nor is another spelling of the address.
func cutLoopback(uri string) (host, rest string, ok bool) {
	for _, host := range []string{"http://127.0.0.1", "http://[::1]"} {
		rest, ok := strings.CutPrefix(uri, host)
		if !ok {
			continue
		}
		if after, ok := strings.CutPrefix(rest, ":"); ok {
			rest = strings.TrimLeft(after, "0123456789")
			if port := after[:len(after)-len(rest)]; !isPort(port) {
				return "", "", false
			}
		}
		// What follows the port must not go on with the host.
		return host, rest, rest == "" || rest[0] == '/' || rest[0] == '?'
	}
	return "", "", false
}

func isPort(s string) bool {
	return s != "" && len(s) <= 5 && s[0] != '0' && (len(s) < 5 || s <= "65535")
}

// isAssured reports whether nobody but the client receives what is sent to a
// redirect URI. Any application on the same device can listen on a loopback port,
// or claim a private-use scheme, so there a client that cannot prove who it is
// may be another one (RFC 8252 section 8.6).
func isAssured(c *Client, redirect string) bool {
	return !c.Public || strings.HasPrefix(redirect, "https://")
}

// redirected reports whether a refusal is told the client, by sending the browser
// back. What casts doubt on the client itself is told the person alone, and so is
// an outage, which they can wait out.
func redirected(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.code != ErrInvalidClient && r.code != ErrInvalidRequestURI
}

// respond sends the browser back to the client with an authorization response
// (RFC 6749 sections 4.1.2 and 4.1.2.1): by 303, so that no form is sent along
// (RFC 9700 section 4.12), and with the issuer (RFC 9207 section 2).
func (s *Server) respond(w http.ResponseWriter, q *request, values url.Values) {
	if q.state != "" {
		values.Set("state", q.state)
	}
	values.Set("iss", s.config.Issuer)
	seeOther(w, withQuery(q.redirect, values))
}

// withQuery adds values to the query that a URI has already.
func withQuery(uri string, values url.Values) string {
	separator := "&"
	switch {
	case !strings.Contains(uri, "?"):
		separator = "?"
	case strings.HasSuffix(uri, "?"), strings.HasSuffix(uri, "&"):
		separator = ""
	}
	return uri + separator + values.Encode()
}

// seeOther sends the browser to a URL, which it fetches by GET.
func seeOther(w http.ResponseWriter, to string) {
	h := w.Header()
	h.Set("Location", to)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusSeeOther)
}

// refused returns the parameters of an error response.
func refused(err error) url.Values {
	f := failureOf(err)
	values := url.Values{"error": {string(f.code)}}
	if f.description != "" {
		values.Set("error_description", f.description)
	}
	return values
}
