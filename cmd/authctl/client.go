package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
)

func (a *app) clientCommand() *cobra.Command {
	return group("client", "Add, list and disable clients of OAuth 2.0, and change their secrets", `
A client is an application that asks an authorization server for tokens. Its entry
is kept in the store, as oauth.ClientRecords reads it.`, `
  authctl client add web-app --name "Web app" --redirect https://app.example.com/done --grant code,refresh > secret
  authctl client rotate web-app > next-secret
  authctl client disable web-app`,
		a.clientAddCommand(), a.clientListCommand(), a.clientShowCommand(), a.clientRotateCommand(),
		a.clientDisableCommand(), a.clientEnableCommand(), a.clientRemoveCommand())
}

// withClients returns what runs a command on clients.
func (a *app) withClients(do func(ctx context.Context, r *oauth.ClientRecords, args []string) error) func(*cobra.Command, []string) error {
	return a.with(func(ctx context.Context, s *backend, args []string) error {
		r, err := oauth.NewClientRecords(s)
		if err != nil {
			return err
		}
		return do(ctx, r, args)
	})
}

func noClient(id string, err error) error {
	if errors.Is(err, auth.ErrNotFound) {
		return notFound("there is no client %q", id)
	}
	return err
}

func (a *app) clientAddCommand() *cobra.Command {
	var (
		client     oauth.Client
		proof      clientProof
		grants     grants
		needs      needs
		resources  []string
		access     days
		refreshing days
	)
	c := &cobra.Command{
		Use:   "add [ID]",
		Short: "Add a client, and show its secret this once",
		Long: `Add adds a client, and prints its secret to standard output, this once: the store
keeps a hash of it. A client that is public or has a key of its own has no secret;
its id is printed then. Without an ID the client gets a random one.

The grants are code, refresh, credentials, device, jwt and exchange.`,
		Example: `  authctl client add web-app --name "Web app" --redirect https://app.example.com/done --grant code,refresh > secret
  authctl client add worker --grant credentials --scope spaces:write --key worker.pub.json
  authctl client add phone --public --redirect com.example.app:/done --grant code,refresh --require dpop
  authctl client add legacy --grant credentials --secret-stdin < secret-of-the-old-server`,
		Args: arguments(0, 1),
		RunE: a.withClients(func(ctx context.Context, r *oauth.ClientRecords, args []string) error {
			client.ID = clientID(args)
			client.Grants, client.Created = grants, time.Now()
			client.AccessLifetime, client.RefreshLifetime = time.Duration(access), time.Duration(refreshing)
			needs.apply(&client)
			if len(resources) > 0 {
				client.Resources = resources
			}
			secret, err := proof.apply(a, &client)
			if err != nil {
				return err
			}
			if err := client.Validate(); err != nil {
				return usage(err)
			}
			err = r.Insert(ctx, &client)
			if errors.Is(err, auth.ErrExists) {
				return conflict("there is a client %q already", client.ID)
			}
			if err != nil {
				return err
			}
			return a.printClient(&client, secret)
		}),
	}
	f := c.Flags()
	proof.flags(f)
	f.StringVar(&client.Name, "name", "", "name for people, on the consent page")
	f.StringVar(&client.Website, "website", "", "https `URL` where people can learn more")
	f.BoolVar(&client.Public, "public", false, "it can keep no secret: it runs in a browser or on a phone")
	f.Var(&grants, "grant", "ways to a token, such as code,refresh; may be repeated")
	f.StringArrayVar(&client.Scopes, "scope", nil, "`scope` that it may be granted; may be repeated")
	f.StringArrayVar(&client.RedirectURIs, "redirect", nil, "`URI` to send people back to, exactly; may be repeated")
	f.StringArrayVar(&resources, "resource", nil, "`URI` of a resource that it may have tokens for (default all); may be repeated")
	f.StringVar(&client.Audience, "audience", "", "`URI` of the resource that it is itself, whose tokens it may introspect")
	f.BoolVar(&client.OpaqueTokens, "opaque", false, "gets opaque access tokens in place of JSON Web Tokens")
	f.Var(&access, "access", "lifetime of its access tokens, such as 5m (default the server's own)")
	f.Var(&refreshing, "refresh", "lifetime of its refresh tokens, such as 14d (default the server's own)")
	f.Var(&needs, "require", "what it has to use: pushed, dpop, certificate; may be repeated")
	f.BoolVar(&client.Trusted, "trusted", false, "it is one's own, and people are not asked for consent")
	f.BoolVar(&client.Impersonation, "impersonate", false, "may exchange tokens without saying that it acts for somebody")
	return c
}

// clientID returns the id that is given, or a random one.
func clientID(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return strings.ToLower(rand.Text())
}

