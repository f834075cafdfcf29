// Package weburl reads the URLs that are configured: of what is fetched, and of
// what is a name on the web.
package weburl

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// What is wrong with a URL. No error quotes any of it.
var (
	ErrForm     = errors.New("URL is malformed or without a host")
	ErrUser     = errors.New("URL has a user")
	ErrFragment = errors.New("URL has a fragment")
	ErrScheme   = errors.New("URL is neither https nor http on this host")
)

// Parse reads an absolute URL of https, or of http on a loopback address or
// localhost, without user and fragment.
func Parse(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "":
		return nil, ErrForm
	case u.User != nil:
		return nil, ErrUser
	case strings.Contains(text, "#"):
		return nil, ErrFragment
	case u.Scheme != "https" && !(u.Scheme == "http" && isThisHost(u.Hostname())):
		return nil, ErrScheme
	}
	return u, nil
}

func isThisHost(host string) bool { return strings.EqualFold(host, "localhost") || IsLoopback(host) }

// IsLoopback reports whether a host is written as a loopback address. A name such
// as localhost may lead elsewhere (RFC 8252 section 8.3).
func IsLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
