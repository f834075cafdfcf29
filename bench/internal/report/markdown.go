package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-077cad0b/auth/bench/internal/measure"
)

// Attacks is the table whose first contenders are attackers: it is told in other
// words.
const Attacks = "Attacks"

// Markdown returns the tables, which can be read as they are, too. With a folder of
// charts, each section begins with its chart, and who is not the nearest is folded
// away.
func (r *Report) Markdown(charts string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v; medians of %d rounds, or of as many as a case has of its own\n\n", r.Machine, r.Rounds)
	names, of := r.tables()
	for _, name := range names {
		s := section{name: name, results: of[name], charts: charts}
		b.WriteString(s.String())
	}
	b.WriteString(r.verdicts())
	b.WriteString(r.took() + "\n")
	return b.String()
}

func (r *Report) took() string {
	var parts []string
	all := 0.0
	for _, t := range r.Took {
		parts = append(parts, fmt.Sprintf("%s %.0f s", t.Table, t.Seconds))
		all += t.Seconds
	}
	return fmt.Sprintf("Measured in %.0f s: %s.", all, strings.Join(parts, ", "))
}

// A section is what is told of a table.
type section struct {
	name    string
	results []measure.Result
	charts  string // folder; empty for none
	notes   []string
}

func (s *section) String() string {
	var b strings.Builder
	b.WriteString("## " + s.name + "\n\n")
	names, curves := axes(s.results)
	if s.charts != "" {
		for _, c := range s.chartsOf() {
			b.WriteString(c.picture(s.charts) + "\n")
		}
	}
	for _, axis := range names {
		b.WriteString(curveGrid(axis, curves[axis]).String() + "\n")
	}
	races := s.races()
	switch {
	case len(races) == 0:
	case s.name == Attacks:
		b.WriteString(s.attacks(races).String() + "\n")
	default:
		b.WriteString(s.overview(races).String() + "\n")
		b.WriteString(s.folded(s.everybody(races)))
	}
	for i, n := range s.notes {
		fmt.Fprintf(&b, "%s %s  \n", raised(i+1), escape(n))
	}
	if len(s.notes) > 0 {
		b.WriteByte('\n')
	}
	return b.String()
}

// races returns the results that are no curves.
func (s *section) races() []measure.Result {
	return slices.DeleteFunc(slices.Clone(s.results), func(m measure.Result) bool { return m.Axis != "" })
}

// folded is a table that a page shows when it is asked to.
func (s *section) folded(g *grid) string {
	if s.charts == "" {
		return g.String() + "\n"
	}
	return "<details><summary>Every contender</summary>\n\n" + g.String() + "\n</details>\n\n"
}

// overview has a row for each case: ours, the nearest and the furthest of the
// others, and the yardstick: the bare work, a few lines without a library, or ours
// in other circumstances.
func (s *section) overview(races []measure.Result) *grid {
	g := &grid{head: []string{"case", ">ours", ">allocs", ">B", "nearest", "furthest", "yardstick", "wanted"}}
	for _, m := range races {
		ours := &m.Outcomes[0]
		if ours.Failure != "" {
			g.add(caseName(&m), "failed", "", "", "", "", "", "✗")
			continue
		}
		field := fieldOf(&m)
		own := ours.Median()
		if field.furthest == field.nearest {
			field.furthest = -1
		}
		g.add(caseName(&m), amount(own.Value, m.Unit), each(own.Allocs), count(own.Bytes),
			rival(&m, field.nearest), rival(&m, field.furthest), rival(&m, field.bare), verdict(&m))
	}
	return g
}

// A field is who stands where beside ours; -1 for nobody.
type field struct{ nearest, furthest, bare int }

// fieldOf looks at those who came to an end. Whoever has no version is no library,
// but a yardstick.
func fieldOf(m *measure.Result) field {
	f := field{-1, -1, -1}
	for i, o := range m.Outcomes {
		switch ratio := m.Ratio(i); {
		case i == 0 || o.Failure != "" || len(o.Samples) == 0:
		case o.Version == "":
			if f.bare < 0 || ratio < m.Ratio(f.bare) {
				f.bare = i
			}
		default:
			if f.nearest < 0 || ratio < m.Ratio(f.nearest) {
				f.nearest = i
			}
			if f.furthest < 0 || ratio > m.Ratio(f.furthest) {
				f.furthest = i
			}
		}
	}
	return f
}

func rival(m *measure.Result, i int) string {
	if i < 0 {
		return ""
	}
	return times(m.Ratio(i)) + " " + m.Outcomes[i].Name
}

// verdict says whether a case is as wanted.
func verdict(m *measure.Result) string {
	all, missed := 0, 0
	for i, o := range m.Outcomes {
		if o.Wanted > 0 {
			all++
		}
		if m.Missed(i) {
			missed++
		}
	}
	switch {
	case all == 0:
		return ""
	case missed == 0:
		return "✓"
	default:
		return fmt.Sprintf("✗ %d of %d", missed, all)
	}
}

