package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth/internal/published"
	"github.com/seed-077cad0b/auth/internal/weburl"
)

// A Resource is an API as OAuth 2.0 clients see it: its identifier and the
// authorization servers whose tokens it takes (RFC 9728). It is an
// [http.Handler] that serves this as metadata, to be mounted at MetadataPath,
// and as [GuardOptions].Resource it has challenges say where that is. A client
// that knows nothing but the API's URL then finds the way to a token by itself,
// as the Model Context Protocol has its clients do.
//
// It only tells. That tokens are of those servers and for this resource, the
// verifiers of the guard decide: give Identifier to [NewJWT] or
// [NewIntrospection] as the audience.
//
// A Resource is immutable and safe for concurrent use. The zero value is good
// for nothing; see [NewResource].
type Resource struct {
	identifier string
	path       string // of the metadata
	url        string // of the metadata
	document   []byte
}

// ResourceOptions are what else the metadata of a [Resource] tells. The zero
// value tells nothing else. URLs are absolute: https, or http on this host.
type ResourceOptions struct {
	// Scopes are those that clients may ask for (scopes_supported). Clients of
	// the Model Context Protocol ask for all of them at once, unless a
	// challenge names those that are needed.
	Scopes []string

	Name             string // for people (resource_name)
	DocumentationURL string // for developers (resource_documentation)
	PolicyURL        string // how clients may use what they get (resource_policy_uri)
	TermsURL         string // terms of service (resource_tos_uri)

	// JWKSURL is where the resource's own public keys are (jwks_uri), with which
	// it signs answers or has them encrypted. It has nothing to do with the keys
	// of tokens.
	JWKSURL string

	// DPoPAlgorithms are those of the proofs of RFC 9449 that are taken
	// (dpop_signing_alg_values_supported). DPoPRequired tells that every token
	// must be bound to a key by them.
	DPoPAlgorithms []Algorithm
	DPoPRequired   bool

	// CertificateBound tells that tokens bound to a client's TLS certificate are
	// taken (RFC 8705).
	CertificateBound bool
}

// NewResource returns the resource of an identifier and the issuers of its
// authorization servers. Both are URLs with neither query nor fragment: https,
// or http on this host. They are told as they are written and compared byte for
// byte, so an identifier that clients would spell otherwise is refused. o may be nil. The error joins all that is wrong.
func NewResource(identifier string, authorizationServers []string, o *ResourceOptions) (*Resource, error) {
	if o == nil {
		o = &ResourceOptions{}
	}
	var errs []error
	refuse := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("auth: NewResource: "+format, args...))
	}
	u, err := nameURL(identifier)
	if err == nil {
		err = checkSpelling(u)
	}
	if err != nil {
		refuse("identifier: %w", err)
	}
	if len(authorizationServers) == 0 {
		refuse("no authorization server")
	}
	for i, issuer := range authorizationServers {
		if _, err := nameURL(issuer); err != nil {
			refuse("authorization server %d: %w", i, err)
		}
		if slices.Contains(authorizationServers[:i], issuer) {
			refuse("authorization server %d is named twice", i)
		}
	}
	errs = append(errs, o.validate()...)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	r := &Resource{identifier: identifier, path: wellKnownResource}
	if u.Path != "/" {
		r.path += u.EscapedPath()
	}
	r.url = u.Scheme + "://" + u.Host + r.path
	r.document, _ = json.Marshal(newResourceMetadata(identifier, authorizationServers, o)) // texts and truths only
	return r, nil
}

// wellKnownResource goes between the host and the path of an identifier (RFC
// 9728 section 3.1).
const wellKnownResource = "/.well-known/oauth-protected-resource"

