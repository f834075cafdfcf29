// Package report tells how a race went: in tables, in charts, and in a file from
// which both can be made again.
package report

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/seed-077cad0b/auth/bench/internal/measure"
)

// A Report is a race that has been run.
type Report struct {
	Machine Machine
	Rounds  int
	Results []measure.Result
	Took    []Took // the tables, in the order of their first results
}

// Took is how long it took to measure a table.
type Took struct {
	Table   string
	Seconds float64
}

// Add appends a result and the time that it took.
func (r *Report) Add(result measure.Result, took time.Duration) {
	r.Results = append(r.Results, result)
	i := slices.IndexFunc(r.Took, func(t Took) bool { return t.Table == result.Table })
	if i < 0 {
		i = len(r.Took)
		r.Took = append(r.Took, Took{Table: result.Table})
	}
	r.Took[i].Seconds += took.Seconds()
}

// Over returns r with what old has and r has not: the cases that were not run
// this time. Both must be of the same machine, and the date is that of r. The
// order is that of old, then that of r.
func (r *Report) Over(old *Report) (*Report, error) {
	was := old.Machine
	was.Date = r.Machine.Date
	if was != r.Machine {
		return nil, fmt.Errorf("the other results are of another machine: %v", old.Machine)
	}
	both := &Report{Machine: r.Machine, Rounds: min(r.Rounds, old.Rounds)}
	both.Results = merge(old.Results, r.Results, func(m measure.Result) string { return m.Table + "/" + m.Name })
	both.Took = merge(old.Took, r.Took, func(t Took) string { return t.Table })
	return both, nil
}

// merge returns old with those of the same name replaced by what is new, and then
// the others that are new.
func merge[T any](old, fresh []T, name func(T) string) []T {
	all := slices.Clone(old)
	for _, f := range fresh {
		i := slices.IndexFunc(all, func(o T) bool { return name(o) == name(f) })
		if i < 0 {
			all = append(all, f)
		} else {
			all[i] = f
		}
	}
	return all
}

// Load reads a report that Save has written.
func Load(path string) (*Report, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &Report{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Save writes the report to a file: a line for each sample and little else, so
// that a diff of two of them can be read.
func (r *Report) Save(path string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// Failed returns the cases of which ours did not come to an end.
func (r *Report) Failed() (cases []string) {
	for _, m := range r.Results {
		if o := m.Outcomes[0]; o.Failure != "" {
			cases = append(cases, fmt.Sprintf("%s/%s: %s: %s", m.Table, m.Name, o.Name, o.Failure))
		}
	}
	return cases
}

// tables returns the results by table, in the order of their first one.
func (r *Report) tables() (names []string, of map[string][]measure.Result) {
	of = map[string][]measure.Result{}
	for _, m := range r.Results {
		if _, ok := of[m.Table]; !ok {
			names = append(names, m.Table)
		}
		of[m.Table] = append(of[m.Table], m)
	}
	return names, of
}
