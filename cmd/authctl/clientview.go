package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-077cad0b/auth/oauth"
)

// A clientView is a client as it is printed.
type clientView struct {
	ID              string            `json:"id"`
	State           string            `json:"state"` // active or disabled
	Name            string            `json:"name,omitempty"`
	Website         string            `json:"website,omitempty"`
	Proof           string            `json:"proof"` // secret, key or none
	Secrets         []secretView      `json:"secrets,omitempty"`
	Keys            []publicView      `json:"keys,omitempty"`
	Grants          []oauth.GrantType `json:"grants"`
	Scopes          []string          `json:"scopes,omitempty"`
	RedirectURIs    []string          `json:"redirect_uris,omitempty"`
	Resources       *[]string         `json:"resources,omitempty"` // absent: all; empty: none
	Audience        string            `json:"audience,omitempty"`
	Tokens          string            `json:"tokens"` // jwt or opaque
	AccessLifetime  string            `json:"access_lifetime,omitempty"`
	RefreshLifetime string            `json:"refresh_lifetime,omitempty"`
	Requires        []string          `json:"requires,omitempty"`
	Trusted         bool              `json:"trusted,omitempty"`
	Impersonation   bool              `json:"impersonation,omitempty"`
	Created         time.Time         `json:"created,omitzero"`
	Revoked         time.Time         `json:"revoked,omitzero"`
}

// A secretView is a secret that is good, and is not shown.
type secretView struct {
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
}

func viewClient(c *oauth.Client) clientView {
	access, refresh := days(c.AccessLifetime), days(c.RefreshLifetime)
	v := clientView{
		ID: c.ID, State: "active", Name: c.Name, Website: c.Website, Proof: "secret", Grants: c.Grants, Scopes: c.Scopes,
		RedirectURIs: c.RedirectURIs, Audience: c.Audience, Tokens: "jwt", AccessLifetime: access.String(),
		RefreshLifetime: refresh.String(), Requires: needsOf(c), Trusted: c.Trusted, Impersonation: c.Impersonation,
		Created: c.Created, Revoked: c.Revoked,
	}
	if c.Disabled {
		v.State = "disabled"
	}
	if c.OpaqueTokens {
		v.Tokens = "opaque"
	}
	if c.Resources != nil {
		v.Resources = &c.Resources
	}
	switch {
	case c.Public:
		v.Proof = "none"
	case c.Keys != nil:
		v.Proof, v.Keys = "key", viewKeys(c.Keys)
	}
	for _, s := range c.Secrets {
		if s.Expires.IsZero() || time.Now().Before(s.Expires) {
			v.Secrets = append(v.Secrets, secretView{s.Created, s.Expires})
		}
	}
	return v
}

func (a *app) clientListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List all clients",
		Args:  arguments(0, 0),
		RunE: a.withClients(func(ctx context.Context, r *oauth.ClientRecords, _ []string) error {
			l := a.listing("ID", "NAME", "STATE", "PROOF", "GRANTS", "SCOPES")
			for c, err := range r.Clients(ctx) {
				if err != nil {
					return err
				}
				v := viewClient(c)
				if err := l.add(v, v.ID, v.Name, v.State, v.Proof, briefGrants(v.Grants), strings.Join(v.Scopes, " ")); err != nil {
					return err
				}
			}
			return l.end()
		}),
	}
}

func (a *app) clientShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show a client",
		Args:  arguments(1, 1),
		RunE: a.withClients(func(ctx context.Context, r *oauth.ClientRecords, args []string) error {
			c, err := r.Client(ctx, args[0])
			if err != nil {
				return noClient(args[0], err)
			}
			return a.showClient(viewClient(c))
		}),
	}
}

func (a *app) showClient(v clientView) error {
	resources := "all"
	if v.Resources != nil {
		resources = orDash(strings.Join(*v.Resources, " "))
	}
	fields := []field{
		{"id", v.ID},
		{"name", v.Name},
		{"website", v.Website},
		{"state", v.State},
		{"proves itself by", v.Proof},
	}
	for _, s := range v.Secrets {
		end := "for ever"
		if !s.Expires.IsZero() {
			end = "until " + when(s.Expires)
		}
		fields = append(fields, field{"secret", "of " + when(s.Created) + ", " + end})
	}
	for _, k := range v.Keys {
		fields = append(fields, field{"key", k.ID + " (" + string(k.Algorithm) + ")"})
	}
	return a.show(v, append(fields,
		field{"grants", briefGrants(v.Grants)},
		field{"scopes", strings.Join(v.Scopes, " ")},
		field{"redirect URIs", strings.Join(v.RedirectURIs, " ")},
		field{"resources", resources},
		field{"is the resource", v.Audience},
		field{"tokens", v.Tokens},
		field{"access tokens", v.AccessLifetime},
		field{"refresh tokens", v.RefreshLifetime},
		field{"requires", strings.Join(v.Requires, " ")},
		field{"trusted", yes(v.Trusted)},
		field{"impersonates", yes(v.Impersonation)},
		field{"created", when(v.Created)},
		field{"revoked", when(v.Revoked)},
	)...)
}

// yes is nothing where v is not so.
func yes(v bool) string {
	if v {
		return "yes"
	}
	return ""
}
