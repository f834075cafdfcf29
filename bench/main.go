// Command bench has our library and those that a Go author would otherwise pick do
// the same work, and prints how they compare. See README.md.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seed-077cad0b/auth/bench/internal/cases"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
	"github.com/seed-077cad0b/auth/bench/internal/report"
)

// What -write writes, and where -from usually finds its results.
const (
	page    = "README.md"
	charts  = "charts"
	results = "results.json"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	all := cases.All()
	if contender, err := measure.Contend(all); contender {
		return err
	}
	full := flag.Bool("full", false, "run the long cases, too")
	rounds := flag.Int("rounds", 5, "how often each contender is measured, where the case has no number of its own")
	only := flag.String("only", "", "run the cases that match this `pattern` of table/name")
	write := flag.Bool("write", false, "write the tables into "+page+", the charts and "+results+" in this folder; what was not run stays as it was")
	from := flag.String("from", "", "measure nothing: report the results in this `file`, such as "+results)
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("%q is no flag", flag.Arg(0))
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	if *rounds < 1 {
		return fmt.Errorf("-rounds %d measures nothing", *rounds)
	}

	var r *report.Report
	if *from != "" {
		r, err = report.Load(*from)
	} else {
		chosen := slices.DeleteFunc(all, func(c measure.Case) bool {
			return c.Full && !*full || !pattern.MatchString(c.Table+"/"+c.Name)
		})
		if len(chosen) == 0 {
			return fmt.Errorf("no case matches %q; long ones and curves want -full", *only)
		}
		r, err = race(ctx, chosen, *rounds, os.Stderr)
	}
	if err != nil {
		return err
	}
	fmt.Print(r.Markdown(""))
	if *write {
		part := *from == "" && (*only != "" || !*full)
		if err := save(r, part, cases.All()); err != nil {
			return err
		}
	}
	// Who does not win is no error: machines are noisy. Who does not run is one.
	if failed := r.Failed(); len(failed) > 0 {
		return fmt.Errorf("ours failed:\n%s", strings.Join(failed, "\n"))
	}
	return nil
}

// race runs the cases, and tells how each goes as soon as that is known.
func race(ctx context.Context, chosen []measure.Case, rounds int, progress io.Writer) (*report.Report, error) {
	r := &report.Report{Machine: report.ThisMachine(), Rounds: rounds}
	for i, c := range chosen {
		start := time.Now()
		result, err := c.Run(ctx, rounds)
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", c.Table, c.Name, err)
		}
		took := time.Since(start)
		r.Add(*result, took)
		fmt.Fprintf(progress, "%3d of %d  %5.1f s  %s/%s: %s\n", i+1, len(chosen), took.Seconds(), c.Table, c.Name, report.Summary(result))
	}
	return r, nil
}

// save writes all that is kept. With part it keeps the results of cases that were
// not run.
func save(r *report.Report, part bool, all []measure.Case) error {
	if part {
		old, err := report.Load(results)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			old = &report.Report{Machine: r.Machine, Rounds: r.Rounds}
		case err != nil:
			return err
		}
		if r, err = r.Over(old); err != nil {
			return err
		}
		place := func(m measure.Result) int {
			return slices.IndexFunc(all, func(c measure.Case) bool { return c.Table == m.Table && c.Name == m.Name })
		}
		slices.SortStableFunc(r.Results, func(a, b measure.Result) int { return cmp.Compare(place(a), place(b)) })
		r.Results = slices.DeleteFunc(r.Results, func(m measure.Result) bool { return place(m) < 0 })
	}
	// The page first: where there is none, this is not the folder.
	if err := r.WritePage(page, charts); err != nil {
		return err
	}
	if err := r.WriteCharts(charts); err != nil {
		return err
	}
	return r.Save(results)
}
