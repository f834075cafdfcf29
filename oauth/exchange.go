package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/seed-077cad0b/auth"
)

// typeURIJWT is what RFC 8693 section 3 calls a JSON Web Token.
const typeURIJWT = "urn:ietf:params:oauth:token-type:jwt"

// A presented token is one that a client exchanges (RFC 8693 section 2.1).
type presented struct {
	*auth.Principal
	issuer string // of the token
	own    bool   // this server has issued it
}

// isClient reports whether a token is that of a client as itself.
func (p *presented) isClient() bool { return p.own && p.Origin.Kind == auth.KindClient }

// grantTokenExchange trades the token of a subject for one by which the client
// acts for them at another resource (RFC 8693). What it issues
//
//   - is about the same subject, has their origin and family, and so ends with
//     them;
//   - has no scope that the subject token or the client lacks, and lasts no longer
//     than the tokens that were presented;
//   - tells who acts, see [Actor], but where the client may impersonate.
//
// There is no refresh token. Disabling the client that the subject token was issued
// to ends no token that another client has got for it: that lasts until it expires
// or the subject's family ends.
func (s *Server) grantTokenExchange(t *tokenRequest) (*auth.Grant, error) {
	if want := t.params.of("requested_token_type"); want != "" && want != typeURIAccessToken {
		return nil, refuse(ErrInvalidRequest, "Only access tokens are issued.")
	}
	subject, err := s.presented(t, "subject_token")
	if err != nil {
		return nil, err
	}
	t.about = subject.Principal
	actor, err := s.presented(t, "actor_token")
	if err != nil {
		return nil, err
	}
	o, err := s.exchangeOrder(t, subject, actor)
	if err != nil {
		return nil, err
	}
	left, err := remaining(subject, actor)
	if err != nil {
		return nil, err
	}
	if o.confirmation, err = s.confirmation(t.Request, t.client); err != nil {
		return nil, err
	}
	if !t.client.mayUse(subject, o.confirmation) || actor != nil && !actor.goesWith(o.confirmation) {
		return nil, errAnotherKey
	}
	grant, err := s.access(o).Issue(t.Context(), o.principal, &auth.IssueOptions{Family: o.family, Lifetime: left})
	if isDead(err) {
		return nil, errPresented(err) // meanwhile
	}
	return grant, err
}

// The refusals of tokens that are presented: always invalid_request (RFC 8693
// section 2.2.2).
var (
	errTokenType     = refuse(ErrInvalidRequest, "The type of a token is missing, of another token, or not supported.")
	errNoSubject     = refuse(ErrInvalidRequest, "There is no subject_token.")
	errNotItsToken   = refuse(ErrInvalidRequest, "A token is neither the client's own nor meant for it.")
	errAnotherKey    = refuse(ErrInvalidRequest, "A token is bound to a key that the client has not proved.")
	errActorActed    = refuse(ErrInvalidRequest, "The actor_token is of somebody for whom another one acts.")
	errMayNotAct     = refuse(ErrInvalidRequest, "The subject_token names somebody else who may act.")
	errTooManyActors = refuse(ErrInvalidRequest, "The chain of actors is malformed or too long.")
	errTooLargeToken = refuse(ErrInvalidRequest, "A token says more than can be passed on.")
)

var errNobody = errors.New("oauth: a verifier of Config.SubjectTokens admits a token of nobody")

func errPresented(cause error) error {
	return because(cause, ErrInvalidRequest, "A token is not valid, has expired or has been revoked.")
}

// presented returns the token of a parameter; nil where there is no actor_token.
func (s *Server) presented(t *tokenRequest, name string) (*presented, error) {
	token, kind := t.params.of(name), t.params.of(name+"_type")
	switch {
	case token == "" && name == "subject_token":
		return nil, errNoSubject
	case token == "" && kind == "":
		return nil, nil
	case token == "", kind != typeURIAccessToken && kind != typeURIJWT,
		kind == typeURIJWT && !s.jwt.Form().Match(token):
		return nil, errTokenType
	}
	p, err := s.prove(t.Context(), token)
	switch {
	case errors.Is(err, auth.ErrNotMine), isDead(err):
		return nil, errPresented(err)
	case err != nil:
		return nil, err
	case p.own && !t.client.knows(p.Principal),
		name == "actor_token" && !t.client.mayName(p):
		return nil, errNotItsToken
	}
	if proved := p.Origin.Time; proved.IsZero() || proved.After(t.begun) {
		// A clock that is ahead of ours must not outrun what ends the token.
		p.Principal = p.ProvedAt(t.begun)
	}
	return p, nil
}

// prove returns whom a token proves: the first verifier decides that knows it, our
// own before those of others.
func (s *Server) prove(ctx context.Context, token string) (*presented, error) {
	p, err := s.accessToken(ctx, token)
	if err == nil {
		return &presented{p, s.config.Issuer, true}, nil
	}
	for _, v := range s.config.SubjectTokens {
		if !errors.Is(err, auth.ErrNotMine) && !errors.Is(err, auth.ErrInvalid) {
			break
		}
		p, err = v.Verify(ctx, token)
		switch {
		case err != nil:
		case p == nil || p.Subject == "":
			return nil, errNobody
		default:
			return s.foreign(p), nil
		}
	}
	return nil, err
}

