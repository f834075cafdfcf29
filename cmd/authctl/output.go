package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// A listing prints values as the rows of a table, or each as a JSON object on a
// line of its own.
type listing struct {
	json  *json.Encoder
	table *tabwriter.Writer
}

func (a *app) listing(header ...string) *listing {
	if a.json {
		return &listing{json: newEncoder(a.stdout)}
	}
	l := &listing{table: tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)}
	_, _ = fmt.Fprintln(l.table, strings.Join(header, "\t"))
	return l
}

func newEncoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}

// add prints v, whose row in the table is cells.
func (l *listing) add(v any, cells ...string) error {
	if l.json != nil {
		return l.json.Encode(v)
	}
	for i := range cells {
		cells[i] = orDash(clean(cells[i]))
	}
	_, err := fmt.Fprintln(l.table, strings.Join(cells, "\t"))
	return err
}

func (l *listing) end() error {
	if l.table == nil {
		return nil
	}
	return l.table.Flush()
}

// A field is a line of what show prints.
type field struct{ name, value string }

// show prints one value: its fields, without those that are empty, or JSON.
func (a *app) show(v any, fields ...field) error {
	if a.json {
		return newEncoder(a.stdout).Encode(v)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
	for _, f := range fields {
		if f.value != "" {
			_, _ = fmt.Fprintf(w, "%s:\t%s\n", f.name, clean(f.value))
		}
	}
	return w.Flush()
}

// clean makes of a text, which a stranger may have written, one that does
// nothing to a terminal or to a table.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			return r
		case r == '\t':
			return ' '
		}
		return unicode.ReplacementChar
	}, s)
}

func orDash(s string) string {
	if s = strings.ReplaceAll(s, "\n", " "); s != "" {
		return s
	}
	return "-"
}

// when prints a time for people; the zero time is nothing.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
