package oauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seed-077cad0b/auth"
)

// A GrantType is a way to a token (RFC 6749 section 1.3), as grant_type spells
// it.
type GrantType string

// The grants. There is no implicit and no password grant (RFC 9700 sections
// 2.1.2 and 2.4).
const (
	AuthorizationCode GrantType = "authorization_code"
	ClientCredentials GrantType = "client_credentials"
	RefreshToken      GrantType = "refresh_token"
	JWTBearer         GrantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	DeviceCode        GrantType = "urn:ietf:params:oauth:grant-type:device_code"
	TokenExchange     GrantType = "urn:ietf:params:oauth:grant-type:token-exchange"
)

var grantTypes = []GrantType{AuthorizationCode, ClientCredentials, RefreshToken, JWTBearer, DeviceCode, TokenExchange}

// A Client is an application that asks for tokens (RFC 6749 section 2): an entry
// of a [ClientRegistry]. It is data only, and is not written again once it is in
// use.
type Client struct {
	// ID is the client_id: 1 to 128 printable ASCII characters other than blanks
	// and colons, compared exactly. It is the sub of tokens that the client gets
	// for itself, so it is none of a user (RFC 9068 section 5).
	ID string

	// Name is what people are shown on the consent page, and Website where
	// they can learn more: an https URL, or empty.
	Name    string
	Website string

	// Public is a client that can keep no secret, such as one that runs in a
	// browser or on a phone. It is who it is by its redirect URI and PKCE. For one
	// in pages of another origin, wrap [Server.Token] in a handler that answers by
	// CORS: the server leaves that to the application. A client that is not public
	// has Secrets or Keys.
	Public bool

	// Secrets are those of client_secret_basic and client_secret_post (RFC 6749
	// section 2.3.1). Several, at most 4, overlap while they roll over.
	Secrets []ClientSecret

	// Keys are the client's public keys, for private_key_jwt (RFC 7523 section
	// 2.2): an auth.Keys or, in a registry of one's own, an auth.RemoteKeys. A
	// client that has some authenticates by nothing else.
	Keys auth.KeySet

	// Grants are the ways by which the client may get tokens; none is none. A
	// client whose grants have RefreshToken gets refresh tokens beside the
	// access tokens that people grant it.
	Grants []GrantType

	// Scopes are the most that the client may be granted. Where it asks for
	// none in particular, it is granted all of them that whoever grants them
	// has.
	Scopes []string

	// RedirectURIs are where people are sent back to, compared as texts (RFC
	// 9700 section 2.1). They are https URLs, or URLs of http on 127.0.0.1 and
	// [::1], of which any port is meant (RFC 8252 section 7.3); of a public
	// client also URLs of a private-use scheme, such as "com.example.app:/done".
	RedirectURIs []string

	// Resources are those of the [Config] that the client may have tokens for;
	// nil is all.
	Resources []string

	// Audience is the resource that the client is itself, if it is one: it may
	// introspect, and exchange, tokens that are for it. Empty for none.
	Audience string

	// OpaqueTokens gives the client opaque access tokens in place of JWTs.
	OpaqueTokens bool

	// AccessLifetime and RefreshLifetime bound the client's tokens; zero is the
	// Config's own.
	AccessLifetime, RefreshLifetime time.Duration

	// RequirePushed has the client push its authorization requests (RFC 9126),
	// RequireDPoP prove a key with each token request (RFC 9449), and
	// RequireCertificate present a certificate that its tokens are bound to
	// (RFC 8705 section 3). A token is bound to one thing, so not both of these.
	RequirePushed, RequireDPoP, RequireCertificate bool

	// Trusted is a client of one's own, whose users are not asked for consent. A
	// public client cannot be: anybody can claim to be it (ASVS 10.7.2).
	Trusted bool

	// Impersonation lets the client exchange tokens of its users for tokens that
	// do not tell that somebody acts for them (RFC 8693 section 1.1).
	Impersonation bool

	// Revoked ends what people have granted the client before: who signed in at
	// or before that time has to sign in again.
	Revoked time.Time

	// Disabled refuses all that the client asks for. To end what it has been
	// issued as well, see [ClientRecords.Disable] and, where the registry is
	// another one, [auth.RevokeClient].
	Disabled bool

	// Created is when the entry was made, and stays so: what was issued before
	// then was issued to another client of the same id, and this one has nothing
	// of it. Zero is not known, and ends nothing.
	Created time.Time
}

// A ClientRegistry knows the clients.
//
// Client returns the entry whose ID is id, which is a stranger's text: a name to
// be compared exactly. Where there is none it returns auth.ErrNotFound; any other
// error is an outage, answered 503. It is asked with every request of a client,
// so that what changes counts at once. Implementations are safe for concurrent
// use; the result is shared, and not written to by either side.
type ClientRegistry interface {
	Client(ctx context.Context, id string) (*Client, error)
}

// may reports whether the client may use a grant.
func (c *Client) may(g GrantType) bool { return slices.Contains(c.Grants, g) }

