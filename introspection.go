package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/seed-077cad0b/auth/internal/clock"
	"github.com/seed-077cad0b/auth/internal/jws"
	"github.com/seed-077cad0b/auth/internal/weburl"
)

// An Introspection verifies access tokens by asking the authorization server
// that issued them (RFC 7662): opaque ones, which nobody else can read. It is a
// [Verifier], safe for concurrent use.
//
// What the server answers is remembered for [IntrospectionOptions].MaxAge after
// it was asked, and never beyond the token's exp, so that most requests ask
// nobody. A token that is revoked there is refused here after MaxAge at the
// latest; in an [Uncached] context, as [Guard.Exchange] makes one, at once. A
// server that is down, that refuses this API's own credentials, or whose answer
// cannot be understood, is an outage, for tokens that are not remembered: 503,
// and nobody is logged out. All who ask about one token share a question, which
// the context of none of them ends.
//
// The answer is judged here as well: active must be true, iss must be absent or
// the issuer, aud must name the audience, exp must not have passed, nor nbf, iat
// and auth_time lie more than 30 seconds ahead, and token_type must be absent,
// Bearer or DPoP. The subject is sub or, where the client acts for itself and
// there is none, client_id: the server must not give a user the name of a client
// (RFC 9068 section 5). Scopes are those of scope. The principal's other fields
// are those of a [JWT] with the same members, but that none of its private ones is
// believed except origin_networks, and Claims is the answer verbatim.
type Introspection struct {
	endpoint      string
	issuer        string
	audience      [][]string // as claimSet.read takes it
	noAudience    bool
	authorization Secret // the field; zero: the transport authenticates
	form          Form
	maxAge        int64 // in microseconds, as all times here; negative: nothing is remembered

	client  *http.Client
	timeout time.Duration
	slots   chan struct{} // one for each question under way

	clock   clock.Clock
	good    *tokenCache
	mu      sync.Mutex // of what follows, and of writers of good
	open    map[Digest]*question
	refused refusals
}

// IntrospectionOptions configure an [Introspection].
type IntrospectionOptions struct {
	// ClientID and ClientSecret authenticate this API to the server, by HTTP
	// Basic (RFC 6749 section 2.3.1). Where both are empty, the Client's
	// Transport has to: by a certificate, or by a token of its own.
	ClientID     string
	ClientSecret Secret

	// Client lends its Transport and its Timeout, nothing else; redirects are
	// not followed. The Timeout is for a question as a whole, and for waiting
	// until it can be asked: 5 seconds by default, at most a minute.
	Client *http.Client

	// Form is the form of the tokens. The zero Form takes all that a Bearer
	// field can hold but JSON Web Tokens, so a [JWT] may stand beside it; beside
	// other verifiers of opaque texts it must be narrower. The token of a form
	// of more than 16 KiB is refused.
	Form Form

	// MaxAge is how long an answer is remembered, and so how much later than the
	// server this API learns of a revocation: 30 seconds by default, at most an
	// hour. If negative, every use of a token asks. What was refused is
	// remembered for 5 seconds, if that is less.
	MaxAge time.Duration

	// CacheSize is about how many tokens are remembered, by their SHA-256 hash:
	// 16,384 by default. As many refused ones are, apart from them, so that
	// those who guess push out none that is good. Neither part ever holds more
	// than twice as many.
	CacheSize int

	// MaxConcurrent is how many questions are under way at a time: 64 by
	// default. Others wait for their turn, and are an outage after Timeout.
	MaxConcurrent int

	// InsecureNoAudience takes tokens of which the server names no audience at
	// all. Each token of that server is then good here, whatever API it was
	// meant for. One that names another is refused all the same.
	InsecureNoAudience bool
}

