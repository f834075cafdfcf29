package oauth

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

var errURL = errors.New("not an https URL of a host, without user, fragment and blanks")

// httpsURL reads an absolute URL of https, or of http on a loopback address or
// localhost, without user information and fragment.
func httpsURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.User != nil || u.Opaque != "" || strings.Contains(text, "#") || !isGraphic(text) {
		return nil, errURL
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && (isLoopback(u.Hostname()) || u.Hostname() == "localhost")) {
		return nil, errURL
	}
	return u, nil
}

// isGraphic reports whether s has printable ASCII characters only, and no blank.
func isGraphic(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// isLoopback reports whether a host is written as a loopback address. A name such
// as localhost may lead elsewhere (RFC 8252 section 8.3).
func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// checkRedirectURI returns what is wrong with a URI that a client registers.
func checkRedirectURI(text string, public bool) error {
	if len(text) > maxRedirectURI || !isGraphic(text) || strings.Contains(text, "#") {
		return errURL
	}
	u, err := url.Parse(text)
	if err != nil {
		return errURL
	}
	switch {
	case u.Scheme == "https" || u.Scheme == "http":
		if _, err := httpsURL(text); err != nil {
			return err
		}
		if u.Scheme == "http" && !isLoopback(u.Hostname()) {
			return errors.New("http is for 127.0.0.1 and [::1] only")
		}
		return nil
	case !public:
		return errors.New("a private-use scheme is for public clients")
	case !strings.Contains(u.Scheme, "."):
		return errors.New("a private-use scheme has the form com.example.app (RFC 8252 section 7.1)")
	}
	return nil
}
