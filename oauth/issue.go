package oauth

import (
	"context"
	"slices"
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

// allowScopes returns the scopes that a client gets which asks for some: those
// that it, this server and whoever grants them have in common. To ask for one
// that the client may not have is an error (RFC 6749 section 5.2); that the
// person does not have one narrows what is granted.
func (s *Server) allowScopes(c *Client, asked, most []string) ([]string, error) {
	particular := asked != nil
	if !particular {
		asked = c.Scopes
	}
	granted := []string{}
	for _, name := range asked {
		if _, known := s.scopes[name]; !known || !slices.Contains(c.Scopes, name) {
			if particular {
				return nil, refuse(ErrInvalidScope, "The client may not have a scope that it asks for.")
			}
			continue // an entry may know of more than this server
		}
		if (most == nil || slices.Contains(most, name)) && !slices.Contains(granted, name) {
			granted = append(granted, name)
		}
	}
	return granted, nil
}

// allowResources returns the resources that a client gets tokens for which asks
// for some (RFC 8707 section 2): the first that it may where it asks for none.
func (s *Server) allowResources(c *Client, asked []string) ([]string, error) {
	if len(asked) == 0 {
		for _, r := range s.config.Resources {
			if c.mayReach(r) {
				return []string{r}, nil
			}
		}
		return nil, refuse(ErrInvalidTarget, "There is no resource that the client may use.")
	}
	var granted []string
	for _, r := range asked {
		if !slices.Contains(s.config.Resources, r) || !c.mayReach(r) {
			return nil, refuse(ErrInvalidTarget, "The client may not use a resource that it asks for.")
		}
		if !slices.Contains(granted, r) {
			granted = append(granted, r)
		}
	}
	return granted, nil
}

// mayReach reports whether the client may have tokens for a resource.
func (c *Client) mayReach(resource string) bool {
	return c.Resources == nil || slices.Contains(c.Resources, resource)
}
