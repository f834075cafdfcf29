package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

func (a *app) userCommand() *cobra.Command {
	return group("user", "Add users, set their passwords, switch them off", `
A user is named by the login name or, with --id, by the id. A new password is read
from standard input, without an echo at a terminal, or from AUTH_PASSWORD.

An identity has an issuer: where the API names one for its users, name the same
by --issuer or AUTH_ISSUER, or their sessions are not found, and do not end.`, `
  authctl user add ann@example.com --scope data:read
  authctl user passwd --generate ann@example.com > password
  authctl user disable ann@example.com`,
		a.userAddCommand(), a.userListCommand(), a.userShowCommand(), a.userPasswordCommand(), a.userDisableCommand(), a.userEnableCommand())
}

// rules are those for new passwords.
type rules struct {
	least    int
	generate bool
}

func (r *rules) flags(f *pflag.FlagSet) {
	f.IntVar(&r.least, "min-length", 15, "least length of a password, 8 to 64; as the API has it")
	f.BoolVar(&r.generate, "generate", false, "make a random password, and print it to standard output this once")
}

// newPassword returns a password that was made or read.
func (a *app) newPassword(r rules) (string, error) {
	if r.generate {
		return rand.Text(), nil
	}
	return a.readPassword()
}

// accounts are the users of a store, whose sessions end with them.
type accounts struct {
	*password.Users
	sessions *auth.Sessions
}

func (c *accounts) close() { _ = c.sessions.Close() }

func (a *app) accounts(s *backend, r rules) (*accounts, error) {
	sessions, err := auth.NewSessions(s, nil)
	if err != nil {
		return nil, err
	}
	u, err := password.NewUsers(s.users, &password.Options{
		Issuer:             a.issuer,
		MinLength:          r.least,
		InsecureNoThrottle: true, // nobody logs in here
		Sessions:           []password.SessionRevoker{sessions},
	})
	if err != nil {
		return nil, errors.Join(usage(err), sessions.Close())
	}
	return &accounts{u, sessions}, nil
}

// who is the user that a command is about.
type who struct{ byID bool }

func (w *who) flags(f *pflag.FlagSet) {
	f.BoolVar(&w.byID, "id", false, "the user is named by the id, and not by the login name")
}

func (w *who) find(ctx context.Context, s *backend, name string) (password.User, error) {
	if !w.byID {
		return findLogin(ctx, s, name)
	}
	u, err := s.users.UserByID(ctx, name)
	if errors.Is(err, auth.ErrNotFound) {
		err = s.orStray(notFound("no user has the id %q", name), func(u users) (password.User, error) { return u.UserByID(ctx, name) })
	}
	return u, err
}

func (a *app) userAddCommand() *cobra.Command {
	var (
		u      password.User
		r      rules
		claims string
		none   bool
	)
	c := &cobra.Command{
		Use:   "add LOGIN",
		Short: "Add a user, with a password or without",
		Long: `Add adds a user and prints the id. The password is read from standard input, or
from AUTH_PASSWORD; with --generate it is made, and printed in the place of the
id; with --no-password there is none until user passwd or a reset sets one.`,
		Example: `  authctl user add ann@example.com --scope data:read --scope data:write
  authctl user add --generate --tier premium ann@example.com > password`,
		Args: arguments(1, 1),
		RunE: a.with(func(ctx context.Context, s *backend, args []string) error {
			if none && r.generate {
				return usagef("either --generate or --no-password")
			}
			u.Login = args[0]
			if claims != "" {
				u.Claims = json.RawMessage(claims)
			}
			if err := s.settled(ctx); err != nil {
				return err
			}
			users, err := a.accounts(s, r)
			if err != nil {
				return err
			}
			defer users.close()
			added, made, err := a.addUser(ctx, users, u, r, none)
			switch {
			case errors.Is(err, auth.ErrExists):
				return conflict("the login name or the id is taken")
			case err != nil:
				return explain(err)
			}
			a.note("added the user %q with the id %s", added.Login, added.ID)
			if a.json || made == "" {
				return a.printUser(added, made)
			}
			return a.printSecret(auth.NewSecret(made), nil)
		}),
	}
	f := c.Flags()
	r.flags(f)
	f.StringVar(&u.ID, "id", "", "id, which never changes (default a random one)")
	f.StringVar(&u.Tenant, "tenant", "", "tenant")
	f.StringVar(&u.Tier, "tier", "", "tier")
	f.StringArrayVar(&u.Scopes, "scope", nil, "`scope`; may be repeated")
	f.StringVar(&claims, "claims", "", "claims, a JSON object")
	f.BoolVar(&u.Disabled, "disabled", false, "switched off from the beginning")
	f.BoolVar(&none, "no-password", false, "without a password")
	return c
}

