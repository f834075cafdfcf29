package oauth

import (
	"errors"
	"net/url"
	"strings"

	"github.com/seed-077cad0b/auth/internal/weburl"
)

var errURL = errors.New("URL has characters that are not printable ASCII")

// httpsURL reads an absolute URL of https, or of http on this host, as it is sent:
// in printable ASCII.
func httpsURL(text string) (*url.URL, error) {
	u, err := weburl.Parse(text)
	if err == nil && !(isGraphic(text) && isGraphic(u.Host)) {
		err = errURL
	}
	if err != nil {
		return nil, err
	}
	return u, nil
}

// isGraphic reports whether s has printable ASCII characters only, and no blank.
func isGraphic(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// checkRedirectURI returns what is wrong with a URI that a client registers.
func checkRedirectURI(text string, public bool) error {
	if len(text) > maxRedirectURI || !isGraphic(text) || strings.ContainsAny(text, "#\"<>\\^`{|}") {
		return errRedirectURI
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.User != nil || u.Opaque != "":
		return errRedirectURI
	case strings.Contains(text, "*"):
		return errors.New("there are no wildcards (RFC 9700 section 2.1)")
	case u.Scheme == "https" || u.Scheme == "http":
		return checkWebURI(text)
	case !strings.Contains(u.Scheme, "."):
		return errors.New("not https, and a private-use scheme has the form com.example.app (RFC 8252 section 7.1)")
	case !public:
		return errors.New("a private-use scheme is for public clients")
	}
	return nil
}

var errRedirectURI = errors.New("not an absolute URI without user, fragment and blanks")

func checkWebURI(text string) error {
	u, err := httpsURL(text)
	if err != nil {
		return err
	}
	if host := u.Hostname(); u.Scheme == "http" && host != "127.0.0.1" && host != "::1" {
		return errors.New("http is for 127.0.0.1 and [::1] only (RFC 8252 section 7.3)")
	}
	return nil
}
