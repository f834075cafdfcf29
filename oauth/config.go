package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A Config says how a [Server] works. [NewServer] checks it whole.
type Config struct {
	// Issuer is the server's name in tokens and metadata (RFC 8414 section 2):
	// an https URL without query and fragment, or one of http on a loopback
	// address, for development.
	Issuer string

	// Name is what people are shown on the pages as whom they sign in to.
	Name string

	// Store keeps codes, refresh and opaque tokens, device codes, pushed
	// requests, consents, and what has been revoked. It must be an auth.Lister.
	Store auth.Store

	// Keys sign the access tokens; they are asymmetric.
	Keys *auth.Keys

	// Clients knows the clients.
	Clients ClientRegistry

	// Resources are the resource servers that tokens may be for: absolute URIs
	// (RFC 8707 section 2), as resource names them and aud has them. The first
	// is that of requests which name none.
	Resources []string

	// Scopes are all that there are, each with a line for the consent page.
	Scopes []Scope

	// Login signs people in, and Consent asks for their consent; a nil Consent
	// is the default page. Without a Login no client gets tokens by an
	// authorization code or a device code.
	Login   Login
	Consent Consent

	// Platforms are those whose assertions are good for the grant [JWTBearer];
	// nil is none.
	Platforms *auth.Platforms

	// DPoP checks the proofs of clients that bind their tokens to a key (RFC
	// 9449); nil is no such clients.
	DPoP *auth.DPoP

	// SubjectTokens verify tokens of other issuers that clients may exchange
	// (RFC 8693), beside those of this server, which has to be their audience. A
	// subject of another issuer becomes "ISSUER#SUBJECT" here, without its tenant
	// and tier; a verifier that maps people to users of this server returns those,
	// without an Issuer or with ours.
	SubjectTokens []auth.Verifier

	// Endpoints say where the endpoints are mounted.
	Endpoints Endpoints

	// The lifetimes of what the server issues. AccessLifetime is 15 minutes
	// where it is zero, and at most a day; RefreshLifetime 30 days, at most 400;
	// CodeLifetime 1 minute, at most 10 (RFC 6749 section 4.1.2);
	// DeviceLifetime 10 minutes, at most an hour.
	AccessLifetime, RefreshLifetime, CodeLifetime, DeviceLifetime time.Duration

	// Guard has the options of the guard around all endpoints: the trusted
	// proxies, what is told of the authentication of clients, a Throttle of
	// guesses at their secrets. Format has no effect. Nil is the zero value.
	Guard *auth.GuardOptions

	// Observe is told what each endpoint has decided; nil for none. It runs on
	// the request's goroutine and must be quick.
	Observe func(ctx context.Context, e Event)
}

// A Scope is a name for what a token allows (RFC 6749 section 3.3), with what it
// means in words.
type Scope struct {
	Name        string
	Description string // such as "Read your spaces"; empty: the name stands for itself
}

// Endpoints are the paths under which a server's endpoints are mounted, at the
// host of its issuer. An empty one is the default: the path of the issuer, and
// then what is said here. They are all different, start with a slash, and do not
// end with one. The metadata has its place by RFC 8414 section 3: in
// front of the issuer's path.
type Endpoints struct {
	Authorize           string // /oauth/authorize
	Token               string // /oauth/token
	Revoke              string // /oauth/revoke
	Introspect          string // /oauth/introspect
	PushedAuthorization string // /oauth/par
	DeviceAuthorization string // /oauth/device_authorization
	Device              string // /oauth/device, where people enter the code
	JWKS                string // /.well-known/jwks.json
}

const metadataPath = "/.well-known/oauth-authorization-server"

// An Event is what an endpoint has decided about a request. No secret, token or
// code is in it.
type Event struct {
	// Endpoint is which: "authorize", "token", "revoke", "introspect",
	// "pushed_authorization", "device_authorization" or "device".
	Endpoint string

	// ClientID is the client that asks or, where it was refused before it proved
	// that, the one that it says it is. Grant is the way to a token, at the token
	// endpoint.
	ClientID string
	Grant    GrantType

	// Principal is whom the tokens are about, if anybody.
	Principal *auth.Principal

	// Address is where the request comes from, as [auth.Guard.ClientAddress] has
	// it. It is invalid where that is not known.
	Address netip.Addr

	// Code is what the client was told; empty where its request was granted.
	// Err is the cause, which no client sees. Where errors.Is finds
	// auth.ErrReused in it, a code or a token that was stolen came again.
	Code ErrorCode
	Err  error
}

