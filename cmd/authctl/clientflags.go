package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/oauth"
)

// clientProof is how a client proves who it is.
type clientProof struct {
	keys  keyFiles
	stdin bool
}

func (p *clientProof) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&p.keys.files, "key", nil, "`file` of a public key in place of a secret: PEM, JWK or JWK Set; may be repeated")
	f.StringArrayVar(&p.keys.algs, "alg", nil, "`algorithm` of a key in a PEM (default RS512)")
	f.StringVar(&p.keys.id, "kid", "", "id of the key, as its assertions name it (default as the file says)")
	f.BoolVar(&p.stdin, "secret-stdin", false, "read a secret that was made elsewhere from standard input")
}

// apply gives the client what it proves itself by, and returns a secret that is
// to be shown.
func (p *clientProof) apply(a *app, c *oauth.Client) (auth.Secret, error) {
	switch {
	case p.stdin && (c.Public || len(p.keys.files) > 0):
		return auth.Secret{}, usagef("--secret-stdin goes with neither --public nor --key")
	case c.Public && len(p.keys.files) > 0:
		return auth.Secret{}, usagef("--key does not go with --public: a public client can keep no private key")
	case c.Public:
		return auth.Secret{}, nil
	case len(p.keys.files) > 0:
		return auth.Secret{}, p.applyKeys(c)
	case p.stdin:
		return auth.Secret{}, applySecret(a, c)
	}
	shown, kept := oauth.NewClientSecret()
	c.Secrets = []oauth.ClientSecret{kept}
	return shown, nil
}

func (p *clientProof) applyKeys(c *oauth.Client) error {
	keys, err := p.keys.read()
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.CanSign() {
			return usagef("the key %q can sign: a client keeps its private key to itself and sends the public one", k.ID())
		}
	}
	set, err := auth.NewKeys(nil, keys...)
	if err != nil {
		return usage(err)
	}
	c.Keys = set
	return nil
}

func applySecret(a *app, c *oauth.Client) error {
	text, err := a.readSecret("secret")
	if err != nil {
		return err
	}
	kept, err := oauth.ImportClientSecret(text)
	if err != nil {
		return usage(err)
	}
	c.Secrets = []oauth.ClientSecret{kept}
	return nil
}

// grantNames are the grants as flags and tables have them.
var grantNames = []struct {
	name  string
	grant oauth.GrantType
}{
	{"code", oauth.AuthorizationCode},
	{"refresh", oauth.RefreshToken},
	{"credentials", oauth.ClientCredentials},
	{"device", oauth.DeviceCode},
	{"jwt", oauth.JWTBearer},
	{"exchange", oauth.TokenExchange},
}

// grants are separated by commas, each by its short name or as grant_type has it.
type grants []oauth.GrantType

func (g *grants) Type() string   { return "grants" }
func (g *grants) String() string { return strings.ReplaceAll(briefGrants(*g), " ", ",") }

func (g *grants) Set(s string) error {
	for name := range strings.SplitSeq(s, ",") {
		grant, err := parseGrant(name)
		if err != nil {
			return err
		}
		if !slices.Contains(*g, grant) {
			*g = append(*g, grant)
		}
	}
	return nil
}

func parseGrant(name string) (oauth.GrantType, error) {
	var known []string
	for _, n := range grantNames {
		if name == n.name || name == string(n.grant) {
			return n.grant, nil
		}
		known = append(known, n.name)
	}
	return "", fmt.Errorf("%q is none of %s", name, strings.Join(known, ", "))
}

func briefGrants(all []oauth.GrantType) string {
	var names []string
	for _, n := range grantNames {
		if slices.Contains(all, n.grant) {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, " ")
}

// needs are what a client has to use, separated by commas.
type needs []string

func (n *needs) Type() string   { return "needs" }
func (n *needs) String() string { return strings.Join(*n, ",") }

func (n *needs) Set(s string) error {
	for name := range strings.SplitSeq(s, ",") {
		if need(new(oauth.Client), name) == nil {
			return fmt.Errorf("%q is none of %s", name, strings.Join(allNeeds, ", "))
		}
		*n = append(*n, name)
	}
	return nil
}

var allNeeds = []string{"pushed", "dpop", "certificate"}

// need returns the field of a client that is so called, or nil.
func need(c *oauth.Client, name string) *bool {
	switch name {
	case "pushed":
		return &c.RequirePushed
	case "dpop":
		return &c.RequireDPoP
	case "certificate":
		return &c.RequireCertificate
	}
	return nil
}

func (n *needs) apply(c *oauth.Client) {
	for _, name := range *n {
		*need(c, name) = true
	}
}

func needsOf(c *oauth.Client) (names []string) {
	for _, name := range allNeeds {
		if *need(c, name) {
			names = append(names, name)
		}
	}
	return names
}
