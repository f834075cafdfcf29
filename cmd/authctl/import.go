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
	"github.com/seed-077cad0b/auth/password"
)

func (a *app) importCommand() *cobra.Command {
	// The API starts when this is done, so nobody listens; to tell of each line
	// would take ten times as long.
	return &cobra.Command{
		PreRun: func(*cobra.Command, []string) { a.untold = true },
		Use:    "import [FILE]",
		Short:  "Put what was exported into a store",
		Long: `Import reads an export from a file or from standard input, and puts what is in it
into the store. What is there already stays as it is: the same is passed over, so
an import that broke off is done again, and what differs is told, with exit code
4. Whether the export is whole is checked at its end.`,
		Example: `  authctl import auth.jsonl`,
		Args:    arguments(0, 1),
		RunE: a.with(func(ctx context.Context, s *backend, args []string) error {
			if err := s.settled(ctx); err != nil {
				return err
			}
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

// writers is how many lines are written at once: nearly all of a write is waiting
// for the store.
const writers = 16

// An importer puts an export into a store. It writes many lines at once, and
// counts and tells what became of them in their order, as if each had waited for
// the one before.
type importer struct {
	app   *app
	store *backend
	bar   *progress
	result

	stage  stage   // of the last line
	begun  []write // and not settled, in the order of their lines
	failed error   // that of the first line with one
}

// A stage is what is written together. The next begins when all of one is there.
type stage int

const (
	stageMarks   stage = iota // first: nobody sees without them what they end
	stageRecords              // all others
	stageUsers
)

// A write is a line on its way into the store.
type write struct {
	line    int
	outcome chan outcome
}

// An outcome is what became of a line.
type outcome struct {
	number  *int // of the result, which grows by one
	err     error
	differs string // what there is already
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

// read puts an export into the store. The error is that of the first line that
// has one; no line is on its way any more.
func (i *importer) read(ctx context.Context, in io.Reader) error {
	err := i.readLines(ctx, in)
	if i.settle(0); i.failed != nil {
		return i.failed // whatever else is wrong comes after it
	}
	return err
}

// maxExportLine bounds a line of an export. A record is at most some 64 KiB of
// data and a principal.
const maxExportLine = 4 << 20

func (i *importer) readLines(ctx context.Context, in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxExportLine)
	var end *totals
	for n := 1; i.failed == nil && lines.Scan(); n++ {
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
			err = i.put(ctx, n, &l)
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

// put begins to put the record or user of a line into the store.
func (i *importer) put(ctx context.Context, n int, l *line) error {
	if l.User != nil {
		i.Users++
		u, err := l.user()
		if err == nil {
			i.begin(n, stageUsers, func() outcome { return i.putUser(ctx, u) })
		}
		return err
	}
	i.Records++
	e, err := l.entry()
	if err == nil {
		s := stageRecords
		if e.Record.Kind == auth.KindMark {
			s = stageMarks
		}
		i.begin(n, s, func() outcome { return i.putRecord(ctx, e) })
	}
	return err
}

// begin has a line written, as soon as it may be, unless one before it has failed.
func (i *importer) begin(n int, s stage, put func() outcome) {
	most := writers - 1
	if s != i.stage {
		i.stage, most = s, 0
	}
	if i.settle(most); i.failed != nil {
		return
	}
	w := write{n, make(chan outcome, 1)}
	go func() { w.outcome <- put() }()
	i.begun = append(i.begun, w)
}

// settle waits for the oldest lines, until at most that many are on their way.
func (i *importer) settle(most int) {
	for ; len(i.begun) > most; i.begun = i.begun[1:] {
		w := i.begun[0]
		switch o := <-w.outcome; {
		case o.err == nil:
			*o.number++
			if o.differs != "" {
				i.bar.end()
				i.app.note("%s is there already, and differs; it stays as it is", o.differs)
			}
		case i.failed == nil:
			i.failed = fmt.Errorf("line %d: %w", w.line, o.err)
		}
	}
}

func (i *importer) putRecord(ctx context.Context, e auth.Entry) outcome {
	if until := e.Record.KeepUntil; !until.IsZero() && !time.Now().Before(until) {
		return outcome{number: &i.Expired}
	}
	err := i.store.Insert(ctx, e.Digest, e.Record)
	if !errors.Is(err, auth.ErrExists) {
		return outcome{number: &i.Added, err: err}
	}
	there, err := i.store.Lookup(ctx, e.Digest)
	if errors.Is(err, auth.ErrNotFound) {
		return outcome{number: &i.Added, err: i.store.Insert(ctx, e.Digest, e.Record)} // it has gone since
	}
	return i.compared(err, sameRecord(there, e.Record), "the %s %s", e.Record.Kind, e.Digest)
}

func (i *importer) putUser(ctx context.Context, u password.User) outcome {
	err := i.store.users.InsertUser(ctx, u)
	if !errors.Is(err, auth.ErrExists) {
		return outcome{number: &i.Added, err: err}
	}
	there, err := i.store.users.UserByID(ctx, u.ID)
	if errors.Is(err, auth.ErrNotFound) {
		err = nil // another user has the login
	}
	return i.compared(err, sameUser(there, u), "the user %q", u.ID)
}

// compared is the outcome of what was there already, which is named where it
// differs.
func (i *importer) compared(err error, same bool, what string, args ...any) outcome {
	if err != nil || same {
		return outcome{number: &i.Present, err: err}
	}
	return outcome{number: &i.Differing, differs: fmt.Sprintf(what, args...)}
}
