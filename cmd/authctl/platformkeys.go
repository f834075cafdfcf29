package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed-077cad0b/auth"
)

// keyFiles are files of public keys, and the algorithms they are for.
type keyFiles struct {
	files []string
	algs  []string
	id    string
}

func (k *keyFiles) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&k.files, "key", nil, "`file` of a public key: PEM, JWK or JWK Set; may be repeated")
	f.StringArrayVar(&k.algs, "alg", nil, "`algorithm` to sign with, and of a PEM; may be repeated (default RS512)")
	f.StringVar(&k.id, "kid", "", "id of the key, as its tokens name it (default as the file says)")
}

// algorithms returns those of a platform: nil is the library's default.
func (k *keyFiles) algorithms() (algs []auth.Algorithm) {
	for _, a := range k.algs {
		algs = append(algs, auth.Algorithm(a))
	}
	return algs
}

func (k *keyFiles) read() ([]*auth.Key, error) {
	alg := auth.RS512
	if len(k.algs) > 0 {
		alg = auth.Algorithm(k.algs[0])
	}
	var keys []*auth.Key
	for _, file := range k.files {
		parsed, err := readKeys(file, alg)
		if err != nil {
			return nil, err
		}
		keys = append(keys, parsed...)
	}
	if k.id == "" {
		return keys, nil
	}
	if len(keys) != 1 {
		return nil, usagef("--kid names one key, and here are %d", len(keys))
	}
	named, err := keys[0].WithID(k.id)
	if err != nil {
		return nil, usage(err)
	}
	return []*auth.Key{named}, nil
}

// maxKeyFile bounds a file of keys.
const maxKeyFile = 1 << 20

// readKeys reads the keys in a file: PEM, JWK or JWK Set. The algorithm is that
// of a PEM.
func readKeys(file string, alg auth.Algorithm) ([]*auth.Key, error) {
	data, err := readKeyFile(file)
	if err != nil {
		return nil, err
	}
	keys, err := parseKeys(data, alg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return keys, nil
}

func readKeyFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err == nil && len(data) > maxKeyFile {
		err = fmt.Errorf("%s is too large for a file of keys", file)
	}
	return data, err
}

func parseKeys(data []byte, alg auth.Algorithm) ([]*auth.Key, error) {
	switch form, isSet := keyForm(data); {
	case form == "pem":
		k, err := auth.ParsePEM(alg, data)
		return []*auth.Key{k}, err
	case isSet:
		return auth.ParseJWKS(data)
	default:
		k, err := auth.ParseJWK(data)
		return []*auth.Key{k}, err
	}
}

// publicKeys returns the set of a platform's keys.
func publicKeys(p *auth.Platform, keys []*auth.Key) (*auth.Keys, error) {
	allowed := p.Algorithms
	if allowed == nil {
		allowed = []auth.Algorithm{auth.RS512}
	}
	for _, k := range keys {
		switch {
		case k.CanSign():
			return nil, fmt.Errorf("the key %q can sign: a platform keeps its private key to itself and sends the public one", k.ID())
		case !slices.Contains(allowed, k.Algorithm()):
			return nil, fmt.Errorf("the key %q is for %s, which the platform may not sign with: it has %v", k.ID(), k.Algorithm(), allowed)
		}
	}
	return auth.NewKeys(nil, keys...)
}

// A publicView is a public key as it is printed.
type publicView struct {
	ID        string         `json:"kid"`
	Algorithm auth.Algorithm `json:"alg"`
}

func viewKeys(s auth.KeySet) []publicView {
	views := []publicView{}
	for _, k := range allKeys(s) {
		views = append(views, publicView{k.ID(), k.Algorithm()})
	}
	return views
}

func allKeys(s auth.KeySet) []*auth.Key {
	if keys, ok := s.(*auth.Keys); ok {
		return keys.All()
	}
	return nil
}

func (a *app) platformKeysCommand() *cobra.Command {
	return group("keys", "List, add and remove the public keys of a platform", `
Several keys overlap while they roll over: add the next one, have the partner sign
with it, then remove the old one.`, `
  authctl platform keys list acme
  authctl platform keys add acme --key next.pem
  authctl platform keys remove acme KID`,
		a.platformKeysListCommand(), a.platformKeysAddCommand(), a.platformKeysRemoveCommand())
}

func (a *app) platformKeysListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list ID",
		Short: "List the public keys of a platform",
		Args:  arguments(1, 1),
		RunE: a.withRegistry(func(ctx context.Context, r *registry, args []string) error {
			p, err := r.entry(ctx, args[0])
			if err != nil {
				return err
			}
			l := a.listing("KID", "ALG")
			for _, v := range viewKeys(p.Keys) {
				if err := l.add(v, v.ID, string(v.Algorithm)); err != nil {
					return err
				}
			}
			return l.end()
		}),
	}
}

func (a *app) platformKeysAddCommand() *cobra.Command {
	var files keyFiles
	c := &cobra.Command{
		Use:   "add ID",
		Short: "Add public keys to a platform",
		Long: `Add adds keys; --alg admits algorithms that the platform has not signed with so
far, and is the one of PEM files.`,
		Args: arguments(1, 1),
		RunE: a.withRegistry(func(ctx context.Context, r *registry, args []string) error {
			keys, err := files.read()
			if err != nil {
				return err
			}
			err = r.Update(ctx, args[0], func(p *auth.Platform) error {
				p.Algorithms = union(p.Algorithms, files.algorithms())
				next, err := publicKeys(p, append(allKeys(p.Keys), keys...))
				if err == nil {
					p.Keys = next
				}
				return err
			})
			if err != nil {
				return noPlatform(args[0], err)
			}
			for _, k := range keys {
				a.note("the platform %q may sign with the key %q (%s) now", args[0], k.ID(), k.Algorithm())
			}
			return nil
		}),
	}
	files.flags(c.Flags())
	_ = c.MarkFlagRequired("key")
	return c
}

// union returns what a platform may sign with once it may also sign with more.
func union(old, more []auth.Algorithm) []auth.Algorithm {
	if len(more) == 0 {
		return old
	}
	if old == nil {
		old = []auth.Algorithm{auth.RS512}
	}
	all := slices.Clone(old)
	for _, alg := range more {
		if !slices.Contains(all, alg) {
			all = append(all, alg)
		}
	}
	return all
}

func (a *app) platformKeysRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove ID KID",
		Short: "Remove a public key of a platform",
		Args:  arguments(2, 2),
		RunE: a.withRegistry(func(ctx context.Context, r *registry, args []string) error {
			id, kid := args[0], args[1]
			if err := a.confirm("remove the key %q of the platform %q", kid, id); err != nil {
				return err
			}
			err := r.Update(ctx, id, func(p *auth.Platform) error {
				all := allKeys(p.Keys)
				rest := slices.DeleteFunc(slices.Clone(all), func(k *auth.Key) bool { return k.ID() == kid })
				switch {
				case len(rest) == len(all):
					return notFound("the platform %q has no key %q", id, kid)
				case len(rest) == 0:
					return errors.New("this is the only key; add the next one first, or suspend the platform")
				}
				next, err := auth.NewKeys(nil, rest...)
				if err == nil {
					p.Keys = next
				}
				return err
			})
			if err != nil {
				return err
			}
			a.note("the platform %q may not sign with the key %q any more; what it opened goes on", id, kid)
			return nil
		}),
	}
}
