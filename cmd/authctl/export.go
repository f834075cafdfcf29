package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/seed-077cad0b/auth"
	"github.com/seed-077cad0b/auth/password"
)

func (a *app) exportCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "export",
		Short: "Write all that a store holds, for import into another",
		Long: `Export writes all records and users as lines of JSON to standard output or, with
--out, into a new file that only its owner reads. No credential is in it, but the
hashes of passwords are, and what would keep a revoked token from being good:
treat it as the store itself.

An export is no snapshot. Stop what writes to the store, or make another one and
import it as well: import tells what differs.`,
		Example: `  authctl export --out auth.jsonl
  AUTH_STORE=postgres://... authctl export | AUTH_STORE=redis://... authctl import`,
		Args: arguments(0, 0),
		RunE: a.with(func(ctx context.Context, s *backend, _ []string) (err error) {
			if err := s.noStrays(ctx); err != nil {
				return err
			}
			w := a.stdout
			if out != "" {
				var f *os.File
				if f, err = createNew(out, 0o600); err != nil {
					return err
				}
				defer func() {
					if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
						err = errors.Join(err, os.Remove(out)) // half of it is no use
					}
				}()
				w = f
			}
			n, err := a.export(ctx, s, w)
			if err == nil {
				a.note("exported %s and %s", plural(n.Records, "record"), plural(n.Users, "user"))
			}
			return err
		}),
	}
	c.Flags().StringVar(&out, "out", "", "new file (default standard output)")
	return c
}

// export writes all that the store holds.
func (a *app) export(ctx context.Context, s *backend, w io.Writer) (n totals, err error) {
	buffered := bufio.NewWriterSize(w, 1<<16)
	lines := newEncoder(buffered)
	if err := lines.Encode(header()); err != nil {
		return n, err
	}
	bar := a.progress("exporting", -1)
	defer bar.end()
	for l, err := range linesOf(ctx, s) {
		if err != nil {
			return n, err
		}
		if err := lines.Encode(l); err != nil {
			return n, err
		}
		if l.User != nil {
			n.Users++
		} else {
			n.Records++
		}
		bar.add(1)
	}
	if err := lines.Encode(line{End: &n}); err != nil {
		return n, err
	}
	return n, buffered.Flush()
}

// linesOf yields the records and users of a store. Marks come first: whoever
// imports them is never without those that end what follows.
func linesOf(ctx context.Context, s *backend) func(yield func(line, error) bool) {
	return func(yield func(line, error) bool) {
		for _, marks := range []bool{true, false} {
			kind := auth.Kind("")
			if marks {
				kind = auth.KindMark
			}
			for e, err := range s.Walk(ctx, kind) {
				if err == nil && (!marks && e.Record.Kind == auth.KindMark || isUserRecord(e.Record.Kind)) {
					continue
				}
				var l line
				if err == nil {
					l, err = recordLine(e)
				}
				if !yield(l, err) || err != nil {
					return
				}
			}
		}
		for u, err := range s.users.Users(ctx) {
			var l line
			if err == nil {
				l, err = userLine(u)
			}
			if !yield(l, err) || err != nil {
				return
			}
		}
	}
}

// isUserRecord reports whether records of that kind are users, which are written
// as such: not every store keeps them as records.
func isUserRecord(k auth.Kind) bool { return k == password.KindUser || k == password.KindLogin }
