package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-077cad0b/auth"
)

func (a *app) platformCommand() *cobra.Command {
	return group("platform", "Add, list and suspend platforms, and change their keys", `
A platform is a partner whose users sign in by what it signs. Its entry is kept in
the store, as auth.PlatformRecords reads it.`, `
  authctl platform add acme --key acme.pem --audience https://api.example.com --scope data:read
  authctl platform suspend acme
  authctl platform keys add acme --key next.pem`,
		a.platformAddCommand(), a.platformListCommand(), a.platformShowCommand(),
		a.platformSwitchCommand("suspend", "Refuse a platform, and end what it opened", (*auth.Platforms).Suspend,
			"suspended %s; what it opened has ended, but for API keys that its users made"),
		a.platformSwitchCommand("resume", "Let a platform sign in again", (*auth.Platforms).Resume,
			"%s signs in again; what it had opened stays ended"),
		a.platformRemoveCommand(), a.platformKeysCommand())
}

// A registry is the platforms of a store.
type registry struct {
	*auth.PlatformRecords
	platforms *auth.Platforms
}

func newRegistry(s *backend) (*registry, error) {
	entries, err := auth.NewPlatformRecords(s)
	if err != nil {
		return nil, err
	}
	platforms, err := auth.NewPlatforms(s, entries, nil)
	return &registry{entries, platforms}, err
}

// withRegistry returns what runs a command on platforms.
func (a *app) withRegistry(do func(ctx context.Context, r *registry, args []string) error) func(*cobra.Command, []string) error {
	return a.with(func(ctx context.Context, s *backend, args []string) error {
		r, err := newRegistry(s)
		if err != nil {
			return err
		}
		return do(ctx, r, args)
	})
}

// entry returns the platform of that id.
func (r *registry) entry(ctx context.Context, id string) (*auth.Platform, error) {
	p, err := r.Platform(ctx, id)
	return p, noPlatform(id, err)
}

func noPlatform(id string, err error) error {
	if errors.Is(err, auth.ErrNotFound) {
		return notFound("there is no platform %q", id)
	}
	return err
}

func (a *app) platformAddCommand() *cobra.Command {
	var (
		p        auth.Platform
		keys     keyFiles
		life     days
		sessions days
		from     networks
		quota    rate
	)
	c := &cobra.Command{
		Use:   "add ID",
		Short: "Add a platform",
		Example: `  authctl platform add acme --key acme.pem --audience https://api.example.com --scope data:read
  authctl platform add acme --key jwks.json --alg ES256 --email-domain acme.example --session 14d`,
		Args: arguments(1, 1),
		RunE: a.withRegistry(func(ctx context.Context, r *registry, args []string) error {
			p.ID, p.Algorithms = args[0], keys.algorithms()
			p.MaxLife, p.SessionLifetime = time.Duration(life), time.Duration(sessions)
			p.Networks, p.Rate = from.Networks, quota.Rate
			parsed, err := keys.read()
			if err != nil {
				return err
			}
			if p.Keys, err = publicKeys(&p, parsed); err != nil {
				return usage(err)
			}
			if err := p.Validate(); err != nil {
				return usage(err)
			}
			err = r.Insert(ctx, &p)
			if errors.Is(err, auth.ErrExists) {
				return conflict("there is a platform %q already", p.ID)
			}
			if err == nil {
				a.note("added the platform %q with %s", p.ID, plural(len(parsed), "key"))
			}
			return err
		}),
	}
	f := c.Flags()
	keys.flags(f)
	f.StringVar(&p.Name, "name", "", "name for people")
	f.StringVar(&p.Audience, "audience", "", "what aud must be: what this API is called")
	f.StringArrayVar(&p.Scopes, "scope", nil, "`scope` that its users may be granted; may be repeated")
	f.StringVar(&p.Tier, "tier", "", "tier of users that have none")
	f.StringArrayVar(&p.EmailDomains, "email-domain", nil, "`domain` whose users it may sign in (default any); may be repeated")
	f.StringVar(&p.SubjectClaim, "subject-claim", "", "member that names the user (default email or sub, by the form)")
	f.Var(&life, "max-life", "how far ahead an assertion may expire (default 5m)")
	f.Var(&sessions, "session", "bounds what is issued, such as 14d (default the issuer's own)")
	f.Var(&from, "from", "networks that it signs in from (default anywhere)")
	f.Var(&quota, "quota", "bounds its sign-ins, such as 100/1m (default none)")
	_ = c.MarkFlagRequired("key")
	return c
}

// A platformView is a platform as it is printed.
type platformView struct {
	ID              string           `json:"id"`
	State           string           `json:"state"` // active or suspended
	Name            string           `json:"name,omitempty"`
	Audience        string           `json:"audience,omitempty"`
	Algorithms      []auth.Algorithm `json:"algorithms"`
	Keys            []publicView     `json:"keys"`
	Scopes          []string         `json:"scopes,omitempty"`
	Tier            string           `json:"tier,omitempty"`
	EmailDomains    *[]string        `json:"email_domains,omitempty"` // absent: any; empty: none
	SubjectClaim    string           `json:"subject_claim,omitempty"`
	MaxLife         string           `json:"max_life,omitempty"`
	SessionLifetime string           `json:"session_lifetime,omitempty"`
	Networks        *auth.Networks   `json:"networks,omitempty"` // absent: anywhere; empty: nowhere
	Quota           string           `json:"quota,omitempty"`
}

