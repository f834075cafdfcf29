package auth

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// The fields in which proxies tell whom they pass on.
const (
	xForwardedFor   = "X-Forwarded-For"
	xForwardedProto = "X-Forwarded-Proto"
	forwardedField  = "Forwarded" // RFC 7239
)

// How much of a field is read.
const (
	maxHops    = 32
	maxHopSize = 512 // in bytes
	maxPairs   = 16  // parameters of a hop
)

// forwarded returns who sent a request that a trusted proxy passed on. A client
// that is told of is secure only if it is told that it came over HTTPS: that its
// address is a loopback one does not make it one of this host.
func (b *base) forwarded(r *http.Request, proxy client) client {
	if b.ForwardedHeader == forwardedField {
		lines := r.Header[forwardedField]
		if len(lines) == 0 {
			return proxy
		}
		h := b.walk(lines, forwardedHop)
		return client{address: h.address, secure: h.https, https: h.https}
	}
	lines, protos := r.Header[xForwardedFor], r.Header[xForwardedProto]
	if len(lines) == 0 && len(protos) == 0 {
		return proxy
	}
	https := areHTTPS(protos)
	c := client{address: proxy.address, secure: https, https: https}
	if len(lines) > 0 {
		c.address = b.walk(lines, xForwardedHop).address
	}
	return c
}

// A hop is what a proxy tells of who asked it. The zero hop tells nothing.
type hop struct {
	address netip.Addr
	https   bool
}

// walk returns the hop of the client: the first from the right that is not
// trusted, or else the last.
//
// A proxy appends whom it was asked by. So all that the walk reads was written
// by trusted proxies, each of which the one to its right vouches for, and what
// clients wrote is to the left of where it stops.
func (b *base) walk(lines []string, read func(element string) (h hop, told bool)) hop {
	var client hop
	n := 0
	for _, line := range slices.Backward(lines) {
		for more := true; more; n++ {
			var element string
			line, element, more = cutLast(line)
			if n == maxHops || len(element) > maxHopSize {
				return hop{}
			}
			h, told := read(strings.Trim(element, " \t"))
			if !told {
				continue
			}
			if client = h; !b.TrustedProxies.Contains(h.address) {
				return client
			}
		}
	}
	return client
}

// cutLast cuts the last element off a list. A comma in a quoted-string parts
// nothing. Reading from the right finds those of well-formed elements whatever
// is to their left, such as a quote that a client has left open.
func cutLast(list string) (rest, last string, more bool) {
	quoted := false
	for i := len(list) - 1; i >= 0 && len(list)-i <= maxHopSize+1; i-- {
		switch list[i] {
		case ',':
			if !quoted {
				return list[:i], list[i+1:], true
			}
		case '"':
			if !isEscaped(list, i) {
				quoted = !quoted
			}
		}
	}
	return "", list, false
}

