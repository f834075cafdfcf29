package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-077cad0b/auth"
)

func (a *app) keyCommand() *cobra.Command {
	return group("key", "Make, list and end API keys", `
A key is named by its public id, 43 characters, which create, list and show
tell. Instead of an id, - reads the key itself from standard input: of one that
has leaked there may be nothing else.`, `
  authctl key create --prefix acme_live --subject 42 --scope data:read > key
  authctl key list --login ann@example.com
  authctl key disable - < leaked-key`,
		a.keyCreateCommand(), a.keyListCommand(), a.keyShowCommand(), a.keyRotateCommand(),
		a.keySwitchCommand("disable", "Switch keys off, and end what they opened", "disabled, and what it opened has ended", (*auth.APIKeys).Disable, false),
		a.keySwitchCommand("enable", "Switch keys on again", "enabled; what it had opened stays ended", (*auth.APIKeys).Enable, false),
		a.keySwitchCommand("revoke", "Remove keys for good, and end what they opened", "revoked, and what it opened has ended", (*auth.APIKeys).Revoke, true),
	)
}

func (a *app) keyCreateCommand() *cobra.Command {
	var (
		owner    identity
		prefix   string
		tier     string
		name     string
		scopes   []string
		lifetime days
		from     networks
		quota    rate
	)
	c := &cobra.Command{
		Use:   "create",
		Short: "Make a key, and show it this once",
		Long: `Create makes a key and prints it to standard output, this once: the store keeps
a hash of it.

The key proves the identity that --subject and --tenant name or, with the tier
and the scopes of the user as well, --login. Without a scope it grants nothing.`,
		Example: `  authctl key create --prefix acme_live --subject 42 --scope data:read --expires 90d > key
  authctl key create --prefix acme_live --login ann@example.com --from 192.0.2.0/24 --quota 100/1m`,
		Args: arguments(0, 0),
		RunE: a.with(func(ctx context.Context, s *backend, _ []string) error {
			keys, err := auth.NewAPIKeys(s, prefix, nil)
			if err != nil {
				return usage(err)
			}
			defer keys.Close()
			p, err := owner.principal(ctx, a, s)
			if err != nil {
				return err
			}
			o := &auth.KeyOptions{Name: name, Lifetime: time.Duration(lifetime), Networks: from.Networks, Rate: quota.Rate}
			if owner.login == "" {
				p.Tier, p.Scopes = tier, scopes
			} else {
				o.Scopes = scopes
				if tier != "" {
					p.Tier = tier
				}
			}
			g, err := keys.Create(ctx, p, o)
			if err != nil {
				return err
			}
			if len(g.Principal.Scopes) == 0 {
				a.note("the key has no scope, and grants nothing where one is asked for")
			}
			return a.printKey(g, prefix)
		}),
	}
	f := c.Flags()
	owner.flags(f)
	f.StringVar(&prefix, "prefix", "", "prefix of the key, as the API knows it, such as acme_live")
	f.StringVar(&name, "name", "", "name for people")
	f.StringArrayVar(&scopes, "scope", nil, "`scope`; may be repeated")
	f.StringVar(&tier, "tier", "", "tier")
	f.Var(&lifetime, "expires", "how long the key is good, such as 90d (default for ever)")
	f.Var(&from, "from", "networks that it may be used from, such as 192.0.2.0/24,2001:db8::/32 (default anywhere)")
	f.Var(&quota, "quota", "quota of its own, such as 100/1m")
	_ = c.MarkFlagRequired("prefix")
	return c
}

// printKey shows a key that has been made. Nothing else may fail before: it would
// be lost.
func (a *app) printKey(g *auth.Grant, prefix string) error {
	text := g.Token.Reveal()
	k := &auth.APIKey{ID: g.Principal.Credential.ID, Hint: text[:len(prefix)+len("_abcd")], Principal: g.Principal}
	err := a.printSecret(g.Token, struct {
		Key string `json:"key"`
		keyView
	}{text, viewKey(k)})
	if err != nil {
		return fmt.Errorf("the key %s was made, and could not be shown: %w\nrevoke it, and make another", k.ID, err)
	}
	a.note("made the key %s of %s; it is shown this once", k.ID, describe(k.Principal))
	return nil
}