// NewIntrospection returns a verifier of the access tokens of issuer for
// audience, which asks at endpoint: a URL of https, or of http on this very
// host. Issuer becomes that of the principals. The error joins all that is
// wrong. Nothing is asked yet.
func NewIntrospection(endpoint, issuer, audience string, o *IntrospectionOptions) (*Introspection, error) {
	if o == nil {
		o = &IntrospectionOptions{}
	}
	client := o.Client
	if client == nil {
		client = &http.Client{}
	}
	timeout := or(client.Timeout, 5*time.Second)
	if err := o.validate(endpoint, issuer, audience, timeout); err != nil {
		return nil, err
	}
	i := &Introspection{
		endpoint:      endpoint,
		issuer:        issuer,
		audience:      alone([]string{audience}),
		noAudience:    o.InsecureNoAudience,
		authorization: basicAuthorization(o.ClientID, o.ClientSecret),
		form:          o.Form,
		maxAge:        or(o.MaxAge, 30*time.Second).Microseconds(),
		client:        &http.Client{Transport: client.Transport, CheckRedirect: stopThere},
		timeout:       timeout,
		slots:         make(chan struct{}, or(o.MaxConcurrent, 64)),
		open:          map[Digest]*question{},
	}
	if i.form.Match == nil {
		i.form = opaqueForm()
	}
	if o.MaxAge < 0 {
		i.maxAge = -1
	}
	size := or(o.CacheSize, 16384)
	i.good = newTokenCache(size, true)
	i.refused.size = size
	return i, nil
}

func (o *IntrospectionOptions) validate(endpoint, issuer, audience string, timeout time.Duration) error {
	var errs []error
	require := func(ok bool, what string) {
		if !ok {
			errs = append(errs, errors.New("auth: NewIntrospection: "+what))
		}
	}
	if _, err := weburl.Parse(endpoint); err != nil {
		require(false, "endpoint: "+err.Error())
	}
	require(issuer != "", "issuer is empty")
	require(audience != "", "audience is empty")
	require((o.ClientID == "") == o.ClientSecret.IsZero(), "of ClientID and ClientSecret there is only one")
	require(o.ClientID != "" || o.Client != nil && o.Client.Transport != nil, "neither a ClientID nor a Client whose Transport authenticates")
	require(timeout > 0 && timeout <= time.Minute, "Timeout of the Client is not within a minute")
	require(o.MaxAge <= time.Hour, "MaxAge is more than an hour")
	require(o.CacheSize >= 0 && o.CacheSize <= 1<<26, "CacheSize is negative or more than 67,108,864")
	require(o.MaxConcurrent >= 0 && o.MaxConcurrent <= 1<<16, "MaxConcurrent is negative or more than 65,536")
	if o.Form.New != nil || o.Form.Match != nil {
		if err := o.Form.validate(); err != nil {
			require(false, "Form: "+err.Error())
		}
	}
	return errors.Join(errs...)
}

// basicAuthorization is the Authorization field of a client. Its id and secret
// are encoded as in a form first, so that a colon in the id is none between them.
func basicAuthorization(id string, secret Secret) Secret {
	if id == "" {
		return Secret{}
	}
	pair := url.QueryEscape(id) + ":" + url.QueryEscape(secret.Reveal())
	return NewSecret("Basic " + base64.StdEncoding.EncodeToString([]byte(pair)))
}

// opaqueForm is that of all texts a Bearer field can hold but JWTs.
func opaqueForm() Form {
	return Form{
		New: TokenForm("").New,
		Match: func(text string) bool {
			_, isJWT := jws.Split(text)
			return !isJWT && isToken68(text)
		},
	}
}

// Kind returns [KindAccessToken].
func (i *Introspection) Kind() Kind { return KindAccessToken }

// Form returns the form of the tokens.
func (i *Introspection) Form() Form { return i.form }

// maxIntrospected bounds the text of a token, as that of a JWT is by default.
const maxIntrospected = 16 << 10

// Verify implements [Verifier]. It waits for the server where the token is not
// remembered, until ctx ends.
func (i *Introspection) Verify(ctx context.Context, credential string) (*Principal, error) {
	if !i.form.Match(credential) {
		return nil, ErrNotMine
	}
	if len(credential) > maxIntrospected {
		return nil, errTooLong
	}
	name := i.good.name(credential)
	anew := i.maxAge < 0 || IsUncached(ctx)
	if !anew {
		if t := i.good.get(name); t != nil && i.clock.Now() < t.until {
			return t.principal, nil
		}
	}
	name.text = "" // the digest is enough
	return i.ask(ctx, credential, name, anew)
}
