package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth"
)

// A Server is an authorization server (RFC 6749 section 1.1). It is immutable and
// safe for concurrent use; several processes may share its store.
//
// It is an http.Handler that answers at the paths of [Endpoints] and of the
// metadata, and 404 elsewhere; its methods return the endpoints one by one. All
// of them refuse plain HTTP from beyond this host, see auth.HTTPSOnly.
type Server struct {
	config Config
	origin string // scheme and host of the issuer

	clients *auth.Guard // authenticates clients
	users   *auth.Guard // tells who is signed in; nil without a Login
	lister  auth.Lister // of the store
	jwt     *auth.JWT
	opaque  *auth.OpaqueTokens
	refresh *auth.Refresh
	scopes  map[string]Scope

	guesses  auth.Limiter // at user codes
	unproved auth.Limiter // requests kept for public clients
	metadata []byte
	mux      *http.ServeMux
}

// NewServer returns the authorization server that c describes. The error joins
// all that is wrong with it. It panics where [auth.NewGuard] does on c.Guard.
func NewServer(c Config) (*Server, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	if c.Guard == nil {
		c.Guard = &auth.GuardOptions{}
	}
	if c.Consent == nil {
		c.Consent = consentPage{}
	}
	issuer, err := url.Parse(c.Issuer)
	if err != nil {
		return nil, err
	}
	s := &Server{
		config: c,
		origin: issuer.Scheme + "://" + issuer.Host,
		scopes: make(map[string]Scope, len(c.Scopes)),

		guesses:  newGuesses(),
		unproved: auth.NewLimiter(30, time.Minute),
	}
	for _, scope := range c.Scopes {
		s.scopes[scope.Name] = scope
	}
	s.clients = auth.NewGuard(&clientAuthenticator{s}, c.Guard)
	s.lister, _ = auth.StoreAbility[auth.Lister](c.Store)
	if c.Login != nil {
		s.users = newUsers(c.Login, c.Guard)
	}
	if err := s.buildTokens(); err != nil {
		return nil, fmt.Errorf("oauth: NewServer: %w", err)
	}
	if s.metadata, err = s.newMetadata(); err != nil {
		return nil, fmt.Errorf("oauth: NewServer: %w", err)
	}
	s.mux = s.buildMux(issuer.Path)
	return s, nil
}

// buildTokens makes what issues tokens. They answer to what the store has
// revoked, and are remembered nowhere else: the server issues, and introspects
// now and then.
func (s *Server) buildTokens() error {
	c := &s.config
	var errs [3]error
	s.jwt, errs[0] = auth.NewJWT(c.Issuer, c.Resources[0], c.Keys, &auth.JWTOptions{
		Type:       typeAccessToken,
		Lifetime:   24 * time.Hour, // the most; each issue says how long
		Audiences:  c.Resources[1:],
		Revocation: c.Store,
		CacheSize:  -1,
	})
	s.opaque, errs[1] = auth.NewOpaqueTokens(c.Store, c.Resources[0], &auth.OpaqueTokenOptions{
		Lifetime:  24 * time.Hour,
		Audiences: c.Resources[1:],
	})
	s.refresh, errs[2] = auth.NewRefresh(c.Store, noAccess{}, &auth.RefreshOptions{
		Lifetime: maxLifetime,
	})
	return errors.Join(errs[:]...)
}

// typeAccessToken is the typ of access tokens (RFC 9068 section 2.1).
const typeAccessToken = "at+jwt"

// noAccess stands where each issue of a Refresh brings its own issuer.
type noAccess struct{}

func (noAccess) Issue(context.Context, *auth.Principal, *auth.IssueOptions) (*auth.Grant, error) {
	return nil, errors.New("oauth: no issuer of access tokens")
}

// buildMux mounts the endpoints for ServeHTTP. issuer is the path of the issuer.
func (s *Server) buildMux(issuer string) *http.ServeMux {
	mux, e := http.NewServeMux(), s.config.Endpoints
	mux.Handle(e.Token, s.Token())
	mux.Handle(e.Revoke, s.Revoke())
	mux.Handle(e.Introspect, s.Introspect())
	mux.Handle(e.JWKS, s.JWKS())
	mux.Handle(metadataPath+issuer, s.Metadata())
	if s.config.Login != nil {
		mux.Handle(e.Authorize, s.Authorize())
		mux.Handle(e.PushedAuthorization, s.PushedAuthorization())
		mux.Handle(e.DeviceAuthorization, s.DeviceAuthorization())
		mux.Handle(e.Device, s.Device())
	}
	return mux
}