func (a *app) keyListCommand() *cobra.Command {
	var owner identity
	var prefix string
	c := &cobra.Command{
		Use:   "list",
		Short: "List keys: of everybody, or of one identity",
		Example: `  authctl key list
  authctl key list --login ann@example.com
  authctl key list --prefix acme_live --json | jq -r 'select(.state == "expired").id'`,
		Args: arguments(0, 0),
		RunE: a.with(func(ctx context.Context, s *backend, _ []string) error {
			found := s.Walk(ctx, auth.KindAPIKey)
			if owner.given() {
				p, err := owner.principal(ctx, a, s)
				if err != nil {
					return err
				}
				found = s.List(ctx, p.Owner(), auth.KindAPIKey)
			}
			l := a.listing("ID", "HINT", "STATE", "NAME", "SUBJECT", "TENANT", "SCOPES", "EXPIRES", "LAST USED")
			for k, err := range keysOf(found) {
				if err != nil {
					return err
				}
				if prefix != "" && k.Prefix() != prefix {
					continue
				}
				v := viewKey(k)
				err := l.add(v, v.ID, v.Hint, v.State, v.Name, v.Subject, v.Tenant, strings.Join(v.Scopes, " "), when(v.Expires), when(v.LastUsed))
				if err != nil {
					return err
				}
			}
			return l.end()
		}),
	}
	owner.flags(c.Flags())
	c.Flags().StringVar(&prefix, "prefix", "", "of this prefix only")
	return c
}

// keysOf yields the keys among entries. What is of their kind and no key is left
// out.
func keysOf(entries iter.Seq2[auth.Entry, error]) iter.Seq2[*auth.APIKey, error] {
	return func(yield func(*auth.APIKey, error) bool) {
		for e, err := range entries {
			var k *auth.APIKey
			if err == nil {
				k, err = e.APIKey()
			}
			if errors.Is(err, auth.ErrNotFound) {
				continue
			}
			if !yield(k, err) || err != nil {
				return
			}
		}
	}
}

func (a *app) keyShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show a key",
		Long: `Show tells all that is known of a key. Instead of the id, its first eight or
more characters will do, which takes a walk through all keys; no other command
takes less than an id.`,
		Args: arguments(1, 1),
		RunE: a.with(func(ctx context.Context, s *backend, args []string) error {
			id, err := a.keyID(args[0])
			if err != nil {
				return err
			}
			k, err := findKey(ctx, s, id)
			if exitCode(err) == exitNotFound && len(id) < idLen {
				k, err = findBeginning(id, keysOf(s.Walk(ctx, auth.KindAPIKey)))
			}
			if err != nil {
				return err
			}
			return a.showKey(viewKey(k))
		}),
	}
}

const (
	idLen   = 43 // of the text of a digest
	leastID = 8
)

// findBeginning returns the one key whose id begins with that text.
func findBeginning(begin string, keys iter.Seq2[*auth.APIKey, error]) (*auth.APIKey, error) {
	if len(begin) < leastID {
		return nil, usagef("%q is shorter than %d characters of an id", begin, leastID)
	}
	var found *auth.APIKey
	for k, err := range keys {
		switch {
		case err != nil:
			return nil, err
		case !strings.HasPrefix(k.ID, begin):
		case found != nil:
			return nil, usagef("more than one id begins with %q", begin)
		default:
			found = k
		}
	}
	if found == nil {
		return nil, noKey(begin)
	}
	return found, nil
}

func noKey(id string) error { return notFound("there is no key %q", id) }

// keyID returns the id that an argument is or, for -, that of the key on standard
// input.
func (a *app) keyID(arg string) (string, error) {
	if arg != "-" {
		// What is not echoed cannot be read over a shoulder, or in a log.
		if _, err := auth.APIKeyID(arg); !errors.Is(err, auth.ErrNotMine) {
			return "", usagef("this is a key, and not its id: others on this machine can read a command line; give - and send the key to standard input")
		}
		return arg, nil
	}
	text, err := a.readSecret("key")
	if err != nil {
		return "", err
	}
	id, err := auth.APIKeyID(text)
	switch {
	case errors.Is(err, auth.ErrInvalid):
		return "", errors.New("the key on standard input is mistyped: its checksum does not hold")
	case err != nil:
		return "", errors.New("what is on standard input has not the form of a key")
	}
	return id, nil
}

