package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-077cad0b/auth/password"
)

// A userView is a user as it is printed.
type userView struct {
	ID       string          `json:"id"`
	Login    string          `json:"login"`
	Tenant   string          `json:"tenant,omitempty"`
	Tier     string          `json:"tier,omitempty"`
	Scopes   []string        `json:"scopes,omitempty"`
	Claims   json.RawMessage `json:"claims,omitempty"`
	State    string          `json:"state"` // active or disabled
	Password bool            `json:"has_password"`
	Created  time.Time       `json:"created"`
	Changed  time.Time       `json:"changed"` // when the password was last set
}

func viewUser(u password.User) userView {
	v := userView{u.ID, u.Login, u.Tenant, u.Tier, u.Scopes, u.Claims, "active", u.Hash != "", u.Created, u.Changed}
	if u.Disabled {
		v.State = "disabled"
	}
	return v
}

func (a *app) userListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List all users",
		Args:  arguments(0, 0),
		RunE: a.with(func(ctx context.Context, s *backend, _ []string) error {
			l := a.listing("ID", "LOGIN", "STATE", "TENANT", "TIER", "SCOPES", "CREATED")
			for u, err := range s.users.Users(ctx) {
				if err != nil {
					return err
				}
				v := viewUser(u)
				err := l.add(v, v.ID, v.Login, v.State, v.Tenant, v.Tier, strings.Join(v.Scopes, " "), when(v.Created))
				if err != nil {
					return err
				}
			}
			return errors.Join(l.end(), s.noStrays(ctx))
		}),
	}
}

func (a *app) userShowCommand() *cobra.Command {
	var w who
	c := &cobra.Command{
		Use:   "show USER",
		Short: "Show a user",
		Args:  arguments(1, 1),
		RunE: a.with(func(ctx context.Context, s *backend, args []string) error {
			u, err := w.find(ctx, s, args[0])
			if err != nil {
				return err
			}
			v := viewUser(u)
			secret := "none"
			if v.Password {
				secret = "set at " + when(v.Changed)
			}
			return a.show(v,
				field{"id", v.ID},
				field{"login", v.Login},
				field{"state", v.State},
				field{"tenant", v.Tenant},
				field{"tier", v.Tier},
				field{"scopes", strings.Join(v.Scopes, " ")},
				field{"claims", string(v.Claims)},
				field{"password", secret},
				field{"created", when(v.Created)},
			)
		}),
	}
	w.flags(c.Flags())
	return c
}