func (o *ResourceOptions) validate() (errs []error) {
	refuse := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("auth: NewResource: "+format, args...))
	}
	for i, s := range o.Scopes {
		if s == "" || strings.Contains(s, " ") || !isQuotable(s) {
			refuse("scope %d has characters that no scope has", i)
		}
		if slices.Contains(o.Scopes[:i], s) {
			refuse("scope %d is named twice", i)
		}
	}
	for _, a := range o.DPoPAlgorithms {
		if !a.isAsymmetric() {
			refuse("DPoPAlgorithms: %q is no asymmetric algorithm", a)
		}
	}
	for _, link := range []struct{ field, url string }{
		{"DocumentationURL", o.DocumentationURL},
		{"PolicyURL", o.PolicyURL},
		{"TermsURL", o.TermsURL},
		{"JWKSURL", o.JWKSURL},
	} {
		page, _, _ := strings.Cut(link.url, "#")
		if _, err := weburl.Parse(page); err != nil && link.url != "" {
			refuse("%s: %w", link.field, err)
		}
	}
	return errs
}

// resourceMetadata has the member names of RFC 9728 section 2.
type resourceMetadata struct {
	Resource             string      `json:"resource"`
	AuthorizationServers []string    `json:"authorization_servers"`
	JWKS                 string      `json:"jwks_uri,omitempty"`
	Scopes               []string    `json:"scopes_supported,omitempty"`
	BearerMethods        []string    `json:"bearer_methods_supported"`
	Name                 string      `json:"resource_name,omitempty"`
	Documentation        string      `json:"resource_documentation,omitempty"`
	Policy               string      `json:"resource_policy_uri,omitempty"`
	Terms                string      `json:"resource_tos_uri,omitempty"`
	CertificateBound     bool        `json:"tls_client_certificate_bound_access_tokens,omitempty"`
	DPoPAlgorithms       []Algorithm `json:"dpop_signing_alg_values_supported,omitempty"`
	DPoPRequired         bool        `json:"dpop_bound_access_tokens_required,omitempty"`
}

func newResourceMetadata(identifier string, servers []string, o *ResourceOptions) resourceMetadata {
	return resourceMetadata{
		Resource:             identifier,
		AuthorizationServers: servers,
		JWKS:                 o.JWKSURL,
		Scopes:               o.Scopes,
		BearerMethods:        []string{"header"}, // neither forms nor queries are ever read
		Name:                 o.Name,
		Documentation:        o.DocumentationURL,
		Policy:               o.PolicyURL,
		Terms:                o.TermsURL,
		CertificateBound:     o.CertificateBound,
		DPoPAlgorithms:       o.DPoPAlgorithms,
		DPoPRequired:         o.DPoPRequired,
	}
}

// Identifier returns the identifier, which tokens for the resource name as their
// audience.
func (r *Resource) Identifier() string { return r.identifier }

// MetadataPath returns the path to mount the resource at:
// "/.well-known/oauth-protected-resource", followed by the identifier's own
// path.
func (r *Resource) MetadataPath() string { return r.path }

// MetadataURL returns where clients find the metadata, which is what challenges
// tell them.
func (r *Resource) MetadataURL() string { return r.url }

// ServeHTTP answers GET and HEAD with the metadata, and 405 to all else but the
// preflights of browsers. Pages of every origin may read it, as clients that run
// in a browser have to: it is public and the same for everybody. Caches keep it
// for an hour.
func (r *Resource) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	published.Serve(w, req, contentJSON, time.Hour, r.document)
}

// nameURL reads a URL that is a name: without query and fragment.
func nameURL(text string) (*url.URL, error) {
	u, err := weburl.Parse(text)
	switch {
	case err != nil:
		return nil, err
	case strings.Contains(text, "?"):
		return nil, errors.New("URL has a query")
	case u.String() != text || !isQuotable(text):
		return nil, weburl.ErrForm
	}
	return u, nil
}

// checkSpelling refuses the URL of an API in a spelling that clients change
// before they use it, and then do not find again in the metadata.
func checkSpelling(u *url.URL) error {
	switch {
	case u.Host != strings.ToLower(u.Host):
		return errors.New("URL has a host in capitals")
	case u.Scheme == "https" && u.Port() == "443", u.Scheme == "http" && u.Port() == "80", strings.HasSuffix(u.Host, ":"):
		return errors.New("URL has a port that goes without saying")
	case strings.Contains(u.Path, "//"), strings.Contains(u.Path+"/", "/./"), strings.Contains(u.Path+"/", "/../"):
		return errors.New("URL has an empty segment or one of dots")
	}
	return nil
}
