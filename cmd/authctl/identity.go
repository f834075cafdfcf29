package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

// An identity is whose keys or sessions a command is about.
type identity struct{ tenant, subject, login string }

func (i *identity) flags(f *pflag.FlagSet) {
	f.StringVar(&i.subject, "subject", "", "subject, such as the id of a user")
	f.StringVar(&i.tenant, "tenant", "", "tenant of the subject")
	f.StringVar(&i.login, "login", "", "instead: the login name of a user in the store")
}

func (i *identity) given() bool { return *i != identity{} }

// principal returns whom the flags name.
func (i *identity) principal(ctx context.Context, a *app, s *backend) (*auth.Principal, error) {
	switch {
	case i.login != "" && (i.subject != "" || i.tenant != ""):
		return nil, usagef("either --login, or --subject and --tenant")
	case i.login != "":
		user, err := findLogin(ctx, s, i.login)
		if err != nil {
			return nil, err
		}
		return a.principalOf(user), nil
	case i.subject == "":
		return nil, usagef("who? say --subject or --login")
	default:
		return &auth.Principal{Issuer: a.issuer, Tenant: i.tenant, Subject: i.subject}, nil
	}
}

// principalOf returns whom the logins of a user prove.
func (a *app) principalOf(u password.User) *auth.Principal {
	return &auth.Principal{Issuer: a.issuer, Tenant: u.Tenant, Subject: u.ID, Tier: u.Tier, Scopes: u.Scopes, Claims: u.Claims}
}

func findLogin(ctx context.Context, s *backend, login string) (password.User, error) {
	name, err := password.NormalizeLogin(login)
	if err != nil {
		return password.User{}, usagef("%q cannot be a login name", login)
	}
	u, err := s.users.UserByLogin(ctx, name)
	if errors.Is(err, auth.ErrNotFound) {
		err = s.orStray(notFound("no user logs in as %q", name), func(u users) (password.User, error) { return u.UserByLogin(ctx, name) })
	}
	return u, err
}

// describe names an identity for people.
func describe(p *auth.Principal) string {
	text := fmt.Sprintf("%q", p.Subject)
	if p.Tenant != "" {
		text += fmt.Sprintf(" of tenant %q", p.Tenant)
	}
	if p.Issuer != "" {
		text += fmt.Sprintf(" of issuer %q", p.Issuer)
	}
	return text
}
