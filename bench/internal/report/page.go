package report

import (
	"fmt"
	"os"
	"strings"

	"github.com/seed-077cad0b/auth/bench/internal/measure"
)

// Between these lines a page has the newest tables.
const (
	begin = "<!-- tables: written by the command -->\n"
	end   = "<!-- end of tables -->\n"
)

// WritePage puts the tables into a page, with the charts of a folder beside it.
func (r *Report) WritePage(path, charts string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return fmt.Errorf("%s has no place for tables, between %q and %q", path, begin, end)
	}
	return os.WriteFile(path, []byte(before+begin+"\n"+r.Markdown(charts)+"\n"+end+after), 0o644)
}

// Summary tells in a line how a case went.
func Summary(m *measure.Result) string {
	ours := &m.Outcomes[0]
	if ours.Failure != "" {
		return "FAILED: " + ours.Failure
	}
	if m.Axis != "" {
		c := curveOf(m)
		s, _ := c.steepest()
		return s.String()
	}
	parts := []string{amount(ours.Median().Value, m.Unit)}
	for i, o := range m.Outcomes[1:] {
		switch ratio := m.Ratio(i + 1); {
		case o.Failure != "":
			parts = append(parts, o.Name+" failed: "+o.Failure)
		case m.Missed(i + 1):
			parts = append(parts, o.Name+" "+holds(ratio, o.Wanted))
		case ratio < 1 && m.Table != Attacks:
			parts = append(parts, o.Name+" "+times(ratio))
		}
	}
	return strings.Join(parts, "; ")
}