// succeeds reports whether what was issued at a time was another client's of the
// same id.
func (c *Client) succeeds(issued time.Time) bool { return issued.Before(c.Created) }

const (
	maxClientID    = 128
	maxClientName  = 256
	maxSecrets     = 4
	maxRedirects   = 64
	maxRedirectURI = 2048
	maxScopes      = 256
	maxResources   = 64
	maxScope       = 256
	maxLifetime    = 400 * 24 * time.Hour // as in package auth
)

// Validate returns all that is wrong with an entry, as one joined error.
// Requests of a client that is not valid are answered 503.
func (c *Client) Validate() error {
	if c == nil {
		return errors.New("oauth: client is nil")
	}
	var errs []error
	require := func(ok bool, what string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("oauth: client %.64q: "+what, append([]any{c.ID}, args...)...))
		}
	}
	require(isClientID(c.ID), "id is not 1 to %d printable ASCII characters other than blanks and colons", maxClientID)
	require(len(c.Name) <= maxClientName && isText(c.Name), "name is not UTF-8 of at most %d bytes without control characters", maxClientName)
	if c.Website != "" {
		_, err := httpsURL(c.Website)
		require(err == nil, "website: %w", err)
	}
	require(!c.RequireDPoP || !c.RequireCertificate, "both RequireDPoP and RequireCertificate")
	c.requireCredentials(require)
	c.requireKeys(require)
	for _, g := range c.Grants {
		require(slices.Contains(grantTypes, g), "unknown grant %q", g)
	}
	require(len(c.Scopes) <= maxScopes, "more than %d scopes", maxScopes)
	for _, s := range c.Scopes {
		require(isScope(s), "%q is not a scope", s)
	}
	require(len(c.RedirectURIs) <= maxRedirects, "more than %d redirect URIs", maxRedirects)
	for _, u := range c.RedirectURIs {
		err := checkRedirectURI(u, c.Public)
		require(err == nil, "redirect URI %q: %w", u, err)
	}
	require(!c.may(AuthorizationCode) || len(c.RedirectURIs) > 0, "the grant %s needs a redirect URI", AuthorizationCode)
	require(len(c.Resources) <= maxResources, "more than %d resources", maxResources)
	for _, r := range c.Resources {
		require(isResource(r), "resource %q is not an absolute URI without fragment", r)
	}
	require(c.Audience == "" || isResource(c.Audience), "audience %q is not an absolute URI without fragment", c.Audience)
	require(c.AccessLifetime >= 0 && c.AccessLifetime <= 24*time.Hour, "AccessLifetime is negative or more than a day")
	require(c.RefreshLifetime >= 0 && c.RefreshLifetime <= maxLifetime, "RefreshLifetime is negative or more than 400 days")
	return errors.Join(errs...)
}

// requireCredentials refuses a client that cannot prove who it is, or whom
// anybody could claim to be.
func (c *Client) requireCredentials(require func(ok bool, what string, args ...any)) {
	if !c.Public {
		require(len(c.Secrets) > 0 || c.Keys != nil, "neither public nor has it a secret or a key")
		require(len(c.Secrets) == 0 || c.Keys == nil, "both secrets and keys")
		require(len(c.Secrets) <= maxSecrets, "more than %d secrets", maxSecrets)
		for _, s := range c.Secrets {
			require(!s.Digest.IsZero(), "a secret without a digest")
		}
		return
	}
	require(len(c.Secrets) == 0 && c.Keys == nil, "public, but has a secret or a key")
	require(!c.Trusted, "public, so it cannot be trusted")
	require(!c.may(ClientCredentials) && !c.may(TokenExchange), "public, so %s and %s are not for it", ClientCredentials, TokenExchange)
	require(!c.Impersonation, "public, so it cannot impersonate")
	require(c.Audience == "", "public, so it cannot be a resource")
}

// requireKeys refuses keys that are not public ones.
func (c *Client) requireKeys(require func(ok bool, what string, args ...any)) {
	keys, ok := c.Keys.(*auth.Keys)
	if !ok {
		_, ok := c.Keys.(interface{ Signing() *auth.Key })
		require(!ok, "the keys can sign: a client's are public")
		return
	}
	if keys == nil {
		require(false, "no key")
		return
	}
	for _, k := range keys.All() {
		require(isAsymmetric(k), "key %q has no public part", k.ID())
		require(!k.CanSign(), "key %q can sign: a client's are public", k.ID())
	}
}

// isClientID reports whether s is one: VSCHAR of RFC 6749 appendix A.1, without
// blanks, and without the colon that Basic separates it by.
func isClientID(s string) bool {
	return s != "" && len(s) <= maxClientID && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' })
}

// isText reports whether s is fit for people to read on a line.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) }

// isScope reports whether s is a scope-token of RFC 6749 section 3.3.
func isScope(s string) bool {
	return s != "" && len(s) <= maxScope && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}

// endedFor reports whether what p has granted the client has been ended.
func (c *Client) endedFor(p *auth.Principal) bool {
	return !c.Revoked.IsZero() && !p.Origin.Time.After(c.Revoked)
}
