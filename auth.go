// Package auth answers two questions about every HTTP request: who is calling,
// and may they.
//
// A [Guard] runs an [Authenticator] over a request, which yields a [Principal];
// an [Issuer] turns a principal into a [Grant]; credentials that must be
// remembered are [Record] values in a [Store]. Everything else in this module
// fits one of those sockets.
//
// Where a credential sits and what it proves are separate. [Bearer], [Header],
// [Cookie] and [JSONField] say where; a [JWT], [Sessions], [APIKeys] or
// [Refresh] says what. Logging in is a guard plus an issuer, see
// [Guard.Exchange]; [Platforms] sign in the users of partners.
//
// A guard also says how often, see [Guard.Limit], and from where, see
// [Guard.From] and [GuardOptions].TrustedProxies.
package auth

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// A Verifier tells whom a credential proves. It only reads: whatever a
// credential's use changes happens in an Issuer, after every policy.
//
// Verify returns [ErrNotMine] when the text is not of the verifier's form,
// judged by syntax alone, so that the next verifier of a source may look. A
// [Reason] such as [ErrInvalid] or [ErrExpired] rejects the credential for
// good. Any other error means that the answer could not be found out, and
// becomes [ErrUnavailable]: an outage logs nobody out.
//
// Verifiers are safe for concurrent use. The Principal is shared: neither side
// writes to it again.
type Verifier interface {
	Verify(ctx context.Context, credential string) (*Principal, error)
}

// An Authenticator tells who sent a request.
//
// Authenticate returns [ErrNoCredential] when the request presents nothing it
// looks for, so that the next source may look, and never [ErrNotMine]. Other
// errors are as in [Verifier]. An Authenticator that also has a method
//
//	Schemes() []Scheme
//
// takes part in the challenges of a 401 answer.
type Authenticator interface {
	Authenticate(r *http.Request) (*Principal, error)
}

// A ClientAuthenticator is an [Authenticator] that goes by the client's address,
// too. Guards call AuthenticateClient instead of Authenticate, with the address
// as [Guard.ClientAddress] tells it.
type ClientAuthenticator interface {
	Authenticator
	AuthenticateClient(r *http.Request, client netip.Addr) (*Principal, error)
}

// An Issuer turns a principal into a new credential.
//
// Issue copies the principal's Origin unchanged and never widens its scopes. o
// may be nil. A [Reason] refuses; any other error is an outage.
type Issuer interface {
	Issue(ctx context.Context, p *Principal, o *IssueOptions) (*Grant, error)
}

// A Kind names what sort of credential something is. Kinds separate the digests
// of the store, so a session can never pass as an API key. It is 1 to 64 ASCII
// letters, digits, dots, hyphens and underscores; stores need not take others.
type Kind string

// The kinds of this package.
const (
	KindJWT      Kind = "jwt"
	KindSession  Kind = "session"
	KindAPIKey   Kind = "api_key"
	KindRefresh  Kind = "refresh_token"
	KindPassword Kind = "password"
	KindPlatform Kind = "platform"
	KindMark     Kind = "mark" // not a credential: what revokes many at once

	// KindAccessToken is an opaque access token of OAuth 2.0.
	KindAccessToken Kind = "access_token"

	// KindClient is an application that is registered with an authorization
	// server (RFC 6749 section 2).
	KindClient Kind = "client"
)

// A Principal is an authenticated caller. It is published once and never
// written again, so it may be shared between goroutines and requests without a
// copy; code that wants a changed one makes its own.
type Principal struct {
	// Issuer, Tenant and Subject are the identity, all three together. Subject
	// is never empty. An empty Issuer is this API itself; an empty Tenant is
	// the only one.
	Issuer, Tenant, Subject string

	// Tier is the caller's plan, such as "premium"; empty for none.
	Tier string

	// Scopes are what the caller may do, compared byte for byte. None grants
	// nothing.
	Scopes []string

	// Origin is the primary credential at the root of the chain.
	Origin Origin

	// Credential is the one that this request showed.
	Credential Credential

	// Claims is one JSON object, verbatim as it was signed or stored, or nil.
	// [Claims] decodes it.
	Claims json.RawMessage

	// Networks is where the principal may call from, and whatever grows from
	// its credentials; nil is anywhere. Guards refuse other addresses with
	// [ErrAddress]; code that calls [Verifier.Verify] itself looks at it
	// itself.
	Networks *Networks

	// Rate is a quota of the principal's own, and of whatever grows from its
	// credentials; zero is none. All limits by identity and by credential apply
	// it instead of their limiter's rate, and count by Origin: what one API key
	// opened shares its quota. A cap beside it, such as one by the day, counts
	// by [ByFunc]. See [Guard.Limit].
	Rate Rate

	// presented is the text that proved this principal, kept only by verifiers
	// whose issuer needs it again (Refresh).
	presented Secret
}