// printClient shows a client that was added: its secret alone or, where it has
// none to show, its id. Nothing else may fail before: the secret would be lost.
func (a *app) printClient(c *oauth.Client, secret auth.Secret) error {
	var err error
	switch {
	case a.json || !secret.IsZero():
		err = a.printClientSecret(c, secret)
	default:
		_, err = fmt.Fprintln(a.stdout, c.ID)
	}
	if err != nil {
		return fmt.Errorf("the client %q was added, and could not be shown: %w\nrotate its secret", c.ID, err)
	}
	if secret.IsZero() {
		a.note("added the client %q", c.ID)
	} else {
		a.note("added the client %q; its secret is shown this once", c.ID)
	}
	if len(c.Grants) == 0 && c.Audience == "" {
		a.note("the client %q has no grant, so it gets no token", c.ID)
	}
	return nil
}

func (a *app) printClientSecret(c *oauth.Client, secret auth.Secret) error {
	return a.printSecret(secret, struct {
		Secret string `json:"secret,omitempty"`
		clientView
	}{secret.Reveal(), viewClient(c)})
}

func (a *app) clientRotateCommand() *cobra.Command {
	overlap := days(24 * time.Hour)
	c := &cobra.Command{
		Use:   "rotate ID",
		Short: "Give a client another secret, and show it this once",
		Long: `Rotate gives a client another secret, prints it to standard output, this once, and
lets those that it has go on for the overlap. What the client holds lives on; for
a secret that has leaked, see disable.`,
		Example: `  authctl client rotate web-app > secret
  authctl client rotate --overlap 0s web-app > secret`,
		Args: arguments(1, 1),
		RunE: a.withClients(func(ctx context.Context, r *oauth.ClientRecords, args []string) error {
			id := args[0]
			secret, err := r.RotateSecret(ctx, id, time.Duration(overlap))
			if err != nil {
				return noClient(id, err)
			}
			err = a.printSecret(secret, struct {
				Secret string `json:"secret"`
				ID     string `json:"id"`
			}{secret.Reveal(), id})
			switch {
			case err != nil:
				return fmt.Errorf("the client %q has another secret, which could not be shown: %w\nrotate it again", id, err)
			case overlap == 0:
				a.note("the secrets that the client %q had have ended; what it holds lives on until it is disabled", id)
			default:
				a.note("the secrets that the client %q had go on for %s, if they do not end before", id, overlap.String())
			}
			return nil
		}),
	}
	c.Flags().Var(&overlap, "overlap", "how long the old secrets go on")
	c.Flags().Lookup("overlap").DefValue = "24h"
	return c
}

func (a *app) clientDisableCommand() *cobra.Command {
	var unlisted bool
	c := &cobra.Command{
		Use:   "disable ID",
		Short: "Refuse a client, and end what it holds",
		Long: `Disable refuses all that a client asks for, and ends all that it has been issued,
whoever granted it. With --unlisted it does the latter for a client whose entry
is not in the store: one in a list of the API, which refuses it by itself.`,
		Args: arguments(1, 1),
		RunE: a.with(func(ctx context.Context, s *backend, args []string) error {
			id := args[0]
			r, err := oauth.NewClientRecords(s)
			if err != nil {
				return err
			}
			err = r.Disable(ctx, id)
			switch {
			case err == nil:
				a.note("disabled the client %q; what it held has ended", id)
			case !errors.Is(err, auth.ErrNotFound):
			case unlisted:
				if err = auth.RevokeClient(ctx, s, id); err == nil {
					a.note("what the client %q held has ended; it has no entry here, and is not disabled", id)
				}
			default:
				err = fmt.Errorf("%w\nwhere the API has its clients elsewhere, say --unlisted", noClient(id, err))
			}
			return err
		}),
	}
	c.Flags().BoolVar(&unlisted, "unlisted", false, "also where the store has no entry of that client")
	return c
}

func (a *app) clientEnableCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "enable ID",
		Short: "Let a client ask for tokens again",
		Args:  arguments(1, 1),
		RunE: a.withClients(func(ctx context.Context, r *oauth.ClientRecords, args []string) error {
			err := r.Enable(ctx, args[0])
			if err == nil {
				a.note("enabled the client %q; what it had held stays ended", args[0])
			}
			return noClient(args[0], err)
		}),
	}
}

func (a *app) clientRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove ID",
		Short: "Remove the entry of a client",
		Long: `Remove removes the entry of a client, which is not known from then on. Access tokens
that it holds may go on until they expire; disable it first to end them. Who is added
under the same id later has nothing of what it held.`,
		Args: arguments(1, 1),
		RunE: a.withClients(func(ctx context.Context, r *oauth.ClientRecords, args []string) error {
			id := args[0]
			client, err := r.Client(ctx, id)
			if err != nil {
				return noClient(id, err)
			}
			if err := a.confirm("remove the client %q", id); err != nil {
				return err
			}
			if err := r.Remove(ctx, id); err != nil {
				return noClient(id, err)
			}
			if client.Disabled {
				a.note("removed the client %q; what it held has ended", id)
			} else {
				a.note("removed the client %q, which was not disabled: access tokens that it holds may go on until they expire", id)
			}
			return nil
		}),
	}
}
