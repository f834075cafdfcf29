package oauth

import (
	"context"
	"time"

	"github.com/seed-077cad0b/auth"
)

// An order is what a grant has decided that a client gets.
type order struct {
	client       *Client
	principal    *auth.Principal // whom the tokens are about, proved
	scopes       []string        // of the access token; not nil
	audience     []string        // of the access token; not empty
	confirmation string          // the key that the client has proved, if any

	// What a refresh token keeps, where there is one.
	refresh   bool
	granted   []string // scopes
	resources []string

	family string // of the tokens; empty: that of the principal, or a new one
}

// fulfil issues the tokens of an order.
func (s *Server) fulfil(ctx context.Context, o *order) (*auth.Grant, error) {
	if !o.refresh {
		return s.access(o).Issue(ctx, o.principal, &auth.IssueOptions{Family: o.family})
	}
	options := &auth.IssueOptions{
		Lifetime: o.client.RefreshLifetime,
		Scopes:   o.granted,
		Audience: o.resources,
		ClientID: o.client.ID,
		Family:   o.family,
	}
	if options.Lifetime == 0 {
		options.Lifetime = s.config.RefreshLifetime
	}
	if o.client.Public {
		// RFC 9449 section 5: other clients prove themselves at each refresh.
		options.Confirmation = o.confirmation
	}
	return s.refresh.WithAccess(s.access(o)).Issue(ctx, o.principal, options)
}

// access returns the issuer of the order's access tokens.
func (s *Server) access(o *order) auth.Issuer {
	i := &accessIssuer{s, o}
	if o.client.OpaqueTokens {
		return opaqueIssuer{s.opaque, i}
	}
	return i
}

type accessIssuer struct {
	server *Server
	order  *order
}

// An opaqueIssuer shows an auth.Refresh that the access tokens are at rest: it
// removes those that it does not hand out.
type opaqueIssuer struct {
	*auth.OpaqueTokens
	access *accessIssuer
}

func (i opaqueIssuer) Issue(ctx context.Context, p *auth.Principal, o *auth.IssueOptions) (*auth.Grant, error) {
	return i.access.Issue(ctx, p, o)
}

func (i *accessIssuer) Issue(ctx context.Context, p *auth.Principal, own *auth.IssueOptions) (*auth.Grant, error) {
	o := auth.IssueOptions{
		Lifetime:     i.lifetime(own.Lifetime),
		Scopes:       i.order.scopes,
		Audience:     i.order.audience,
		Confirmation: i.order.confirmation,
		ClientID:     i.order.client.ID,
		Family:       own.Family,
	}
	if i.order.client.OpaqueTokens {
		return i.server.opaque.Issue(ctx, p, &o)
	}
	return i.server.jwt.Issue(ctx, p, &o)
}

// lifetime returns how long the access token lasts, of which most is the upper
// bound where it is not zero.
func (i *accessIssuer) lifetime(most time.Duration) time.Duration {
	own := i.server.config.AccessLifetime
	if l := i.order.client.AccessLifetime; l > 0 {
		own = l
	}
	if most > 0 {
		own = min(own, most)
	}
	return own
}

// orderOf returns the order of what p has granted the client, as far as the client
// asks for it and may still have it. It uses up the proof of the client's key.
func (s *Server) orderOf(t *tokenRequest, p *auth.Principal) (*order, error) {
	if t.client.endedFor(p) {
		return nil, auth.ErrRevoked
	}
	scopes, err := s.allowScopes(t.client, nil, some(p.Scopes))
	if err != nil {
		return nil, err
	}
	resources := p.Credential.Audience
	audience, err := s.narrowResources(t.client, t.params.all("resource"), resources)
	if err != nil {
		return nil, err
	}
	key, err := s.confirmation(t.Request, t.client)
	if err != nil {
		return nil, err
	}
	return &order{
		client:       t.client,
		principal:    p,
		scopes:       scopes,
		audience:     audience,
		confirmation: key,
		refresh:      t.client.may(RefreshToken),
		granted:      p.Scopes,
		resources:    resources,
		family:       p.Credential.Family,
	}, nil
}