// ServeHTTP answers at the server's paths.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Token returns the token endpoint (RFC 6749 section 3.2).
func (s *Server) Token() http.Handler { return s.endpoint(s.serveToken) }

// Revoke returns the revocation endpoint (RFC 7009), at which clients end their own
// tokens: an access token alone, a refresh token with all that its family has been
// issued. Of the tokens of others it tells nothing.
func (s *Server) Revoke() http.Handler { return s.endpoint(s.serveRevoke) }

// Introspect returns the introspection endpoint (RFC 7662), which tells clients that
// are not public of their own tokens, and of the access tokens for the resource that
// they are (Client.Audience). Of all others it says that they are not active.
func (s *Server) Introspect() http.Handler { return s.endpoint(s.serveIntrospect) }

// Metadata returns the server's metadata (RFC 8414), for the path
// "/.well-known/oauth-authorization-server", followed by the issuer's own.
func (s *Server) Metadata() http.Handler { return s.endpoint(s.serveMetadata) }

// JWKS returns the public keys of the access tokens.
func (s *Server) JWKS() http.Handler { return s.endpoint(s.config.Keys.JWKS().ServeHTTP) }

// Authorize returns the authorization endpoint (RFC 6749 section 3.1), with the
// pages of login and consent.
func (s *Server) Authorize() http.Handler { return s.endpoint(s.serveAuthorize) }

// PushedAuthorization returns the endpoint of pushed authorization requests (RFC
// 9126). A request takes 16 KiB at most, and 4 KiB of a public client. Of these, and
// of what [Server.DeviceAuthorization] keeps for them, an address has 30 at once and
// then 30 a minute, as anybody can say that they are such a client; more are
// answered 429. Behind a proxy, see auth.GuardOptions.TrustedProxies. Processes
// count apart from each other.
func (s *Server) PushedAuthorization() http.Handler { return s.endpoint(s.servePushed) }

// DeviceAuthorization returns the endpoint at which a device asks for its codes
// (RFC 8628 section 3.1). For public clients it is bounded like
// [Server.PushedAuthorization].
func (s *Server) DeviceAuthorization() http.Handler { return s.endpoint(s.serveDeviceAuthorization) }

// Device returns the page on which people enter the code that a device shows
// (RFC 8628 section 3.3).
func (s *Server) Device() http.Handler { return s.endpoint(s.serveDevice) }

// endpoint guards the transport, and has all that is decided go by what the store
// holds now: what is issued outlives what a cache remembers.
func (s *Server) endpoint(serve http.HandlerFunc) http.Handler {
	return auth.HTTPSOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serve(w, r.WithContext(auth.Uncached(r.Context())))
	}), s.config.Guard)
}

// url returns the absolute URL of an endpoint.
func (s *Server) url(path string) string { return s.origin + path }

// observe tells the observer what has been decided about r.
func (s *Server) observe(r *http.Request, e Event) {
	if s.config.Observe == nil {
		return
	}
	if e.Err != nil {
		e.Code = failureOf(e.Err).code
	}
	e.Address = s.clients.ClientAddress(r)
	s.config.Observe(r.Context(), e)
}

// client returns the entry of a client that may ask for something.
func (s *Server) client(ctx context.Context, id string) (*Client, error) {
	if !isClientID(id) {
		return nil, errNoClient
	}
	c, err := s.config.Clients.Client(ctx, id)
	switch {
	case errors.Is(err, auth.ErrNotFound):
		return nil, errNoClient
	case err != nil:
		return nil, fmt.Errorf("oauth: looking up a client: %w", err)
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	switch {
	case c.ID != id:
		return nil, errNoClient // such as one that differs in case
	case c.Disabled:
		return nil, errClientDisabled
	}
	return c, nil
}

var (
	errNoClient       = refuse(ErrInvalidClient, "The client is not known.")
	errClientDisabled = because(auth.ErrDisabled, ErrInvalidClient, "The client is not known.")
)

// scope returns what is to be shown of a scope.
func (s *Server) scope(name string) Scope {
	if scope, ok := s.scopes[name]; ok {
		return scope
	}
	return Scope{Name: name}
}

// joined is a list as scope and its kin have it.
func joined(list []string) string { return strings.Join(list, " ") }
