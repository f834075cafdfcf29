package oauth

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/body"
)

// params are the parameters of a request: each once (RFC 6749 sections 3.1 and
// 3.2), but for resource and audience, which RFC 8707 section 2 and RFC 8693
// section 2.1 let come again. One without a value counts as absent.
type params url.Values

// maxParams bounds how many a request may have.
const maxParams = 64

// mayRepeat reports whether a parameter may come more than once.
func mayRepeat(name string) bool { return name == "resource" || name == "audience" }

// parseParams reads a query, or a body of that form. Errors quote no input.
func parseParams(encoded string) (params, error) {
	if strings.Count(encoded, "&") >= maxParams {
		return nil, refuse(ErrInvalidRequest, "Too many parameters.")
	}
	values, err := url.ParseQuery(encoded)
	if err != nil {
		return nil, refuse(ErrInvalidRequest, "The parameters are malformed.")
	}
	p := params{}
	for name, all := range values {
		if len(all) > 1 && !mayRepeat(name) {
			return nil, refuse(ErrInvalidRequest, "A parameter is repeated.")
		}
		for _, v := range all {
			if !utf8.ValidString(name) || !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				return nil, refuse(ErrInvalidRequest, "A parameter is not UTF-8.")
			}
			if v != "" {
				p[name] = append(p[name], v)
			}
		}
	}
	return p, nil
}

// of returns the value of a parameter, or the empty string.
func (p params) of(name string) string {
	if v := p[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// all returns the values of a parameter that may be repeated.
func (p params) all(name string) []string { return p[name] }

// scopes returns the names in scope (RFC 6749 section 3.3), or nil where there is
// none.
func (p params) scopes() ([]string, error) {
	if p.of("scope") == "" {
		return nil, nil
	}
	var list []string
	for s := range strings.SplitSeq(p.of("scope"), " ") {
		if !isScope(s) || len(list) == maxScopes {
			return nil, refuse(ErrInvalidScope, "The scope is malformed.")
		}
		list = append(list, s)
	}
	return list, nil
}

// formOf reads the body of a POST request as parameters. It must be a form (RFC
// 6749 section 3.2); the query of the URL is not looked at.
func formOf(r *http.Request) (params, error) {
	encoded, err := readForm(r)
	if err != nil {
		return nil, err
	}
	return parseParams(encoded)
}

func readForm(r *http.Request) (string, error) {
	if r.Method != http.MethodPost {
		return "", auth.ErrMethod
	}
	encoded, ok, err := body.Encoded(r)
	switch {
	case errors.Is(err, body.ErrTooLarge):
		return "", auth.ErrTooLarge
	case err != nil:
		return "", because(err, ErrInvalidRequest, "The body cannot be read.")
	case !ok:
		return "", refuse(ErrInvalidRequest, "The body is not a form.")
	}
	return encoded, nil
}