// complete fills in the defaults and returns all that is wrong.
func (c *Config) complete() error {
	var errs []error
	require := func(ok bool, what string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("oauth: NewServer: "+what, args...))
		}
	}
	issuer, err := httpsURL(c.Issuer)
	require(err == nil && !strings.Contains(c.Issuer, "?"), "Issuer %q is not an https URL without query and fragment", c.Issuer)
	require(err != nil || !strings.HasSuffix(issuer.Path, "/"), "Issuer %q ends with a slash", c.Issuer)
	require(!isNil(c.Store), "no Store")
	if !isNil(c.Store) {
		_, ok := auth.StoreAbility[auth.Lister](c.Store)
		require(ok, "%T is no Lister", c.Store)
	}
	require(c.Keys != nil && c.Keys.Signing() != nil && isAsymmetric(c.Keys.Signing()), "no asymmetric Keys that sign")
	require(!isNil(c.Clients), "no Clients")
	require(c.Login == nil || !isNil(c.Login), "Login is a nil pointer")
	require(c.Consent == nil || !isNil(c.Consent), "Consent is a nil pointer")
	require(len(c.Resources) > 0, "no Resources")
	for i, r := range c.Resources {
		require(isResource(r), "resource %q is not an absolute URI without fragment", r)
		require(!slices.Contains(c.Resources[:i], r), "resource %q is there twice", r)
	}
	for i, s := range c.Scopes {
		require(isScope(s.Name), "%q is not a scope", s.Name)
		same := func(o Scope) bool { return o.Name == s.Name }
		require(!slices.ContainsFunc(c.Scopes[:i], same), "scope %q is there twice", s.Name)
	}
	for i, v := range c.SubjectTokens {
		require(!isNil(v), "SubjectTokens[%d] is nil", i)
	}
	lifetime := func(name string, d *time.Duration, byDefault, most time.Duration) {
		if *d == 0 {
			*d = byDefault
		}
		require(*d >= time.Second && *d <= most, "%s %v is not from a second to %v", name, *d, most)
	}
	lifetime("AccessLifetime", &c.AccessLifetime, 15*time.Minute, 24*time.Hour)
	lifetime("RefreshLifetime", &c.RefreshLifetime, 30*24*time.Hour, maxLifetime)
	lifetime("CodeLifetime", &c.CodeLifetime, time.Minute, 10*time.Minute)
	lifetime("DeviceLifetime", &c.DeviceLifetime, 10*time.Minute, time.Hour)
	below := ""
	if err == nil {
		below = issuer.Path
	}
	return errors.Join(append(errs, c.Endpoints.complete(below))...)
}

// complete fills in the default paths below that of the issuer, and refuses those
// that a mux would take for something else, or twice.
func (e *Endpoints) complete(issuer string) error {
	var errs []error
	seen := map[string]bool{}
	metadata := metadataPath + issuer
	for _, p := range []struct {
		path      *string
		byDefault string
	}{
		{&e.Authorize, "/oauth/authorize"},
		{&e.Token, "/oauth/token"},
		{&e.Revoke, "/oauth/revoke"},
		{&e.Introspect, "/oauth/introspect"},
		{&e.PushedAuthorization, "/oauth/par"},
		{&e.DeviceAuthorization, "/oauth/device_authorization"},
		{&e.Device, "/oauth/device"},
		{&e.JWKS, "/.well-known/jwks.json"},
		{&metadata, ""},
	} {
		if *p.path == "" {
			*p.path = issuer + p.byDefault
		}
		if !isPath(*p.path) {
			errs = append(errs, fmt.Errorf("oauth: NewServer: endpoint %q is not a path", *p.path))
		}
		if seen[*p.path] {
			errs = append(errs, fmt.Errorf("oauth: NewServer: two endpoints at %q", *p.path))
		}
		seen[*p.path] = true
	}
	return errors.Join(errs...)
}

// isPath reports whether s is the path of one place, as browsers send it.
func isPath(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Path == s && isGraphic(s) && !strings.ContainsAny(s, "{}") &&
		strings.HasPrefix(s, "/") && s != "/" && path.Clean(s) == s
}

// isResource reports whether s is an absolute URI without fragment (RFC 8707
// section 2).
func isResource(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.IsAbs() && !strings.Contains(s, "#") && isGraphic(s) && len(s) <= maxRedirectURI
}

// isNil reports whether v is nil or holds a nil pointer.
func isNil(v any) bool {
	is := reflect.ValueOf(v)
	return v == nil || is.Kind() == reflect.Pointer && is.IsNil()
}

func isAsymmetric(k *auth.Key) bool {
	switch k.Algorithm() {
	case auth.HS256, auth.HS384, auth.HS512:
		return false
	}
	return true
}