// isEscaped reports whether the quote at i is part of a quoted-string's text:
// an odd number of backslashes is before it.
func isEscaped(s string, i int) bool {
	return (i-len(strings.TrimRight(s[:i], `\`)))%2 == 1
}

// areHTTPS reports whether every value of the lines of X-Forwarded-Proto is
// https.
func areHTTPS(lines []string) bool {
	n := 0
	for _, line := range lines {
		for value := range strings.SplitSeq(line, ",") {
			if n++; n > maxHops || !isHTTPS(strings.Trim(value, " \t")) {
				return false
			}
		}
	}
	return n > 0
}

// isHTTPS reports whether s is a scheme over TLS; some proxies call a WebSocket's
// wss. It ignores the case of ASCII, and the lengths leave out what else folds.
func isHTTPS(s string) bool {
	return len(s) == len("https") && strings.EqualFold(s, "https") ||
		len(s) == len("wss") && strings.EqualFold(s, "wss")
}

// xForwardedHop reads an element of X-Forwarded-For. Nobody has specified them;
// IPv6 addresses come without brackets too, and then without a port.
func xForwardedHop(element string) (h hop, told bool) {
	if strings.Count(element, ":") > 1 && element[0] != '[' {
		return hop{address: parseAddress(element)}, true
	}
	return hop{address: parseNode(element)}, true
}

// forwardedHop reads a forwarded-element (RFC 7239 section 4). Lists may have
// empty ones (RFC 9110 section 5.6.1), which tell nothing.
func forwardedHop(element string) (h hop, told bool) {
	if element == "" {
		return hop{}, false
	}
	var names [maxPairs]string
	for n := 0; element != ""; {
		var name, value string
		var ok bool
		if name, value, element, ok = cutPair(element); !ok {
			return hop{}, true
		}
		if name == "" {
			continue
		}
		same := func(other string) bool { return strings.EqualFold(name, other) }
		if n == maxPairs || slices.ContainsFunc(names[:n], same) {
			return hop{}, true
		}
		names[n] = name
		n++
		switch {
		case same("for"):
			h.address = parseNode(value)
		case same("proto"):
			h.https = isHTTPS(value)
		}
	}
	return h, true
}

// cutPair cuts the first forwarded-pair off an element, or what is empty before
// a semicolon. White space around semicolons is let pass, as in other fields
// (RFC 9110 section 5.6.6).
func cutPair(element string) (name, value, rest string, ok bool) {
	if element[0] == ';' {
		return "", "", strings.TrimLeft(element[1:], " \t"), true
	}
	name, rest, _ = strings.Cut(element, "=")
	if !isToken(name) {
		return "", "", "", false
	}
	if strings.HasPrefix(rest, `"`) {
		value, rest, ok = cutQuoted(rest)
	} else {
		end := strings.IndexAny(rest, "; \t")
		if end < 0 {
			end = len(rest)
		}
		value, rest = rest[:end], rest[end:]
		ok = isToken(value)
	}
	rest = strings.TrimLeft(rest, " \t")
	if !ok || rest != "" && rest[0] != ';' {
		return "", "", "", false
	}
	return name, value, rest, true
}

// cutQuoted cuts a quoted-string (RFC 9110 section 5.6.4) off s, which begins
// with its quote, and returns what it stands for.
func cutQuoted(s string) (text, rest string, ok bool) {
	escaped := false
	for i := 1; i < len(s); i++ {
		c := s[i]
		if c == '"' {
			text = s[1:i]
			if escaped {
				text = unescape(text)
			}
			return text, s[i+1:], true
		}
		if c == '\\' && i+1 < len(s) {
			escaped = true
			i++
			c = s[i]
		}
		if c < ' ' && c != '\t' || c == 0x7f {
			break
		}
	}
	return "", "", false
}

// unescape takes the backslashes out of a quoted-string's text.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// parseNode returns the address of a node (RFC 7239 section 6): IPv4, or IPv6 in
// brackets, with a port or without. That of one which is "unknown", obfuscated
// or malformed is not valid.
func parseNode(node string) netip.Addr {
	host, port := node, ""
	if in, ok := strings.CutPrefix(node, "["); ok {
		if host, port, ok = strings.Cut(in, "]"); !ok || !strings.Contains(host, ":") {
			return netip.Addr{}
		}
	} else if i := strings.IndexByte(node, ':'); i >= 0 {
		host, port = node[:i], node[i:]
	}
	if port != "" && !isNodePort(port) {
		return netip.Addr{}
	}
	return parseAddress(host)
}

// isNodePort reports whether s is a colon and a node-port: a port or an
// obfuscated one.
func isNodePort(s string) bool {
	if strings.HasPrefix(s, ":_") {
		return len(s) > 2 && nameChars.hasAll(s[2:])
	}
	return len(s) > 1 && len(s) <= 6 && s[0] == ':' && digits.hasAll(s[1:])
}

var digits = charset("0123456789")

// parseAddress reads an address without a zone: what one host calls its links
// means nothing to another.
func parseAddress(s string) netip.Addr {
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}
	}
	return a.Unmap()
}
