package auth

import "strings"

// The lengths of an address, in bytes (RFC 5321 section 4.5.3.1, and RFC 1035
// section 2.3.4).
const (
	maxEmail      = 254
	maxEmailLocal = 64
	maxDomain     = 253
	maxLabel      = 63
)

// parseEmail reads one plain email address: a dot-atom of RFC 5322 section
// 3.2.3, an at sign and a domain, all ASCII. Whatever else an address may be
// written with (names, comments, quotes, literals, other scripts) is how two
// readers come to see two addresses, and is refused.
//
// It returns the address as it is compared, and its domain: the domain in lower
// case, the part before it as it is, since its host alone knows whether case
// counts there (RFC 5321 section 2.4).
func parseEmail(text string) (email, domain string, ok bool) {
	local, domain, ok := strings.Cut(text, "@")
	if !ok || len(text) > maxEmail || len(local) > maxEmailLocal || !isDotAtom(local) || !isDomain(domain) {
		return "", "", false
	}
	domain = strings.ToLower(domain)
	return local + "@" + domain, domain, true
}

func isDotAtom(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || !atomChars.hasAll(atom) {
			return false
		}
	}
	return true
}

// isDomain reports whether s is the name of a host on the internet: two labels
// or more, the last of them not a number. Names in other scripts are written in
// Punycode.
func isDomain(s string) bool {
	labels, last := 0, ""
	for last = range strings.SplitSeq(s, ".") {
		if !isLabel(last) {
			return false
		}
		labels++
	}
	return len(s) <= maxDomain && labels > 1 && !digits.hasAll(last)
}

// isLabel reports whether s is letters, digits and hyphens, those not at the
// ends (RFC 1123 section 2.1).
func isLabel(s string) bool {
	return s != "" && len(s) <= maxLabel && s[0] != '-' && s[len(s)-1] != '-' && labelChars.hasAll(s)
}

var (
	atomChars  = charset(alphanumeric + "!#$%&'*+-/=?^_`{|}~")
	labelChars = charset(alphanumeric + "-")
)