// everybody has a row for each contender of each case.
func (s *section) everybody(races []measure.Result) *grid {
	g := &grid{head: []string{"case", "who", ">takes", ">ours is", ">allocs", ">B", ">wanted", "holds", "version"}}
	for _, m := range races {
		for i, o := range m.Outcomes {
			name := ""
			if i == 0 {
				name = caseName(&m)
			}
			who := o.Name + s.note(o.Notes)
			if o.Failure != "" {
				g.add(name, o.Name+s.note([]string{o.Failure}), "failed", "", "", "", "", "", o.Version)
				continue
			}
			n := o.Median()
			row := []string{name, who, amount(n.Value, m.Unit), "", each(n.Allocs), count(n.Bytes), "", "", o.Version}
			if i > 0 {
				row[3] = times(m.Ratio(i))
			}
			if i > 0 && o.Wanted > 0 {
				row[6], row[7] = wanted(o.Wanted), holds(m.Ratio(i), o.Wanted)
			}
			g.add(row...)
		}
	}
	return g
}

// attacks has a row for each attack and each of what it is compared with.
func (s *section) attacks(races []measure.Result) *grid {
	g := &grid{head: []string{"attack", ">each takes", "beside", ">takes", ">attack is", "at most", "holds"}}
	for _, m := range races {
		attack := &m.Outcomes[0]
		name := caseName(&m) + s.note(attack.Notes)
		if attack.Failure != "" {
			g.add(name+s.note([]string{attack.Failure}), "failed", "", "", "", "", "✗")
			continue
		}
		for i, o := range m.Outcomes[1:] {
			if o.Failure != "" {
				g.add(name, "", o.Name+s.note([]string{o.Failure}), "failed", "", "", "")
				continue
			}
			ratio := m.Ratio(i + 1)
			row := []string{name, amount(attack.Median().Value, m.Unit), o.Name, amount(o.Median().Value, m.Unit), times(1 / ratio), "", ""}
			if o.Wanted > 0 {
				row[5], row[6] = times(1/o.Wanted), "✓"
				if m.Missed(i + 1) {
					row[6] = "✗"
				}
			}
			g.add(row...)
			name = ""
		}
	}
	return g
}

func curveGrid(axis string, curves []curve) *grid {
	g := &grid{head: []string{axis}}
	all := places(curves)
	for _, x := range all {
		g.head = append(g.head, ">"+short(x))
	}
	g.head = append(g.head, "steepest step")
	for _, c := range curves {
		row := []string{c.name}
		for _, x := range all {
			cell := ""
			if y, ok := c.at(x); ok {
				cell = amount(y, c.unit)
			}
			row = append(row, cell)
		}
		steepest := ""
		if s, ok := c.steepest(); ok {
			steepest = s.String()
		}
		g.add(append(row, steepest)...)
	}
	return g
}

// note returns the marks of notes, which are told below the tables, each once.
func (s *section) note(notes []string) string {
	var marks []string
	for _, n := range notes {
		i := slices.Index(s.notes, n)
		if i < 0 {
			i = len(s.notes)
			s.notes = append(s.notes, n)
		}
		marks = append(marks, raised(i+1))
	}
	if len(marks) == 0 {
		return ""
	}
	return " " + strings.Join(marks, "˒")
}

func raised(n int) string {
	digits := []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")
	var b strings.Builder
	for _, d := range fmt.Sprint(n) {
		b.WriteRune(digits[d-'0'])
	}
	return b.String()
}

// caseName is the name of a case, with its cores where they are not told.
func caseName(m *measure.Result) string {
	if m.Cores > 1 && !strings.Contains(m.Name, "core") {
		return fmt.Sprintf("%s, %d cores", m.Name, m.Cores)
	}
	return m.Name
}

// verdicts lists what we do not win, and what is not as wanted.
func (r *Report) verdicts() string {
	var behind, missed []string
	for _, m := range r.Results {
		if m.Axis != "" {
			continue
		}
		for i, o := range m.Outcomes {
			if i == 0 || o.Failure != "" || m.Outcomes[0].Failure != "" {
				continue
			}
			ratio, name := m.Ratio(i), m.Table+", "+caseName(&m)
			if ratio < 1 && m.Table != Attacks {
				behind = append(behind, fmt.Sprintf("%s: %s %s", name, times(ratio), o.Name))
			}
			if m.Missed(i) {
				missed = append(missed, fmt.Sprintf("%s: %s: %s, wanted %s", name, o.Name, holds(ratio, o.Wanted), wanted(o.Wanted)))
			}
		}
	}
	return list("Not in front", behind) + list("Missed", missed) + list("Failed", r.Failed())
}

func list(title string, lines []string) string {
	if len(lines) == 0 {
		if title == "Failed" {
			return ""
		}
		lines = []string{"nothing"}
	}
	return "## " + title + "\n\n- " + strings.Join(lines, "\n- ") + "\n\n"
}
