package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/internal/jws"
)

func (a *app) tokenCommand() *cobra.Command {
	return group("token", "Tell what a token is, and what is wrong with it", "", `
  authctl token inspect < token
  authctl token inspect --jwks jwks.json --issuer https://id.example.com --audience api < token`,
		a.tokenInspectCommand())
}

// expected is what a token is held against.
type expected struct {
	jwks, key string
	alg       string
	audience  string
	typ       string
	offline   bool
}

func (a *app) tokenInspectCommand() *cobra.Command {
	var e expected
	c := &cobra.Command{
		Use:   "inspect",
		Short: "Tell what a token is, and what is wrong with it",
		Long: `Inspect reads a token, or an API key, from standard input, and tells what it is and
all that is wrong with it.

A JSON Web Token is verified against the keys in a file; without one, what it says
is anybody's word, and inspect says so. Whatever is not named, of --issuer,
--audience and --typ, is not checked, which it says as well. With a store, marks
that revoke tokens count.

What is opaque is looked up in the store.

The exit code is 0 for what was verified and is good, and 6 for all else.`,
		Example: `  authctl token inspect < token
  authctl token inspect --key signing.pub.pem --alg ES256 --audience https://api.example.com < token
  authctl token inspect --json < key | jq -r .id`,
		Args: arguments(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			text, err := a.readSecret("token")
			if err != nil {
				return err
			}
			r := &report{}
			if err := a.inspect(c.Context(), r, strings.TrimSpace(text), e); err != nil {
				return err
			}
			return a.printReport(r)
		},
	}
	f := c.Flags()
	f.StringVar(&e.jwks, "jwks", "", "file of a JWK or JWK Set whose keys may have signed the token")
	f.StringVar(&e.key, "key", "", "PEM file of the key that signed the token")
	f.StringVar(&e.alg, "alg", "", "algorithm of the PEM")
	f.StringVar(&e.audience, "audience", "", "what aud must be, or contain")
	f.StringVar(&e.typ, "typ", "", "what typ must be")
	f.BoolVar(&e.offline, "offline", false, "do not ask the store")
	c.MarkFlagsMutuallyExclusive("jwks", "key")
	c.MarkFlagsRequiredTogether("key", "alg")
	return c
}

// inspect fills in the report on a token.
func (a *app) inspect(ctx context.Context, r *report, text string, e expected) error {
	var s *backend
	if a.storeURL() != "" && !e.offline {
		var err error
		if s, err = a.open(ctx); err != nil {
			return fmt.Errorf("%w\n--offline does without the store", err)
		}
		defer s.close()
	}
	if strings.Contains(text, ".") {
		return a.inspectJWT(ctx, r, text, e, s)
	}
	return inspectOpaque(ctx, r, text, s)
}

// A report is what is found out about a token. Nothing in it is secret: not the
// signature of a JWT, nor the text of what is opaque.
type report struct {
	Kind     auth.Kind `json:"kind,omitempty"`
	Form     string    `json:"form"`
	ID       string    `json:"id,omitempty"` // public
	Verified bool      `json:"verified"`
	Problems []string  `json:"problems"` // what is wrong with it
	Notes    []string  `json:"notes"`    // what was not checked, and what is worth knowing
	Header   any       `json:"header,omitempty"`
	Claims   any       `json:"claims,omitempty"`
	Record   any       `json:"record,omitempty"` // what the store says

	fields []field
}

func (r *report) wrong(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

func (r *report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

func (r *report) field(name, value string) { r.fields = append(r.fields, field{name, value}) }

// printReport prints a report and returns what the exit code says of it.
func (a *app) printReport(r *report) error {
	if r.Verified && len(r.Problems) > 0 {
		r.Verified = false
	}
	if r.Problems == nil {
		r.Problems = []string{}
	}
	if r.Notes == nil {
		r.Notes = []string{}
	}
	fields := append([]field{{"form", r.Form}, {"id", r.ID}}, r.fields...)
	if err := a.show(r, fields...); err != nil {
		return err
	}
	if !a.json {
		a.printVerdict(r)
	}
	if !r.Verified {
		return told(exitNotGood)
	}
	return nil
}

func (a *app) printVerdict(r *report) {
	say := func(label, text string) { _, _ = fmt.Fprintf(a.stdout, "%-8s %s\n", label, clean(text)) }
	for _, n := range r.Notes {
		say("note:", n)
	}
	for _, p := range r.Problems {
		say("WRONG:", p)
	}
	switch {
	case r.Verified:
		say("VERIFIED", "nothing is wrong with it")
	case len(r.Problems) > 0:
		say("NOT GOOD", "it is refused")
	default:
		say("UNVERIFIED", "nothing of this is proved: anybody can write such a token")
	}
}

// ago tells a time for people, and how far from now it is.
func ago(t, now time.Time) string {
	d := now.Sub(t).Truncate(time.Second)
	if d >= 0 {
		return fmt.Sprintf("%s, %s ago", when(t), span(d))
	}
	return fmt.Sprintf("%s, in %s", when(t), span(-d))
}

// span is a duration in its two largest units.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= day:
		return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return d.String()
	}
}

// reasonOf is the cause of a refusal, for people.
func reasonOf(err error) string {
	var f *auth.Failure
	if errors.As(err, &f) && f.Err != nil {
		err = f.Err
	}
	return strings.TrimPrefix(err.Error(), "auth: ")
}

// jwsKeys are the keys of a file as they verify a signature alone, apart from
// whatever a token says.
func jwsKeys(data []byte, alg string) ([]*jws.Key, error) {
	one := func(k *jws.Key, err error) ([]*jws.Key, error) { return []*jws.Key{k}, err }
	switch form, isSet := keyForm(data); {
	case form == "pem":
		return one(jws.ParsePEM("", alg, data))
	case isSet:
		return jws.ParseJWKS(data, "")
	default:
		return one(jws.ParseJWK(data, ""))
	}
}
