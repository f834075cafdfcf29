// Authctl is the operators' tool: it looks after API keys, sessions, users,
// platforms and OAuth 2.0 clients in the store of an API that uses package auth,
// makes signing keys, tells what is wrong with a token, and moves all that a
// store holds to another.
// See docs/authctl.md of that module.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/seed-077cad0b/auth"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // asked twice, it ends at once
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, env: os.Getenv}
	code := a.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// An app is one call of authctl.
//
// What is asked for, a secret among it, goes to stdout, and everything else to
// stderr, so that a new key can be sent into a file.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) string

	store  string // URL
	issuer string
	json   bool
	yes    bool

	userPlace string // inTable or inRecords; empty: nobody says
	untold    bool   // changes are not told to the API's caches

	lines  *bufio.Reader  // of stdin, once it has been read from
	person *term.Terminal // the same, where somebody sits there
}

// run returns the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.command()
	root.SetArgs(idsLast(root, args))
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil, errors.Is(err, errTold):
	case ctx.Err() != nil:
		a.note("authctl: interrupted")
	default:
		a.note("authctl: %s", a.hide(err.Error()))
	}
	return exitCode(err)
}

// idsLast moves ids that begin with a hyphen, as one in 64 does, behind all flags,
// so that none is taken for one.
func idsLast(root *cobra.Command, args []string) []string {
	command, _, err := root.Find(args)
	if err != nil {
		return args
	}
	var rest, ids []string
	for i, arg := range args {
		if arg == "--" {
			return append(append(rest, "--"), append(ids, args[i+1:]...)...)
		}
		if isHyphenedID(arg) && (i == 0 || !takesValue(command, args[i-1])) {
			ids = append(ids, arg)
		} else {
			rest = append(rest, arg)
		}
	}
	if len(ids) > 0 {
		rest = append(append(rest, "--"), ids...)
	}
	return rest
}

// isHyphenedID reports whether arg is an id, or the beginning of one, and looks
// like a flag. There are no flags of one hyphen that are as long.
func isHyphenedID(arg string) bool {
	if len(arg) < leastID || arg[0] != '-' {
		return false
	}
	_, err := auth.ParseDigest(arg)
	return err == nil || arg[1] != '-'
}

// takesValue reports whether arg is a flag whose value is the next one.
func takesValue(c *cobra.Command, arg string) bool {
	name, ok := strings.CutPrefix(arg, "--")
	if !ok {
		return false
	}
	flag := c.Flag(name)
	return flag != nil && flag.NoOptDefVal == ""
}

// note tells people something that no program reads.
func (a *app) note(format string, args ...any) {
	_, _ = fmt.Fprintln(a.stderr, clean(fmt.Sprintf(format, args...)))
}

func (a *app) command() *cobra.Command {
	root := group("authctl", "Look after API keys, sessions, users, platforms and OAuth clients", `
Authctl works on the store of an API that uses package auth.

The store is named by the environment variable AUTH_STORE, or by --store:

  sqlite:FILE                              SQLite
  postgres://USER:PASSWORD@HOST/DATABASE   PostgreSQL
  mysql://USER:PASSWORD@HOST/DATABASE      MySQL, MariaDB
  redis://USER:PASSWORD@HOST/DATABASE      Redis; rediss:// over TLS, with
                                           ?prefix=, of the keys; ?addr=HOST:PORT,
                                           more nodes of a cluster, repeated; and
                                           ?insecure-eviction, where the server may
                                           evict keys

Others on this machine can read a command line: a URL with a password in it
belongs into the environment.

What is asked for goes to standard output, everything else to standard error.
A secret is shown once, when it is made, and read from standard input.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 exists already, has
changed, or sessions go on under another issuer, 5 the store does not answer, 6
the token is not good or was not verified.`, `
  export AUTH_STORE=sqlite:auth.db
  authctl migrate
  authctl key create --prefix acme_live --subject 42 --scope data:read
  authctl session revoke --login ann@example.com`,
		a.migrateCommand(), a.keyCommand(), a.sessionCommand(), a.userCommand(), a.platformCommand(), a.clientCommand(),
		a.keygenCommand(), a.tokenCommand(), a.sweepCommand(), a.exportCommand(), a.importCommand(), a.versionCommand(),
	)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), "{{if .Runnable}}", "{{if not .HasAvailableSubCommands}}", 1))
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		// Cobra does the same a moment later, and its errors have no code.
		if err := errors.Join(c.ValidateRequiredFlags(), c.ValidateFlagGroups()); err != nil {
			return usage(err)
		}
		return nil
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.store, "store", "", "URL of the store (default $AUTH_STORE)")
	flags.StringVar(&a.issuer, "issuer", a.env("AUTH_ISSUER"), "issuer of the principals (default $AUTH_ISSUER); empty is the API itself")
	flags.Lookup("issuer").DefValue = "" // the help is the same everywhere
	flags.StringVar(&a.userPlace, "users", "", "where a SQL store has its users: table, or records for password.NewUserRecords (default table)")
	flags.BoolVar(&a.json, "json", false, "print JSON, one object a line")
	flags.BoolVarP(&a.yes, "yes", "y", false, "answer yes to what is asked before something is lost for good")
	return root
}

// group returns a command that has others.
func group(use, short, long, example string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use:     use,
		Short:   short,
		Long:    strings.TrimSpace(long),
		Example: strings.Trim(example, "\n"),
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				c.SetOut(c.ErrOrStderr())
				_ = c.Help()
				return usage(fmt.Errorf("%s: which command?", c.CommandPath()))
			}
			hint := ""
			if near := c.SuggestionsFor(args[0]); len(near) > 0 {
				hint = "; did you mean " + strings.Join(near, " or ") + "?"
			}
			return usage(fmt.Errorf("%s has no command %q%s", c.CommandPath(), args[0], hint))
		},
		DisableFlagsInUseLine:      true,
		SuggestionsMinimumDistance: 2,
	}
	c.AddCommand(commands...)
	return c
}

// arguments returns a check that there are that many, or more where most is
// negative.
func arguments(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return usage(fmt.Errorf("usage: %s", c.UseLine()))
		}
		return nil
	}
}