// An Origin is the primary credential that a chain of credentials grew from:
// the password that opened the session that was exchanged for a token. Issuers
// copy it unchanged.
type Origin struct {
	Kind Kind
	ID   string

	// Time is when the primary credential was proved, in microseconds. Zero
	// means: by this very request, as with an API key; [Guard.Exchange] fills
	// it in before it issues anything, and [Principal.ProvedAt] does for
	// others.
	Time time.Time

	// ACR is how well it was proved: the authentication context class
	// reference of OpenID Connect Core section 2, as the acr of tokens has it.
	// Empty where nothing is known of it. See [ACR].
	ACR string
}

// A Credential describes a credential without being one: nothing in it is
// secret.
type Credential struct {
	ID   string // public; opaque credentials: the text of their digest; JWTs: jti
	Kind Kind
	Name string // for people; an API key's label

	// Family is shared by a credential and its successors: the rotations of a
	// session or key, the tokens of one refresh chain.
	Family string

	// Confirmation is the key that must be proved along with the credential
	// (the cnf member of RFC 7800), empty for a bearer credential. See
	// [KeyConfirmation] and [CertificateConfirmation].
	Confirmation string

	// ClientID is the OAuth 2.0 client that the credential was issued to (RFC
	// 9068 section 2.2), empty for none.
	ClientID string

	// Audience is whom the credential is for: the aud of a JWT, the resources of
	// an opaque access token or of a refresh token (RFC 8707). Nil: whoever
	// knows it.
	Audience []string

	Created, Expires time.Time // Expires is zero for one that does not expire
}

// IssueOptions narrow what an [Issuer] makes. The zero value narrows nothing.
type IssueOptions struct {
	Device   Device
	Lifetime time.Duration // upper bound; zero: the issuer's own

	// Scopes is what is asked for. Nil asks for all of the principal's; a
	// scope that the principal lacks is left out, never added.
	Scopes []string

	Audience     []string // see Credential.Audience; nil: the issuer's own; never empty
	Confirmation string   // see Credential.Confirmation
	ClientID     string   // see Credential.ClientID

	// Family is the family that a [Refresh] begins, and that access tokens join;
	// empty: a new one, or that of the principal's credential. [NewFamily] makes
	// one. It lets what came before the tokens, such as an authorization code,
	// end them.
	Family string
}

// A Device is what helps people to recognise where a session is used. It is
// told by the client and proves nothing.
type Device struct {
	Name      string     `json:"name,omitempty"`
	UserAgent string     `json:"user_agent,omitempty"` // at most 256 bytes
	Address   netip.Addr `json:"address,omitzero"`
}

// A Grant is a newly issued credential and whom it proves.
type Grant struct {
	// Token is the credential, shown this once.
	Token Secret

	// Principal is what a request with Token will yield.
	Principal *Principal

	// RefreshToken is set by [Refresh] only, with its own end.
	RefreshToken   Secret
	RefreshExpires time.Time
}

// Owner returns the digest of the principal's identity: its issuer, tenant and
// subject. Stores list by it.
func (p *Principal) Owner() Digest {
	return nameDigest("owner", p.Issuer, p.Tenant, p.Subject)
}

// ProvedAt returns a copy of p whose origin was proved at t. Code that calls
// [Verifier.Verify] itself and then issues something uses it, with a time read
// before Verify, which it gives an [Uncached] context: whatever was revoked before
// or in between then stays revoked.
func (p *Principal) ProvedAt(t time.Time) *Principal {
	c := *p
	c.Origin.Time = instant(t)
	return &c
}

// derive begins the principal of a credential that grows from p: same identity
// and origin, scopes narrowed to those asked for, nothing secret carried along.
func (p *Principal) derive(o *IssueOptions, c Credential) (*Principal, error) {
	if p == nil || p.Subject == "" {
		return nil, errNoSubject
	}
	d := *p
	d.presented = Secret{}
	d.Scopes = slices.Clone(p.Scopes) // a token's lie beside it, and would keep it in memory
	switch {
	case !d.Origin.Time.IsZero():
	case d.Origin == (Origin{}):
		d.Origin.Time = c.Created
	default:
		return nil, errUnproved
	}
	if o != nil {
		if o.Audience != nil && len(o.Audience) == 0 || slices.Contains(o.Audience, "") {
			return nil, errForNobody
		}
		d.Scopes = narrow(d.Scopes, o.Scopes)
		c.Confirmation = o.Confirmation
		c.ClientID, c.Audience = o.ClientID, o.Audience
	}
	c.ClientID = or(c.ClientID, p.Credential.ClientID)
	d.Credential = c
	return &d, nil
}

// lifetime returns the shorter of own and what o asks for.
func (o *IssueOptions) lifetime(own time.Duration) time.Duration {
	if o != nil && o.Lifetime > 0 && o.Lifetime < own {
		return o.Lifetime
	}
	return own
}

// family returns the family that o asks for, or else own.
func (o *IssueOptions) family(own string) string {
	if o != nil && o.Family != "" {
		return o.Family
	}
	return own
}

// instant is t as this package keeps it: UTC, in the microseconds that every
// database has, without a monotonic reading.
func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func now() time.Time { return instant(time.Now()) }
