// Command bench has our library and those that a Go author would otherwise pick do
// the same work, and prints how they compare. See README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"

	"github.com/seed-077cad0b/auth/bench/internal/cases"
	"github.com/seed-077cad0b/auth/bench/internal/measure"
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
	full := flag.Bool("full", false, "run the long cases too")
	rounds := flag.Int("rounds", 5, "how often each contender is measured")
	only := flag.String("only", "", "run the cases that match this `pattern` of table/name")
	flag.Parse()
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.Full && !*full || !pattern.MatchString(c.Table+"/"+c.Name) {
			continue
		}
		r, err := c.Run(ctx, *rounds)
		if err != nil {
			return err
		}
		for i, o := range r.Outcomes {
			m := o.Median()
			fmt.Printf("%-40s %-24s %10.1f %s %6.1f allocs %8.0f B  x%.2f %v %s\n", c.Table+"/"+c.Name, o.Name, m.Value, r.Unit, m.Allocs, m.Bytes, r.Ratio(i), o.Notes, o.Failure)
		}
	}
	return nil
}