// findKey returns the key of that id, whatever its prefix.
func findKey(ctx context.Context, s *backend, id string) (*auth.APIKey, error) {
	d, err := auth.ParseDigest(id)
	if err != nil {
		return nil, noKey(id)
	}
	r, err := s.Lookup(ctx, d)
	if err != nil && !errors.Is(err, auth.ErrNotFound) {
		return nil, err
	}
	k, err := auth.Entry{Digest: d, Record: r}.APIKey()
	if errors.Is(err, auth.ErrNotFound) {
		return nil, noKey(id)
	}
	return k, err
}

// namedKey returns the key that an argument names.
func (a *app) namedKey(ctx context.Context, s *backend, arg string) (*auth.APIKey, error) {
	id, err := a.keyID(arg)
	if err != nil {
		return nil, err
	}
	return findKey(ctx, s, id)
}

func (a *app) keyRotateCommand() *cobra.Command {
	overlap := days(24 * time.Hour)
	c := &cobra.Command{
		Use:   "rotate ID",
		Short: "Make the successor of a key, and show it this once",
		Long: `Rotate makes a key with the same rights, prints it to standard output, this
once, and lets the old one go on for the overlap. What the old one opened lives
on, until that is disabled or revoked.`,
		Example: `  authctl key rotate ID > key
  authctl key rotate --overlap 0s - < leaked-key > key`,
		Args: arguments(1, 1),
		RunE: a.with(func(ctx context.Context, s *backend, args []string) error {
			k, err := a.namedKey(ctx, s, args[0])
			if err != nil {
				return err
			}
			id := k.ID
			o := &auth.APIKeysOptions{Overlap: time.Duration(overlap)}
			if overlap == 0 {
				o.Overlap = -1
			}
			keys, err := auth.NewAPIKeys(s, k.Prefix(), o)
			if err != nil {
				return err
			}
			defer keys.Close()
			g, err := keys.Rotate(ctx, id)
			switch {
			case errors.Is(err, auth.ErrDisabled):
				return conflict("the key %s is disabled and has no successor; key show tells what one made by key create needs to be like it", id)
			case errors.Is(err, auth.ErrExpired):
				return conflict("the key %s has expired and has no successor; key show tells what one made by key create needs to be like it", id)
			case err != nil:
				return err
			}
			if err := a.printKey(g, k.Prefix()); err != nil {
				return err
			}
			if overlap == 0 {
				a.note("the key %s has ended; what it opened lives on until it is revoked", id)
			} else {
				a.note("the key %s goes on for %s, if it does not end before", id, overlap.String())
			}
			return nil
		}),
	}
	c.Flags().Var(&overlap, "overlap", "how long the old key goes on")
	c.Flags().Lookup("overlap").DefValue = "24h"
	return c
}

// keySwitchCommand returns a command that does one thing to keys, and asks before
// where that is for good.
func (a *app) keySwitchCommand(use, short, done string, do func(*auth.APIKeys, context.Context, string) error, forGood bool) *cobra.Command {
	return &cobra.Command{
		Use:   use + " ID...",
		Short: short,
		Args:  arguments(1, -1),
		RunE: a.with(func(ctx context.Context, s *backend, args []string) error {
			var errs []error
			for _, arg := range args {
				k, err := a.namedKey(ctx, s, arg)
				if err == nil && forGood {
					if err := a.confirm("%s the key %s… of %s", use, k.Hint, describe(k.Principal)); err != nil {
						return errors.Join(append(errs, err)...)
					}
				}
				if err == nil {
					err = doToKey(ctx, s, k, do)
				}
				if err == nil {
					a.note("the key %s is %s", k.ID, done)
				}
				errs = append(errs, err)
			}
			return errors.Join(errs...)
		}),
	}
}

func doToKey(ctx context.Context, s *backend, k *auth.APIKey, do func(*auth.APIKeys, context.Context, string) error) error {
	keys, err := auth.NewAPIKeys(s, k.Prefix(), nil)
	if err != nil {
		return err
	}
	defer keys.Close()
	return do(keys, ctx, k.ID)
}
