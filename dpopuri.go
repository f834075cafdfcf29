package auth

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// A baseURI is where clients see an API: scheme and host in lower case, without
// the default port, and a path without a slash at its end.
type baseURI struct{ scheme, host, path string }

var errBaseURI = errors.New("not the URL of a scheme http or https, a host and, at most, a path")

func parseBaseURI(text string) (*baseURI, error) {
	if text == "" {
		return nil, errors.New("is empty")
	}
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Hostname() == "" || strings.ContainsAny(text, "?#") || !isASCII(u.Host) {
		return nil, errBaseURI
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return nil, errBaseURI
	}
	return &baseURI{
		scheme: u.Scheme,
		host:   withoutPort(strings.ToLower(u.Host), u.Scheme),
		path:   strings.TrimRight(u.EscapedPath(), "/"),
	}, nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] > '~' {
			return false
		}
	}
	return true
}

// names reports whether uri is that of the request as clients see it. Query and
// fragment do not count (RFC 9449 section 4.3), nor does what RFC 3986 sections
// 6.2.2 and 6.2.3 call equivalent: the case of scheme and host, a default port,
// an empty path, how an octet is percent-encoded. Dot segments are compared as
// they are: clients resolve them before they send anything.
func (d *DPoP) names(uri string, r *http.Request) bool {
	if i := strings.IndexAny(uri, "?#"); i >= 0 {
		uri = uri[:i]
	}
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok {
		return false
	}
	host, path := rest, "/"
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	base := d.baseOf(r, isFold(scheme, "http"))
	return host != "" && isFold(scheme, base.scheme) &&
		isFold(withoutPort(host, base.scheme), base.host) &&
		samePath(path, base.path+targetPath(r))
}

// baseOf returns where the client sees the API, if need be by what the request
// tells; plain is what the client says of the scheme, where we cannot know.
func (d *DPoP) baseOf(r *http.Request, plain bool) baseURI {
	if d.base != nil {
		return *d.base
	}
	b := baseURI{scheme: "https"}
	if plain && r.TLS == nil {
		b.scheme = "http"
	}
	b.host = withoutPort(strings.ToLower(r.Host), b.scheme)
	return b
}

// targetPath returns the path that the client asked for, as it came: handlers
// such as http.StripPrefix change that of r.URL.
func targetPath(r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(path, "/") { // an absolute form, or no request of a server
		path = r.URL.EscapedPath()
	}
	if path == "" {
		return "/"
	}
	return path
}

// isFold reports whether s is a lower-case ASCII text, but for the case.
func isFold(s, lower string) bool { return len(s) == len(lower) && equalFold(s, lower) }

// withoutPort returns a host without an empty port or the default one.
func withoutPort(host, scheme string) string {
	port := ":443"
	if scheme == "http" {
		port = ":80"
	}
	return strings.TrimSuffix(strings.TrimSuffix(host, port), ":")
}

// samePath compares two paths octet by octet.
func samePath(a, b string) bool {
	for a != "" && b != "" {
		x, xEscaped, n := octet(a)
		y, yEscaped, m := octet(b)
		if x != y || xEscaped != yEscaped {
			return false
		}
		a, b = a[n:], b[m:]
	}
	return a == b
}

// octet returns the first octet of a path, the length of what it is written in,
// and whether that is an escape which counts: of an unreserved character it does
// not.
func octet(path string) (c byte, escaped bool, n int) {
	if path[0] == '%' && len(path) >= 3 && isHex(path[1]) && isHex(path[2]) {
		c = unhex(path[1])<<4 | unhex(path[2])
		return c, unreserved[c] != 0, 3
	}
	return path[0], false, 1
}

// unreserved are those of RFC 3986 section 2.3.
var unreserved = charset(alphanumeric + "-._~")

func isHex(c byte) bool { return hexDigits[c] == 0 }

var hexDigits = charset("0123456789abcdefABCDEF")

// unhex returns the value of a hexadecimal digit.
func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}