// foreign returns whom another issuer's token proves, as somebody among ours. A
// subject is unique with its issuer only (RFC 7519 section 4.1.2), so both
// together become one, with the sign between them that no issuer has. Of what the
// issuer says that counts here, its networks narrow, and when somebody was
// authenticated is theirs to tell; a tenant, a plan or a family would be ours.
//
// A verifier that maps people to our own says so by our issuer, or by none.
func (s *Server) foreign(p *auth.Principal) *presented {
	if p.Issuer == "" || p.Issuer == s.config.Issuer {
		return &presented{p, s.config.Issuer, false}
	}
	f := &auth.Principal{
		Issuer:   s.config.Issuer,
		Subject:  p.Issuer + "#" + p.Subject,
		Scopes:   p.Scopes,
		Networks: p.Networks,
		Origin:   auth.Origin{Time: p.Origin.Time},
		Claims:   p.Claims,
		Credential: auth.Credential{
			ID:           p.Credential.ID,
			Kind:         p.Credential.Kind,
			Confirmation: p.Credential.Confirmation,
			Expires:      p.Credential.Expires,
		},
	}
	if p.Origin.Kind != "" {
		f.Origin.Kind, f.Origin.ID = p.Credential.Kind, p.Credential.ID
	}
	return &presented{f, p.Issuer, false}
}

// mayName reports whether the client may name whom a token proves as the actor. Of
// ours, only one that it was issued itself will do: a resource that could name its
// callers would hide behind them. And it speaks for no other client, also where it
// has impersonated that.
func (c *Client) mayName(p *presented) bool {
	return !p.own || p.Credential.ClientID == c.ID && (!p.isClient() || p.Subject == c.ID)
}

// mayUse reports whether the client may exchange a subject's token, given the key
// that it has proved. One that is bound to a key is its holder's to exchange, and
// of the resource that it is for, which has it by the holder's proof; else a thief
// could trade it for one without the bond.
func (c *Client) mayUse(p *presented, key string) bool {
	return p.goesWith(key) || p.own && c.isAudience(p.Principal)
}

// goesWith reports whether a token is bound to no other key than this.
func (p *presented) goesWith(key string) bool {
	return p.Credential.Confirmation == "" || p.Credential.Confirmation == key
}

// exchangeOrder decides what a client gets for the tokens that it presents.
func (s *Server) exchangeOrder(t *tokenRequest, subject, actor *presented) (*order, error) {
	if t.client.endedFor(subject.Principal) {
		return nil, errPresented(auth.ErrRevoked)
	}
	names, err := t.params.scopes()
	if err != nil {
		return nil, err
	}
	scopes, err := s.allowScopes(t.client, names, some(subject.Scopes))
	if err != nil {
		return nil, err
	}
	resources, err := s.targets(t, subject)
	if err != nil {
		return nil, err
	}
	claims, err := s.delegate(t.client, subject, actor)
	if err != nil {
		return nil, err
	}
	p := *subject.Principal
	p.Claims = claims
	if !fits(&p) {
		return nil, errTooLargeToken
	}
	family := auth.NewFamily()
	if subject.own {
		family = p.Credential.Family
	}
	return &order{client: t.client, principal: &p, scopes: scopes, audience: resources, family: family}, nil
}

// targets returns the resources that an exchange is for. What somebody has granted
// the client for some resources, it cannot turn into something for others: that is
// for who is called with the token to do, and for a client that acts as itself.
func (s *Server) targets(t *tokenRequest, subject *presented) ([]string, error) {
	// A name of an API (RFC 8693 section 2.1) is its resource here.
	asked := append(slices.Clone(t.params.all("resource")), t.params.all("audience")...)
	if subject.own && !subject.isClient() && !t.client.isAudience(subject.Principal) {
		return s.narrowResources(t.client, asked, subject.Credential.Audience)
	}
	return s.allowResources(t.client, asked)
}

// remaining returns how long the tokens that were presented have left, and zero
// where neither ends.
func remaining(tokens ...*presented) (time.Duration, error) {
	var left time.Duration
	for _, p := range tokens {
		if p == nil || p.Credential.Expires.IsZero() {
			continue
		}
		own := time.Until(p.Credential.Expires)
		if own < time.Second {
			return 0, errPresented(auth.ErrExpired) // within the leeway, or meanwhile
		}
		if left == 0 || own < left {
			left = own
		}
	}
	return left, nil
}

// maxPassedOn bounds what goes from a presented token into the one that is issued,
// which is of a bounded length itself.
const maxPassedOn = 4 << 10

func fits(p *auth.Principal) bool {
	texts := []string{p.Issuer, p.Tenant, p.Subject, p.Tier, p.Origin.ID}
	if p.Networks != nil {
		texts = append(texts, p.Networks.String())
	}
	escaped, _ := json.Marshal(texts)
	return len(escaped)+len(p.Claims) <= maxPassedOn
}