func (r *registry) view(ctx context.Context, p *auth.Platform) (platformView, error) {
	life, sessions := days(p.MaxLife), days(p.SessionLifetime)
	v := platformView{
		ID: p.ID, State: "active", Name: p.Name, Audience: p.Audience, Algorithms: p.Algorithms, Keys: viewKeys(p.Keys),
		Scopes: p.Scopes, Tier: p.Tier, SubjectClaim: p.SubjectClaim, MaxLife: life.String(), SessionLifetime: sessions.String(),
		Networks: p.Networks, Quota: pace(p.Rate),
	}
	if v.Algorithms == nil {
		v.Algorithms = []auth.Algorithm{auth.RS512}
	}
	if p.EmailDomains != nil {
		v.EmailDomains = &p.EmailDomains
	}
	suspended, err := r.platforms.Suspended(ctx, p.ID)
	if suspended || p.Suspended {
		v.State = "suspended"
	}
	return v, err
}

func (a *app) platformListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List all platforms",
		Args:  arguments(0, 0),
		RunE: a.withRegistry(func(ctx context.Context, r *registry, _ []string) error {
			l := a.listing("ID", "NAME", "STATE", "KEYS", "SCOPES", "FROM")
			for p, err := range r.Platforms(ctx) {
				if err != nil {
					return err
				}
				v, err := r.view(ctx, p)
				if err != nil {
					return err
				}
				if err := l.add(v, v.ID, v.Name, v.State, fmt.Sprint(len(v.Keys)), strings.Join(v.Scopes, " "), whence(v.Networks)); err != nil {
					return err
				}
			}
			return l.end()
		}),
	}
}

func (a *app) platformShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show a platform",
		Args:  arguments(1, 1),
		RunE: a.withRegistry(func(ctx context.Context, r *registry, args []string) error {
			p, err := r.entry(ctx, args[0])
			if err != nil {
				return err
			}
			v, err := r.view(ctx, p)
			if err != nil {
				return err
			}
			domains := "any"
			if v.EmailDomains != nil {
				domains = orDash(strings.Join(*v.EmailDomains, " "))
			}
			return a.show(v,
				field{"id", v.ID},
				field{"name", v.Name},
				field{"state", v.State},
				field{"audience", v.Audience},
				field{"algorithms", fmt.Sprint(v.Algorithms)},
				field{"keys", fmt.Sprint(len(v.Keys))},
				field{"scopes", strings.Join(v.Scopes, " ")},
				field{"tier", v.Tier},
				field{"email domains", domains},
				field{"subject claim", v.SubjectClaim},
				field{"max life", v.MaxLife},
				field{"sessions", v.SessionLifetime},
				field{"from", whence(v.Networks)},
				field{"quota", v.Quota},
			)
		}),
	}
}

// platformSwitchCommand returns a command that does one thing to a platform of
// the registry.
func (a *app) platformSwitchCommand(use, short string, do func(*auth.Platforms, context.Context, string) error, done string) *cobra.Command {
	var unlisted bool
	c := &cobra.Command{
		Use:   use + " ID",
		Short: short,
		Args:  arguments(1, 1),
		RunE: a.withRegistry(func(ctx context.Context, r *registry, args []string) error {
			id := args[0]
			if !unlisted {
				p, err := r.entry(ctx, id)
				if err != nil {
					return fmt.Errorf("%w\nwhere the API has its platforms elsewhere, say --unlisted", err)
				}
				if p.Suspended {
					a.note("the entry of %q says itself that it is suspended", id)
				}
			}
			if err := do(r.platforms, ctx, id); err != nil {
				return err
			}
			a.note(done, fmt.Sprintf("%q", id))
			return nil
		}),
	}
	c.Flags().BoolVar(&unlisted, "unlisted", false, "also where the store has no entry of that platform")
	return c
}

func (a *app) platformRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove ID",
		Short: "Remove the entry of a platform",
		Long: `Remove removes the entry of a platform, which signs nobody in from then on. What it
has opened goes on; suspend it first to end that.`,
		Args: arguments(1, 1),
		RunE: a.withRegistry(func(ctx context.Context, r *registry, args []string) error {
			id := args[0]
			if _, err := r.entry(ctx, id); err != nil {
				return err
			}
			if err := a.confirm("remove the platform %q", id); err != nil {
				return err
			}
			if err := r.Remove(ctx, id); err != nil {
				return noPlatform(id, err)
			}
			a.note("removed the platform %q; what it had opened goes on, unless it was suspended", id)
			return nil
		}),
	}
}