// addUser returns the user and, where it was made here, the password.
func (a *app) addUser(ctx context.Context, users *accounts, u password.User, r rules, none bool) (added password.User, made string, err error) {
	if none {
		added, err = users.Import(ctx, u)
		return added, "", err
	}
	text, err := a.newPassword(r)
	if err != nil {
		return added, "", err
	}
	if added, err = users.Register(ctx, u, text); err != nil || !r.generate {
		return added, "", err
	}
	return added, text, nil
}

// printUser prints the id or, as JSON, the user with the password that was made.
func (a *app) printUser(u password.User, made string) error {
	if !a.json {
		_, err := fmt.Fprintln(a.stdout, u.ID)
		return err
	}
	return newEncoder(a.stdout).Encode(struct {
		userView
		Password string `json:"password,omitempty"`
	}{viewUser(u), made})
}

// explain says in a sentence which rule a password or a login breaks.
func explain(err error) error {
	var rule password.Rule
	if errors.As(err, &rule) {
		return fmt.Errorf("%s (%w)", rule.Title(), rule)
	}
	return err
}

func (a *app) userPasswordCommand() *cobra.Command {
	var w who
	var r rules
	c := &cobra.Command{
		Use:   "passwd USER",
		Short: "Set a user's password, and end their sessions",
		Long: `Passwd sets a password that is read from standard input, or from AUTH_PASSWORD,
or is made by --generate, and ends all of the user's sessions.`,
		Example: `  authctl user passwd ann@example.com
  authctl user passwd --generate --id 8b1f7a52-94d3-46c2-a1bd-10c4ab2ce0f7 > password`,
		Args: arguments(1, 1),
		RunE: a.with(func(ctx context.Context, s *backend, args []string) error {
			users, err := a.accounts(s, r)
			if err != nil {
				return err
			}
			defer users.close()
			u, err := w.find(ctx, s, args[0])
			if err != nil {
				return err
			}
			text, err := a.newPassword(r)
			if err != nil {
				return err
			}
			return a.ending(ctx, s, users.sessions, users.Principal(u), "set the password of %s, and ended %s", func() error {
				if err := users.SetPassword(ctx, u.ID, text); err != nil {
					return explain(err)
				}
				switch {
				case a.json && r.generate:
					return a.printUser(u, text)
				case r.generate:
					return a.printSecret(auth.NewSecret(text), nil)
				}
				return nil
			})
		}),
	}
	w.flags(c.Flags())
	r.flags(c.Flags())
	return c
}

func (a *app) userDisableCommand() *cobra.Command {
	var w who
	c := &cobra.Command{
		Use:   "disable USER",
		Short: "Keep a user from logging in, and end their sessions",
		Long: `Disable keeps a user from logging in and ends all of their sessions. API keys of
the user go on: disable tells how many.`,
		Args: arguments(1, 1),
		RunE: a.withUser(&w, func(ctx context.Context, s *backend, users *accounts, u password.User) error {
			p := users.Principal(u)
			end := func() error { return users.Disable(ctx, u.ID) }
			ended := a.ending(ctx, s, users.sessions, p, "disabled %s, and ended %s", end)
			if ended != nil && !errors.Is(ended, errTold) {
				return ended
			}
			n := 0
			for k, err := range keysOf(s.List(ctx, p.Owner(), auth.KindAPIKey)) {
				if err != nil {
					return err
				}
				if viewKey(k).State == "active" {
					n++
				}
			}
			if n > 0 {
				a.note("%s of theirs still good; see authctl key list --login %s", plural(n, "API key"), u.Login)
			}
			return ended
		}),
	}
	w.flags(c.Flags())
	return c
}

func (a *app) userEnableCommand() *cobra.Command {
	var w who
	c := &cobra.Command{
		Use:   "enable USER",
		Short: "Let a user log in again",
		Args:  arguments(1, 1),
		RunE: a.withUser(&w, func(ctx context.Context, _ *backend, users *accounts, u password.User) error {
			err := users.Enable(ctx, u.ID)
			if err == nil {
				a.note("enabled %s", describe(users.Principal(u)))
			}
			return err
		}),
	}
	w.flags(c.Flags())
	return c
}

// withUser returns what runs a command on the user that its argument names.
func (a *app) withUser(w *who, do func(context.Context, *backend, *accounts, password.User) error) func(*cobra.Command, []string) error {
	return a.with(func(ctx context.Context, s *backend, args []string) error {
		users, err := a.accounts(s, rules{})
		if err != nil {
			return err
		}
		defer users.close()
		u, err := w.find(ctx, s, args[0])
		if err != nil {
			return err
		}
		return do(ctx, s, users, u)
	})
}
