// Command matrix reads what `go test -json -run TestKit` writes and prints which
// case of the kit holds with which store, as a table in Markdown. It fails where
// a case has. A dash is where a case was not run, most often as the store does not
// offer what it is about.
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	m, err := read(os.Stdin)
	if err == nil {
		err = m.write(os.Stdout)
	}
	if err == nil && m.failed {
		err = errors.New("not all cases hold")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(1)
	}
}

// A matrix holds how each case went with each store.
type matrix struct {
	stores, cases []string // in the order in which they ended
	marks         map[[2]string]string
	failed        bool
}

var marks = map[string]string{"pass": "yes", "fail": "**NO**"}

func read(in io.Reader) (*matrix, error) {
	m := &matrix{marks: map[[2]string]string{}}
	for d := json.NewDecoder(in); ; {
		var e struct{ Action, Test, Output string }
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			return m, nil
		} else if err != nil {
			return nil, err
		}
		switch _, decided := marks[e.Action]; {
		case decided:
			m.add(e.Test, e.Action)
		case e.Action == "build-output":
			fmt.Fprint(os.Stderr, e.Output)
		}
	}
}

// add notes how a test went. One that has subtests goes as they do, and is none
// of the cases: those have ended before it.
func (m *matrix) add(test, action string) {
	m.failed = m.failed || action == "fail"
	name := strings.SplitN(test, "/", 3) // TestKit/STORE/CASE
	if len(name) < 3 || slices.ContainsFunc(m.cases, func(c string) bool { return strings.HasPrefix(c, name[2]+"/") }) {
		return
	}
	if !slices.Contains(m.stores, name[1]) {
		m.stores = append(m.stores, name[1])
	}
	if !slices.Contains(m.cases, name[2]) {
		m.cases = append(m.cases, name[2])
	}
	m.marks[[2]string{name[1], name[2]}] = marks[action]
}

func (m *matrix) write(out io.Writer) error {
	if len(m.cases) == 0 {
		return errors.New("no case has run")
	}
	line := func(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |\n" }
	plain := strings.NewReplacer("_", " ").Replace
	var b strings.Builder
	b.WriteString(plain(line(append([]string{"case"}, m.stores...)...)))
	b.WriteString("|" + strings.Repeat("---|", len(m.stores)+1) + "\n")
	for _, c := range m.cases {
		cells := []string{plain(c)}
		for _, s := range m.stores {
			cells = append(cells, cmp.Or(m.marks[[2]string{s, c}], "–"))
		}
		b.WriteString(line(cells...))
	}
	_, err := io.WriteString(out, b.String())
	return err
}
