package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-077cad0b/auth"
)

func (a *app) importCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "import [FILE]",
		Short: "Put what was exported into a store",
		Long: `Import reads an export from a file or from standard input, and puts what is in it
into the store. What is there already stays as it is: the same is passed over, so
an import that broke off is done again, and what differs is told, with exit code
4. Whether the export is whole is checked at its end.`,
		Example: `  authctl import auth.jsonl`,
		Args:    arguments(0, 1),
		RunE: a.with(func(ctx context.Context, s *backend, args []string) error {
			in, size := a.stdin, int64(-1)
			if len(args) > 0 && args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
					size = info.Size()
				}
				in = f
			}
			i := &importer{app: a, store: s, bar: a.progress("importing", size)}
			defer i.bar.end()
			err := i.read(ctx, in)
			i.bar.end()
			i.tell(err)
			switch {
			case err != nil:
				return err
			case i.Differing > 0:
				return told(exitConflict)
			}
			return nil
		}),
	}
}

// An importer puts an export into a store.
type importer struct {
	app   *app
	store *backend
	bar   *progress
	result
}

// result is what became of the lines of an export.
type result struct {
	Records   int `json:"records"` // read
	Users     int `json:"users"`
	Added     int `json:"added"`
	Present   int `json:"present"` // the same was there
	Expired   int `json:"expired"` // nobody keeps it any more
	Differing int `json:"differing"`
}

func (i *importer) tell(err error) {
	if i.app.json {
		_ = newEncoder(i.app.stdout).Encode(i.result)
	}
	i.app.note("read %s and %s: %d added, %d there already, %d expired, %d different",
		plural(i.Records, "record"), plural(i.Users, "user"), i.Added, i.Present, i.Expired, i.Differing)
	if err != nil {
		i.app.note("the import broke off; it may be done again, and passes over what is there")
	}
}

// maxExportLine bounds a line of an export. A record is at most some 64 KiB of
// data and a principal.
const maxExportLine = 4 << 20

func (i *importer) read(ctx context.Context, in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxExportLine)
	var end *totals
	for n := 1; lines.Scan(); n++ {
		i.bar.add(len(lines.Bytes()) + 1)
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return fmt.Errorf("line %d: no JSON object of an export", n) // and not what is in it
		}
		var err error
		switch {
		case n == 1:
			err = l.check()
		case end != nil:
			err = errors.New("something follows the end of the export")
		case l.End != nil:
			end = l.End
		default:
			err = i.put(ctx, &l)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("a line is longer than %d bytes: this is no export of authctl", maxExportLine)
	case err != nil:
		return err
	case end == nil:
		return errors.New("the export is cut short: its end is missing")
	case *end != totals{i.Records, i.Users}:
		return fmt.Errorf("the export should hold %s and %s", plural(end.Records, "record"), plural(end.Users, "user"))
	}
	return nil
}

// put puts one record or user into the store.
func (i *importer) put(ctx context.Context, l *line) error {
	if l.User != nil {
		i.Users++
		return i.putUser(ctx, l)
	}
	i.Records++
	e, err := l.entry()
	if err != nil {
		return err
	}
	if until := e.Record.KeepUntil; !until.IsZero() && !time.Now().Before(until) {
		i.Expired++
		return nil
	}
	err = i.store.Insert(ctx, e.Digest, e.Record)
	if !errors.Is(err, auth.ErrExists) {
		return i.added(err)
	}
	there, err := i.store.Lookup(ctx, e.Digest)
	if errors.Is(err, auth.ErrNotFound) {
		return i.added(i.store.Insert(ctx, e.Digest, e.Record)) // it has gone since
	}
	return i.compared(err, sameRecord(there, e.Record), "the %s %s", e.Record.Kind, e.Digest)
}

func (i *importer) putUser(ctx context.Context, l *line) error {
	u, err := l.user()
	if err != nil {
		return err
	}
	err = i.store.users.InsertUser(ctx, u)
	if !errors.Is(err, auth.ErrExists) {
		return i.added(err)
	}
	there, err := i.store.users.UserByID(ctx, u.ID)
	if errors.Is(err, auth.ErrNotFound) {
		err = nil // another user has the login
	}
	return i.compared(err, sameUser(there, u), "the user %q", u.ID)
}

func (i *importer) added(err error) error {
	if err == nil {
		i.Added++
	}
	return err
}

// compared counts what was there already, and names it where it differs.
func (i *importer) compared(err error, same bool, what string, args ...any) error {
	switch {
	case err != nil:
		return err
	case same:
		i.Present++
	default:
		i.Differing++
		i.bar.end()
		i.app.note(what+" is there already, and differs; it stays as it is", args...)
	}
	return nil
}
