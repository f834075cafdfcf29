package auth

import (
	"slices"
	"strconv"
	"strings"
)

// challenges returns one challenge (RFC 9110 section 11.6.1) for each scheme,
// without repeating one.
func challenges(schemes []Scheme, realm string, r *Resource) []string {
	if len(schemes) == 0 {
		schemes = []Scheme{{Name: "Bearer"}}
	}
	var all []string
	for _, s := range schemes {
		if c := s.challenge(realm, r).String(); !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all
}

// challenge returns the challenges of a refusal: all that the route accepts,
// the one that failed with the reason. Where nothing was presented there is no
// error to tell (RFC 6750 section 3.1).
func (g *Guard) challenge(f *Failure) []string {
	all := slices.Clone(g.base.challenges)
	code := f.Reason.outcome().oauth
	if code == "" {
		return all
	}
	c := f.Scheme.challenge(g.base.Realm, g.base.Resource)
	plain := c.String()
	c.add("error", code)
	c.add("error_description", f.Reason.Title())
	if len(f.Scopes) > 0 {
		c.add("scope", strings.Join(f.Scopes, " "))
	}
	if f.Reason == ErrStale {
		c.addStepUp(f)
	}
	if i := slices.Index(all, plain); i >= 0 {
		all[i] = c.String()
		return all
	}
	return append(all, c.String())
}

// A challenge is being written: a scheme and its parameters.
type challenge struct {
	scheme string
	params []string
}

func (s Scheme) challenge(realm string, r *Resource) challenge {
	c := challenge{scheme: s.Name}
	if c.scheme == "" {
		c.scheme = "Bearer"
	}
	basic := c.scheme == "Basic"
	if basic && realm == "" {
		realm = "login" // RFC 7617 section 2 requires one
	}
	if realm != "" {
		c.add("realm", realm)
	}
	if basic {
		c.add("charset", "UTF-8")
	}
	if s.Field != "" && s.Field != "Authorization" {
		c.add("in", string(s.In))
		c.add("name", s.Field)
	}
	if len(s.Algorithms) > 0 {
		c.add("algs", joined(s.Algorithms)) // RFC 9449 section 7.1
	}
	if r != nil && (c.scheme == "Bearer" || c.scheme == "DPoP") {
		c.add("resource_metadata", r.url) // RFC 9728 section 5.1
	}
	return c
}

// joined returns the names with blanks between.
func joined(algorithms []Algorithm) string {
	names := make([]string, len(algorithms))
	for i, a := range algorithms {
		names[i] = string(a)
	}
	return strings.Join(names, " ")
}

func (c *challenge) add(name, value string) {
	c.params = append(c.params, name+`="`+quote(value)+`"`)
}

// addStepUp tells how to authenticate anew (RFC 9470 section 3).
func (c *challenge) addStepUp(f *Failure) {
	if len(f.ACRValues) > 0 {
		c.add("acr_values", strings.Join(f.ACRValues, " "))
	}
	if f.MaxAge > 0 || len(f.ACRValues) == 0 {
		c.add("max_age", strconv.FormatInt(max(0, int64(f.MaxAge.Seconds())), 10))
	}
}

func (c challenge) String() string {
	if len(c.params) == 0 {
		return c.scheme
	}
	return c.scheme + " " + strings.Join(c.params, ", ")
}

// quote makes s the inside of a quoted-string (RFC 9110 section 5.6.4), without
// characters that a header field cannot hold.
func quote(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case c < ' ' || c > '~':
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			fallthrough
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func isQuotable(s string) bool { return quote(s) == s }
